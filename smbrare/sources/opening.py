"""Opens a record that no source knows: its event may lie in one text of it, or under one key.

Log shippers, search engines and archives put the record they carry into a field of their own, as
an object, as JSON in a text or as the XML of a Windows event. What they call the field does not
matter: each is looked into, the outermost first, and what is inside is asked of every source.
Two protocols of shippers are taken off on the way: OTLP's values, which each say their type, and
GELF's names, which begin with an underscore.
"""

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.limits import Limits
from smbrare.records.event import Document, Reading
from smbrare.records.event_xml import event_from_xml
from smbrare.records.fields import Malformed
from smbrare.records.json_text import BadJson, decode, nests_deeper
from smbrare.records.paths import first, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import date, from_number
from smbrare.sources.field_rules import MISSING
from smbrare.sources.mapping import View

DEEPEST = 3
"""How many layers are taken off."""

MOST = 64
"""How many objects and texts of one record are looked into."""

_SCALARS = frozenset({"stringValue", "intValue", "boolValue", "doubleValue"})
_COLLECTIONS = frozenset({"kvlistValue", "arrayValue"})
_PAIR = frozenset({"key", "value"})

_HOSTS = (
    *("host.name", "host.hostname", "host", "hostname", "Hostname"),
    *("Computer", "ComputerName", "computer", "MachineName", "agent.name"),
)
_SPLUNK_TIME = "_time"
"""Seconds since 1970, in Splunk and Cribl; other names hold dates or say their unit by size."""
_TIMES = (
    *(_SPLUNK_TIME, "@timestamp", "timestamp", "Timestamp", "time", "Time", "TimeCreated"),
    *("TimeGenerated", "date"),
)

NAMES = (("_raw", "event.original", "xml_string"), _HOSTS, _TIMES)
"""Columns of a table whose rows hold events, or lend to them."""


class Opened(Struct, frozen=True):
    """What lies inside of a record.

    Attributes:
        document: An object out of it, or the record with a text of it decoded.
        layers: The keys that lead there, outermost first, each with what its text was.
        around: The objects around it, innermost first; none for one that is only decoded.
    """

    document: Document
    layers: tuple[str, ...] = ()
    around: tuple[Document, ...] = ()


def inner_records(
    document: Document, limits: Limits, closed: Container[tuple[str, ...]] = ()
) -> Iterator[Opened]:
    """Yield what lies inside of a record, at most three layers deep, the outermost first.

    A text is decoded where its beginning and end look like JSON or XML, with or without the header
    of a syslog line before it; one that is neither holds no event.

    Args:
        document: The record, out of its envelope.
        limits: How deeply a decoded value may nest.
        closed: Layers inside of which nothing is looked for; who iterates may add some.
    """
    pending = deque([Opened(document)])
    left = MOST
    while pending:
        outer = pending.popleft()
        if outer.layers in closed:
            continue
        for inner in _inside(outer, limits):
            if not left:
                return
            left -= 1
            yield inner
            # What is only decoded has nothing inside that is not inside of its parts.
            if len(inner.around) == len(inner.layers) < DEEPEST:
                pending.append(inner)


def _inside(outer: Opened, limits: Limits) -> Iterator[Opened]:
    """Yield what lies under each key of an object."""
    around = (outer.document, *outer.around)
    if "short_message" in outer.document and any(key.startswith("_") for key in outer.document):
        named = {key.removeprefix("_"): value for key, value in outer.document.items()}
        yield Opened(named, (*outer.layers, "short_message (GELF)"), around)
    for key, value in outer.document.items():
        one = _without_types(value)
        if isinstance(one, list) and len(one) == 1:
            one = one[0]
        if isinstance(one, dict):
            yield Opened(one, (*outer.layers, key), around)
        elif isinstance(one, str) and (found := _decoded(one, limits)) is not None:
            inner, form = found
            layers = (*outer.layers, f"{key} ({form})")
            if form == "JSON":
                # What stands beside a text may say what it is: `category` beside `properties`.
                yield Opened({**outer.document, key: inner}, layers, outer.around)
            yield Opened(inner, layers, around)


def _without_types(value: Any) -> Any:
    """Return a value of OTLP without its type, and pairs of key and value as an object.

    It nests no deeper than the record does, which is bounded.
    """
    if isinstance(value, list) and value and all(map(_is_pair, value)):
        return {pair["key"]: _without_types(pair["value"]) for pair in value}
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, held),) = value.items()
    if kind in _SCALARS:
        return held
    inner = held.get("values") if kind in _COLLECTIONS and isinstance(held, dict) else None
    if not isinstance(inner, list):
        return value
    return _without_types(inner) if kind == "kvlistValue" else [*map(_without_types, inner)]


def _is_pair(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == _PAIR and isinstance(value["key"], str)


def _decoded(text: str, limits: Limits) -> tuple[Document, str] | None:
    """Return the object in a text, and whether it is JSON or XML; None if the text holds none."""
    last = text.rstrip()[-1:]
    if last == ">" and (at := text.find("<Event")) >= 0:
        event = event_from_xml(text[at:], limits)
        return None if event is None else (event, "XML")
    if last == '"' and text.lstrip()[:1] == '"':
        inner = _json(text, limits)
        return _decoded(inner, limits) if isinstance(inner, str) and inner != text else None
    if last not in ("}", "]") or (at := text.find("{")) < 0:
        return None
    value = _json(text[at:] if last == "}" else text, limits)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return (value, "JSON") if isinstance(value, dict) else None


def _json(text: str, limits: Limits) -> Any:
    raw = text.encode("utf-8", "replace")
    try:
        value = decode(raw)
    except BadJson:
        return None
    return None if nests_deeper(raw, value, limits.nesting) else value


def view_of_inner(view: View, inner: Opened) -> View:
    """Return the view of an opened event, to which the records around it lend host and time.

    Only where the event has none, and inferred. The time of ingest is theirs alone to know.
    """
    if not inner.layers:
        return view

    def lend(field: str) -> Reading:
        values, basis = _LENT[field](inner, view.options) if field in _LENT else ((), "")
        return MISSING if basis and view.options.literal else Reading(values, inferred=basis)

    return replace(view, layers=inner.layers, lend=lend)


_Lent: TypeAlias = tuple[tuple[Any, ...], str]
"""The values that a record around an event lends, and what they rest on; nothing if it is exact."""


def _host(inner: Opened, _options: ReadOptions) -> _Lent:
    for outer in inner.around:
        for name in _HOSTS:
            host = first(outer, name)
            if isinstance(host, str):
                return (host,), f"{name} of the record around the event, which names no host"
    return (), ""


def _time(inner: Opened, options: ReadOptions) -> _Lent:
    for outer in inner.around:
        for name in _TIMES:
            value = first(outer, name)
            try:
                if name == _SPLUNK_TIME and isinstance(value, str | int | float):
                    moment = from_number(float(value), 1)
                else:
                    moment = date(value, options.zone, options.time_unit)
            except (Malformed, ValueError):
                continue
            return (moment,), f"{name} of the record around the event, which has no time"
    return (), ""


def _ingested(inner: Opened, options: ReadOptions) -> _Lent:
    for outer in inner.around:
        for value in leaves(outer, "event.ingested"):
            try:
                return (date(value, options.zone, options.time_unit),), ""
            except Malformed:
                continue
    return (), ""


_LENT: Mapping[str, Callable[[Opened, ReadOptions], _Lent]] = {
    "host.name": _host,
    "@timestamp": _time,
    "event.ingested": _ingested,
}
