"""The fields of an event that a finding repeats, in proportion to the event."""

from itertools import accumulate
from typing import Any

import orjson

from smbrare.records.event import Reading
from smbrare.records.fields import ADDRESSES
from smbrare.sources.compiled import FieldNotes
from smbrare.sources.ecs import EVENT_FIELDS
from smbrare.sources.mapping import View

MANY = 20
"""Destinations of one event from which on each finding repeats only a part of it."""

LONGEST_HOST = 255
"""Characters of the name of a host that many findings repeat."""

_SHORTEST_CUT = 64
_ALWAYS_LISTS = frozenset({"event.category", "event.type"})


def event_fields(view: View) -> dict[str, Any]:
    """Return the event's ECS fields by dotted name, as JSON values, in the order of output.

    Long ones are cut where the findings of many destinations would repeat them.
    """
    values = zip(EVENT_FIELDS, view.noted(_JSON_VALUES), strict=True)
    fields = {name: value for name, value in values if value is not None}
    destinations = len(view.read("destination.ip").values)
    if destinations <= MANY:
        return fields
    longest = max(_SHORTEST_CUT, len(orjson.dumps(fields)) // destinations)
    return {name: _cut(value, longest) for name, value in fields.items()}


def _json_value(name: str, reading: Reading) -> Any:
    values = tuple(map(str, reading.values)) if name in ADDRESSES else reading.values
    if not values:
        return None
    return values[0] if len(values) == 1 and name not in _ALWAYS_LISTS else list(values)


_JSON_VALUES = FieldNotes(EVENT_FIELDS, _json_value)


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, list):
        ends = accumulate(len(str(each)) for each in value)
        return [_cut(each, longest) for each, end in zip(value, ends, strict=True) if end < longest]
    return value[:longest] if isinstance(value, str) else value
