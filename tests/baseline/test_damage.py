"""What is no whole baseline, or may not be read or written: an error, and nothing is touched."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smbrare.baseline import schema
from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.errors import BaselineError
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import SETTINGS, SEVERAL, content, made, names
from tests.support.rights import give_up_roots_rights

WEEK = sorted((FIXTURES / "week").iterdir())


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
            schema.seal(database, changes=0)
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


def _scan_as_plain_user(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "smbrare", "scan", "events.ndjson", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "PATH": os.environ["PATH"]}
    return subprocess.run(
        command,
        capture_output=True,
        cwd=folder,
        check=False,
        env=environment,
        preexec_fn=give_up_roots_rights,
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
