"""The replay of gathered sightings, and why it differs from a scan."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import examine
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.schedule import Moments, Schedule, run_schedule
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.records.event import Origin
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR
from smbrare.scanning import replay, scan
from smbrare.scanning.replay import Difference
from tests.support.events import matching

MINUTE = 60 * 1_000_000
DAY = 24 * HOUR
KIBANA = Schedule(interval=5 * MINUTE, lookback=9 * MINUTE, history=7 * DAY)
UNCAPPED = replace(KIBANA, max_signals=1_000_000)
AS_KIBANA = ReadOptions(literal=True, time_field="event.ingested", every_moment=True)
AS_SCAN = replace(AS_KIBANA, literal=False, time_field="@timestamp")
EPOCH = datetime(2026, 11, 16, tzinfo=UTC)
ADDRESSES = ("45.83.122.10", "91.219.236.18", "185.220.101.4")


def text(time: int) -> str:
    return (EPOCH + timedelta(microseconds=time)).isoformat()


def micros(time: int) -> int:
    return (EPOCH - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + time


def event(time: int, destination: str = ADDRESSES[0], **changes: Any) -> dict[str, Any]:
    ingested = changes.pop("ingested", None)
    document = matching(timestamp=text(time), destination__ip=destination, **changes)
    if ingested is not None:
        document["event"]["ingested"] = text(ingested)
    return document


def gathered(documents: Sequence[dict[str, Any]], options: ReadOptions) -> Partial:
    partial = Partial(Sightings(moments=Moments()))
    survey = InputSurvey("events")
    partial.surveys.append(survey)
    for number, document in enumerate(documents, 1):
        examine(document, Origin("events", number), options, survey, partial)
    return partial


def compared(
    documents: Sequence[dict[str, Any]],
    schedule: Schedule = KIBANA,
    options: ReadOptions = AS_KIBANA,
) -> list[Difference]:
    _, found = replay.compare(
        options, Criteria(), schedule, lambda reading: gathered(documents, reading)
    )
    return found


def shape(differences: Sequence[Difference]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.raised_by, one.finding.sighting.destination, one.reasons) for one in differences]


def where(findings: Sequence[Finding]) -> set[tuple[str, int | None]]:
    return {(finding.sighting.destination, finding.sighting.time) for finding in findings}


SILENCES = st.one_of(
    st.integers(0, 3 * HOUR),
    st.integers(7 * DAY - 10 * MINUTE, 7 * DAY + MINUTE),
    st.integers(0, 20 * DAY),
)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw events of a few destinations, some late to be ingested and some lacking a field."""
    documents = []
    for destination in ADDRESSES:
        time = draw(st.integers(0, DAY))
        for silence in draw(st.lists(SILENCES, min_size=1, max_size=5)):
            document = event(
                time,
                destination,
                ingested=draw(st.one_of(st.none(), st.integers(time, time + 3 * DAY))),
            )
            if draw(st.booleans()):
                document["host"]["os"] = {"platform": "windows"}
            documents.append(document)
            time += silence
    return documents


@given(histories(), st.integers(0, KIBANA.interval - 1), st.integers(1, 3))
def test_sightings_kept_by_the_hour_are_replayed_as_all_of_them(
    documents: list[dict[str, Any]], anchor: int, max_signals: int
) -> None:
    schedule = replace(KIBANA, anchor=anchor, max_signals=max_signals)
    partial = gathered(documents, AS_KIBANA)
    report = replay.judge(partial, AS_KIBANA, Criteria(), schedule)
    moments = partial.sightings.moments
    assert moments is not None
    outcome = run_schedule(moments.times, schedule, moments.events)
    assert report.replayed == outcome
    assert tuple(finding.alert for finding in report.findings) == outcome.alerts


@given(histories(), st.integers(0, KIBANA.interval - 1))
def test_a_scan_and_an_uncapped_replay_that_read_alike_differ_by_silences_alone(
    documents: list[dict[str, Any]], anchor: int
) -> None:
    schedule = replace(UNCAPPED, anchor=anchor)
    for one in compared(documents, schedule, AS_SCAN):
        assert (one.raised_by, one.reasons) == ("replay", ("silence",))
        assert one.finding.alert is not None
        previous = one.finding.alert.previous
        assert previous is not None
        silence = one.finding.alert.time - previous
        assert UNCAPPED.history - UNCAPPED.lookback < silence <= UNCAPPED.history


