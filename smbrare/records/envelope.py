"""What one decoded object wraps: a hit of a search, a batch of records, or the event itself.

Exporters put events into envelopes whose names are few and fixed; one table names them for the
readers that stream a large envelope and for those that hold a small one.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from smbrare.records.event import Document

Path: TypeAlias = tuple[str, ...]

ARRAYS: tuple[Path, ...] = (
    ("hits", "hits"),  # Elasticsearch's _search.
    ("response", "hits", "hits"),  # Its _async_search.
    ("rawResponse", "hits", "hits"),  # The same, as Kibana's inspector shows it.
    ("responses",),  # Its _msearch.
    ("records",),  # Azure Event Hub: a batch of Defender XDR's streaming API.
    ("Results",),  # Advanced Hunting, the old API.
    ("results",),  # Advanced Hunting, Microsoft Graph.
    ("events",),  # Test data of Elastic's integrations, as given to a pipeline …
    ("expected",),  # … and as it comes out.
    ("Events",),  # Windows event XML turned to JSON.
    ("value",),  # ConvertTo-Json of PowerShell 5.1, for some arrays.
)
"""Where in an object the events of an envelope stand, in an array of objects."""

_ADDRESS = "destination.ip"

_FIRST_KEYS = frozenset(path[0] for path in ARRAYS) | {"_source", "fields"}

_MARKS = frozenset(
    {
        "@timestamp",
        "ActionType",
        "Channel",
        "Event",
        "EventData",
        "EventID",
        "EventId",
        "System",
        "TimeCreated",
        "TimeGenerated",
        "Timestamp",
        "_id",
        "_index",
        "_source",
        "destination",
        "dst",
        "event",
        "event_data",
        "host",
        "process",
        "source",
        "src",
        "timestamp",
        "winlog",
    }
)
"""Names, or first parts of dotted ones, that an event or a hit has and an envelope has not."""


def marks_event(keys: Iterable[str]) -> bool:
    """Return whether any of an object's keys shows that it is an event and no envelope."""
    return any(key.partition(".")[0] in _MARKS for key in keys)


def events(document: Document) -> Iterator[Document]:
    """Return the events that an object wraps, else the object itself.

    A hit of a search is its ``_source``, or its ``fields`` where it has nothing else. Envelopes
    inside one another are opened all the way, so that what comes out never needs a second pass.
    An object with a key of the table is still an event if another key says so (see `marks_event`)
    or if no list of objects stands there. Elements that are no objects hold no event.
    """
    return iter((document,)) if _FIRST_KEYS.isdisjoint(document) else _opened(document)


def _opened(document: Document) -> Iterator[Document]:
    pending = [document]
    while pending:
        current = pending.pop()
        inside = _inside(current)
        if inside is None:
            yield current
        else:
            pending.extend(reversed(inside))


def _inside(document: Document) -> list[Document] | None:
    """Return what an envelope holds, or None if the object is none."""
    if "_index" in document or "_id" in document:
        source, fields = document.get("_source"), document.get("fields")
        # A search may filter the source and ask for the fields apart.
        filtered = isinstance(fields, dict) and _ADDRESS in fields
        parts = (fields, source) if filtered and not _has_address(source) else (source, fields)
        for content in parts:
            if isinstance(content, dict) and content:
                return [content]
    if marks_event(document):
        return None
    arrays = [array for path in ARRAYS if _holds_events(array := _at(document, path))]
    if not arrays:
        return None
    return [element for array in arrays for element in array if isinstance(element, dict)]


def _has_address(source: object) -> bool:
    return isinstance(source, dict) and not {_ADDRESS, "destination", "winlog"}.isdisjoint(source)


def _holds_events(value: object) -> bool:
    """Return whether a value is a list that holds objects, or nothing at all."""
    return isinstance(value, list) and (
        not value or any(isinstance(element, dict) for element in value)
    )


def _at(document: Document, path: Path) -> Any:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
