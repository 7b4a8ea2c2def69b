"""The man pages say what the help says, and mandoc finds no fault with them.

``python -m tests.project.test_man_pages`` writes them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from smbrare import __version__
from smbrare.cli import cli
from smbrare.cli.command import Command
from tests.cli.test_help import commands
from tests.conftest import ROOT

FOLDER = ROOT / "man"
TREE = {"-".join(names): (names, command) for names, command in commands(cli, "smbrare")}


def page(names: tuple[str, ...], command: click.Command) -> str:
    """Return the page of a command."""
    context = context_of(names)
    title = "-".join(names)
    head = f'.TH {escaped(title.upper())} 1 "" "smbrare {__version__}" "smbrare manual"'
    what = summary(command)
    return "\n".join(
        [
            head,
            ".nh",  # Options and variables stay in one piece.
            ".SH NAME",
            f"{escaped(title)} \\- {escaped(what[:1].lower() + what[1:])}",
            ".SH SYNOPSIS",
            f".B {escaped(context.command_path)}",
            escaped(" ".join(command.collect_usage_pieces(context))),
            *description(command),
            *options(command, context),
            *below(names, command, context),
            *examples(command),
            *related(names),
            "",
        ]
    )


def context_of(names: tuple[str, ...]) -> click.Context:
    """Return the context of a command, as the program makes it."""
    context = click.Context(cli, info_name="smbrare", **cli.context_settings)
    for name in names[1:]:
        assert isinstance(context.command, click.Group)
        command = context.command.get_command(context, name)
        assert command is not None
        context = click.Context(command, context, name, **command.context_settings)
    return context


def summary(command: click.Command) -> str:
    """Return the first sentence of a command's help, without its stop."""
    return command.get_short_help_str(200).removesuffix(".")


def escaped(text: str) -> str:
    """Return text that roff prints as it is."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", r"\e").replace("-", r"\-"))


def description(command: click.Command) -> Iterator[str]:
    """Yield the paragraphs of the help, and the exit codes in a section of their own."""
    heading = ".SH DESCRIPTION"
    for paragraph in (command.help or "").split("\n\n"):
        lines = paragraph.removeprefix("\b\n").splitlines()
        is_exit = lines[0].startswith("Exit codes:")
        yield ".SH EXIT STATUS" if is_exit else heading
        heading = ".PP"
        if is_exit and len(lines) > 1:
            yield from literal(lines[1:])
        else:
            yield escaped(" ".join(lines).removeprefix("Exit codes: "))


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the options, those of a group below its title."""
    yield ".SH OPTIONS"
    if isinstance(command, Command):
        groups = command.option_groups(context)
    else:
        records = (each.get_help_record(context) for each in command.get_params(context))
        groups = {"Options": [record for record in records if record]}
    for title, records_of_group in groups.items():
        if len(groups) > 1:
            yield f".SS {title}"
        for term, text in records_of_group:
            yield from (".TP", f".B {escaped(term)}", escaped(text.replace("  [", " [")))


def below(names: tuple[str, ...], command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the commands of a group."""
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for name in command.list_commands(context):
            one = command.get_command(context, name)
            assert one is not None
            yield from (".TP", reference((*names, name)), escaped(summary(one)))


def examples(command: click.Command) -> Iterator[str]:
    """Yield the examples as they are."""
    yield ".SH EXAMPLES"
    yield from literal((command.epilog or "").removeprefix("\b\nExamples:\n").splitlines())


def related(names: tuple[str, ...]) -> Iterator[str]:
    """Yield the page above."""
    if len(names) > 1:
        yield from (".SH SEE ALSO", reference(names[:-1]))


def reference(names: tuple[str, ...]) -> str:
    return f".BR {escaped('-'.join(names))} (1)"


def literal(lines: list[str]) -> Iterator[str]:
    """Yield lines that are not filled."""
    yield from (".nf", *(escaped(line.strip()) for line in lines), ".fi")


@pytest.mark.parametrize("name", TREE)
def test_the_man_page_of_every_command_is_what_its_help_says(name: str) -> None:
    text = (FOLDER / f"{name}.1").read_text(encoding="utf-8")
    assert text == page(*TREE[name])


def test_there_is_no_other_man_page() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.1" for name in TREE}


def test_mandoc_finds_no_fault() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("no mandoc")
    command = ["mandoc", "-T", "lint", "-W", "warning", *sorted(map(str, FOLDER.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A page without a date is the same whenever it is written.
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for each, found in TREE.items():
        Path(FOLDER / f"{each}.1").write_text(page(*found), encoding="utf-8")
