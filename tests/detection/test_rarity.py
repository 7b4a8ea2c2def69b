"""Rarity against its definition: a sighting is a finding iff none lies in the history before it."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.baseline.store import Baseline
from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.exclusions import Exclusion, because
from smbrare.detection.finding import Finding, History
from smbrare.detection.kept_events import Sighting
from smbrare.detection.rarity import Known
from smbrare.detection.sightings import Key, Sightings
from smbrare.records.read_options import Grain
from smbrare.records.times import HOUR
from tests.support.rows import START, gathered, rows_of, sighting, sightings

DAY = 24 * HOUR
LENGTHS = [HOUR, 36 * HOUR, 7 * DAY, None]
SETTINGS = {"time field": "@timestamp", "literal": "false"}

lengths = st.sampled_from(LENGTHS)
any_criteria = st.builds(Criteria, history=lengths, per_host=st.booleans())

Judged = set[tuple[str, int, bytes]]
"""What of a finding has to be the same in every scan: destination, time and event."""


def time_of(one: Sighting) -> int:
    assert one.time is not None
    return one.time


def term(one: Sighting, criteria: Criteria) -> tuple[str, ...]:
    return (one.destination, one.host) if criteria.per_host else (one.destination,)


def is_rare(one: Sighting, others: Iterable[Sighting], criteria: Criteria) -> bool:
    """Apply the definition, word for word."""
    start = None if criteria.history is None else time_of(one) - criteria.history
    return not any(
        term(other, criteria) == term(one, criteria)
        and time_of(other) < time_of(one)
        and (start is None or start <= time_of(other))
        for other in others
    )


def naive(own: Sequence[Sighting], recorded: Sequence[Sighting], criteria: Criteria) -> Judged:
    """Return the findings by definition; among those of one time the least event stands."""
    rare = [one for one in own if is_rare(one, [*own, *recorded], criteria)]
    stands: dict[tuple[Any, ...], Sighting] = {}
    for one in sorted(rare, key=lambda one: one.event.order):
        stands.setdefault((*term(one, criteria), one.time), one)
    return {(one.destination, time_of(one), one.event.ecs) for one in stands.values()}


def judge(
    own: Sightings, recorded: Sequence[Sighting], criteria: Criteria, **known: Any
) -> list[Finding]:
    return rarity.judge(own, Known(rows_of(recorded), **known), criteria)


def essence(findings: Iterable[Finding], status: str = "new") -> Judged:
    return {
        (finding.sighting.destination, time_of(finding.sighting), finding.sighting.event.ecs)
        for finding in findings
        if finding.status == status
    }


@given(sightings(), sightings(), any_criteria)
@settings(max_examples=300)
def test_findings_are_those_of_the_definition(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria
) -> None:
    for grain in (Grain(), criteria.grain):
        found = judge(gathered(own, grain), recorded, criteria)
        assert essence(found) == naive(own, recorded, criteria)


@given(sightings(), sightings(), any_criteria)
def test_known_is_what_only_the_baseline_suppressed_by(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria
) -> None:
    alone = {found[:2] for found in naive(own, [], criteria)}
    against = {found[:2] for found in naive(own, recorded, criteria)}
    if not criteria.per_host:
        known = {found[:2] for found in essence(judge(gathered(own), recorded, criteria), "known")}
        assert known == alone - against


@given(sightings(), sightings(), any_criteria)
def test_a_finding_names_the_last_sighting_before_it(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria
) -> None:
    for finding in judge(gathered(own), recorded, criteria):
        if finding.status == "new":
            one = finding.sighting
            earlier = [
                time_of(other)
                for other in [*own, *recorded]
                if term(other, criteria) == term(one, criteria) and time_of(other) < time_of(one)
            ]
            assert finding.previous == max(earlier, default=None)


@given(sightings(), sightings(), any_criteria)
def test_a_finding_is_late_iff_its_destination_was_recorded_at_its_time_or_after(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria
) -> None:
    for finding in judge(gathered(own), recorded, criteria):
        one = finding.sighting
        assert finding.late == any(
            term(other, criteria) == term(one, criteria) and time_of(other) >= time_of(one)
            for other in recorded
        )


@given(sightings(), sightings(), any_criteria)
def test_every_sighting_is_counted_once(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria
) -> None:
    assert sum(f.events for f in judge(gathered(own), recorded, criteria)) == len(own)


def _by_host(key: Key) -> str:
    return "test" if key[2] == "ws-02" else ""


def _by_hours(key: Key) -> str:
    return "test" if key[3] is not None and key[3] < (START + 5 * DAY) // HOUR else ""


@pytest.mark.parametrize("excluded", [_by_host, _by_hours])
@given(sightings(), sightings(), any_criteria)
def test_an_excluded_sighting_is_neither_a_finding_nor_history(
    excluded: Callable[[Key], str],
    own: list[Sighting],
    recorded: list[Sighting],
    criteria: Criteria,
) -> None:
    def counts(one: Sighting) -> bool:
        return not excluded((one.destination, one.source, one.host, time_of(one) // HOUR))

    findings = judge(gathered(own), recorded, criteria, excluded=excluded)
    rest = [one for one in own if counts(one)]
    history = [one for one in recorded if counts(one)]
    assert essence(findings) == naive(rest, history, criteria)
    suppressed_by = sum(f.events for f in findings if f.status == "excluded")
    assert suppressed_by == len(own) - len(rest)


hours_of_the_world = st.one_of(st.none(), st.integers(0, 16 * 24).map(lambda n: START // HOUR + n))
any_exclusion = st.builds(
    Exclusion,
    st.sampled_from(["a", "b"]),
    destination=st.sampled_from([(), (ip_network("45.83.122.10"),)]),
    source=st.sampled_from([(), (ip_network("10.20.1.11"),)]),
    host=st.sampled_from([(), ("ws-01",)]),
    start=hours_of_the_world,
    until=hours_of_the_world,
    expires=hours_of_the_world,
)


@given(sightings(), sightings(), any_criteria, st.lists(any_exclusion, max_size=2))
@settings(max_examples=200)
def test_an_event_is_kept_for_whatever_the_criteria_leave(
    own: list[Sighting],
    recorded: list[Sighting],
    criteria: Criteria,
    exclusions: list[Exclusion],
) -> None:
    criteria = replace(criteria, exclusions=tuple(exclusions))
    excluded = because(exclusions)
    undated = [sighting(host=one.host, time=None, port=one.event.rank[2]) for one in own[:3]]
    finest, coarser = (
        judge(gathered([*own, *undated], grain), recorded, criteria, excluded=excluded)
        for grain in (Grain(), criteria.grain)
    )
    assert coarser == finest


# Guarantees: order, split, duplication


@given(sightings(), sightings(), any_criteria, st.data())
def test_order_and_split_of_the_input_do_not_show_at_all(
    own: list[Sighting], recorded: list[Sighting], criteria: Criteria, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(own))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(own)), max_size=3)))
    grain = data.draw(st.sampled_from([Grain(), criteria.grain]))
    parts = [
        gathered(shuffled[start:end], grain)
        for start, end in zip([0, *cuts], [*cuts, len(own)], strict=True)
    ]
    merged = Sightings(grain)
    for part in parts:
        merged.merge(part)
    assert judge(merged, recorded, criteria) == judge(gathered(own), recorded, criteria)


@given(sightings(most=15), any_criteria, st.data())
def test_duplicates_change_nothing_but_the_number_of_events(
    own: list[Sighting], criteria: Criteria, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(own), max_size=10)) if own else []
    once = judge(gathered(own), [], criteria)
    twice = judge(gathered([*own, *again], criteria.grain), [], criteria)
    assert [(f.id, f.event) for f in twice] == [(f.id, f.event) for f in once]


# Guarantees: files one by one over a baseline


def one_by_one(files: Iterable[Sequence[Sighting]], criteria: Criteria) -> list[Finding]:
    """Scan files one after the other over a baseline in a real file."""
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            own = gathered(file)
            baseline = Baseline(Path(folder, "b.db"), SETTINGS)
            hours = baseline.covered() | {time_of(one) // HOUR: False for one in file}
            known = Known(list(baseline.rows(own.destinations())), frozenset(hours))
            findings += rarity.judge(own, known, criteria)
            baseline.commit(own.rows(), hours)
    return findings


def at_once(several: Sequence[Sighting], criteria: Criteria) -> list[Finding]:
    hours = frozenset(time_of(one) // HOUR for one in several)
    return rarity.judge(gathered(several), Known((), hours), criteria)


def new(findings: Iterable[Finding]) -> Counter[tuple[str, bytes, History]]:
    return Counter((f.id, f.sighting.event.ecs, f.history) for f in findings if f.status == "new")


@given(sightings(), any_criteria, st.data())
@settings(max_examples=60)
def test_files_in_order_of_time_give_what_one_scan_gives(
    own: list[Sighting], criteria: Criteria, data: st.DataObject
) -> None:
    moments = sorted({time_of(one) for one in own})
    cuts = sorted(data.draw(st.lists(st.sampled_from(moments), max_size=4)) if moments else [])
    bounds = [min(moments, default=0), *cuts, max(moments, default=0) + 1]
    files = [[one for one in own if start <= time_of(one) < end] for start, end in pairwise(bounds)]
    assert new(one_by_one(files, criteria)) == new(at_once(own, criteria))
    assert not any(f.late for f in one_by_one(files, criteria))


@given(st.lists(sightings(most=8), max_size=5), any_criteria)
@settings(max_examples=60)
def test_a_late_or_overlapping_file_only_adds_findings(
    files: list[list[Sighting]], criteria: Criteria
) -> None:
    every = [one for file in files for one in file]
    whole = {f.id for f in at_once(every, criteria) if f.status == "new"}
    found = {f.id for f in one_by_one(files, criteria) if f.status == "new"}
    assert found >= whole


@given(sightings(), any_criteria)
@settings(max_examples=40)
def test_a_file_scanned_again_gives_the_same_findings_again(
    own: list[Sighting], criteria: Criteria
) -> None:
    once, again = (one_by_one([own] * times, criteria) for times in (1, 2))
    assert [(f.id, f.status, f.event) for f in again] == 2 * [
        (f.id, f.status, f.event) for f in once
    ]


# Ties, undated sightings, coverage


@pytest.mark.parametrize(
    "least",
    [
        sighting(host="ws-00", source="10.9.9.9", port=9, event_id="z", content="z"),
        sighting(source="10.20.1.10", port=60000, event_id="z", content="z"),
        sighting(port=50000, event_id="z", content="z"),
        sighting(event_id="b", content="y"),
        sighting(event_id="c", content="a"),
    ],
    ids=["host", "source address", "source port", "event id", "content"],
)
def test_of_sightings_at_one_time_the_least_event_stands(least: Sighting) -> None:
    others = [sighting(event_id="c", content=content) for content in "xyz"]
    for several in ([least, *others], [*others, least]):
        (finding,) = judge(gathered(several), [], Criteria(7 * DAY))
        assert finding.sighting == least
        assert finding.events == 4


def test_undated_sightings_are_findings_and_never_history() -> None:
    own = [sighting(time=None), sighting(time=None, host="ws-02"), sighting(time=START)]
    findings = judge(gathered(own), [], Criteria(7 * DAY))
    assert [(f.sighting.time, f.events) for f in findings] == [(START, 1), (None, 2)]
    per_host = judge(gathered(own), [], Criteria(7 * DAY, per_host=True))
    assert [f.sighting.host for f in per_host] == ["ws-01", "ws-01", "ws-02"]
    assert rows_of(own) == rows_of(own[2:])


@given(st.frozensets(st.integers(-200, 5), max_size=40), lengths, st.integers(0, HOUR - 1))
def test_known_history_counts_the_hours_before_in_which_events_were_read(
    offsets: frozenset[int], length: int | None, within: int
) -> None:
    hours = frozenset(START // HOUR + offset for offset in offsets)
    time = START + within
    (finding,) = rarity.judge(gathered([sighting(time=time)]), Known((), hours), Criteria(length))
    start = min(hours, default=0) if length is None else (time - length) // HOUR
    wanted = None if length is None else length // 1_000_000
    count = 3600 * sum(start <= hour < time // HOUR for hour in hours)
    assert finding.history.known == count
    assert finding.history.wanted == wanted
