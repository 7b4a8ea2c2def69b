"""Identifies the source of each record by its content, and reads it as that source's table says."""

from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from typing import Any, Protocol

from msgspec import Struct

from smbrare.records.event import Document
from smbrare.records.paths import MIXED, getter, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.sources import (
    defender,
    defender_columns,
    ecs,
    elastic_defend,
    endgame,
    opening,
    schemas,
    sentinel_one,
    sysmon,
    windows_firewall,
    winlogbeat,
)
from smbrare.sources.alerts import is_alert, may_be_alert
from smbrare.sources.collector_shapes import SHAPES, shape_of
from smbrare.sources.compiled import Remembered
from smbrare.sources.mapping import Layout, Marks, View, place_table
from smbrare.sources.opening import inner_records, view_of_inner
from smbrare.sources.windows_event import WindowsEvent, unwrap


class _RawSource(Protocol):
    RAW_FORMS: Mapping[tuple[str, str], Marks]

    def recognize(self, document: Document) -> Layout | None: ...


RAW_SOURCES: tuple[_RawSource, ...] = (
    sentinel_one,  # Before ECS: its raw records have a key event.category as well.
    defender,
    defender_columns,
    endgame,
    schemas,
)
"""Sources of a vendor's own records, identified by keys that no other source has."""

WINDOWS_SOURCES: tuple[Callable[[WindowsEvent], Layout | None], ...] = (
    sysmon.recognize,
    windows_firewall.recognize,
    winlogbeat.recognize,  # Last: it takes every Windows event.
)
"""Sources of raw Windows events, in the order asked."""

ECS_SOURCES: tuple[Callable[[Document, str], Layout | None], ...] = (
    elastic_defend.recognize_mapped,
    defender.recognize_mapped,
    sentinel_one.recognize_mapped,
    endgame.recognize_mapped,
    windows_firewall.recognize_mapped,
    sysmon.recognize_mapped,
    winlogbeat.recognize_mapped,
    ecs.recognize_mapped,  # Last: it takes every ECS document.
)
"""Sources of ECS documents, in the order asked; each is given the document's data set."""


class KeySet(Struct, frozen=True, eq=False):
    """The keys at the top of a record, and what follows from them alone.

    Attributes:
        is_known: Whether any source has one of them.
        may_be_alert: Whether one of them may belong to an alert.
        facts: What decides, beside the keys, which layout a record has; None where that is too
            much, and each source has to be asked.
    """

    is_known: bool
    may_be_alert: bool
    facts: tuple[Callable[[Document], Any], ...] | None

    def is_alert(self, document: Document) -> bool:
        """Return whether a document is an alert or a finding; see `is_alert`."""
        return self.may_be_alert and is_alert(document)

    def recognize(self, document: Document, options: ReadOptions) -> View | None:
        """Return a record as an event, or None if unknown; see `recognize`."""
        layout = self.layout(document)
        if layout is None:
            return _view_of_inner(document, options)
        return layout.view(document, options)

    def layout(self, document: Document) -> Layout | None:
        """Return how a record is read, or None if no source knows it as it is."""
        if not self.is_known:
            return None  # As most records of logs of other kinds are.
        return _layout(document) if self.facts is None else self._layout_by_facts(document)

    def _layout_by_facts(self, document: Document) -> Layout | None:
        facts = (self, *[fact(document) for fact in self.facts or ()])
        for _ in range(2):
            try:
                return LAYOUTS[facts]
            except KeyError:
                return _remember(facts, document)
            except TypeError:  # An array or object stands where nearly every record has a text.
                facts = tuple(map(_hashable, facts))
        return _layout(document)


def key_set(document: Document) -> KeySet:
    """Return the keys at the top of a record; those of the latest kinds of records are kept."""
    keys = tuple(document)
    known = KEY_SETS.get(keys)
    if known is None:
        known = _key_set(keys)
        if sum(map(len, keys)) + _ROOM_OF_KEY * len(keys) <= _MOST_ROOM:
            KEY_SETS.keep(keys, known)
    return known


def _key_set(keys: tuple[str, ...]) -> KeySet:
    document = dict.fromkeys(keys)
    known = not _FIRST_KEYS.isdisjoint(document)
    asked = not known or any(
        all(any(_begins(path, keys) for path in group) for group in marks)
        for source in RAW_SOURCES
        for marks in source.RAW_FORMS.values()
    )
    return KeySet(known, may_be_alert(document), None if asked else _facts(document))


def _hashable(fact: Any) -> Any:
    """Return a fact as a key of a dictionary; of objects one is as good as another."""
    kind = type(fact)
    return tuple(fact) if kind is list else kind if kind is dict else fact


def _remember(facts: tuple[Any, ...], document: Document) -> Layout | None:
    layout = _layout(document)
    size = sum(len(repr(fact)) for fact in facts if isinstance(fact, str | tuple))
    if size <= LONGEST_FACTS and MIXED not in facts:
        LAYOUTS.keep(facts, layout)
    return layout


MOST_KEY_SETS = 1_024
MOST_LAYOUTS = 4_096
"""How many sets of keys, and of facts, are remembered: a log may have any number."""
LONGEST_FACTS = 512
"""The longest facts among them, in characters."""
_ROOM_OF_KEY = 64
_MOST_ROOM = 16_384
KEY_SETS: Remembered[tuple[str, ...], KeySet] = Remembered(MOST_KEY_SETS)
LAYOUTS: Remembered[tuple[Any, ...], Layout | None] = Remembered(MOST_LAYOUTS)


