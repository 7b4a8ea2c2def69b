"""``smbrare watch`` as a process: signals, exit codes, and a file of findings that survives."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smbrare.cli import appending
from smbrare.outputs.json_document import ndjson_line
from tests.conftest import ROOT, Run
from tests.stress.kill_watch import run_rounds
from tests.support.watching import add, line, watched

ONE, TWO = "45.83.122.10", "91.219.236.18"
SECONDS = 30
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.ndjson"
    add(path, line(ONE))
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a watch; it is killed if it goes on after its test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "smbrare", "watch", *map(str, arguments)]
        command += ["--baseline", str(tmp_path / "kept.db"), "--interval", "0.02"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def found(text: str | bytes) -> list[str]:
    return [json.loads(each)["destination"]["ip"] for each in text.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_findings_come_at_once_and_a_signal_ends_it_with_the_baseline_complete(
    run: Run, start: Start, log: Path, number: int, code: int
) -> None:
    process = start(log)
    assert process.stdout is not None
    assert found(process.stdout.readline()) == [ONE]
    add(log, line(TWO), line("10.20.1.9", 5))
    assert found(process.stdout.readline()) == [TWO]
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (code, b"")
    assert b"findings 2" in err
    again = run("watch", log, "--baseline", log.with_name("kept.db"), "--once")
    assert (again.code, again.out) == (0, "")
    assert "1 file, 0 records" in again.err


def test_findings_are_added_to_a_file(run: Run, log: Path, tmp_path: Path) -> None:
    output = tmp_path / "findings.ndjson"
    command = ("watch", log, "--baseline", tmp_path / "kept.db", "--once", "-o", output)
    first = run(*command)
    assert (first.code, first.out) == (1, "")
    add(log, line(TWO))
    assert run(*command).code == 1
    assert found(output.read_text()) == [ONE, TWO]
    assert run(*command, "--exit-zero").code == 0
    scan = run("scan", log, "-f", "ndjson")
    assert [json.loads(each) for each in output.read_text().splitlines()] == [
        json.loads(each) for each in scan.out.splitlines()
    ]


@pytest.mark.parametrize("hour", [0, None])
@pytest.mark.parametrize("behind", ["nothing", "a finding"])
def test_a_finding_that_a_crash_cut_off_anywhere_is_taken_off_the_file(
    tmp_path: Path, hour: int | None, behind: str
) -> None:
    output = tmp_path / "findings.ndjson"
    whole = _finding(tmp_path, hour)
    before = whole if behind == "a finding" else b""
    for count in (*range(1, 70), len(whole) // 2, len(whole) - 2):
        told: list[str] = []
        output.write_bytes(before + whole[:count])
        appending.check(output, told.append)
        assert output.read_bytes() == before
        assert told == [f"{output}: its last line was a finding cut off, and was taken off"]


def test_a_whole_finding_without_the_end_of_its_line_gets_it(tmp_path: Path) -> None:
    output = tmp_path / "findings.ndjson"
    whole, told = _finding(tmp_path, 0), list[str]()
    output.write_bytes(whole + whole[:-1])
    appending.check(output, told.append)
    assert output.read_bytes() == whole + whole
    assert told == [f"{output}: its last line lacked its end, which was added"]


def _finding(folder: Path, hour: int | None) -> bytes:
    """Return a finding as a line, with a time or without."""
    log = folder / "found.log"
    add(log, line(ONE, 0, **({} if hour is not None else {"@timestamp": None})))
    (finding,) = watched([log], folder / "found.db").findings
    assert (finding.sighting.time is None) == (hour is None)
    return ndjson_line(finding).encode()


_EXPORTED = '{"@timestamp":"2026-11-16T08:00:00Z","event":{"kind":"alert"},"host":{"name":"WS-01"}}'


@pytest.mark.parametrize(
    "text",
    [
        "my notes\nand more",
        _EXPORTED,
        _EXPORTED.replace("alert", "event")[:-2],
        f"{_EXPORTED}\n{_EXPORTED[:-2]}",
        f'{_EXPORTED}\n{{"@timestamp":"2026-',
        "null",
        '{"a": 1}\n{',
    ],
)
def test_a_file_that_ends_in_something_else_is_left_alone(
    run: Run, log: Path, tmp_path: Path, text: str
) -> None:
    output = tmp_path / "mine.txt"
    output.write_text(text)
    result = run("watch", log, "--baseline", tmp_path / "kept.db", "--once", "-o", output)
    assert result.code == 2
    assert "does not end with a complete line, and is not a file of findings" in result.err
    assert output.read_text() == text


def test_what_was_done_to_the_end_of_the_file_is_told(run: Run, log: Path, tmp_path: Path) -> None:
    output = tmp_path / "findings.ndjson"
    output.write_text('{"@timestamp":"2026-')
    result = run("watch", log, "--baseline", tmp_path / "kept.db", "--once", "-o", output)
    assert f"WARNING  {output}: its last line was a finding cut off" in result.err
    assert found(output.read_text()) == [ONE]


@pytest.mark.parametrize("url", ["s3://logs/a", "https://anna:secret@127.0.0.1:9/logs/"])
def test_objects_behind_urls_are_refused(run: Run, log: Path, tmp_path: Path, url: str) -> None:
    result = run("watch", log, url, "--baseline", tmp_path / "kept.db", "--once")
    assert (result.code, result.out) == (2, "")
    assert "is not a file: watch follows files, scan it" in result.err
    assert "secret" not in result.err
    assert not (tmp_path / "kept.db").exists()


def test_its_own_files_in_a_folder_that_is_watched_are_passed_over(
    run: Run, log: Path, tmp_path: Path
) -> None:
    baseline, output = tmp_path / "kept.db", tmp_path / "findings.ndjson"
    command = ("watch", tmp_path, "--baseline", baseline, "--once", "-o", output)
    first = run(*command)
    assert found(output.read_text()) == [ONE]
    second = run(*command)
    assert [first.code, second.code] == [1, 0]
    assert "skipped:" not in first.err + second.err
    assert log.exists()


@pytest.mark.parametrize("output", ["app.ndjson", "kept.db"])
def test_findings_are_never_added_to_what_is_read(
    run: Run, log: Path, tmp_path: Path, output: str
) -> None:
    command = ("watch", log, "--baseline", tmp_path / "kept.db", "--once")
    run(*command)
    result = run(*command, "-o", tmp_path / output)
    assert result.code == 2
    assert "is read by this run" in result.err


@pytest.mark.parametrize("given", ["the same path", "a link"])
def test_a_second_watch_of_a_baseline_is_refused_until_the_first_has_ended_in_any_way(
    run: Run, start: Start, log: Path, tmp_path: Path, given: str
) -> None:
    first, kept = start(log), tmp_path / "kept.db"
    assert first.stdout is not None
    assert found(first.stdout.readline()) == [ONE]
    if given == "a link":
        (tmp_path / "link.db").symlink_to(kept)
        kept = tmp_path / "link.db"
    for _ in range(2):
        refused = run("watch", log, "--baseline", kept, "--once")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == f"smbrare: {kept} is in use by another watch\n"
    other = run("watch", log, "--baseline", tmp_path / "other.db", "--once")
    assert found(other.out) == [ONE]
    assert run("scan", log, "--baseline", kept).code == 1
    add(log, line(TWO))
    assert found(first.stdout.readline()) == [TWO]
    first.kill()
    first.wait(SECONDS)
    again = run("watch", log, "--baseline", kept, "--once")
    assert set(found(again.out)) <= {TWO}  # What was printed, and not yet recorded as such.
    assert again.code in {0, 1}


def test_what_keeps_a_second_watch_away_is_seen_in_no_folder(
    run: Run, log: Path, tmp_path: Path
) -> None:
    command = ("watch", tmp_path, "--baseline", tmp_path / "kept.db", "--once")
    assert run(*command).code == 1
    again = run(*command)
    assert (again.code, again.out) == (0, "")
    assert "WARNING" not in again.err
    assert (tmp_path / ".kept.db.watch").stat().st_mode & 0o777 == 0o600
    assert run("scan", log, tmp_path / ".kept.db.watch").code == 1


@pytest.mark.parametrize("gone", ["file", "folder", "working directory", "made a pipe"])
def test_what_vanished_keeps_it_from_nothing(run: Run, tmp_path: Path, gone: str) -> None:
    folder, kept = tmp_path / "logs", tmp_path / "kept.db"
    folder.mkdir()
    log = folder / "app.ndjson"
    add(log, line(ONE))
    command = [sys.executable, "-m", "smbrare", "watch", "app.ndjson", ".", "--interval", "0.02"]
    process = subprocess.Popen(
        [*command, "--baseline", str(kept)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert found(process.stdout.readline()) == [ONE]
    other = tmp_path / "rotated"
    log.rename(other)
    if gone == "made a pipe":
        os.mkfifo(log)
    elif gone != "file":
        folder.rmdir()
    if gone == "folder":
        folder.mkdir()
    time.sleep(0.1)
    add(other, line(TWO, 1))
    assert found(process.stdout.readline()) == [TWO]
    process.terminate()
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 143
    assert b"findings 2" in err
    again = run("watch", log, "--baseline", kept, "--once")
    assert (again.code, again.out) == (3, "")


def test_a_request_to_stop_is_heard_at_any_moment_of_waiting() -> None:
    script = """
