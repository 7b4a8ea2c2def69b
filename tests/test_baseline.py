"""The baseline's file: exact, whole or an error, and never harmed by what ends a scan."""

import ctypes
import json
import multiprocessing
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare import baseline as module
from smbrare import baseline_schema
from smbrare.baseline import Baseline, locate
from smbrare.errors import BaselineError
from smbrare.fields import HOUR
from smbrare.sightings import Row, Sighting
from tests.conftest import FIXTURES, ROOT, Run
from tests.rows import START, rows_of, sighting, sightings

WEEK = sorted((FIXTURES / "week").iterdir())
SETTINGS = {"time field": "@timestamp", "literal": "false"}
HOURS = {START // HOUR: False, START // HOUR + 1: True}
SEVERAL = rows_of(
    sighting(f"45.83.{n // 250}.{n % 250}", host=f"ws-{n}", time=START + n * HOUR)
    for n in range(600)
)


def made(path: Path, rows: list[Row] | None = None, hours: dict[int, bool] | None = None) -> Path:
    Baseline(path, SETTINGS).commit(SEVERAL if rows is None else rows, hours or HOURS)
    return path


def content(path: Path) -> tuple[list[Row], dict[int, bool], dict[str, str]]:
    baseline = Baseline(path)
    return list(baseline.rows()), baseline.covered(), baseline.settings


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for use in (lambda: list(baseline.rows()), lambda: baseline.commit(SEVERAL, {})):
            with pytest.raises(BaselineError, match="another process"):
                use()
    assert list(baseline.rows()) == sorted(SEVERAL)


# What is no baseline, or no whole one


def _zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("not a database\n" * 40)


def _short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(4096))


def _statement(*statements: str) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    return harm


