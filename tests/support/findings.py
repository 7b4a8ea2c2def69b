"""Findings for tests of the pure functions that word them."""

from typing import Any

import orjson

from smbrare.detection.finding import Finding, History
from smbrare.detection.sightings import Sighting
from smbrare.records.event import Origin
from smbrare.records.times import date

WEEK = 7 * 86_400


def finding(
    *, timestamp: str = "2026-11-16T08:00:00Z", event: dict[str, Any] | None = None, **changes: Any
) -> Finding:
    """Return a finding of one event; ``changes`` are fields of the finding or of its sighting."""
    first = date(timestamp).time
    time = changes.pop("time", first)
    sighting = Sighting(
        destination="45.83.122.10",
        source="10.20.1.11",
        host="ws-01",
        time=time,
        event_source="ecs",
        ecs=orjson.dumps({"host.name": "WS-01", "destination.port": 445} | (event or {})),
        inferred=changes.pop("inferred", ()),
        origin=Origin("events.ndjson", 1, 0),
        rank=("ws-01", "10.20.1.11", 50123, ""),
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
