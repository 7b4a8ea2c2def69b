"""Every command and option says what it does, with examples that parse; shells complete them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from smbrare.cli import cli
from tests.conftest import ROOT, Run

DOCUMENT = ROOT / "docs" / "completion.md"


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


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """Return a folder with an executable ``smbrare``, as an installation puts on the path."""
    program = tmp_path / "bin" / "smbrare"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m smbrare "$@"\n')
    program.chmod(0o755)
    return program.parent


def shell(command: list[str], shim: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        env=os.environ | {"PATH": f"{shim}:{os.environ['PATH']}"} | environment,
        cwd=ROOT,
    )
    return done.stdout.decode()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_completion_script_of_each_shell_is_generated_and_documented(
    shim: Path, tmp_path: Path, name: str
) -> None:
    if shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    script = shell(["smbrare"], shim, _SMBRARE_COMPLETE=f"{name}_source")
    assert f"_SMBRARE_COMPLETE={name}_complete" in script
    assert "smbrare" in script
    assert f"_SMBRARE_COMPLETE={name}_source smbrare" in DOCUMENT.read_text()
    if shutil.which(name) is not None:
        path = tmp_path / f"completion.{name}"
        path.write_text(script)
        shell([name, "-n", str(path)], shim)


def complete(run: Run, words: str, **environment: str) -> list[str]:
    count = str(len(words.split()) - (not words.endswith(" ")))
    asked = {"_SMBRARE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    return run(env=asked | environment).out.split()


def test_commands_options_values_and_files_are_completed(run: Run, tmp_path: Path) -> None:
    assert {"plain,scan", "plain,inspect", "plain,explain"} <= set(complete(run, "smbrare "))
    assert complete(run, "smbrare scan --his") == ["plain,--history"]
    assert "plain,json" in complete(run, "smbrare scan --format j")
    for command in ("scan", "inspect", "explain"):
        assert complete(run, f"smbrare {command} fix") == ["file,fix"]
    names = tmp_path / "state" / "smbrare"
    names.mkdir(parents=True)
    (names / "acme.db").touch()
    (names / "other.db").touch()
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert complete(run, "smbrare scan --baseline ac", **state) == ["plain,acme"]
    assert complete(run, "smbrare scan --baseline ./x", **state) == ["file,./x"]


def test_bash_completes_with_the_documented_line(shim: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    (line,) = re.findall(
        r'^eval "\$\(_SMBRARE_COMPLETE=bash_source smbrare\)"$', DOCUMENT.read_text(), re.MULTILINE
    )
    script = (
        f"{line}\n"
        "COMP_WORDS=(smbrare ins); COMP_CWORD=1\n"
        "_smbrare_completion smbrare\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    assert shell(["bash", "-c", script], shim).split() == ["inspect"]


def test_a_completion_that_was_written_is_exit_0(run_process: Run) -> None:
    result = run_process(env={"_SMBRARE_COMPLETE": "bash_source"})
    assert result.code == 0
    assert "complete" in result.out
