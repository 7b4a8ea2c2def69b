"""Exports and merges: the same bytes for the same sightings, whatever led there."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.baseline.exchange import Export, export, is_export, merge_into, open_memory
from smbrare.baseline.store import Baseline
from smbrare.detection.kept_events import Sighting
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR
from tests.support.rows import START, rows_of, sighting, sightings

SETTINGS = {"time field": "@timestamp", "literal": "false"}

hours = st.dictionaries(st.integers(START // HOUR, START // HOUR + 5), st.booleans(), max_size=5)
parts = st.lists(st.tuples(sightings(most=8), hours), min_size=1, max_size=4)


def made(path: Path, several: Sequence[Sighting], covered: dict[int, bool]) -> Baseline:
    baseline = Baseline(path, SETTINGS)
    baseline.commit(rows_of(several), covered)
    return baseline


def text(baseline: Baseline) -> str:
    return "".join(export(baseline))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for one example of a property."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(parts, st.data())
@settings(max_examples=40)
def test_exports_are_the_same_bytes_whatever_the_way(
    given_parts: list[tuple[list[Sighting], dict[int, bool]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        single = [made(folder / f"{n}.db", *part) for n, part in enumerate(given_parts)]
        every = [one for several, _ in given_parts for one in several]
        covered: dict[int, bool] = {}
        for _, some in given_parts:
            for hour, sampled in some.items():
                covered[hour] = sampled and covered.get(hour, True)
        whole = made(folder / "whole.db", every, covered)
        # Merged in any order, some again, some through an export.
        order = data.draw(st.lists(st.sampled_from(single), max_size=3)) + list(
            data.draw(st.permutations(single))
        )
        sources: list[Baseline | Export] = []
        for number, one in enumerate(order):
            if not any(one.covered().values()) and data.draw(st.booleans()):
                path = folder / f"{number}.json"
                path.write_text(text(one))
                sources.append(Export(path))
            else:
                sources.append(one)
        merged = merge_into(sources, folder / "merged.db")
        assert text(merged) == text(whole)
        assert merged.verify() == whole.verify()


@given(parts)
@settings(max_examples=25)
def test_merging_is_associative_commutative_and_idempotent(
    given_parts: list[tuple[list[Sighting], dict[int, bool]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a, b, c = (made(folder / f"{n}.db", *given_parts[n % len(given_parts)]) for n in range(3))
        left = merge_into([merge_into([a, b], folder / "ab.db"), c], folder / "ab_c.db")
        right = merge_into([a, merge_into([b, c], folder / "bc.db")], folder / "a_bc.db")
        turned = merge_into([c, b, a], folder / "cba.db")
        assert left.verify() == right.verify() == turned.verify()
        before = left.verify()
        assert merge_into([left, a, left], left.path).verify() == before


@given(sightings())
@settings(max_examples=30)
def test_an_export_holds_what_the_baseline_does(several: list[Sighting]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        baseline = made(folder / "a.db", several, {5: False, 6: False, 8: False, 9: True})
        path = folder / "a.json"
        path.write_text(text(baseline))
        read = Export(path)
        assert list(read.rows()) == list(baseline.rows())
        assert read.covered() == {5: False, 6: False, 8: False}
        assert read.settings == baseline.settings
        json.loads(path.read_text())


def test_an_export_is_readable_and_its_hours_stand_in_spans(folder: Path) -> None:
    baseline = made(folder / "a.db", [sighting(host="ws-\u202e1")], {0: False, 1: False, 3: False})
    assert text(baseline) == (
        "{\n"
        '"format": "smbrare baseline",\n'
        '"version": 1,\n'
        '"settings": {"literal":"false","rule":"f580bf0a-2d23-43bb-b8e1-17548bb947ec",'
        '"time field":"@timestamp"},\n'
        '"covered": [\n'
        '{"from":"1970-01-01T00:00:00Z","until":"1970-01-01T02:00:00Z"},\n'
        '{"from":"1970-01-01T03:00:00Z","until":"1970-01-01T04:00:00Z"}\n'
        "],\n"
        '"sightings": [\n'
        '{"destination":"45.83.122.10","source":"10.20.1.11","host":"ws-\\u202e1",'
        '"first":"2026-11-16T00:00:00Z","last":"2026-11-16T00:00:00Z"}\n'
        "]\n"
        "}\n"
    )
    assert json.loads(text(made(folder / "b.db", [], {})))["sightings"] == []


def test_hours_known_from_a_sample_are_omitted(folder: Path) -> None:
    sampled = made(folder / "a.db", [sighting()], {1: True})
    whole = made(folder / "b.db", [sighting()], {})
    assert text(sampled) == text(whole)


# Merges that cannot be


def test_baselines_kept_with_other_settings_do_not_merge(folder: Path) -> None:
    a = made(folder / "a.db", [sighting()], {})
    b = Baseline(folder / "b.db", SETTINGS | {"literal": "true"})
    b.commit([], {})
    with pytest.raises(BaselineError, match="literal 'true'"):
        merge_into([a, b], folder / "c.db")
    assert not (folder / "c.db").exists()


def test_a_baseline_that_exists_is_not_merged_over(folder: Path) -> None:
    a, b = (made(folder / f"{n}.db", [sighting(host=n)], {}) for n in "ab")
    before = b.path.read_bytes()
    with pytest.raises(BaselineError, match="to add to it, name it"):
        merge_into([a], b.path)
    assert b.path.read_bytes() == before
    assert {row.host for row in merge_into([a, b], b.path).rows()} == {"a", "b"}


GOOD: dict[str, Any] = {
    "format": "smbrare baseline",
    "version": 1,
    "settings": {"rule": "f580bf0a-2d23-43bb-b8e1-17548bb947ec", **SETTINGS},
    "covered": [{"from": "2026-11-16T00:00:00Z", "until": "2026-11-16T02:00:00Z"}],
    "sightings": [
        {
            "destination": "45.83.122.10",
            "source": "10.20.1.11",
            "host": "ws-01",
            "first": "2026-11-16T00:00:00Z",
            "last": "2026-11-16T00:59:59.999999Z",
        }
    ],
}


def row(**changes: Any) -> dict[str, Any]:
    return {"sightings": [GOOD["sightings"][0], GOOD["sightings"][0] | changes]}


WRONG: list[dict[str, Any]] = [
    {"format": "other"},
    {"version": 2},
    {"version": None},
    {"settings": {"literal": 1}},
    {"settings": []},
    {"covered": [{"from": "2026-11-16T00:30:00Z", "until": "2026-11-16T02:00:00Z"}]},
    {"covered": [{"from": "2026-11-16T02:00:00Z", "until": "2026-11-16T02:00:00Z"}]},
    {"covered": [{"from": "0001-01-01T00:00:00Z", "until": "9999-01-01T00:00:00Z"}]},
    {"covered": [{"from": 5}]},
    {"covered": [7]},
    row(destination="45.83.122.010"),
    row(destination="0:0::1"),
    row(destination=7),
    row(source="nonsense"),
    row(host=None),
    row(host=7),
    row(first="soon"),
    row(first=1_794_787_200_000),
    row(first="2026-11-16T00:30:00Z", last="2026-11-16T00:20:00Z"),
    row(last="2026-11-16T01:00:00Z"),
    row(last="10000-01-01T00:00:00Z"),
    {"sightings": [[]]},
    {"sightings": ["x"]},
]


@pytest.mark.parametrize("change", WRONG, ids=json.dumps)
def test_a_wrong_export_merges_nothing(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "x.json"
    path.write_text(json.dumps(GOOD | change))
    target = made(folder / "a.db", [sighting()], {})
    before = target.path.read_bytes()
    for output in (target.path, folder / "new.db"):
        with pytest.raises(BaselineError):
            merge_into([open_memory(str(path)), target], output)
    assert target.path.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["a.db", "x.json"]


def test_an_export_cut_off_anywhere_merges_nothing(folder: Path) -> None:
    whole = text(made(folder / "a.db", [sighting(host=f"ws-{n}") for n in range(3)], {1: False}))
    path = folder / "x.json"
    for length in [*range(1, len(whole) - 2, 7), len(whole) - 2]:
        path.write_text(whole[:length])
        with pytest.raises(BaselineError):
            merge_into([open_memory(str(path))], folder / "new.db")
        assert not (folder / "new.db").exists()


def test_the_good_export_merges(folder: Path) -> None:
    path = folder / "x.json"
    path.write_text("\n " + json.dumps(GOOD))
    assert is_export(path)
    merged = merge_into([open_memory(str(path))], folder / "new.db")
    assert len(list(merged.rows())) == 1
    assert len(merged.covered()) == 2


def test_a_lone_surrogate_in_a_host_does_not_end_the_program(folder: Path) -> None:
    path = folder / "x.json"
    path.write_text(json.dumps(GOOD | row(host="ws-\ud800", first="2026-11-16T00:10:00Z")))
    try:
        merge_into([open_memory(str(path))], folder / "new.db")
    except BaselineError:
        assert not (folder / "new.db").exists()
