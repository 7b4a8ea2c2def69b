"""The schedule: its shortcut gives what every run, enumerated one by one, gives."""

import random
import socket
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.detection.criteria import Criteria
from smbrare.detection.kept_events import Sighting
from smbrare.detection.rarity import Known, judge
from smbrare.detection.schedule import (
    Alert,
    Moments,
    Outcome,
    Schedule,
    run_schedule,
    sixteen_bytes,
)
from smbrare.detection.sightings import Sightings
from smbrare.records.times import HOUR
from tests.support import rows

MINUTE = 60 * 1_000_000
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
KIBANA = Schedule(interval=5 * MINUTE, lookback=9 * MINUTE, history=7 * DAY)
UNCAPPED = replace(KIBANA, max_signals=1_000_000)

ADDRESSES = ("45.83.122.10", "9.9.9.9", "2a00:1450::8", "185.220.101.4", "91.219.236.18")
A, B, C, D, E = ADDRESSES

Event = tuple[str, int]
"""A destination and the time of one event; a list may hold the same one several times."""


def run_over(events: Sequence[Event], schedule: Schedule) -> Outcome:
    times: dict[str, list[int]] = {}
    for destination, time in events:
        times.setdefault(destination, []).append(time)

    def documents(destination: str, start: int, end: int) -> int:
        return sum(start <= time <= end for time in times[destination])

    return run_schedule(times, schedule, documents)


def raised(outcome: Outcome) -> set[Event]:
    return {(alert.destination, alert.time) for alert in outcome.alerts}


def every_run(events: Sequence[Event], schedule: Schedule) -> list[int]:
    earliest = min(time for _, time in events)
    latest = max(time for _, time in events) + schedule.lookback
    return [
        time for time in range(earliest, latest + 1) if time % schedule.interval == schedule.anchor
    ]


def emulate(
    events: Sequence[Event], schedule: Schedule
) -> tuple[dict[Event, tuple[int, bool]], set[Event]]:
    """Do what Kibana does, run by run, each with its three searches over all events.

    Returns the alerts, each with its run and whether that run was cut, and what was never raised.
    """
    alerts: dict[Event, tuple[int, bool]] = {}
    tried: set[Event] = set()
    for now in every_run(events, schedule):
        recent = [(d, t) for d, t in events if now - schedule.lookback <= t <= now]
        wider = [(d, t) for d, t in events if now - schedule.history <= t <= now]
        listed = []
        for term in {destination for destination, _ in recent}:
            first_seen = min(t for d, t in wider if d == term)
            if first_seen > now - schedule.lookback:
                oldest = min(t for d, t in recent if d == term)
                count = sum(d == term for d, _ in recent)
                listed.append((-count, packed(term), (term, oldest)))
        fresh = [event for _, _, event in sorted(listed) if event not in alerts]
        tried.update(fresh)
        for event in fresh[: schedule.max_signals]:
            alerts[event] = (now, len(fresh) > schedule.max_signals)
    return alerts, tried - set(alerts)


def packed(address: str) -> bytes:
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return socket.inet_pton(socket.AF_INET6, f"::ffff:{address}")


@st.composite
def small_schedules(draw: st.DrawFn) -> Schedule:
    interval = draw(st.integers(1, 8))
    lookback = draw(st.integers(1, 12))
    return Schedule(
        interval=interval,
        lookback=lookback,
        history=draw(st.integers(lookback + 1, 40)),
        anchor=draw(st.integers(0, interval - 1)),
        max_signals=draw(st.integers(1, 3)),
    )


TIMES = st.one_of(st.integers(0, 12), st.integers(50, 60), st.integers(0, 120))
EVENTS = st.lists(st.tuples(st.sampled_from(ADDRESSES), TIMES), min_size=1, max_size=30)


