"""Sightings for tests of rarity and baselines: a small world, so that they meet often."""

from collections.abc import Iterable
from functools import partial
from ipaddress import ip_address

import orjson
from hypothesis import strategies as st

from smbrare.detection.kept_events import KeptEvent, KeptEvents, Sighting
from smbrare.detection.sightings import Row, Sightings, Told
from smbrare.records.event import Origin
from smbrare.records.read_options import Grain
from smbrare.records.times import HOUR

_ORIGIN = Origin("events.ndjson", 1)

START = 1_794_787_200_000_000
"""2026-11-16T00:00:00Z in microseconds."""


def sighting(
    destination: str = "45.83.122.10",
    source: str = "10.20.1.11",
    host: str = "ws-01",
    time: int | None = START,
    *,
    port: int = 50123,
    event_id: str = "",
    content: str = "",
) -> Sighting:
    """Return a sighting; the ECS fields tell it from others."""
    event = KeptEvent(
        rank=(host, source, port, event_id),
        own_time=None,
        ecs=orjson.dumps({"host.name": host, "source.port": port, "event.action": content}),
        event_source="ecs",
        inferred=(),
        origin=_ORIGIN,
    )
    return kept_alone(event, destination, time)


def kept_alone(event: KeptEvent, destination: str, time: int | None) -> Sighting:
    """Return an event's sighting of a destination."""
    kept = KeptEvents()
    host, source, *_ = event.rank
    return Sighting(destination, source, host, time, kept, kept.add(event, time))


def gathered(sightings: Iterable[Sighting], grain: Grain | None = None) -> Sightings:
    """Return sightings as a scan gathers them."""
    whole = Sightings(grain or Grain())
    for each in sightings:
        told = Told(frozenset({"success"}), frozenset({445}), each.host.upper())
        make = partial(getattr, each, "event")
        whole.add(ip_address(each.destination), (each.source, each.host), each.time, told, make)
    return whole


def rows_of(sightings: Iterable[Sighting]) -> list[Row]:
    """Return the rows that a baseline keeps of sightings."""
    return list(gathered(sightings).rows())


def times(days: int) -> st.SearchStrategy[int]:
    """Times that cluster at the edges that decide: full hours, and whole days apart."""
    edges = st.sampled_from([-1, 0, 1, HOUR - 1, HOUR // 2])
    return st.builds(
        lambda day, hour, edge: START + (day * 24 + hour) * HOUR + edge,
        st.integers(0, days),
        st.sampled_from([0, 1, 12]),
        edges,
    )


def sightings(days: int = 16, most: int = 30) -> st.SearchStrategy[list[Sighting]]:
    """Lists of sightings of few destinations by few hosts over some days."""
    one = st.builds(
        sighting,
        destination=st.sampled_from(["45.83.122.10", "91.219.236.18"]),
        source=st.sampled_from(["10.20.1.11", "10.20.1.12"]),
        host=st.sampled_from(["ws-01", "ws-02"]),
        time=times(days),
        port=st.sampled_from([50123, 50124]),
        event_id=st.sampled_from(["", "a"]),
        content=st.sampled_from(["x", "y"]),
    )
    return st.lists(one, max_size=most)
