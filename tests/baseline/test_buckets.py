"""A few rows are read without the others, and no damage to what is read goes unseen."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.baseline import buckets, schema
from smbrare.baseline.buckets import Buckets
from smbrare.baseline.store import Baseline
from smbrare.detection.kept_events import Sighting
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR
from tests.conftest import Run
from tests.support.baselines import HOURS, SETTINGS, SEVERAL, made
from tests.support.rows import START, rows_of, sighting, sightings

ROWS = sorted(SEVERAL[:60])
READ = [ROWS[17], ROWS[18], ROWS[41]]
"""The rows that a scan asks for, in two buckets of the file `small`."""
UNREAD = [row for row in ROWS if abs(ROWS.index(row) - 18) > 10 and abs(ROWS.index(row) - 41) > 10]
FOUR_ROWS = mock.patch.object(buckets, "MOST_ROWS", 4)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline of 60 rows in a tree of two levels, in buckets of at most four."""
    with FOUR_ROWS:
        return made(tmp_path_factory.mktemp("small") / "small.db", ROWS)


@contextmanager
def changed_quietly(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection whose writes leave SQLite's counter of changes as it was."""
    before = path.read_bytes()[24:28]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        yield database
    data = path.read_bytes()
    path.write_bytes(data[:24] + before + data[28:92] + before + data[96:])


@contextmanager
def whole_checks() -> Iterator[mock.Mock]:
    """Count how often all that a file holds is checked."""
    with mock.patch.object(schema, "check_whole", side_effect=schema.check_whole) as counted:
        yield counted


def read_by_a_scan(path: Path) -> tuple[list[Row], dict[int, bool]]:
    baseline = Baseline(path, SETTINGS)
    return [*baseline.rows(row.destination for row in READ)], baseline.covered()


# Against all rows, read in a simple way


def naive(rows: list[Row], since: int | None) -> list[Row]:
    last = {row[:3]: row for row in sorted(rows) if since is not None and row.hour < since}
    return sorted([*last.values(), *(row for row in rows if since is None or row.hour >= since)])


def naive_digest(path: Path, rows: list[Row]) -> str:
    kept = sorted({"rule": "f580bf0a-2d23-43bb-b8e1-17548bb947ec", **SETTINGS}.items())
    covered = sorted((hour, int(sampled)) for hour, sampled in Baseline(path).covered().items())
    texts = (b"".join(map(orjson.dumps, map(tuple, part))) for part in (kept, rows, covered))
    return hashlib.sha256(b"".join(text + b"\n" for text in texts)).hexdigest()


@settings(max_examples=60)
@given(sightings(), st.data())
def test_rows_are_those_of_one_list_however_they_were_added_and_are_cut(
    several: list[Sighting], data: st.DataObject
) -> None:
    whole = sorted(rows_of(several))
    pieces = data.draw(st.lists(st.lists(st.sampled_from(several or [sighting()])), max_size=4))
    since = data.draw(st.none() | st.integers(START // HOUR - 24, START // HOUR + 24 * 17))
    most = data.draw(st.integers(1, 5))
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(buckets, "MOST_ROWS", most),
        whole_checks() as counted,
    ):
        path = Path(folder, "a.db")
        for piece in [*pieces, several] if several else [[]]:
            made(path, rows_of(piece), HOURS)
        baseline = Baseline(path)
        for wanted in ({"45.83.122.10"}, {"91.219.236.18", "45.83.122.1"}, {"", "45.83.122.100"}):
            own = [row for row in whole if row.destination in wanted]
            assert [*baseline.rows(wanted, since)] == naive(own, since)
        assert counted.call_count == 0
        assert [*baseline.rows()] == whole
        assert baseline.verify() == (3, naive_digest(path, whole))
        with closing(sqlite3.connect(path)) as database:
            starts = [key[:4] for key in buckets.stored_buckets(database)]
    for start, end in zip(starts, [*starts[1:], ("\U0010ffff",)], strict=True):
        assert len([row for row in whole if start <= row[:4] < end]) <= most


def test_one_row_is_read_and_added_without_the_others(tmp_path: Path) -> None:
    rows = rows_of(sighting(f"20.0.{n // 250}.{n % 250}", time=START + n) for n in range(3_000))
    path = made(tmp_path / "a.db", rows)
    with (
        whole_checks() as counted,
        mock.patch.object(Buckets, "_read", autospec=True, side_effect=Buckets._read) as read,  # noqa: SLF001
    ):
        baseline = Baseline(path, SETTINGS)
        assert len([*baseline.rows([rows[2_000].destination])]) == 1
        # Two where it may stand at the end of one bucket or the beginning of the next.
        assert read.call_count <= 2
        baseline.commit([rows[2_000]._replace(host="other")], {})
        assert read.call_count <= 3
        assert len([*Baseline(path).rows([rows[2_000].destination])]) == 2
    assert counted.call_count == 0


# Damage that leaves the counter of changes as it was


@settings(max_examples=200)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing_that_is_read(
    small: Path, share: float, bit: int
) -> None:
    _flip(small, int(small.stat().st_size * share), bit)


def test_a_flipped_bit_in_a_signpost_of_the_tree_leads_no_reading_astray(small: Path) -> None:
    data = small.read_bytes()
    # https://www.sqlite.org/fileformat2.html, section 1.6: 2 marks an interior page of an index.
    (page,) = (start for start in range(1024, len(data), 1024) if data[start] == 2)
    used = [place for place in range(page, page + 1024) if data[place]]
    assert len(used) > 100
    for place in used:
        _flip(small, place, place % 8)


def _flip(whole: Path, place: int, bit: int) -> None:
    data = bytearray(whole.read_bytes())
    data[place] ^= 1 << bit
    path = whole.with_name("flipped.db")
    path.write_bytes(data)
    with suppress(BaselineError):
        assert read_by_a_scan(path) == (READ, HOURS)
    try:
        verified = Baseline(path).verify()
    except BaselineError:
        return
    assert verified == Baseline(whole).verify()
    assert [*Baseline(path).rows()] == ROWS


def test_a_flipped_bit_in_a_row_that_is_not_read_is_found_by_verify(small: Path) -> None:
    whole, path = small.read_bytes(), small.with_name("flipped.db")
    texts = [row.destination.encode() + row.source.encode() for row in UNREAD]
    # The others begin a bucket, whose keys are all read.
    places = [whole.index(text) for text in texts if whole.count(text) == 1]
    assert len(places) > 10
    for place in places[::3]:
        data = bytearray(whole)
        data[place + 3] ^= 1
        path.write_bytes(data)
        assert read_by_a_scan(path)[0] == READ
        for read_all in (lambda: Baseline(path).verify(), lambda: [*Baseline(path).rows()]):
            with pytest.raises(BaselineError, match="is damaged"):
                read_all()


VALUES = {
    "one": READ[0].destination,
    "own": READ[0].host,
    "near": READ[1].destination,
    "nears": READ[1].host,
    "far": UNREAD[0].destination,
}
QUIET = {
    "a row lost": ("DELETE FROM sighting WHERE destination = :one",),
    "a row added": (
        "INSERT INTO sighting SELECT destination, source, 'x', hour, first, last FROM sighting",
    ),
    "a time changed": ("UPDATE sighting SET last = last + 1 WHERE destination = :one",),
    "a host changed": ("UPDATE sighting SET host = 'x' WHERE destination = :one",),
    "a destination changed": ("UPDATE sighting SET destination = 'x' WHERE destination = :one",),
    "a destination added": ("UPDATE sighting SET destination = :one WHERE destination = :far",),
    "two rows exchanged": (
        "UPDATE sighting SET destination = 'x' WHERE destination = :one",
        "UPDATE sighting SET destination = :one WHERE destination = :far",
        "UPDATE sighting SET destination = :far WHERE destination = 'x'",
    ),
    "two hosts exchanged": (
        "UPDATE sighting SET host = :own WHERE destination = :near",
        "UPDATE sighting SET host = :nears WHERE destination = :one",
    ),
    "a blob for a text": ("UPDATE sighting SET host = x'00ff' WHERE destination = :one",),
    "all rows lost": ("DELETE FROM sighting",),
    "all rows and buckets lost": ("DELETE FROM sighting", "DELETE FROM bucket"),
    "the first bucket lost": ("DELETE FROM bucket WHERE destination = ''",),
    "a bucket lost": ("DELETE FROM bucket WHERE hour = (SELECT max(hour) FROM bucket)",),
    "a digest changed": ("UPDATE bucket SET digest = 'x' WHERE destination = ''",),
    "an hour lost": ("DELETE FROM covered WHERE sampled = 0",),
    "a setting added": ("INSERT INTO setting VALUES ('a', 'b')",),
    "the seal lost": ("DELETE FROM setting WHERE name = 'seal'",),
}
"""What happens to a file → the statements that do it."""


@pytest.mark.parametrize("statements", QUIET.values(), ids=QUIET.keys())
def test_what_is_lost_changed_doubled_or_moved_is_refused(
    small: Path, tmp_path: Path, statements: tuple[str, ...]
) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with changed_quietly(path) as database:
        for statement in statements:
            database.execute(statement, VALUES)
    with pytest.raises(BaselineError, match="is damaged"):
        read_by_a_scan(path)
    before = path.read_bytes()
    for use in (
        lambda: Baseline(path).verify(),
        lambda: Baseline(path).commit([READ[0]._replace(host="new")], {}),
    ):
        with pytest.raises(BaselineError, match="is damaged"):
            use()
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", [("export",), ("show", "-f", "csv"), ("show", "-f", "json")])
def test_nothing_is_printed_of_what_was_changed(
    run: Run, small: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with changed_quietly(path) as database:
        database.execute("DELETE FROM sighting WHERE destination = :far", VALUES)
    result = run("baseline", *command, path)
    assert (result.code, result.out) == (2, "")
    assert "is damaged" in result.err


def test_adding_to_other_rows_does_not_hide_damage(small: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with changed_quietly(path) as database:
        database.execute("DELETE FROM sighting WHERE destination = :one", VALUES)
    Baseline(path).commit([UNREAD[0]._replace(host="new")], {})
    with pytest.raises(BaselineError, match="is damaged"):
        read_by_a_scan(path)


def test_what_was_planted_with_a_right_seal_is_still_what_calculations_expect(
    small: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        database.execute("BEGIN")
        database.execute("UPDATE sighting SET last = first - 1 WHERE destination = :one", VALUES)
        schema.rebuild(database, path)
        schema.seal(database, changes=1)
        database.execute("COMMIT")
    with whole_checks() as counted, pytest.raises(BaselineError, match="is damaged"):
        read_by_a_scan(path)
    assert counted.call_count == 0


# Who else may write


def test_what_another_program_changed_is_refused_whatever_is_read(
    small: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DELETE FROM sighting WHERE destination = :far", VALUES)
    with pytest.raises(BaselineError, match="is damaged"):
        Baseline(path)


def test_what_another_program_only_packed_is_checked_whole_until_it_is_written_again(
    small: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(small, tmp_path))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("VACUUM")
    with whole_checks() as counted:
        assert read_by_a_scan(path) == read_by_a_scan(small)
        assert counted.call_count == 1
        Baseline(path).commit([ROWS[0]], {})
        counted.reset_mock()
        assert read_by_a_scan(path) == read_by_a_scan(small)
        assert counted.call_count == 0


def test_copies_and_what_was_pruned_or_written_at_length_are_not_checked_whole(
    tmp_path: Path,
) -> None:
    path = made(tmp_path / "a.db")
    # More than SQLite keeps in memory, so that it writes before the commit.
    many = rows_of(sighting(f"20.0.{n // 250}.{n % 250}", time=START + n) for n in range(50_000))
    Baseline(path).commit(many, {})
    with whole_checks() as counted:
        Baseline(Path(shutil.copy(path, tmp_path / "copy.db")))
        assert counted.call_count == 0
    Baseline(path).prune(START + 1_000)
    with whole_checks() as counted:
        assert len([*Baseline(path).rows(["20.0.100.100"])]) == 1
        assert counted.call_count == 0
    assert len([*Baseline(path).rows()]) == 49_000 + len(SEVERAL) - 1
