"""Shells complete commands, options, values, files and the names of baselines."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smbrare.cli import COMMANDS
from tests.conftest import ROOT, Run

DOCUMENT = (ROOT / "docs" / "completion.md").read_text(encoding="utf-8")
SHELLS = ("bash", "fish", "powershell", "zsh")


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """Return a folder with an executable ``smbrare``, as an installation puts on the path."""
    program = tmp_path / "bin" / "smbrare"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m smbrare "$@"\n')
    program.chmod(0o755)
    return program.parent


def shell(command: list[str], shim: Path) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        env=os.environ | {"PATH": f"{shim}:{os.environ['PATH']}"},
        cwd=ROOT,
    )
    return done.stdout.decode()


def complete(run: Run, words: str, **environment: str) -> list[str]:
    """Return the answer to bash, a line an item."""
    count = str(len(words.split()) - (not words.endswith(" ")))
    asked = {"_SMBRARE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    return run(env=asked | environment).out.split()


def complete_whole_word(run: Run, name: str, words: str) -> list[str]:
    """Return the values that zsh, fish or PowerShell is told, asked as its script asks."""
    *before, last = words.split(" ")
    # fish gives the word itself, the others its place.
    place = last if name == "fish" else str(len(before))
    asked = {"_SMBRARE_COMPLETE": f"{name}_complete", "COMP_WORDS": words, "COMP_CWORD": place}
    lines = run(env=asked).out.strip().splitlines()
    if name == "fish":
        return [line.split("\t")[0].removeprefix("plain,") for line in lines]
    assert [kind for kind in lines[::3] if kind != "plain"] == []
    return lines[1::3]


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_of_each_shell_is_printed_and_documented(
    run: Run, shim: Path, tmp_path: Path, name: str
) -> None:
    printed = run("completion", name)
    assert printed.code == 0
    assert f"{name}_complete" in printed.out
    assert f"smbrare completion {name}" in DOCUMENT
    if name != "powershell" and shutil.which(name) is not None:
        path = tmp_path / f"completion.{name}"
        path.write_text(printed.out)
        shell([name, "-n", str(path)], shim)


def test_commands_options_values_and_files_are_completed(run: Run, tmp_path: Path) -> None:
    assert {"plain,scan", "plain,inspect", "plain,explain"} <= set(complete(run, "smbrare "))
    assert complete(run, "smbrare scan --his") == ["plain,--history"]
    assert "plain,json" in complete(run, "smbrare scan --format j")
    assert "plain,fish" in complete(run, "smbrare completion ")
    for command in ("scan", "inspect", "explain"):
        assert complete(run, f"smbrare {command} fix") == ["file,fix"]
    names = tmp_path / "state" / "smbrare"
    names.mkdir(parents=True)
    (names / "acme.db").touch()
    (names / "other.db").touch()
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert complete(run, "smbrare scan --baseline ac", **state) == ["plain,acme"]
    assert complete(run, "smbrare scan --baseline ./x", **state) == ["file,./x"]


def test_commands_are_completed_with_their_line_of_the_help(run: Run) -> None:
    asked = {"_SMBRARE_COMPLETE": "zsh_complete", "COMP_WORDS": "smbrare s", "COMP_CWORD": "1"}
    lines = run(env=asked).out.splitlines()
    assert list(zip(lines[1::3], lines[2::3], strict=True)) == [
        (name, line) for name, line in sorted(COMMANDS.items()) if name.startswith("s")
    ]


def test_a_value_behind_an_equals_sign_is_completed(run: Run) -> None:
    # bash takes the sign for a word, and replaces only what follows it.
    assert complete(run, "smbrare scan --format = js") == ["plain,json"]
    assert complete(run, "smbrare baseline show --format = json ./x") == ["file,./x"]
    for name in ("zsh", "fish", "powershell"):
        assert complete_whole_word(run, name, "smbrare scan --format=js") == ["--format=json"]
        assert complete_whole_word(run, name, "smbrare scan --form") == ["--format"]


def test_powershell_gets_values_in_its_quotes_and_completes_paths_itself(run: Run) -> None:
    asked = complete_whole_word(run, "powershell", "smbrare scan --time-field ")
    assert asked == ["'@timestamp'", "event.ingested"]
    # A backslash neither joins two words nor ends a quoted one late.
    for path in ("C:\\logs\\", "'C:\\my logs\\'", '"C:\\my logs\\"'):
        words = f"smbrare scan {path} --his"
        environment = {
            "_SMBRARE_COMPLETE": "powershell_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": "3",
        }
        assert run(env=environment).out.splitlines()[1:2] == ["--history"]
    assert complete_whole_word(run, "powershell", "smbrare scan C:\\lo") == []


def test_bash_completes_with_the_documented_line(shim: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    (line,) = re.findall(r'^eval "\$\(smbrare completion bash\)"$', DOCUMENT, re.MULTILINE)
    script = (
        f"{line}\n"
        "COMP_WORDS=(smbrare scan '\"my file\"' --his); COMP_CWORD=3\n"
        "_smbrare_completion smbrare\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    assert shell(["bash", "-c", script], shim).split() == ["--history"]


def test_a_completion_that_was_written_is_exit_0(run_process: Run) -> None:
    result = run_process("completion", "bash")
    assert result.code == 0
    assert "complete" in result.out
