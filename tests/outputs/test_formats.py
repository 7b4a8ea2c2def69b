"""Formats: each can be written, a run loads the one it uses, and no command knows one by name."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from smbrare import cli
from smbrare.outputs import formats
from smbrare.outputs.formats import OutputFormat, RenderOptions
from tests.conftest import ROOT
from tests.support.reports import printed, report

TABLES = (
    formats.REPORT,
    formats.COMPARISON,
    formats.SEEN,
    formats.PREVIEW,
    formats.EXPLANATION,
    formats.INSPECTION,
    formats.RULE,
)
EVERY = [each for table in TABLES for each in table.values()]


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.renderer)
def test_every_line_of_a_table_names_a_function(each: OutputFormat[object]) -> None:
    module, _, function = each.renderer.rpartition(".")
    assert callable(getattr(import_module(f"smbrare.outputs.{module}"), function))


@pytest.mark.parametrize("name", formats.REPORT)
def test_a_report_without_findings_can_be_written_in_every_format(name: str) -> None:
    text = printed(name, report(), show="all", encoding="cp1252", width=80)
    assert (text == "") == (name in {"table", "ndjson"})


def test_a_console_gets_escapes_for_what_its_encoding_lacks() -> None:
    console = RenderOptions(encoding="ascii")
    assert console.clean("\u2265 1h \u0416\u202e") == ">= 1h \\u0416\\u202e"
    assert not console.has("\u2588")


def test_a_command_loads_no_format_before_it_prints() -> None:
    code = "import sys, smbrare.cli.scan_command; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    renderers = {f"smbrare.outputs.{each.renderer.rpartition('.')[0]}" for each in EVERY}
    assert renderers.isdisjoint(run.stdout.split())


def test_no_command_compares_the_name_of_a_format() -> None:
    names = {each.name for each in EVERY}
    found = [
        f"{path.name}:{node.lineno}"
        for path in Path(cli.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in names
    ]
    assert found == []
