"""Rows of Defender whose columns are spelled otherwise than Advanced Hunting spells them.

Clients of Graph write a small letter first; the timeline of a device has blanks in its names, and
calls three columns by names of its own.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.sources import defender
from smbrare.sources.mapping import Layout, Marks

_TIMELINE = {"Timestamp": "Event Time", "DeviceId": "Machine Id", "DeviceName": "Computer Name"}
_COLUMNS = {rule.path for rules in defender.ROW.values() for rule in rules} | defender.ADAPTER


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _spaced(name: str) -> str:
    return _TIMELINE.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


_SPELLINGS = {
    spelling("ActionType"): (spelling, {spelling(name): name for name in _COLUMNS})
    for spelling in (_camel, _spaced)
}
"""What ActionType is called → how all columns are spelled, and the column of each."""
RAW_FORMS: Mapping[tuple[str, str], Marks] = {
    ("defender", "Row of a client of Graph, or of a device's timeline"): (
        tuple(_SPELLINGS),
        tuple(spelling(name) for spelling, _ in _SPELLINGS.values() for name in defender.HOSTS),
    )
}
TIMELINE = frozenset(map(_spaced, _COLUMNS))
"""The columns of a device's timeline."""


def recognize(document: Document) -> Layout | None:
    """Return the layout of a row that is one of Defender's but for its spelling."""
    for key, (spelling, names) in _SPELLINGS.items():
        if key in document:
            layout = defender.recognize(
                {names.get(name, name): document[name] for name in document}
            )
            return layout and _respelled(layout, spelling)
    return None


@cache
def _respelled(layout: Layout, spelling: Callable[[str], str]) -> Layout:
    table = {
        field: tuple(replace(rule, path=spelling(rule.path)) for rule in rules)
        for field, rules in layout.table.items()
    }
    marks = tuple(tuple(map(spelling, group)) for group in layout.marks)
    return replace(layout, table=table, marks=marks, _compiled=None)