@given(histories(), st.integers(1, 2))
def test_differences_are_what_only_one_side_raises_each_with_a_reason(
    documents: list[dict[str, Any]], max_signals: int
) -> None:
    schedule = replace(KIBANA, max_signals=max_signals)
    scanned = where(
        scan.judge(gathered(documents, AS_SCAN), AS_SCAN, Criteria()).findings,
    )
    replayed = where(
        replay.judge(gathered(documents, AS_KIBANA), AS_KIBANA, Criteria(), schedule).findings
    )
    found = compared(documents, schedule)
    by_scan = where([one.finding for one in found if one.raised_by == "scan"])
    by_replay = where([one.finding for one in found if one.raised_by == "replay"])
    assert by_scan <= scanned - replayed
    assert by_replay <= replayed - scanned
    # What differs in time alone is the same record, ingested later, and raised by both.
    assert len(scanned - replayed - by_scan) == len(replayed - scanned - by_replay)
    assert all(one.reasons and one.explanation for one in found)


def test_an_event_ingested_late_is_raised_by_both_at_its_two_times() -> None:
    assert compared([event(0, ingested=DAY)]) == []


def test_a_silence_of_nearly_the_history_is_raised_by_replay_alone() -> None:
    found = compared([event(0), event(7 * DAY - 3 * MINUTE)])
    assert shape(found) == [("replay", ADDRESSES[0], ("silence",))]
    assert found[0].explanation == (
        "silent for 6d 23h 57m; runs forget after 6d 23h 51m to 6d 23h 56m, by their phase, "
        "a scan after 7d"
    )


def test_what_max_signals_cut_is_raised_by_scan_alone_unless_a_later_run_has_room() -> None:
    one_a_run = replace(KIBANA, max_signals=1)
    # The runs at 5 and at 10 minutes both read what was at 2, only the first what was before 1.
    assert compared([event(2 * MINUTE, address) for address in ADDRESSES[:2]], one_a_run) == []
    found = compared([event(MINUTE - 1, address) for address in ADDRESSES[:2]], one_a_run)
    assert shape(found) == [("scan", ADDRESSES[1], ("max_signals",))]


def test_an_inferred_field_is_a_reason_on_the_side_that_it_makes_raise() -> None:
    document = event(0)
    document["host"]["os"] = {"platform": "windows"}
    found = compared([document, event(DAY)])
    assert shape(found) == [
        ("scan", ADDRESSES[0], ("inferred",)),
        ("replay", ADDRESSES[0], ("inferred",)),
    ]
    assert [one.explanation for one in found] == [
        "rests on inferred host.os.type",
        "a record with inferred fields shows the destination before",
    ]


def test_a_time_field_is_a_reason_where_it_changes_which_event_is_first() -> None:
    found = compared([event(0, ingested=2 * DAY), event(DAY, source__ip="10.0.0.9")])
    assert shape(found) == [
        ("scan", ADDRESSES[0], ("time_field",)),
        ("replay", ADDRESSES[0], ("time_field",)),
    ]


def test_an_event_without_a_time_is_no_alert_and_counted() -> None:
    undated = event(0)
    del undated["@timestamp"]
    partial = gathered([undated, undated], AS_KIBANA)
    report = replay.judge(partial, AS_KIBANA, Criteria(), KIBANA)
    assert (report.findings, report.unseen, report.exit_code) == ((), 2, 4)
    assert shape(compared([undated])) == [("scan", ADDRESSES[0], ("undated",))]


def test_an_event_that_no_run_reads_says_so() -> None:
    schedule = Schedule(interval=HOUR, lookback=5 * MINUTE, history=7 * DAY)
    assert shape(compared([event(MINUTE)], schedule)) == [("scan", ADDRESSES[0], ("unread",))]


def test_a_later_event_that_is_known_on_both_sides_is_no_difference() -> None:
    first = event(0, ingested=10)
    assert compared([first, event(5, source__ip="10.0.0.9", ingested=20)]) == []


def test_a_scan_that_reads_like_the_replay_needs_no_second_reading() -> None:
    assert replay.readings(AS_SCAN) == [AS_SCAN]
    assert len(replay.readings(AS_KIBANA)) == 3


def test_a_replay_without_every_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="moment"):
        replay.judge(Partial(), AS_KIBANA, Criteria(), KIBANA)


def test_an_alert_starts_a_finding_that_lasts_until_the_next_alert() -> None:
    documents = [event(0), event(HOUR), event(9 * DAY), event(9 * DAY + 2 * HOUR)]
    report = replay.judge(gathered(documents, AS_KIBANA), AS_KIBANA, Criteria(), KIBANA)
    assert [(finding.events, finding.last) for finding in report.findings] == [
        (2, micros(HOUR)),
        (2, micros(9 * DAY + 2 * HOUR)),
    ]
