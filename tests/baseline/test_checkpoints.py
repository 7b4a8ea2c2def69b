"""What a watch keeps in a baseline changes nothing of what the baseline says."""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.baseline import checkpoints
from smbrare.baseline.checkpoints import Checkpoint
from smbrare.baseline.exchange import export, merge_into
from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR
from smbrare.watch.state import WatchState
from tests.support.baselines import SETTINGS, content, made
from tests.support.rows import START, rows_of, sightings

PLACE = Checkpoint("1:2", "/logs/a.ndjson", 500, 3, 500, "0" * 64)


def begun(path: Path, *places: Checkpoint) -> Baseline:
    """Return a baseline that a watch has used."""
    baseline = Baseline(made(path))
    keep(baseline, *places)
    return baseline


def keep(baseline: Baseline, *places: Checkpoint, ended: Iterable[str] = ()) -> None:
    state = WatchState(baseline)
    for place in places:
        state.move_to(place)
    for identity in ended:
        state.end(identity)
    state.commit()


def places(baseline: Baseline) -> list[Checkpoint]:
    return list(WatchState(baseline).places.values())


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def test_a_baseline_of_a_scan_is_taken_over_and_says_the_same(tmp_path: Path) -> None:
    path = made(tmp_path / "old.db")
    before, text = content(path), [*export(Baseline(path))]
    assert Baseline(path).verify()[0] == 3
    digest = Baseline(path).verify()[1]
    baseline = begun(Path(shutil.copy(path, tmp_path / "new.db")), PLACE)
    WatchState(baseline).record("a" * 32, START)
    assert content(baseline.path) == before
    assert [*export(Baseline(baseline.path))] == text
    assert Baseline(baseline.path).verify() == (3, digest)


def test_a_baseline_that_is_not_there_is_made(tmp_path: Path) -> None:
    baseline = Baseline(tmp_path / "new.db", SETTINGS)
    assert places(baseline) == []
    assert Baseline(baseline.path).verify()[0] == 3


def test_scans_and_merges_go_on_with_a_baseline_of_a_watch(tmp_path: Path) -> None:
    baseline = begun(tmp_path / "watch.db", PLACE)
    other = Baseline(made(tmp_path / "other.db", rows_of([]), {1: False}))
    Baseline(baseline.path, SETTINGS).commit((), {2: False})
    merged = merge_into([baseline, other], tmp_path / "merged.db")
    assert {1, 2} <= merged.covered().keys()
    assert merged.verify()[0] == 3
    merge_into([baseline, other], baseline.path)
    assert {1, 2} <= Baseline(baseline.path).covered().keys()
    assert places(baseline) == [PLACE]


def test_places_are_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    other = Checkpoint("1:3", "/logs/b.ndjson", 0, 0, 0, "1" * 64)
    baseline = begun(tmp_path / "a.db", PLACE, other)
    assert places(baseline) == [PLACE, other]
    further = Checkpoint("1:2", "/logs/a.ndjson.1", 900, 5, 900, "2" * 64)
    keep(baseline, further, ended=["1:3"])
    assert places(baseline) == [further]


def test_only_the_files_that_were_read_last_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST_FILES", 2)
    baseline = begun(tmp_path / "a.db", PLACE)
    for number in (3, 4):
        place = Checkpoint(f"1:{number}", "/logs/b", 0, 0, 0, "1" * 64)
        keep(baseline, place)
    assert [place.identity for place in places(baseline)] == ["1:3", "1:4"]


def test_a_finding_is_noted_once_and_pruned_with_its_time(tmp_path: Path) -> None:
    baseline = begun(tmp_path / "a.db")
    for identifier, time in (("a", START), ("a", START), ("b", START + HOUR), ("c", None)):
        WatchState(baseline).record(identifier, time)
    assert WatchState(baseline).reported_before(["a", "b", "c", "d"]) == {"a", "b", "c"}
    baseline.prune(START + 1)
    assert WatchState(baseline).reported_before(["a", "b", "c", "d"]) == {"b", "c"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE followed SET offset = offset + 1",
        "UPDATE followed SET path = 'other'",
        "UPDATE followed SET head_bytes = 499",
        "UPDATE followed SET identity = '1:9'",
        "UPDATE followed SET seal = ''",
    ],
)
def test_a_place_that_was_changed_is_found_when_the_baseline_is_opened(
    tmp_path: Path, change: str
) -> None:
    path = begun(tmp_path / "a.db", PLACE).path
    run_sql(path, change)
    with pytest.raises(BaselineError, match="is damaged: the place in"):
        Baseline(path)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE given",
        "CREATE TRIGGER t AFTER INSERT ON given BEGIN DELETE FROM sighting; END",
        "PRAGMA user_version = 1",
    ],
)
def test_a_baseline_of_a_watch_with_other_tables_is_refused(tmp_path: Path, statement: str) -> None:
    path = begun(tmp_path / "a.db", PLACE).path
    run_sql(path, statement)
    with pytest.raises(BaselineError, match="its tables are not those of a baseline"):
        Baseline(path)


@settings(max_examples=40)
@given(seen=sightings(), since=st.integers(-24, 16 * 24))
def test_rows_since_an_hour_are_those_and_the_last_before_of_each_key(
    tmp_path_factory: pytest.TempPathFactory, seen: list[object], since: int
) -> None:
    rows = rows_of(seen)  # type: ignore[arg-type]
    path = made(tmp_path_factory.mktemp("rows") / "a.db", rows)
    hour = START // HOUR + since
    last: dict[tuple[str, str, str], Row] = {}
    for row in sorted(rows):
        if row.hour < hour:
            last[row[0], row[1], row[2]] = row
    wanted = sorted([*last.values(), *(row for row in rows if row.hour >= hour)])
    destinations = {row.destination for row in rows}
    assert [*Baseline(path).rows(destinations, hour)] == wanted