@settings(max_examples=400)
@given(EVENTS, small_schedules())
def test_alerts_runs_and_cuts_are_those_of_a_run_by_run_emulation(
    events: list[Event], schedule: Schedule
) -> None:
    outcome = run_over(events, schedule)
    expected, never = emulate(events, schedule)
    assert {
        (alert.destination, alert.time): (alert.run, alert.crowded) for alert in outcome.alerts
    } == expected
    assert {(alert.destination, alert.time) for alert in outcome.cut} == never


@given(EVENTS, small_schedules())
def test_an_alert_lies_in_the_window_of_its_run(events: list[Event], schedule: Schedule) -> None:
    outcome = run_over(events, schedule)
    for alert in (*outcome.alerts, *outcome.cut):
        assert alert.start < alert.time <= alert.run
        assert alert.run - alert.start == schedule.lookback
        assert alert.run % schedule.interval == schedule.anchor


@given(EVENTS, small_schedules())
def test_phase_dependence_is_what_trying_every_anchor_shows(
    events: list[Event], schedule: Schedule
) -> None:
    schedule = replace(schedule, max_signals=1_000)
    by_anchor = [
        raised(run_over(events, replace(schedule, anchor=anchor)))
        for anchor in range(schedule.interval)
    ]
    always, ever = set.intersection(*by_anchor), set.union(*by_anchor)
    outcome = run_over(events, schedule)
    for alert in outcome.alerts:
        assert alert.phase_dependent == ((alert.destination, alert.time) not in always)
    assert set(outcome.missed) == ever - raised(outcome)


def sighting(destination: str, time: int, host: str = "ws-01") -> Sighting:
    return rows.sighting(destination, "10.0.0.1", host, time)


def gathered(events: Sequence[Event]) -> Sightings:
    return rows.gathered(sighting(destination, time) for destination, time in events)


@st.composite
def weeks_of_sightings(draw: st.DrawFn, silences: st.SearchStrategy[int]) -> list[Event]:
    """Draw sightings whose silences follow a strategy, for some destinations."""
    events = []
    for destination in ADDRESSES:
        time = NOON + draw(st.integers(0, 20 * DAY))
        for silence in draw(st.lists(silences, max_size=6)):
            events.append((destination, time))
            time += silence
        events.append((destination, time))
    return events


OUTSIDE = st.one_of(
    st.integers(0, UNCAPPED.history - UNCAPPED.lookback),
    st.just(UNCAPPED.history - UNCAPPED.lookback),
    st.integers(UNCAPPED.history + 1, 30 * DAY),
    st.just(UNCAPPED.history + 1),
)
ANY = st.one_of(
    OUTSIDE,
    st.integers(UNCAPPED.history - UNCAPPED.lookback, UNCAPPED.history + 1),
    st.integers(0, 2 * HOUR),
)
ANCHORS = st.integers(0, UNCAPPED.interval - 1)


@given(weeks_of_sightings(OUTSIDE), ANCHORS)
def test_scan_and_replay_agree_for_silences_outside_of_the_last_minutes(
    events: list[Event], anchor: int
) -> None:
    found = judge(gathered(events), Known(), Criteria(UNCAPPED.history))
    outcome = run_over(events, replace(UNCAPPED, anchor=anchor))
    assert raised(outcome) == {(f.sighting.destination, f.sighting.time) for f in found}
    assert not any(alert.phase_dependent for alert in outcome.alerts)


@given(weeks_of_sightings(ANY), ANCHORS)
def test_what_scan_finds_is_always_raised_and_the_rest_has_a_silence_of_nearly_the_history(
    events: list[Event], anchor: int
) -> None:
    found = judge(gathered(events), Known(), Criteria(UNCAPPED.history))
    outcome = run_over(events, replace(UNCAPPED, anchor=anchor))
    more = raised(outcome) - {(f.sighting.destination, f.sighting.time) for f in found}
    assert len(more) == len(outcome.alerts) - len(found)
    for alert in outcome.alerts:
        if (alert.destination, alert.time) in more:
            assert alert.previous is not None
            silence = alert.time - alert.previous
            assert UNCAPPED.history - UNCAPPED.lookback < silence <= UNCAPPED.history


