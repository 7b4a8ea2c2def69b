"""What is kept around a finding: the nearest events of its host, and who was logged on."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.detection import host_context
from smbrare.detection.host_context import (
    REACH,
    SESSION,
    Collector,
    HostContext,
    is_person,
    same_host,
)
from smbrare.records.event import Origin
from smbrare.records.times import MICROSECONDS
from smbrare.sources.activities.activity import Activity, ActivityKind

AT = 10 * SESSION
MINUTE = 60 * MICROSECONDS


def event(kind: ActivityKind = "process", *, after: int = 0, **facts: Any) -> Activity:
    return Activity(AT + after, kind, **({"host": "WS-01", "user": "CORP\\alice"} | facts))


def collected(*events: Activity) -> HostContext:
    collector = Collector("ws-01", AT)
    for each in events:
        collector.observe(each)
    return collector.result()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("WS-01", "ws-01", True),
        ("WS-01", "ws-01.corp.example", True),
        ("ws-01.corp.example", "WS-01", True),
        ("ws-01.corp.example", "ws-01.other.example", False),
        ("ws-01", "ws-010.corp.example", False),
        ("ws-01.corp", "ws-01.corp.example", False),
        ("", "", False),
        ("", ".example", False),
    ],
)
def test_a_short_name_is_its_full_one_and_full_names_have_to_be_equal(
    one: str, other: str, *, same: bool
) -> None:
    assert same_host(one, other) is same


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ("CORP\\alice", True),
        ("alice", True),
        ("NT AUTHORITY\\SYSTEM", False),
        ("nt authority\\local service", False),
        ("Window Manager\\DWM-1", False),
        ("NT SERVICE\\MSSQL", False),
        ("CORP\\WS-01$", False),
        ("", False),
        ("CORP\\", False),
    ],
)
def test_services_and_machines_are_no_people(user: str, *, person: bool) -> None:
    assert is_person(user) is person


def test_the_edges_of_the_window_belong_to_it() -> None:
    inside = [event(after=-REACH), event(after=REACH)]
    outside = [event(after=-REACH - 1), event(after=REACH + 1), event(host="WS-02")]
    assert list(collected(*inside, *outside).events) == inside


def test_who_logged_on_before_and_did_not_log_off_was_logged_on() -> None:
    found = collected(
        event("logon", after=-60 * MINUTE, user="CORP\\alice", what="Interactive"),
        event("logon", after=-30 * MINUTE, user="CORP\\bob", what="Unlock"),
        event("logon", after=-50 * MINUTE, user="CORP\\carol", what="Interactive"),
        event("logoff", after=-40 * MINUTE, user="corp\\Carol", what="Logoff"),
        event("logoff", after=10 * MINUTE, user="CORP\\alice", what="Logoff"),
        event("logon", after=-1, user="CORP\\remote", what="Network"),
        event("logon", after=1, user="CORP\\late", what="Interactive"),
        event("logon", after=-SESSION - 1, user="CORP\\yesterday", what="Interactive"),
        event("logon", after=-1, user="Window Manager\\DWM-1", what="Interactive"),
    )
    assert [(each.user, each.how) for each in found.logged_on] == [
        ("CORP\\bob", "Unlock"),
        ("CORP\\alice", "Interactive"),
    ]


def test_who_came_back_after_a_logoff_was_logged_on() -> None:
    found = collected(
        event("logon", after=-3, what="Interactive"),
        event("logoff", after=-2, what="Logoff"),
        event("logon", after=-1, what="Interactive"),
    )
    assert [each.since for each in found.logged_on] == [AT - 1]


def test_whose_programs_started_is_named_after_those_logged_on() -> None:
    found = collected(
        event(user="CORP\\zoe"),
        event(user="NT AUTHORITY\\SYSTEM"),
        event(user="corp\\ALICE"),
        event("logon", after=-1, user="CORP\\alice", what="Interactive"),
    )
    assert found.users == ("CORP\\alice", "CORP\\zoe")


def test_copies_of_an_event_count_once_and_the_first_by_place_stands() -> None:
    copies = [replace(event(), origin=Origin(path, 7)) for path in ("b", "a", "c")]
    (kept,) = collected(*copies).events
    assert kept.origin.path == "a"


MOST = 3
ACTIVITIES = st.builds(
    Activity,
    time=st.sampled_from([AT + offset for offset in (-REACH - 1, -REACH, -2, -1, 0, 1, 2, REACH)]),
    kind=st.sampled_from(["process", "dns", "logon", "logoff"]),
    host=st.sampled_from(["WS-01", "ws-01.corp.example", "ws-02"]),
    user=st.sampled_from(["CORP\\alice", "corp\\ALICE", "CORP\\bob", "SYSTEM"]),
    what=st.sampled_from(["Interactive", "Network", "a.exe"]),
    origin=st.builds(Origin, st.sampled_from(["a", "b"]), st.integers(1, 2)),
)


def naive(events: list[Activity]) -> tuple[list[Activity], dict[str, int]]:
    inside: list[Activity] = []
    for each in sorted(events, key=lambda each: (each.origin.path, each.origin.number)):
        near = abs(each.time - AT) <= REACH and each.host.lower() != "ws-02"
        if near and each.content not in [known.content for known in inside]:
            inside.append(each)
    kept: list[Activity] = []
    for kind in {each.kind for each in inside}:
        nearest = sorted(
            (each for each in inside if each.kind == kind),
            key=lambda each: (abs(each.time - AT), each.content),
        )
        kept += nearest[:MOST]
    counts = Counter(each.kind for each in inside)
    left: dict[str, int] = {kind: count - MOST for kind, count in counts.items() if count > MOST}
    return sorted(kept, key=lambda each: each.content), left


@given(st.lists(ACTIVITIES, max_size=24), st.randoms(use_true_random=False))
def test_the_nearest_of_a_kind_are_kept_whatever_the_order_and_the_copies(
    events: list[Activity], chance: Random
) -> None:
    shuffled = [*events, *events[: len(events) // 2]]
    chance.shuffle(shuffled)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(host_context, "MOST_OF_A_KIND", MOST)
        found, again = collected(*events), collected(*shuffled)
    assert (list(found.events), dict(found.omitted)) == naive(events)
    assert found == again
    assert [each.origin for each in found.events] == [each.origin for each in again.events]
    assert [each.origin for each in found.logged_on] == [each.origin for each in again.logged_on]
