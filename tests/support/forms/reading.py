"""What is read of a record, as plain JSON: for comparing with what stands in a file."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, format_time
from smbrare.sources import recognize
from smbrare.sources.ecs import EVENT_FIELDS
from smbrare.sources.mapping import (
    View,
)

FIELDS = ("@timestamp", "event.ingested", *EVENT_FIELDS)


def plain(value: Any) -> str | int:
    """Return a typed value as JSON can hold it."""
    if isinstance(value, Moment):
        return format_time(value.time)
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    assert isinstance(value, str | int)
    return value


def values(view: View, field: str) -> list[str | int]:
    """Return the values of a field, each as JSON can hold it."""
    return [plain(value) for value in view.read(field).values]


def normalized(record: Document, options: ReadOptions | None = None) -> dict[str, Any]:
    """Return the source of a record and every field that is read of it, in the order of output."""
    view = recognize(record, options or ReadOptions())
    if view is None:
        return {}
    fields = {name: found for name in FIELDS if (found := values(view, name))}
    inferred = [name for name in FIELDS if view.read(name).inferred]
    malformed = [name for name in FIELDS if view.read(name).malformed]
    return {
        "source": view.source,
        "kind": view.kind,
        "fields": fields,
        **({"inferred": inferred} if inferred else {}),
        **({"malformed": malformed} if malformed else {}),
    }
