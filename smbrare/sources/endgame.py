"""Elastic Endgame: ECS documents, and raw events as the sensor wrote them before ECS.

Follows the field list that Elastic publishes for endgame-*, and the names of Endgame's raw events.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from smbrare.records.event import Document
from smbrare.records.fields import keyword, long
from smbrare.records.paths import leaves
from smbrare.records.times import Moment, from_number
from smbrare.sources import ecs
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, one_of, windows_path

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_FILETIME_PER_SECOND = 10_000_000


def _filetime(value: object) -> Moment:
    return from_number(long(value), _FILETIME_PER_SECOND, _FILETIME_EPOCH)


def _windows_kernel(name: object) -> str | None:
    return "windows" if keyword(name) == "System" else None


MAPPED: FieldTable = {
    **ecs.TABLE,
    # Exports without @timestamp have epoch milliseconds beside it.
    "@timestamp": (FieldRule("@timestamp"), FieldRule("timestamp")),
}

RAW: FieldTable = {
    "@timestamp": (FieldRule("timestamp", _filetime),),
    "event.category": (
        FieldRule(
            "event_type_full", one_of({"network_event": "network", "process_event": "process"})
        ),
    ),
    "event.action": (FieldRule("event_subtype_full"),),
    "event.dataset": (FieldRule(constant="esensor"),),
    "host.os.type": (
        FieldRule("process_path", windows_path, inferred="process_path, which names a drive"),
        FieldRule(
            "user_domain",
            one_of({"nt authority": "windows"}),
            inferred="user_domain, which is NT AUTHORITY on Windows alone",
        ),
        FieldRule(
            "process_name",
            _windows_kernel,
            inferred="process_name, which is System for the Windows kernel",
        ),
    ),
    "user.name": (FieldRule("user_name"),),
    "user.domain": (FieldRule("user_domain"),),
    "process.pid": (FieldRule("pid"),),
    "process.name": (FieldRule("process_name"),),
    "process.executable": (FieldRule("process_path"),),
    "source.ip": (FieldRule("source_address"),),
    "source.port": (FieldRule("source_port"),),
    "destination.ip": (FieldRule("destination_address"),),
    "destination.port": (FieldRule("destination_port"),),
    "network.transport": (FieldRule("protocol", one_of({"tcp": "tcp", "udp": "udp"})),),
    "network.direction": (
        FieldRule("subtype", one_of({"outgoing": "outbound", "incoming": "inbound"})),
    ),
}

RAW_FORMS: Mapping[tuple[str, str], Marks] = {
    ("endgame", "Event of the sensor, before ECS"): (("event_type_full",),)
}
_RAW_LAYOUT = Layout("endgame", "Endgame raw event", RAW, (("event_type_full",),))
EVENT_TYPE = "endgame.event_type_full"
_MAPPED_MARKS: Marks = ((EVENT_TYPE, "endgame"), *ecs.MARKS)


def recognize(document: Document) -> Layout | None:
    """Return the layout of a raw event of the sensor."""
    return _RAW_LAYOUT if "event_type_full" in document else None


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of an ECS document of endgame-*."""
    if dataset in ("esensor", "endgame"):
        marks = ecs.BY_DATASET
    elif "endgame" in document or leaves(document, EVENT_TYPE):
        marks = _MAPPED_MARKS
    else:
        return None
    return Layout("endgame", "Endgame document", MAPPED, marks)
