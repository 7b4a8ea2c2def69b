"""Findings for tests of the pure functions that word them."""

from typing import Any

import orjson

from smbrare.detection.finding import Finding, History
from smbrare.detection.kept_events import KeptEvent
from smbrare.records.event import Origin
from smbrare.records.times import date
from tests.support.rows import kept_alone

WEEK = 7 * 86_400


def finding(
    *, timestamp: str = "2026-11-16T08:00:00Z", event: dict[str, Any] | None = None, **changes: Any
) -> Finding:
    """Return a finding of one event; ``changes`` are fields of the finding or of its sighting."""
    first = date(timestamp).time
    time = changes.pop("time", first)
    sighting = kept_alone(
        KeptEvent(
            rank=("ws-01", "10.20.1.11", 50123, ""),
            own_time=None,
            ecs=orjson.dumps({"host.name": "WS-01", "destination.port": 445} | (event or {})),
            event_source="ecs",
            inferred=changes.pop("inferred", ()),
            origin=Origin("events.ndjson", 1, 0),
        ),
        "45.83.122.10",
        time,
    )
    hosts = changes.get("hosts", ("WS-01",))
    standard: dict[str, Any] = {
        "status": "new",
        "previous": None,
        "last": time,
        "events": 1,
        "outcomes": ("unknown",),
        "ports": (445,),
        "hosts": hosts,
        "host_count": len(hosts),
        "history": History(WEEK, WEEK),
    }
    return Finding(sighting=sighting, **(standard | changes))