@given(weeks_of_sightings(ANY), ANCHORS)
def test_the_first_and_last_sighting_of_each_hour_decide(events: list[Event], anchor: int) -> None:
    hours: dict[tuple[str, int], list[int]] = {}
    for destination, time in events:
        hours.setdefault((destination, time // HOUR), []).append(time)
    thinned = [
        (destination, time)
        for (destination, _), times in hours.items()
        for time in (min(times), max(times))
    ]
    schedule = replace(UNCAPPED, anchor=anchor)
    assert run_over(thinned, schedule) == run_over(events, schedule)


@given(weeks_of_sightings(ANY), st.randoms())
def test_the_order_of_the_input_changes_nothing(events: list[Event], order: random.Random) -> None:
    shuffled = list(events)
    order.shuffle(shuffled)
    assert run_over(shuffled, KIBANA) == run_over(events, KIBANA)


def only(outcome: Outcome) -> Alert:
    (alert,) = outcome.alerts
    return alert


def test_a_run_reads_an_event_of_its_own_moment() -> None:
    assert only(run_over([(A, NOON)], KIBANA)).run == NOON


def test_a_run_reads_no_event_as_new_at_the_start_of_its_lookback() -> None:
    assert KIBANA.last_run(NOON - 9 * MINUTE) == NOON - 5 * MINUTE
    assert KIBANA.last_run(NOON - 9 * MINUTE + 1) == NOON


def test_an_alert_is_raised_by_the_first_run_after_its_event() -> None:
    alert = only(run_over([(A, NOON + 1)], KIBANA))
    assert alert.run == NOON + 5 * MINUTE
    assert alert.start == NOON - 4 * MINUTE


@pytest.mark.parametrize(("before", "is_alert"), [(0, False), (-1, True)])
def test_an_earlier_sighting_counts_from_the_history_of_the_last_run_on(
    before: int, *, is_alert: bool
) -> None:
    time = NOON + 1
    last = KIBANA.last_run(time)
    outcome = run_over([(A, last - 7 * DAY + before), (A, time)], KIBANA)
    assert ((A, time) in raised(outcome)) == is_alert
    assert ((A, time) in outcome.missed) == (not is_alert)


def test_an_alert_waits_for_the_run_that_has_forgotten_the_sighting_before() -> None:
    time = NOON + 1
    events = [(A, NOON + 5 * MINUTE - 7 * DAY - 1), (B, NOON + 5 * MINUTE - 7 * DAY)]
    later = run_over([*events, (A, time), (B, time - 2 * MINUTE)], KIBANA).alerts[2:]
    assert [(alert.destination, alert.run) for alert in later] == [(A, NOON + 5 * MINUTE)]


@pytest.mark.parametrize(
    ("silence", "raises", "depends"),
    [
        (7 * DAY - 9 * MINUTE, False, None),
        (7 * DAY - 9 * MINUTE + 1, False, None),
        (7 * DAY - 9 * MINUTE + 2, None, True),
        (7 * DAY - 4 * MINUTE, None, True),
        (7 * DAY - 4 * MINUTE + 1, True, False),
        (7 * DAY, True, False),
        (7 * DAY + 1, True, False),
    ],
)
def test_a_silence_is_decided_to_the_microsecond(
    silence: int, *, raises: bool | None, depends: bool | None
) -> None:
    verdicts = set()
    # The latest and the earliest last run that an event of noon can have, and some between.
    for anchor in (NOON + 9 * MINUTE - 1, NOON + 4 * MINUTE, *range(0, 5 * MINUTE, 7_654_321)):
        outcome = run_over([(A, NOON - silence), (A, NOON)], replace(KIBANA, anchor=anchor))
        at_noon = [alert for alert in outcome.alerts if alert.time == NOON]
        verdicts.add(bool(at_noon))
        assert depends is None or all(alert.phase_dependent == depends for alert in at_noon)
    assert verdicts == ({True, False} if raises is None else {raises})


def test_max_signals_keeps_the_destinations_with_most_events_then_the_least_addresses() -> None:
    schedule = replace(KIBANA, interval=9 * MINUTE, max_signals=3, anchor=NOON)
    before = NOON - MINUTE
    events = [(A, before), (B, before), (C, before), (D, before), (E, before), (D, before + 1)]
    outcome = run_over(events, schedule)
    # IPv6 of a real network sorts after every IPv4 address.
    assert [alert.destination for alert in outcome.alerts] == [D, A, B]
    assert {alert.destination for alert in outcome.cut} == {C, E}
    assert all(alert.crowded for alert in (*outcome.alerts, *outcome.cut))
    assert outcome.crowded_runs == [NOON]


def test_what_max_signals_cut_is_raised_by_the_next_run_that_still_reads_it() -> None:
    time = NOON + 2 * MINUTE
    outcome = run_over([(A, time), (B, time)], replace(KIBANA, max_signals=1))
    runs = {alert.destination: (alert.run, alert.crowded) for alert in outcome.alerts}
    assert runs == {B: (NOON + 5 * MINUTE, True), A: (NOON + 10 * MINUTE, False)}
    assert outcome.cut == ()


def test_what_max_signals_cut_for_good_is_history_for_the_next_sighting() -> None:
    time = NOON + 2 * MINUTE
    events = [(A, time), (B, time), (C, time), (C, time + DAY), (C, time + 2 * DAY)]
    outcome = run_over(events, replace(KIBANA, max_signals=1))
    assert raised(outcome) == {(A, time), (B, time)}
    assert [(alert.destination, alert.time) for alert in outcome.cut] == [(C, time)]


def test_exactly_max_signals_alerts_are_no_crowd() -> None:
    outcome = run_over([(A, NOON), (B, NOON)], replace(KIBANA, max_signals=2))
    assert [alert.crowded for alert in outcome.alerts] == [False, False]
    assert outcome.crowded_runs == []


def test_a_lookback_shorter_than_the_interval_leaves_events_that_no_run_reads() -> None:
    schedule = Schedule(interval=10 * MINUTE, lookback=5 * MINUTE, history=DAY, anchor=NOON)
    outcome = run_over([(A, NOON + MINUTE), (B, NOON + 9 * MINUTE)], schedule)
    assert raised(outcome) == {(B, NOON + 9 * MINUTE)}
    assert only(outcome).phase_dependent
    assert outcome.missed == ((A, NOON + MINUTE),)


def test_a_century_of_runs_every_microsecond_costs_no_more_than_its_sightings() -> None:
    schedule = Schedule(interval=1, lookback=2, history=HOUR)
    outcome = run_over([(A, 0), (A, 36_525 * DAY)], schedule)
    assert [alert.time for alert in outcome.alerts] == [0, 36_525 * DAY]


@pytest.mark.parametrize(
    "changes", [{"interval": 0}, {"lookback": 0}, {"max_signals": 0}, {"history": 9 * MINUTE}]
)
def test_a_schedule_that_no_rule_could_have_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="ha"):
        replace(KIBANA, **changes)


@given(st.ip_addresses().map(str), st.ip_addresses().map(str))
def test_addresses_sort_as_their_sixteen_bytes(one: str, other: str) -> None:
    assert (sixteen_bytes(one) < sixteen_bytes(other)) == (packed(one) < packed(other))


@given(EVENTS, st.integers(0, 120), st.integers(0, 120), st.integers(0, 29))
def test_moments_count_events_once_whatever_the_copies_and_parts(
    events: list[Event], start: int, end: int, split: int
) -> None:
    numbered = [
        (destination, time, rows.sighting(port=number).event)
        for number, (destination, time) in enumerate(events)
    ]
    first, second = Moments(), Moments()
    for item in numbered[:split] + numbered[:1]:
        first.add(*item)
    for item in numbered[split:] + numbered[-1:]:
        second.add(*item)
    first.merge(second)
    for address in ADDRESSES:
        expected = sum(d == address and start <= t <= end for d, t in events)
        assert first.events(address, start, end) == expected
