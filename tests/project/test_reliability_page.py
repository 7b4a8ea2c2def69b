"""docs/reliability.md names tests that exist, for every promise."""

import ast
import re

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (?!fault|fear)", line)]
NAMED = re.compile(r"`((?:\w+/)?test_\w+\.py)::(test_\w+)`")
SCRIPT = re.compile(r"`python -m tests\.stress\.(\w+) [0-9]+`")


def functions(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_promise_names_tests_that_exist(row: str) -> None:
    _, fault, promise, shown_by, _ = row.split("|")
    assert fault.strip()
    assert promise.strip()
    tests = NAMED.findall(shown_by)
    assert tests
    for file, name in tests:
        assert name in functions(file)
    for script in SCRIPT.findall(shown_by):
        assert "main(run_rounds)" in (ROOT / "tests" / "stress" / f"{script}.py").read_text()


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) > 35
