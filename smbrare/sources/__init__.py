"""Identifies the source of each record by its content, and reads it as that source's table says."""

from collections.abc import Callable

from smbrare.records.event import Document
from smbrare.records.paths import leaves
from smbrare.records.read_options import ReadOptions
from smbrare.sources import (
    defender,
    ecs,
    elastic_defend,
    endgame,
    sentinel_one,
    sysmon,
    windows_firewall,
    winlogbeat,
)
from smbrare.sources.mapping import View
from smbrare.sources.windows_event import WindowsEvent, unwrap, unwrap_text
from smbrare.sources.windows_shapes import SHAPES, XML_TEXTS

RAW_SOURCES: tuple[Callable[[Document, ReadOptions], View | None], ...] = (
    sentinel_one.recognize,  # Before ECS: its raw records have a key event.category as well.
    defender.recognize,
    endgame.recognize,
)
"""Sources of a vendor's own records, identified by keys that no other source has."""

WINDOWS_SOURCES: tuple[Callable[[WindowsEvent, ReadOptions], View | None], ...] = (
    sysmon.recognize,
    windows_firewall.recognize,
    winlogbeat.recognize,  # Last: it takes every Windows event.
)
"""Sources of raw Windows events, in the order asked."""

ECS_SOURCES: tuple[Callable[[Document, str, ReadOptions], View | None], ...] = (
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

_ELASTIC_ALERTS = (
    ("kibana", ("kibana.alert.uuid", "kibana.alert.rule.uuid", "kibana.alert.rule.rule_id")),
    ("signal", ("signal.rule.id", "signal.rule.rule_id")),
)
"""Key at the top → fields that identify an alert: of Elastic 8 and later, of Elastic 7."""
_ALERT_KINDS = frozenset({"alert", "signal"})


def recognize(document: Document, options: ReadOptions) -> View | None:
    """Return a record as an ECS event seen through its source's table, or None if unknown."""
    if _FIRST_KEYS.isdisjoint(document):
        return None  # As most records of logs of other kinds are, without asking each source.
    for recognize_raw in RAW_SOURCES:
        if (view := recognize_raw(document, options)) is not None:
            return view
    event = unwrap(document)
    if event is not None and (view := _recognize_windows(event, options)) is not None:
        return view
    if ecs.is_ecs(document):
        dataset = ecs.dataset(document)
        for recognize_mapped in ECS_SOURCES:
            if (view := recognize_mapped(document, dataset, options)) is not None:
                return view
    event = unwrap_text(document)
    return None if event is None else _recognize_windows(event, options)


def _recognize_windows(event: WindowsEvent, options: ReadOptions) -> View | None:
    for recognize_event in WINDOWS_SOURCES:
        if (view := recognize_event(event, options)) is not None:
            return view
    return None


def is_alert(document: Document) -> bool:
    """Return whether a document is an alert of Elastic's, or a finding of smbrare's.

    They repeat the event that they were raised on; to read them would count it twice. A key alone
    proves nothing, as any log may hold it: the document must say that it is an alert, too.
    """
    # One search over the keys at the top spares nearly every document a closer look.
    keys = " ".join(document)
    if "smbrare" in keys and leaves(document, "smbrare.id"):
        return _is_of_alert_kind(document) or _is_row_of_findings(document)
    for word, fields in _ELASTIC_ALERTS:
        if word in keys and any(leaves(document, field) for field in fields):
            return _is_of_alert_kind(document)
    return False


def _is_of_alert_kind(document: Document) -> bool:
    kinds = leaves(document, "event.kind")
    return any(isinstance(kind, str) and kind in _ALERT_KINDS for kind in kinds)


def _is_row_of_findings(document: Document) -> bool:
    """Return whether a document is a row of smbrare's CSV, which has no room for what it is."""
    if leaves(document, "event.kind") or leaves(document, "event.category"):
        return False
    return bool(leaves(document, "smbrare.status") and leaves(document, "rule.uuid"))


def _first_keys() -> frozenset[str]:
    """Return every key at the top of a record that can begin a field that identifies one."""
    groups = [*sentinel_one.RAW_MARKS, *defender.RAW_MARKS, *endgame.RAW_MARKS, *ecs.MARKS]
    groups += [shape.places["event_id"] for shape in SHAPES]
    groups += [shape.places["channel"] for shape in SHAPES]
    steps = [path.split(".") for group in (*groups, XML_TEXTS) for path in group]
    return frozenset(".".join(step[:end]) for step in steps for end in range(1, len(step) + 1))


_FIRST_KEYS = _first_keys()
