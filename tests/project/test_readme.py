"""The documents show what the program prints.

``python -m tests.project.test_readme`` updates them.
"""

import re
import runpy
import tempfile
from pathlib import Path

import click
import pytest

from smbrare.cli import cli
from tests.cli.test_help import commands
from tests.conftest import ROOT
from tests.support.console import timeless
from tests.support.program import Program

README = ROOT / "README.md"
NAMES = ("options.md", "explain.md", "inspect.md", "replay.md")
SHOWING = (README, *(ROOT / "docs" / name for name in NAMES))
"""Documents with blocks of the program's own output."""

_BLOCK = re.compile(r"<!-- (sample|help):(.*?) -->\n```(console|text)\n(.*?)```\n", re.DOTALL)


def output(words: str, home: Path) -> str:
    """Return what the program prints, stdout and stderr, at 120 columns and without its timing."""
    done = Program(home).run(*words.split(), env={"COLUMNS": "120"}, mixed=True)
    return timeless(done.out)


def current(text: str, home: Path) -> str:
    """Return a document with every block as the program prints it now."""

    def block(match: re.Match[str]) -> str:
        kind, given, fence, _ = match.groups()
        words = given.strip()
        if kind == "help":
            body = output(f"{words} --help", home)
        else:
            body = f"$ smbrare {words}\n{output(words, home)}"
        return f"<!-- {kind}:{given} -->\n```{fence}\n{body}```\n"

    return _BLOCK.sub(block, text)


@pytest.mark.parametrize("document", SHOWING, ids=lambda path: path.name)
def test_the_document_shows_what_the_program_prints(document: Path, tmp_path: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert _BLOCK.search(text)
    assert text == current(text, tmp_path)


def test_the_page_of_options_has_the_help_of_every_command() -> None:
    shown = re.findall(r"<!-- help: (.+?) -->", (ROOT / "docs" / "options.md").read_text())
    names = [" ".join(names[1:]) for names, each in commands(cli, "smbrare") if is_final(each)]
    assert sorted(shown) == sorted(names)


def is_final(command: click.Command) -> bool:
    """Return whether a command has none below it."""
    return not isinstance(command, click.Group)


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 140


def test_every_dependency_has_its_reason() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    names = set(re.findall(r'^  "([a-z0-9._-]+)[>=]', project, re.MULTILINE))
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    assert {name for name in names if f"**{name}**" not in reasons} == set()


def test_the_fixtures_are_what_their_script_writes() -> None:
    files = runpy.run_path(str(ROOT / "fixtures" / "make.py"))["files"]()
    for name, text in files.items():
        assert (ROOT / "fixtures" / name).read_text(encoding="utf-8") == text


if __name__ == "__main__":
    for path in SHOWING:
        with tempfile.TemporaryDirectory() as folder:
            made = current(path.read_text(encoding="utf-8"), Path(folder))
        path.write_text(made, encoding="utf-8")
