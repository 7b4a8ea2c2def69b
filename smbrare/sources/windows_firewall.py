"""Windows Filtering Platform event 5156 of the Security log: a permitted connection.

Follows the mapping of Elastic's system integration, which maps all but the process id, so that the
rule never matches it; here the id in the record counts, marked as inferred.
"""

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.records.paths import first, leaves
from smbrare.sources import ecs, event_kinds
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, file_name, one_of
from smbrare.sources.windows_event import (
    RECORD,
    SECURITY_CHANNEL,
    TableByShape,
    WindowsEvent,
    data_rules,
    message_line,
)

CONNECTION = 5156

_NOT_MAPPED = "the event's own process id, which Elastic's mapping leaves out"
_CHANNEL = "the Security channel, which Windows alone has"
_transport = one_of({"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"})
_direction = one_of(
    {"%%14592": "inbound", "%%14593": "outbound", "inbound": "inbound", "outbound": "outbound"}
)


def _mixes_keys(document: Document) -> bool:
    return "EventID" in document and not ("EventData" in document or "StringInserts" in document)


def _is_subject(document: Document) -> bool:
    # Older NXLog and the Fluents keep the logging service's id as ProcessID.
    is_service = "SourceModuleType" in document or "ThreadID" in document
    return not _mixes_keys(document) or "ExecutionProcessID" in document or not is_service


TABLE: FieldTable = {
    **RECORD,
    "event.category": (FieldRule(constant="network"),),
    "event.type": (FieldRule(constant=("connection", "info", "allowed")),),
    "event.action": (FieldRule(constant="windows-firewall-connection"),),
    "event.outcome": (FieldRule(constant="success"),),
    "process.pid": tuple(
        replace(rule, inferred=_NOT_MAPPED)
        for rule in (
            # Where an exporter mixes its own keys with the event's, the message is the safer one.
            FieldRule("message", message_line("Process ID"), when=_mixes_keys),
            FieldRule("data.ProcessID", when=_is_subject),
            # NXLog writes the subject's id as ProcessId, since ProcessID is a field of its own.
            FieldRule("data.ProcessId"),
            FieldRule("rendered", message_line("Process ID")),
            FieldRule("message", message_line("Process ID")),
        )
    ),
    "process.name": data_rules("Application", file_name, "Application Name"),
    "process.executable": data_rules("Application", label="Application Name"),
    "source.ip": data_rules("SourceAddress", label="Source Address"),
    "source.port": data_rules("SourcePort", label="Source Port"),
    "destination.ip": data_rules("DestAddress", label="Destination Address"),
    "destination.port": data_rules("DestPort", label="Destination Port"),
    "network.transport": data_rules("Protocol", _transport),
    "network.direction": data_rules("Direction", _direction),
}

_TABLES = TableByShape(TABLE)


def recognize(event: WindowsEvent) -> Layout | None:
    """Return the event's layout if it is a 5156 of the Security log."""
    if event.event_id != CONNECTION or not event.is_security:
        return None
    by = "channel" if event.channel else "provider"
    return event.layout(
        "windows_firewall",
        "Security event 5156",
        _TABLES[event.shape],
        event_kind=event_kinds.CONNECTION,
        by=by,
    )


MAPPED: FieldTable = {
    **ecs.TABLE,
    "host.os.type": (*ecs.TABLE["host.os.type"], FieldRule(constant="windows", inferred=_CHANNEL)),
    "process.pid": (
        *ecs.TABLE["process.pid"],
        FieldRule("winlog.event_data.ProcessID", inferred=_NOT_MAPPED),
    ),
}

_MAPPED_MARKS: Marks = (("event.code",), ("winlog.channel",), *ecs.MARKS)


def recognize_mapped(document: Document, _dataset: str) -> Layout | None:
    """Return the layout of an ECS document that the system integration made of a 5156."""
    if not any(code in (CONNECTION, str(CONNECTION)) for code in leaves(document, "event.code")):
        return None
    channel = first(document, "winlog.channel")
    if not isinstance(channel, str) or channel.lower() != SECURITY_CHANNEL:
        return None
    return Layout(
        "windows_firewall", "Security 5156 document", MAPPED, _MAPPED_MARKS, event_kinds.CONNECTION
    )