import random, signal
from smbrare.cli import interruption
for number in range(400):
    stop = interruption.StopRequest()
    signal.signal(signal.SIGALRM, stop.make)
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 3e-4))
    while not stop.is_made():
        stop.wait(0.00005)
    stop.wait(60)
print(stop.number == signal.SIGALRM)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=SECONDS)
    assert done.stdout == b"True\n", done.stderr


def test_without_a_baseline_it_does_not_start(run: Run, log: Path) -> None:
    result = run("watch", log)
    assert result.code == 2
    assert "give --baseline NAME or FILE" in result.err


def test_exit_codes_of_one_look_are_those_of_a_scan(run: Run, tmp_path: Path) -> None:
    quiet, bad, poor = (tmp_path / name for name in ("quiet", "bad", "poor"))
    add(quiet, line("10.20.1.9"))
    add(bad, line("10.20.1.9"), "{broken 445\n")
    add(poor, line(ONE, process__pid=None))
    for path, code in ((quiet, 0), (bad, 3), (poor, 4), (tmp_path / "none", 3)):
        command = ("watch", path, "--baseline", f"{path}.db", "--once")
        assert (path.name, run(*command).code) == (path.name, code)
    assert run("scan", poor).code == 4
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("watch", empty, "--baseline", tmp_path / "empty.db", "--once").code == 4


