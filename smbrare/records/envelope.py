"""What one decoded object wraps: a hit of a search, a batch of records, or the event itself.

Exporters put events into envelopes whose names are few and fixed; one table names them for the
readers that stream a large envelope and for those that hold a small one.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from smbrare.records import tables
from smbrare.records.event import Document
from smbrare.records.paths import leaves

Path: TypeAlias = tuple[str, ...]

ARRAYS: tuple[Path, ...] = (
    ("hits", "hits"),  # Elasticsearch's _search.
    ("hits", "events"),  # Its _eql/search …
    ("hits", "sequences"),  # … of sequences, which hold events in turn.
    ("docs",),  # Its _mget.
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
    ("tables",),  # Azure Log Analytics: tables of rows.
    ("Tables",),  # Kusto, the same.
    *(("resourceLogs",), ("scopeLogs",), ("logRecords",)),  # OTLP.
    ("metrics",),  # Telegraf, in batches.
    ("messages",),  # Graylog.
    # What programs call a list of whatever they hold.
    *(("data",), ("documents",), ("entries",), ("items",), ("logs",), ("rows",)),
)
"""Where in an object the events of an envelope stand, in an array of objects."""

_PATHS: dict[str, list[Path]] = {
    first: [path for path in ARRAYS if path[0] == first] for first, *_ in ARRAYS
}
"""The same by their first keys."""

_AGGREGATIONS = frozenset({"aggregations", "aggs"})
"""Where a search keeps top hits: at any depth, under names that the user chose."""

_FIRST_KEYS = frozenset(_PATHS).union(("_source", "fields"), tables.ROWS, _AGGREGATIONS)

_OF_HIT = frozenset({"_id", "_index", "_score", "_source", "fields", "highlight"})
"""What a hit holds of its own event. Beside it others may stand: ``inner_hits``."""

_ADDRESS = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|::")

_NAMES_OF_EVENTS = """
    @timestamp ActionType Channel Event EventData EventID EventId System TimeCreated
    TimeGenerated Timestamp _id _index _source destination dst event event_data host process
    source src timestamp winlog
"""
_MARKS = frozenset(_NAMES_OF_EVENTS.split())
"""Names, or first parts of dotted ones, that an event or a hit has and an envelope has not."""


def marks_event(keys: Iterable[str]) -> bool:
    """Return whether any of an object's keys shows that it is an event and no envelope."""
    return any(key.partition(".")[0] in _MARKS for key in keys)


def holds_event(document: Document) -> bool:
    """Return whether what is left of an envelope may hold an event, however deep.

    A key of an event shows it (see `marks_event`), and so does an address: no connection is
    without, and what an envelope says of itself has none.
    """
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if marks_event(value):
                return True
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str) and _ADDRESS.search(value):
            return True
    return False


def events(document: Document) -> Iterator[Document]:
    """Return the events that an object wraps, else the object itself.

    Every list of the table that holds an object is opened, in the order of the keys. What is left
    of an envelope or hit is an event too if a key in it says so (see `holds_event`). Of a list's
    other elements a text or a list may hold an event, and is given as an object of the list's key
    alone; a number or null cannot.

    A hit of a search is the union of its ``_source`` and its ``fields``. Envelopes inside one
    another are opened all the way, so that what comes out never needs a second pass.
    """
    if _FIRST_KEYS.isdisjoint(document) and not tables.looks_like_frame(document):
        return iter((document,))
    return _opened(document)


def element(value: object, path: Path) -> Document | None:
    """Return an element of an envelope's list as an object; None if it can hold no event."""
    if isinstance(value, dict):
        return value
    return {path[0]: value} if isinstance(value, list | str) else None


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
    inside: list[Document] | None = None
    rest = document
    if (table := tables.rows_and_rest(document)) is not None:
        inside, rest = table
    for key in [key for key in rest if key in _FIRST_KEYS]:
        for path in _PATHS.get(key, ()):
            if (array := _array(rest, path)) is not None:
                found = (element(value, path) for value in array)
                inside = [*(inside or ()), *(each for each in found if each is not None)]
                rest = _without(rest, path)
        if key in _AGGREGATIONS and (hits := _top_hits(rest[key])):
            inside = [*(inside or ()), *hits]
            rest = _without(rest, (key,))
    hit = _content(rest)
    if hit is not None:
        beside = {key: value for key, value in rest.items() if key not in _OF_HIT}
        return [*(inside or ()), hit, *([beside] if holds_event(beside) else ())]
    if inside is not None and holds_event(rest):
        inside.append(rest)
    return inside


def _top_hits(aggregations: object) -> list[Document]:
    """Return the hits that stand anywhere in the aggregations of a search."""
    found: list[Document] = []
    pending = [aggregations]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            hits = _array(value, ("hits", "hits"))
            found.extend(hit for hit in hits or () if isinstance(hit, dict))
            pending.extend(reversed(value.values() if hits is None else ()))
        elif isinstance(value, list):
            pending.extend(reversed(value))
    return found


def _content(document: Document) -> Document | None:
    """Return the event of a search's hit: its source, and the fields that the source lacks."""
    if "_index" not in document and "_id" not in document:
        return None
    source, fields = document.get("_source"), document.get("fields")
    if not isinstance(source, dict) or not source:
        return fields if isinstance(fields, dict) and fields else None
    if not isinstance(fields, dict):
        return source
    # A search may filter the source, and ask for the fields apart.
    return source | {name: value for name, value in fields.items() if not leaves(source, name)}


def _array(document: Document, path: Path) -> list[Any] | None:
    """Return the list at a path, if it holds objects or nothing at all."""
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, list) or (value and not any(isinstance(each, dict) for each in value)):
        return None
    return value


def _without(document: Document, path: Path) -> Document:
    """Return an object without what stands at a path."""
    key, *inner = path
    others = {name: value for name, value in document.items() if name != key}
    return others | {key: _without(document[key], tuple(inner))} if inner else others