def _foreign(path: Path) -> None:
    path.unlink()
    _statement("PRAGMA journal_mode = WAL", "CREATE TABLE place (url TEXT)")(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.db")


def _noise(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:12288] = os.urandom(4096)
    path.write_bytes(data)


HARMS = {
    "is empty": _zero_bytes,
    "is no baseline of smbrare, or": _text,
    "or a damaged one": _short,
    "is no baseline, or damaged|is damaged": _half,
    "is not as long as it says": _longer,
    "is damaged|or damaged": _noise,
    "is no baseline of smbrare": _foreign,
    "schema version 99": _statement("PRAGMA user_version = 99"),
    "schema version 0": _statement("PRAGMA user_version = 0"),
    "is no file": _directory,
    "no file": _fifo,
    "is a link to nothing": _dangling,
    "not in the form": _statement("PRAGMA journal_mode = WAL"),
    "tables are not those": _statement("DROP TABLE covered"),
    "not those of a baseline": _statement(
        "CREATE TRIGGER t AFTER INSERT ON sighting BEGIN DELETE FROM sighting; END"
    ),
    "what it holds is not": _statement("DELETE FROM sighting WHERE host = 'ws-17'"),
    "holds is not what": _statement("UPDATE covered SET sampled = 1 - sampled"),
    "CHECK constraint": _statement(
        "PRAGMA ignore_check_constraints = 1", "UPDATE sighting SET last = first - 1"
    ),
    "was kept with literal": _statement("UPDATE setting SET value = 'x' WHERE name = 'literal'"),
}
"""What the message says → how the file comes to be."""


def _untouched(path: Path) -> Any:
    return path.read_bytes() if path.is_file() else path.lstat().st_mode


@pytest.mark.parametrize(("said", "harm"), HARMS.items(), ids=HARMS.keys())
def test_what_is_no_whole_baseline_is_an_error_and_stays_as_it_is(
    run: Run, tmp_path: Path, said: str, harm: Callable[[Path], None]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = made(folder / "b.db")
    harm(path)
    if said == "was kept with literal":
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            baseline_schema.seal(database)
    before, listed = _untouched(path), names(folder)
    with pytest.raises(BaselineError, match=said):
        Baseline(path, SETTINGS)
    for option in ("--no-update", "--show=new"):
        result = run("scan", WEEK[0], "--baseline", path, option)
        assert (result.code, result.out) == (2, "")
        assert "Traceback" not in result.err
    assert (_untouched(path), names(folder)) == (before, listed)


def test_a_baseline_cut_off_anywhere_is_an_error(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db")
    whole = path.read_bytes()
    for length in [*range(0, 700, 13), *range(0, len(whole), 1001), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(BaselineError):
            Baseline(path, SETTINGS)


def test_a_flipped_bit_is_an_error_or_changes_nothing_that_was_learnt(tmp_path: Path) -> None:
    path = made(tmp_path / "b.db", SEVERAL[:60])
    whole = path.read_bytes()
    before = content(path)
    found = 0
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        try:
            assert content(path) == before
        except BaselineError:
            found += 1
    assert found > 500


def test_a_baseline_kept_with_other_settings_is_an_error(run: Run, tmp_path: Path) -> None:
    path = made(tmp_path / "b.db")
    before = path.read_bytes()
    result = run("scan", WEEK[0], "--baseline", path, "--literal")
    assert result.code == 2
    assert "kept with literal 'false', this run has 'true'" in result.err
    assert run("scan", WEEK[0], "--baseline", path, "--time-field=event.ingested").code == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a\0b", "/proc/self/mem/x", "/no/such/folder/x.db"])
def test_a_path_that_cannot_be_is_an_error(name: str) -> None:
    with pytest.raises(BaselineError):
        Baseline(locate(name), SETTINGS).check_writable()


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
        "import sys; from pathlib import Path; from tests.test_baseline import made\n"
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


# Rights


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a baseline and events in it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    made(folder / "b.db")
    shutil.copy(WEEK[0], folder / "events.ndjson")
    yield folder
    folder.chmod(0o755)


def _give_up_roots_rights() -> None:
    """Let the rights of files count for root too: tests may run as root in a container."""
    read_any, override, drop_from_bounds = 2, 1, 24
    libc = ctypes.CDLL(None)
    for capability in (override, read_any):
        libc.prctl(drop_from_bounds, capability, 0, 0, 0)


def _scan_as_plain_user(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "smbrare", "scan", "events.ndjson", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "PATH": os.environ["PATH"]}
    drop = _give_up_roots_rights if os.geteuid() == 0 else None
    return subprocess.run(
        command, capture_output=True, cwd=folder, check=False, env=environment, preexec_fn=drop
    )


def test_without_update_a_read_only_file_in_a_read_only_folder_will_do(folder: Path) -> None:
    baseline = folder / "b.db"
    baseline.chmod(0o444)
    folder.chmod(0o555)
    before = baseline.read_bytes()
    done = _scan_as_plain_user(folder, "--baseline", "b.db", "--no-update")
    assert done.returncode == 1, done.stderr.decode()
    assert baseline.read_bytes() == before
    assert names(folder) == ["b.db", "events.ndjson"]


@pytest.mark.parametrize("name", ["b.db", "new.db"])
def test_what_cannot_be_written_is_told_before_the_scan(folder: Path, name: str) -> None:
    (folder / "b.db").chmod(0o444)
    folder.chmod(0o555)
    done = _scan_as_plain_user(folder, "--baseline", name)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot be written to" in done.stderr


def test_a_baseline_that_may_not_be_read_is_an_error(folder: Path) -> None:
    (folder / "b.db").chmod(0o000)
    done = _scan_as_plain_user(folder, "--baseline", "b.db", "--no-update")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"b.db cannot be used: Permission denied" in done.stderr


def test_the_state_directory_and_what_lies_in_it_are_private(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    run("scan", WEEK[0], "--baseline", "acme", env={"XDG_STATE_HOME": str(state)})
    assert (state / "smbrare").stat().st_mode & 0o777 == 0o700
    assert (state / "smbrare" / "acme.db").stat().st_mode & 0o777 == 0o600


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
