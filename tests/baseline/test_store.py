"""The baseline's file: exact, shared by several scans, and never harmed by what ends one."""

import json
import multiprocessing
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.baseline import connection
from smbrare.baseline.store import Baseline
from smbrare.detection.kept_events import Sighting
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import HOURS, SETTINGS, SEVERAL, content, made, names
from tests.support.rows import START, rows_of, sighting, sightings

WEEK = sorted((FIXTURES / "week").iterdir())


# What is learnt


@settings(max_examples=60)
@given(sightings(), st.data())
def test_order_split_and_repetition_of_commits_do_not_show(
    several: list[Sighting], data: st.DataObject
) -> None:
    whole = rows_of(several)
    pieces = data.draw(st.lists(st.lists(st.sampled_from(several or [sighting()])), max_size=4))
    shuffled = data.draw(st.permutations(several))
    cut = data.draw(st.integers(0, len(several)))
    with tempfile.TemporaryDirectory() as folder:
        once, often = Path(folder, "once.db"), Path(folder, "often.db")
        made(once, whole, HOURS)
        for piece in (shuffled[:cut], shuffled[cut:], *(pieces if several else [])):
            made(often, rows_of(piece), HOURS)
        assert content(often) == content(once)
        assert Baseline(often).verify() == Baseline(once).verify()
        assert content(once)[0] == sorted(whole)


def test_an_hour_that_was_read_whole_stays_so(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db", [], {7: True, 8: False})
    made(path, [], {7: False, 8: True})
    assert Baseline(path).covered() == {7: False, 8: False}


def test_rows_of_some_destinations_are_found_however_many_are_asked_for(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db")
    wanted = {row.destination for row in SEVERAL[:550]} | {"203.0.112.1"}
    assert list(Baseline(path, SETTINGS).rows(wanted)) == sorted(SEVERAL[:550])


# Two at once


def _commit_some(path: str, number: int, barrier: Any) -> None:
    barrier.wait()
    for turn in range(5):
        name = f"ws-{number}-{turn}"
        rows = rows_of([sighting(host=name, time=START + turn * HOUR)])
        Baseline(Path(path), SETTINGS).commit(rows, {number * 10 + turn: False})


def test_of_scans_that_commit_at_once_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    processes = [
        context.Process(target=_commit_some, args=(str(path), number, barrier))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    rows, hours, _ = content(path)
    assert {row.host for row in rows} == {f"ws-{n}-{t}" for n in range(4) for t in range(5)}
    assert set(hours) == {n * 10 + t for n in range(4) for t in range(5)}
    assert names(tmp_path) == ["b.db"]


@pytest.mark.parametrize("links", [True, False])
def test_of_two_scans_that_both_create_the_file_neither_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    path = tmp_path / "b.db"
    if not links:

        def no_link(*_: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_link)
    first, second = Baseline(path, SETTINGS), Baseline(path, SETTINGS)
    other = rows_of([sighting("91.219.236.18")])
    # The second creates the file when the first is about to.
    first.commit(SEVERAL, HOURS, last_step=lambda: second.commit(other, {99: False}))
    rows, hours, _ = content(path)
    assert rows == sorted([*SEVERAL, *other])
    assert hours == HOURS | {99: False}
    assert names(tmp_path) == ["b.db"]


def test_a_baseline_that_went_away_during_the_scan_is_not_begun_anew(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db")
    baseline = Baseline(path, SETTINGS)
    path.unlink()
    with pytest.raises(BaselineError):
        baseline.commit(SEVERAL, HOURS)
    assert names(tmp_path) == []


def test_a_locked_baseline_is_an_error_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "b.db")
    baseline = Baseline(path, SETTINGS)
    monkeypatch.setattr(connection, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for use in (lambda: list(baseline.rows()), lambda: baseline.commit(SEVERAL, {})):
            with pytest.raises(BaselineError, match="another process"):
                use()
    assert list(baseline.rows()) == sorted(SEVERAL)


# What ends a commit


def test_rows_that_fail_in_the_midst_leave_no_file_and_change_none(tmp_path: Path) -> None:
    def failing() -> Iterator[Row]:
        yield from SEVERAL
        raise BaselineError("no more")

    path = tmp_path / "b.db"
    with pytest.raises(BaselineError):
        Baseline(path, SETTINGS).commit(failing(), HOURS)
    assert names(tmp_path) == []
    made(path, SEVERAL[:3])
    before = path.read_bytes()
    with pytest.raises(BaselineError):
        Baseline(path, SETTINGS).commit(failing(), HOURS)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["b.db"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path: Path, *, exists: bool) -> None:
    path = tmp_path / "b.db"
    if exists:
        made(path, SEVERAL[:3])
    before = path.read_bytes() if exists else None
    program = (
        "import sys; from pathlib import Path; from tests.support.baselines import made\n"
        "from smbrare.errors import BaselineError\n"
        "try: made(Path(sys.argv[1]))\n"
        "except BaselineError as error: sys.exit(f'told: {error}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        capture_output=True,
        cwd=ROOT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert b"told: " in done.stderr
    assert (path.read_bytes() if path.exists() else None) == before
    assert names(tmp_path) == (["b.db"] if exists else [])


def test_a_scan_killed_while_it_commits_leaves_a_baseline_that_goes_on(tmp_path: Path) -> None:
    from tests.stress import kill_commit  # noqa: PLC0415 - a script, run by hand as well

    assert kill_commit.run_rounds(tmp_path, rounds=6, seed=1, destinations=500) == []


def test_what_a_killed_commit_left_is_undone_before_reading(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db")
    before = content(path)
    program = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA cache_size = 5')\n"
        "database.execute('BEGIN IMMEDIATE')\n"
        "database.execute('UPDATE sighting SET last = first')\n"
        "database.execute('DELETE FROM sighting')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    assert names(tmp_path) == ["b.db", "b.db-journal"]
    assert content(path) == before
    assert names(tmp_path) == ["b.db"]


# The end of a run


def test_a_closed_stderr_does_not_change_the_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "smbrare", "scan", str(WEEK[0]), "--baseline", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=write, cwd=ROOT, check=False)
    os.close(write)
    assert done.returncode == 1
    assert len(content(path)[0]) == 1


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_a_signal_during_the_commit_itself_comes_too_late(tmp_path: Path, signal_name: str) -> None:
    path = tmp_path / "b.db"
    program = (
        "import os, signal\n"
        "from smbrare.cli import interruption, main\n"
        "stop = interruption.stop_listening\n"
        "def stop_and_be_told():\n"
        "    stop()\n"
        f"    os.kill(os.getpid(), signal.{signal_name})\n"
        "interruption.stop_listening = stop_and_be_told\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "scan", str(WEEK[0]), "--baseline", str(path)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert len(content(path)[0]) == 1


def test_the_findings_of_a_scan_do_not_depend_on_its_own_earlier_commit(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "b.db"
    command = ("scan", *WEEK, "--baseline", path, "--format", "ndjson")
    first, second = (
        [json.loads(line) for line in run(*command).out.splitlines()] for _ in range(2)
    )
    assert [f["smbrare"]["id"] for f in first] == [f["smbrare"]["id"] for f in second]
    assert [f["smbrare"]["late"] for f in first + second] == [False] * 3 + [True] * 3
