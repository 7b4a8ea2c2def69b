"""Every command and option says what it does, with examples that parse."""

import platform
import re
import shlex
from collections.abc import Iterator
from importlib import metadata

import click
import pytest

from smbrare import __version__
from smbrare.cli import cli
from tests.conftest import Run


def commands(
    command: click.Command, *names: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command of the tree with the words that call it."""
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, *names, name)


TREE = [pytest.param(*found, id=" ".join(found[0])) for found in commands(cli, "smbrare")]


def examples(command: click.Command) -> list[list[str]]:
    """Return the words of each example that follow ``smbrare``."""
    _, _, text = (command.epilog or "").partition("Examples:\n")
    found = []
    for line in text.splitlines():
        # Two blanks and more set a remark apart.
        call = re.split(r" {2,}", line.strip())[0]
        for part in re.split(r" \| | > ", call):
            words = shlex.split(part)
            if words[:1] == ["smbrare"]:
                found.append(words[1:])
    return found


def parse(words: list[str]) -> None:
    """Parse arguments as the program does, without running the command.

    Raises:
        click.UsageError: If they cannot be parsed.
    """
    command: click.Command = cli
    context: click.Context | None = None
    name = "smbrare"
    while isinstance(command, click.Group):
        # A command keeps the help option that it first made, whose names come from the contexts.
        context = click.Context(command, context, name, **command.context_settings)
        below = command.get_command(context, words[0])
        assert below is not None
        command, name, words = below, words[0], words[1:]
    command.make_context(name, list(words), context)


@pytest.mark.parametrize(("names", "command"), TREE)
def test_every_command_has_help_and_examples(
    names: tuple[str, ...], command: click.Command
) -> None:
    assert command.help
    assert len(names) == 1 or not command.get_short_help_str(65).endswith("...")
    assert examples(command)


@pytest.mark.parametrize(("names", "command"), TREE)
def test_every_option_has_help(names: tuple[str, ...], command: click.Command) -> None:
    del names
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help
            assert parameter.help[0].isupper()
            assert parameter.help.endswith(".")


@pytest.mark.parametrize(("names", "command"), TREE)
def test_every_example_is_of_its_command_and_parses(
    names: tuple[str, ...], command: click.Command
) -> None:
    for words in examples(command):
        assert tuple(words[: len(names) - 1]) == names[1:]
        parse(words)


@pytest.mark.parametrize(("names", "command"), TREE)
def test_help_names_every_option_and_prints_the_examples_as_written(
    run: Run, names: tuple[str, ...], command: click.Command
) -> None:
    result = run(*names[1:], "--help")
    assert result.code == 0
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.opts[-1] in result.out
    for line in (command.epilog or "").splitlines()[1:]:
        assert line in result.out
        # click prints examples as they are; what is wider than a terminal breaks in a word.
        assert len(line) <= 78


@pytest.mark.parametrize(("names", "command"), TREE)
def test_commands_without_findings_have_no_option_that_speaks_of_them(
    names: tuple[str, ...], command: click.Command
) -> None:
    if names[1:2] in {("replay",), ("baseline",), ("rule",), ("inspect",)}:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert "findings" not in str(parameter.help).lower()


@pytest.mark.parametrize(("names", "command"), TREE)
def test_the_help_of_every_command_names_its_exit_codes(
    run: Run, names: tuple[str, ...], command: click.Command
) -> None:
    del command
    _, _, codes = run(*names[1:], "--help", env={"COLUMNS": "80"}).out.partition("Exit codes:")
    assert re.match(r"\s+[0-9]+ ", codes)
    assert re.search(r"\b2\s", codes)


def test_long_help_is_in_groups_with_everyday_options_first(run: Run) -> None:
    text = run("scan", "--help", env={"COLUMNS": "80"}).out
    headings = re.findall(r"^([A-Z][A-Za-z ]+):$", text, re.MULTILINE)
    assert headings == [
        "Output",
        "What to look for",
        "Baseline",
        "Names for destinations",
        "Input",
        "Performance",
        "Other",
    ]
    shown = re.findall(r"^  (?:-., )?(--[a-z-]+)", text, re.MULTILINE)
    assert shown[:2] == ["--format", "--output"]
    assert shown.index("--since") < shown.index("--history") < shown.index("--limit")
    assert len(shown) == len(set(shown))
    assert max(map(len, text.partition("Examples:")[0].splitlines())) <= 80
    explained = re.findall(r"^( {2,}--?[^ ].*?  +)[A-Z]", text, re.MULTILINE)
    assert {len(start) for start in explained} == {34}


def test_the_version_is_one_line_and_v_adds_what_a_bug_report_needs(run: Run) -> None:
    short = run("--version")
    assert (short.code, short.out) == (0, f"smbrare {__version__}\n")
    long = run("--version", "-v")
    assert long.code == 0
    assert run("-v", "--version") == long
    first, python, sqlite, _, *dependencies = long.out.splitlines()
    assert first == short.out.strip()
    assert python.endswith(f" {platform.python_version()}")
    assert sqlite.startswith("SQLite 3.")
    versions = dict(line.split(" ", 1) for line in dependencies)
    assert versions["click"] == metadata.version("click")


def test_a_dependency_that_is_missing_is_said_to_be(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = [
        "orjson>=3",
        "gone[fast]>=1",
        "gone.geo (>=2) ; extra == 'geoip'",
        "backport; python_version < '3.0'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: requirements)
    assert run("--version", "-v").out.splitlines()[4:] == [
        f"orjson {metadata.version('orjson')}",
        "gone not installed",
        "gone.geo not installed (geoip)",
    ]
    monkeypatch.setattr(metadata, "requires", missing)
    assert "not installed as a package" in run("--version", "-v").out


def missing(name: str) -> list[str]:
    raise metadata.PackageNotFoundError(name)


def test_v_before_a_command_is_refused(run: Run) -> None:
    refused = run("-v", "scan", "fixtures/sample.ndjson")
    assert (refused.code, refused.out) == (2, "")
    assert "after the command" in refused.err
