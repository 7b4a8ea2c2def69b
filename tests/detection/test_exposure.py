"""No evidence of another host, address or time ever raises a grade or names an account."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.detection import exposure
from smbrare.detection.exposure import EvidenceCollector, JoinedEvent, accounts, merge_evidence
from smbrare.detection.finding import Finding
from smbrare.detection.host_context import LURES, REACH, SESSION
from smbrare.detection.rank import GRADES, grade
from smbrare.records.event import Origin
from smbrare.records.times import HOUR, MICROSECONDS, date
from smbrare.sources.activities.activity import Activity, ActivityKind
from tests.support.findings import finding

AT = date("2026-11-16T08:00:00Z").time
HERE, THERE = "45.83.122.10", "91.219.236.18"
FULL = "ws-01.corp.example"
NAME = "files.example"


def event(kind: ActivityKind = "ntlm", *, after: int = 0, **facts: Any) -> Activity:
    standard = {"host": FULL, "user": "CORP\\alice", "shows": "authentication", "address": HERE}
    return Activity(AT + after, kind, **(standard | facts))


def query(address: str = HERE, *, after: int = 0, host: str = FULL, name: str = NAME) -> Activity:
    return Activity(AT + after, "dns", host, what=name, detail=address)


def collected(
    events: Iterable[Activity], *, host: str = FULL, is_ambiguous: bool = False
) -> tuple[JoinedEvent, ...]:
    collector = EvidenceCollector(host, AT, HERE)
    for each in events:
        collector.observe(each)
        if each.kind == "dns":
            collector.resolve(each, [(each.what, each.detail)])
    return collector.result(is_ambiguous=is_ambiguous)


def found(*events: Activity, outcome: str = "unknown", **changes: Any) -> Finding:
    evidence = collected(events)
    return finding(outcomes=(outcome,), evidence=evidence, **changes)


BY_NAME: dict[str, Any] = {"address": "", "server": NAME}


@pytest.mark.parametrize(
    ("events", "joined"),
    [
        ([event()], ("address",)),
        ([event(**BY_NAME), query()], ("name",)),
        ([event(**BY_NAME | {"server": "FILES.example."}), query(after=-SESSION)], ("name",)),
        ([event(**BY_NAME)], ("host and time",)),
        ([event(**BY_NAME), query(host="ws-02.corp.example")], ("host and time",)),
        ([event(**BY_NAME), query(), query(THERE)], ("host and time",)),
        ([event(**BY_NAME), query(after=-SESSION - 1)], ("host and time",)),
        ([event(**BY_NAME), query(after=REACH + 1)], ("host and time",)),
        ([event(**BY_NAME), query(THERE)], None),
        ([event(address=THERE)], None),
        ([event(host="ws-01.other.example")], None),
        ([event(after=REACH)], ("address",)),
        ([event(after=REACH + 1)], None),
        ([event("file", after=-LURES, address="", shows="")], ("host and time",)),
        ([event("file", after=-LURES - 1, address="", shows="")], None),
        ([event(host="WS-01")], ("address", "short host name")),
        ([event(**BY_NAME), query(host="WS-01")], ("name", "short host name")),
        ([event(address="", server="")], ("host and time",)),
        ([event("process", address="", shows="")], None),
    ],
)
def test_what_joins_an_event(events: list[Activity], joined: tuple[str, ...] | None) -> None:
    assert [each.joined for each in collected(events)] == ([joined] if joined else [])


def test_a_short_name_of_two_hosts_proves_nothing() -> None:
    events = [event(host="WS-01"), event("smb"), query(host="ws-01", name="other.example")]
    told = collected(events, is_ambiguous=True)
    assert [each.joined for each in told] == [("address",), ("host and time", "short host name")]
    by_name = [event(**BY_NAME), query(host="ws-01")]
    assert not any(each.proves for each in collected(by_name, is_ambiguous=True))


def test_more_names_than_are_kept_join_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "MOST_NAMES", 2)
    queries = [query(name=f"{letter}.example") for letter in "ab"]
    events = [query(), event(**BY_NAME), *queries]
    assert [each.joined for each in collected(events)] == [("host and time",)]
    assert [each.joined for each in collected(events[::-1])] == [("host and time",)]


@pytest.mark.parametrize(
    "flood",
    [
        {"shows": "attempt", "outcome": "failure"},
        {"kind": "file", "address": "", "shows": ""},
        {"address": "", "shows": ""},
        {"address": "", "server": "dc01.corp.example", "shows": "attempt"},
    ],
)
@pytest.mark.parametrize("proof", [event(after=9), event(**BY_NAME, after=9)])
def test_no_flood_of_other_events_hides_what_proves_most(
    monkeypatch: pytest.MonkeyPatch, flood: dict[str, Any], proof: Activity
) -> None:
    monkeypatch.setattr(exposure, "MOST_EVENTS", 3)
    others = [event(**{"kind": "smb", **flood}, what=str(number)) for number in range(10)]
    assert grade(found(query(), *others, proof)) == "authentication"


@pytest.mark.parametrize(
    ("facts", "is_cut"),
    [
        ({}, True),
        ({"address": "", "server": "dc01.corp.example"}, True),
        ({"address": "", "server": ""}, False),
        ({"shows": ""}, False),
        ({"address": THERE}, False),
    ],
)
def test_what_was_not_kept_is_told_where_it_may_prove_something(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], *, is_cut: bool
) -> None:
    monkeypatch.setattr(exposure, "MOST_EVENTS", 3)
    collector = EvidenceCollector(FULL, AT, HERE)
    for number in range(3):
        collector.observe(event(**facts, what=str(number)))
    assert not collector.gaps
    collector.observe(event(**facts, what="3"))
    assert bool(collector.gaps) == is_cut


@pytest.mark.parametrize(
    ("outcome", "events", "expected"),
    [
        ("unknown", [], "unknown"),
        ("unknown", [event()], "authentication"),
        ("failure", [event()], "authentication"),
        ("unknown", [event("smb", shows="connection")], "connected"),
        ("failure", [event("smb", shows="connection")], "connected"),
        ("unknown", [event("smb", shows="attempt", outcome="failure")], "attempted"),
        ("success", [event("smb", shows="attempt", outcome="failure")], "connected"),
        ("unknown", [event("smb", **BY_NAME, shows="attempt", outcome="failure")], "unknown"),
        (
            "unknown",
            [event("smb", shows="attempt", outcome="failure"), event("webdav", shows="connection")],
            "connected",
        ),
        ("unknown", [event(**BY_NAME)], "unknown"),
        ("unknown", [event(address=THERE)], "unknown"),
        ("unknown", [event(shows="")], "unknown"),
    ],
)
def test_the_grade_follows_what_is_proven(
    outcome: str, events: list[Activity], expected: str
) -> None:
    assert grade(found(*events, outcome=outcome)) == expected


def test_one_failure_says_nothing_of_other_hosts_or_later_attempts() -> None:
    failure = event("smb", shows="attempt", outcome="failure")
    assert grade(found(failure, hosts=("WS-01", "WS-02"))) == "unknown"
    assert grade(found(failure, last=AT + REACH)) == "attempted"
    assert grade(found(failure, last=AT + REACH + 1)) == "unknown"


def test_each_account_is_named_once_by_its_first_record() -> None:
    events = [
        event(after=5, user="corp\\ALICE", origin=Origin("b", 2)),
        event(after=3, origin=Origin("a", 1)),
        event(after=4, user="CORP\\bob", origin=Origin("a", 9)),
        event(after=1, user="CORP\\carol", shows="connection"),
        event(after=1, user="CORP\\dave", address=THERE),
        event(after=1, user=""),
    ]
    shown = accounts(collected(events))
    assert [(each.user, str(each.origin)) for each in shown] == [
        ("CORP\\alice", "a:1"),
        ("CORP\\bob", "a:9"),
    ]


OFFSETS = st.sampled_from([-HOUR, -REACH, -MICROSECONDS, 0, 1, REACH, REACH + 1])
EVENTS = st.builds(
    event,
    st.sampled_from(["smb", "ntlm", "credentials", "webdav", "file", "process"]),
    after=OFFSETS,
    host=st.sampled_from([FULL, "WS-01", "ws-02", "ws-01.other.example"]),
    user=st.sampled_from(["CORP\\alice", "CORP\\bob", ""]),
    address=st.sampled_from([HERE, THERE, ""]),
    server=st.sampled_from([NAME, "other.example", "dc01", ""]),
    outcome=st.sampled_from(["", "success", "failure"]),
    shows=st.sampled_from(["", "attempt", "connection", "authentication"]),
)
QUERIES = st.builds(
    query,
    st.sampled_from([HERE, THERE]),
    after=st.sampled_from([-2 * SESSION, -HOUR, 0, HOUR]),
    host=st.sampled_from([FULL, "WS-01", "ws-02", "ws-01.other.example"]),
    name=st.sampled_from([NAME, "other.example"]),
)
MIXED = st.lists(EVENTS | QUERIES, max_size=12)


def is_of_host(activity: Activity) -> bool:
    return activity.host.lower() in {FULL, "ws-01"}


def naive(events: list[Activity]) -> tuple[set[str], set[str]]:
    """Return what is proven of the destination, and whose credentials were sent there."""
    of_host = [each for each in events if is_of_host(each)]
    resolved: dict[str, set[str]] = {}
    for each in of_host:
        if each.kind == "dns" and -SESSION <= each.time - AT <= REACH:
            resolved.setdefault(each.what, set()).add(each.detail)
    shown, who = set[str](), set[str]()
    for each in of_host:
        before = LURES if each.kind == "file" else REACH
        if each.kind == "dns" or not -before <= each.time - AT <= REACH:
            continue
        names = {each.address} if each.address else None
        if each.kind == "process" and names is None:
            continue
        if (names or resolved.get(each.server, set())) == {HERE}:
            shown.add(each.shows)
            who |= {each.user} if each.shows == "authentication" and each.user else set()
    return shown, who


@given(MIXED, st.randoms(use_true_random=False))
def test_what_is_proven_is_what_a_naive_reading_proves_in_any_order(
    events: list[Activity], chance: Random
) -> None:
    evidence = collected(events)
    shown, who = naive(events)
    assert {each.activity.shows for each in evidence if each.proves} == shown
    assert {each.user for each in accounts(evidence)} == who
    shuffled = [*events, *events[::2]]
    chance.shuffle(shuffled)
    assert collected(shuffled) == evidence


def of_another(activity: Activity) -> Activity:
    """Return an event as one of another host, and so that only its host is another."""
    return replace(activity, host="ws-02.corp.example")


def to_another(activity: Activity) -> Activity:
    """Return an event as one that names another address, or resolves a name to it."""
    if activity.kind == "dns":
        return replace(activity, detail=THERE)
    return replace(activity, address=THERE)


@given(
    events=MIXED,
    others=MIXED,
    change=st.sampled_from([of_another, to_another]),
    is_ambiguous=st.booleans(),
)
def test_evidence_of_another_host_or_address_never_raises_a_grade(
    *, events: list[Activity], others: list[Activity], change: Any, is_ambiguous: bool
) -> None:
    def graded(told: list[Activity]) -> tuple[int, set[str]]:
        evidence = collected(told, is_ambiguous=is_ambiguous)
        who = {each.user for each in accounts(evidence)}
        return GRADES.index(grade(finding(evidence=evidence))), who

    before, known = graded(events)
    after, who = graded([*events, *map(change, others)])
    # The worst grade is the least; a name that led elsewhere too may prove less than it did.
    assert after >= before
    assert who <= known
    if change is of_another:
        assert (after, who) == (before, known)


LAST = AT + 6 * HOUR


@given(
    after=st.sampled_from([-HOUR, -REACH - 1, -REACH, 0, HOUR, 6 * HOUR + REACH])
    | st.just(6 * HOUR + REACH + 1),
    asked=st.sampled_from([-SESSION - 1, -SESSION, 0, 6 * HOUR + REACH, 6 * HOUR + REACH + 1]),
    is_named=st.booleans(),
)
def test_of_several_connections_all_the_time_between_them_counts(
    after: int, asked: int, *, is_named: bool
) -> None:
    collector = EvidenceCollector(FULL, AT, HERE, LAST)
    collector.observe(event(after=after, **(BY_NAME if is_named else {})))
    collector.resolve(query(after=asked), [(NAME, HERE)])
    is_in_time = AT - REACH <= AT + after <= LAST + REACH
    is_resolved = AT - SESSION <= AT + asked <= LAST + REACH
    proves = [each.proves for each in collector.result(is_ambiguous=False)]
    assert proves == ([is_resolved or not is_named] if is_in_time else [])


@given(MIXED, MIXED)
def test_other_connections_add_what_they_prove_and_nothing_twice(
    one: list[Activity], two: list[Activity]
) -> None:
    first, others = collected(one), collected(two)
    both = merge_evidence(first, others)
    assert set(both) - set(first) <= {each for each in others if each.proves}
    assert {each.activity.content for each in both} == {
        *(each.activity.content for each in first),
        *(each.activity.content for each in others if each.proves),
    }
    assert len(both) == len({each.activity.content for each in both})
    proves = [each.proves for each in both]
    assert proves == sorted(proves, reverse=True)
