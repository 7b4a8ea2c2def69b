"""The tables of exit codes are those of the code, and of the commands' help.

``python -m tests.project.test_exit_codes_page`` writes them.
"""

import re
from inspect import cleandoc

import click

from smbrare import cli, errors
from smbrare.detection.report import Report
from tests.cli.test_help import commands
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "exit-codes.md"
_BLOCK = re.compile(r"(<!-- codes: (\w+) -->\n\n)(?:\|.*\n)*")


def listed(docstring: str | None) -> dict[int, str]:
    """Return the codes that a docstring lists, with their meaning."""
    found = re.findall(r"^(\d+): (.*(?:\n    .*)*)", cleandoc(docstring or ""), re.MULTILINE)
    return {int(code): re.sub(r"\n +", " ", meaning) for code, meaning in found}


def of_a_scan() -> dict[int, str]:
    """Return those that a scan ends with, the first that applies first."""
    return {2: listed(cli.run.__doc__)[2]} | listed(Report.exit_code.__doc__)


def of_a_command(command: click.Command) -> str:
    """Return what the help says of a command's codes, in one line."""
    (text,) = re.findall(r"Exit codes:(.*?)(?:\n\n|$)", command.help or "", re.DOTALL)
    lines = [line.strip() for line in text.strip().splitlines()]
    is_list = all(re.match(r"\d+  ", line) for line in lines)
    return re.sub(" +", " ", ("; " if is_list else " ").join(lines)).removesuffix(".")


def table(kind: str) -> str:
    """Return one of the tables in Markdown."""
    if kind == "commands":
        rows = [
            (f"`{' '.join(names)}`", of_a_command(command))
            for names, command in commands(cli.cli, "smbrare")
            if not isinstance(command, click.Group)
        ]
        head = ("command", "exit codes")
    else:
        codes = of_a_scan() if kind == "scan" else listed(cli.run.__doc__)
        rows = [(str(code), meaning) for code, meaning in codes.items()]
        head = ("code", "meaning")
    return "".join(f"| {left} | {right} |\n" for left, right in (head, *rows)).replace(
        " |\n", " |\n|---|---|\n", 1
    )


def current(text: str) -> str:
    """Return a page with its tables as they are now."""
    return _BLOCK.sub(lambda block: block[1] + table(block[2]), text)


def test_the_page_has_the_codes_of_the_program() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _BLOCK.search(text)
    assert text == current(text)


def test_every_code_of_the_program_has_a_meaning() -> None:
    numbers = {code for name in dir(errors) if isinstance(code := getattr(errors, name), int)}
    assert set(of_a_scan()) | set(listed(cli.run.__doc__)) == numbers


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
