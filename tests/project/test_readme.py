"""The documents show what the program prints; ``python -m tests.test_readme`` updates them."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = ROOT / "README.md"
NAMES = ("options.md", "explain.md", "inspect.md", "replay.md")
SHOWING = (README, *(ROOT / "docs" / name for name in NAMES))
"""Documents with blocks of the program's own output."""

_BLOCK = re.compile(r"<!-- (sample|help):(.*?) -->\n```(console|text)\n(.*?)```\n", re.DOTALL)
_TIMING = re.compile(r" in [0-9.]+ s$", re.MULTILINE)


def output(arguments: str) -> str:
    """Return what the program prints, stdout then stderr, at 120 columns and without its timing."""
    done = subprocess.run(
        [sys.executable, "-m", "smbrare", *arguments.split()],
        capture_output=True,
        cwd=ROOT,
        check=False,
        env=os.environ | {"COLUMNS": "120", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )
    return _TIMING.sub(" in 0.1 s", done.stdout.decode() + done.stderr.decode())


def current(text: str) -> str:
    """Return the README with every block as the program prints it now."""

    def block(match: re.Match[str]) -> str:
        kind, given, fence, _ = match.groups()
        arguments = given.strip()
        if kind == "help":
            body = output(f"{arguments} --help")
        else:
            body = f"$ smbrare {arguments}\n{output(arguments)}"
        return f"<!-- {kind}:{given} -->\n```{fence}\n{body}```\n"

    return _BLOCK.sub(block, text)


@pytest.mark.parametrize("document", SHOWING, ids=lambda path: path.name)
def test_the_document_shows_what_the_program_prints(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert _BLOCK.search(text)
    assert text == current(text)


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


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
        path.write_text(current(path.read_text(encoding="utf-8")), encoding="utf-8")
