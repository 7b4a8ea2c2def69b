"""Events that are packed until a finding asks for them come back as they were."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smbrare.detection.kept_events import KeptEvent, KeptEvents
from smbrare.records.event import Origin, shift

PATHS = ("a.ndjson", "not\udcffunicode.gz!b.json")

TEXTS = st.text(max_size=5)

events = st.builds(
    KeptEvent,
    rank=st.tuples(
        st.sampled_from(["ws-01", "ü"]), st.just("10.0.0.1"), st.integers(0, 9), st.text()
    ),
    own_time=st.one_of(st.none(), st.integers(-(2**62), 2**62)),
    ecs=st.one_of(st.binary(max_size=20), st.just(b"x" * 70_000)),
    event_source=st.just("ecs"),
    inferred=st.sampled_from([(), ("network.transport", "@timestamp")]),
    origin=st.builds(
        Origin,
        st.sampled_from(PATHS),
        st.integers(0, 99),
        st.one_of(st.none(), st.integers(0, 2**40)),
    ),
)
parts = st.lists(st.lists(events, max_size=80), min_size=1, max_size=3)


def kept(several: Sequence[KeptEvent]) -> KeptEvents:
    whole = KeptEvents()
    for event in several:
        whole.add(event, 7)
    return whole


@given(parts, st.one_of(st.none(), st.integers(0, 1_000)), st.data())
def test_events_come_back_as_they_were(
    given_parts: list[list[KeptEvent]], lines_before: int | None, data: st.DataObject
) -> None:
    whole, expected = KeptEvents(), list[KeptEvent]()
    for some in given_parts:
        part = kept(some)
        part.renumber(PATHS[0], lines_before)
        assert whole.extend(part) == len(expected)
        for event in some:
            origin = event.origin
            moved = shift(origin, lines_before) if origin.path == PATHS[0] else origin
            expected.append(replace(event, origin=moved))
    assert [whole.event(slot) for slot in range(len(whole))] == expected
    slots = sorted(data.draw(st.sets(st.integers(0, len(expected) - 1)))) if expected else []
    chosen = whole.only(slots)
    assert [chosen.event(at) for at in range(len(chosen))] == [expected[slot] for slot in slots]


def test_an_event_with_several_destinations_is_kept_once() -> None:
    event = KeptEvent(("ws-01", "10.0.0.1", 1, ""), None, b"x" * 70_000, "ecs", (), Origin("a", 1))
    several = KeptEvents()
    assert [several.add(event, 7) for _ in range(3)] == [0, 0, 0]
    assert len(several) == 1