def test_a_reader_that_goes_away_ends_it_and_the_finding_is_given_again(
    run: Run, start: Start, log: Path, tmp_path: Path
) -> None:
    process = start(log)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    add(log, line(TWO))
    assert process.wait(SECONDS) == 141
    again = run("watch", log, "--baseline", tmp_path / "kept.db", "--once")
    assert found(again.out) == [TWO]


def test_what_it_says_of_a_log_has_no_live_control_characters(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "a\x1b[31m.ndjson"
    add(log, line(ONE), "{\x1b]0;x\x07 445\n")
    result = run("watch", tmp_path, "--baseline", tmp_path / "kept.db", "--once")
    assert "\x1b" not in result.err
    assert "a\\x1b[31m.ndjson:2: skipped: " in result.err


def test_a_scan_does_not_import_what_a_watch_needs() -> None:
    text = "import sys, smbrare.cli.scan_command; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, check=True, cwd=ROOT, text=True
    )
    names = set(done.stdout.split())
    assert names.isdisjoint(
        {"smbrare.watch.watch", "smbrare.watch.tails", "smbrare.watch.following"}
    )


def test_an_output_that_cannot_be_written_ends_it_and_the_finding_is_given_later(
    run: Run, start: Start, log: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    process = start(log, "-o", folder / "findings.ndjson")
    end = time.monotonic() + SECONDS
    while not (folder / "findings.ndjson").exists() or not (folder / "findings.ndjson").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    folder.rename(tmp_path / "elsewhere")
    add(log, line(TWO))
    assert process.wait(SECONDS) == 2
    os.mkdir(folder)  # noqa: PTH102
    command = ("watch", log, "--baseline", tmp_path / "kept.db", "--once")
    assert found(run(*command).out) == [TWO]


def test_kills_at_random_moments_lose_no_finding_and_repeat_at_most_the_last(
    tmp_path: Path,
) -> None:
    fates: Counter[str] = Counter()
    assert run_rounds(tmp_path, 4, 1, fates) == []
    assert fates["(findings in all)"] > 40


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_terminal_shows_rows_and_how_many_files_are_watched(log: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "smbrare", "watch", str(log), "--interval", "0.02"]
    process = subprocess.Popen(
        [*command, "--baseline", str(tmp_path / "kept.db")],
        cwd=ROOT,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"},
    )
    os.close(theirs)
    sent = b""
    while b"(Ctrl-C to stop)" not in sent:
        sent += os.read(ours, 65_536)
    process.terminate()
    assert process.wait(SECONDS) == 143
    os.close(ours)
    first, second, *_, last = sent.decode().splitlines()
    assert first.startswith(f"!     {ONE}  ")
    assert "1 event" in second
    assert f"{log.name}:1" in sent.decode()
    assert last == "watching 1 file (Ctrl-C to stop)"