def _facts(keys: Container[str]) -> tuple[Callable[[Document], Any], ...]:
    """Return what the sources of Windows events and of ECS documents ask of a record."""
    facts: list[Callable[[Document], Any]] = []
    wanted: dict[str, Callable[[str], Callable[[Document], Any]]] = {}
    for shape in SHAPES:
        numbers, channels = shape.places["event_id"], shape.places.get("channel", ())
        if any(_begins(path, keys) for path in (numbers[0], *channels)):
            wanted |= dict.fromkeys(numbers, _number)
            wanted |= dict.fromkeys((*channels, *shape.places["provider"]), getter)
    if wanted:
        # Of other shapes all is decided by the keys, and by whether a pipeline made ECS of them.
        by_keys = "Event" not in keys and not _begins("winlog.channel", keys)
        by_keys = by_keys and "winlog.event_id" not in keys
        facts.append(_presence("destination.ip") if by_keys else shape_of)
    if any(_begins(path, keys) for group in ecs.MARKS for path in group):
        facts.append(_is_ecs)
        wanted |= dict.fromkeys((*ecs.DATASET, *ecs.SHIPPER, "winlog.channel"), getter)
        vendors = (defender.CATEGORY, sentinel_one.META, endgame.EVENT_TYPE)
        wanted |= dict.fromkeys(vendors, _presence) | {"event.code": _number}
    return (*facts, *(fact(path) for path, fact in wanted.items() if _begins(path, keys)))


def _begins(path: str, keys: Container[str]) -> bool:
    """Return whether a key at the top may lead into a path."""
    return any(key in keys for key in _beginnings(path))


def _beginnings(path: str) -> list[str]:
    steps = path.split(".")
    return [".".join(steps[:end]) for end in range(1, len(steps) + 1)]


def _is_ecs(document: Document) -> bool:
    raw = _category(document)
    if type(raw) is list and raw:
        raw = raw[0]
    return type(raw) is str or ecs.is_ecs(document)


_category = getter("event.category")


def _presence(path: str) -> Callable[[Document], bool]:
    get = getter(path)
    return lambda document: get(document) is not None and bool(leaves(document, path))


def _number(path: str) -> Callable[[Document], Any]:
    get = getter(path)

    def number(document: Document) -> Any:
        raw = get(document)
        kind = type(raw)
        if kind is str or raw is None or raw is MIXED:
            return raw
        if kind is list:
            return [(type(element), element) for element in raw]
        # 3, 3.0 and true are one key of a dictionary, but not one number. No object is a number.
        return kind if kind is dict else (kind, raw)

    return number


def recognize(document: Document, options: ReadOptions) -> View | None:
    """Return a record as an ECS event seen through its source's table, or None if unknown.

    Where no source knows the record, what lies inside is asked for (see `opening`).
    """
    return key_set(document).recognize(document, options)


def _view_of_inner(document: Document, options: ReadOptions) -> View | None:
    """Return the view of the one event inside of a record; None if there are none or several."""
    found: View | None = None
    events = set[tuple[str, ...]]()  # What is inside of an event belongs to it.
    for inner in inner_records(document, options.limits, events):
        keys = key_set(inner.document)
        layout = None if keys.is_alert(inner.document) else keys.layout(inner.document)
        if layout is None:
            continue
        view = view_of_inner(layout.view(inner.document, options), inner)
        events.add(view.layers)
        if found is None:
            found = view
        # The same text may be decoded in its place and alone; keys may look like such layers.
        elif found.layers is not view.layers and found.document != view.document:
            return None
    return found


def _layout(document: Document) -> Layout | None:
    """Return how a record is read that is not the text of another, asking each source."""
    for raw in RAW_SOURCES:
        if (layout := raw.recognize(document)) is not None:
            return layout
    event = unwrap(document)
    if event is not None and (layout := _windows_layout(event)) is not None:
        return layout
    if ecs.is_ecs(document):
        dataset = ecs.dataset(document)
        for recognize_mapped in ECS_SOURCES:
            if (layout := recognize_mapped(document, dataset)) is not None:
                return layout
    return None


def _windows_layout(event: WindowsEvent) -> Layout | None:
    for recognize_event in WINDOWS_SOURCES:
        if (layout := recognize_event(event)) is not None:
            return layout
    return None


def _raw_marks() -> Iterator[tuple[str, ...]]:
    forms = (marks for source in RAW_SOURCES for marks in source.RAW_FORMS.values())
    return (group for marks in forms for group in marks)


def _first_keys() -> frozenset[str]:
    """Return every key at the top of a record that can begin a field that identifies one."""
    groups = [*_raw_marks(), *ecs.MARKS]
    groups += [shape.places["event_id"] for shape in SHAPES]
    groups += [shape.places.get("channel", ()) for shape in SHAPES]
    return frozenset(key for group in groups for path in group for key in _beginnings(path))


_FIRST_KEYS = _first_keys()


@cache
def column_names() -> frozenset[str]:
    """Return every path that a source reads or knows a record by: the columns that tables have."""
    tables = [ecs.TABLE, defender.ROW, endgame.RAW, sentinel_one.RAW, sentinel_one.DEEP]
    tables += [schemas.ASIM, schemas.OCSF]
    for table in (sysmon.CONNECTION, windows_firewall.TABLE):
        tables += [place_table(table, shape.places, shape.spelling) for shape in SHAPES]
    rules = [rule for table in tables for found in table.values() for rule in found]
    marks = [*_raw_marks(), *ecs.MARKS]
    places = (paths for shape in SHAPES for paths in shape.places.values())
    paths = {path for group in (*marks, *places, *opening.NAMES) for path in group}
    return frozenset(paths | defender_columns.TIMELINE | {rule.path for rule in rules}) - {""}
