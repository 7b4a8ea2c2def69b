"""How runs end: full disks, closed pipes, signals and rivals change no baseline and no output."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import content, made, names
from tests.support.events import matching
from tests.support.rights import give_up_roots_rights

SAMPLE = FIXTURES / "sample.ndjson"
PROGRAM = (sys.executable, "-m", "smbrare")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A log whose findings do not fit into what a full disk leaves."""
    path = tmp_path / "many.ndjson"
    documents = (matching(destination__ip=f"45.83.{n // 250}.{n % 250}") for n in range(300))
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an output and a baseline of earlier."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "findings").write_text("before")
    made(folder / "acme.db")
    return folder


@pytest.mark.parametrize("name", ["findings", "new"])
def test_a_full_disk_leaves_output_and_baseline_as_they_were(
    folder: Path, many: Path, name: str
) -> None:
    output, baseline = folder / name, folder / "acme.db"
    before = baseline.read_bytes()
    done = subprocess.run(
        [*PROGRAM, *map(str, ("scan", many, "-f", "json", "-o", output, "--baseline", baseline))],
        capture_output=True,
        cwd=ROOT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"smbrare: {output} cannot be written: file too large" in done.stderr.decode()
    assert (folder / "findings").read_text() == "before"
    assert baseline.read_bytes() == before
    assert names(folder) == ["acme.db", "findings"]


def test_an_output_in_a_folder_that_is_read_only_is_told_before_the_scan(folder: Path) -> None:
    folder.chmod(0o555)
    done = subprocess.run(
        [*PROGRAM, "scan", SAMPLE, "-o", folder / "findings"],
        capture_output=True,
        cwd=ROOT,
        check=False,
        preexec_fn=give_up_roots_rights,
    )
    folder.chmod(0o755)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot be written to" in done.stderr
    assert b"read  " not in done.stderr
    assert (folder / "findings").read_text() == "before"


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [["scan", str(SAMPLE)], ["inspect", str(SAMPLE)], ["rule", "show"], ["scan", "--help"]],
    ids=" ".join,
)
def test_a_full_stdout_is_exit_2_and_told(arguments: list[str]) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )
    assert done.returncode == 2
    assert b"stdout cannot be written: no space left on device" in done.stderr
    assert b"internal error" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["scan", str(SAMPLE)], 1),
        (["scan", "--no-such-option"], 2),
        (["scan", str(SAMPLE), "--baseline", "/no/such/folder/x.db"], 2),
        (["scan", "/no/such/file"], 3),
    ],
)
def test_a_full_stderr_changes_no_exit_code(arguments: list[str], code: int) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=full, cwd=ROOT, check=False
        )
    assert done.returncode == code


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["rule", "show"]])
def test_help_and_rule_into_a_closed_pipe_are_exit_141(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PROGRAM, *arguments], stdout=write, stderr=subprocess.PIPE, cwd=ROOT, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_shut_pipe_leaves_a_baseline_of_earlier_byte_for_byte(folder: Path, many: Path) -> None:
    before = (folder / "acme.db").read_bytes()
    with subprocess.Popen(
        [*PROGRAM, "scan", many, "-f", "ndjson", "--baseline", folder / "acme.db"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
    assert (folder / "acme.db").read_bytes() == before
    assert names(folder) == ["acme.db", "findings"]


def test_ctrl_c_before_the_command_line_is_loaded_ends_without_a_traceback() -> None:
    program = (
        "import os, runpy, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        # A shell has what it starts in the background ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "runpy.run_module('smbrare', run_name='__main__')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (-signal.SIGINT, b"", b"")


def test_scans_that_are_stopped_at_random_moments_leave_nothing_half_done(tmp_path: Path) -> None:
    from tests.stress import interrupt  # noqa: PLC0415 - a script, run by hand as well

    fates: Counter[str] = Counter()
    assert interrupt.run_rounds(tmp_path, rounds=6, seed=3, fates=fates) == []


@pytest.mark.parametrize("exists", [True, False])
def test_two_scans_at_once_on_one_baseline_lose_nothing(
    run: Run, tmp_path: Path, *, exists: bool
) -> None:
    baseline = tmp_path / "acme.db"
    if exists:
        made(baseline)
    logs = []
    for number in range(2):
        log = tmp_path / f"{number}.ndjson"
        log.write_text(json.dumps(matching(destination__ip=f"91.219.236.{number}")) + "\n")
        logs.append(log)
    started = [
        subprocess.Popen(
            [*PROGRAM, "scan", log, "--baseline", baseline],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        for log in logs
    ]
    assert [process.wait(60) for process in started] == [1, 1]
    kept = {row.destination for row in content(baseline)[0]}
    assert {"91.219.236.0", "91.219.236.1"} <= kept
    assert run("baseline", "verify", baseline).code == 0
