"""Events for tests, in the form that most tests need: an ECS document that matches the rule."""

import copy
from typing import Any

from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)

DESTINATION = "45.83.122.10"

_MATCHING: dict[str, Any] = {
    "@timestamp": "2026-11-16T08:00:00.000Z",
    "event": {"category": ["network"]},
    "host": {"name": "WS-01", "os": {"type": "windows"}},
    "process": {"pid": 4},
    "network": {"transport": "tcp"},
    "source": {"ip": "10.20.1.11", "port": 50123},
    "destination": {"ip": DESTINATION, "port": 445},
}


def matching(**changes: Any) -> dict[str, Any]:
    """Return a document that matches; ``destination__ip="..."`` changes a field, None drops it."""
    document = copy.deepcopy(_MATCHING)
    for name, value in changes.items():
        *parents, leaf = (name if name != "timestamp" else "@timestamp").split("__")
        node = document
        for parent in parents:
            node = node[parent]
        if value is None:
            node.pop(leaf, None)
        else:
            node[leaf] = value
    return document


def view(document: Document, options: ReadOptions | None = None) -> View:
    """Return a document as an event, which it has to be."""
    seen = recognize(document, options or ReadOptions())
    assert seen is not None
    return seen
