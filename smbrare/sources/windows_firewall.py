"""Windows Filtering Platform event 5156 of the Security log: a permitted connection.

Follows the mapping of Elastic's system integration, which maps all but the process id, so that the
rule never matches it; here the id in the record counts, marked as inferred.
"""

from smbrare.records.event import Document
from smbrare.records.paths import first, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.sources import ecs
from smbrare.sources.mapping import Marks, Table, Take, View, file_name, one_of
from smbrare.sources.windows_event import (
    RECORD,
    SECURITY_CHANNEL,
    PlacedByShape,
    WindowsEvent,
    message_line,
)

CONNECTION = 5156

_NOT_MAPPED = "the event's own process id, which Elastic's mapping leaves out"
_CHANNEL = "the Security channel, which Windows alone has"

_transport = one_of({"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"})
_direction = one_of(
    {
        "%%14592": "inbound",
        "%%14593": "outbound",
        "inbound": "inbound",
        "outbound": "outbound",
    }
)


def _is_subject(document: Document) -> bool:
    # Older NXLog has no ExecutionProcessID and keeps the logging service's id as ProcessID.
    return "SourceModuleType" not in document or "ExecutionProcessID" in document


TABLE: Table = {
    **RECORD,
    "event.category": (Take(constant="network"),),
    "event.type": (Take(constant=("connection", "info", "allowed")),),
    "event.action": (Take(constant="windows-firewall-connection"),),
    "event.outcome": (Take(constant="success"),),
    "process.pid": tuple(
        Take(take.path, take.convert, when=take.when, inferred=_NOT_MAPPED)
        for take in (
            # Where an exporter mixes its own keys with the event's, the message is the safer one.
            Take("message", message_line("Process ID")),
            Take("data.ProcessID", when=_is_subject),
            # NXLog writes the subject's id as ProcessId, since ProcessID is a field of its own.
            Take("data.ProcessId"),
            Take("rendered", message_line("Process ID")),
        )
    ),
    "process.name": (
        Take("data.Application", file_name),
        Take("rendered", message_line("Application Name", file_name)),
    ),
    "process.executable": (
        Take("data.Application"),
        Take("rendered", message_line("Application Name")),
    ),
    "source.ip": (Take("data.SourceAddress"), Take("rendered", message_line("Source Address"))),
    "source.port": (Take("data.SourcePort"), Take("rendered", message_line("Source Port"))),
    "destination.ip": (
        Take("data.DestAddress"),
        Take("rendered", message_line("Destination Address")),
    ),
    "destination.port": (
        Take("data.DestPort"),
        Take("rendered", message_line("Destination Port")),
    ),
    "network.transport": (
        Take("data.Protocol", _transport),
        Take("rendered", message_line("Protocol", _transport)),
    ),
    "network.direction": (
        Take("data.Direction", _direction),
        Take("rendered", message_line("Direction", _direction)),
    ),
}

_TABLES = PlacedByShape(TABLE)


def recognize(event: WindowsEvent, settings: ReadOptions) -> View | None:
    """Return the event's view if it is a 5156 of the Security log."""
    if event.event_id != CONNECTION or not event.is_security:
        return None
    by = "channel" if event.channel else "provider"
    return event.view("windows_firewall", "Security event 5156", _TABLES[event.shape], settings, by)


MAPPED: Table = {
    **ecs.TABLE,
    "host.os.type": (*ecs.TABLE["host.os.type"], Take(constant="windows", inferred=_CHANNEL)),
    "process.pid": (
        *ecs.TABLE["process.pid"],
        Take("winlog.event_data.ProcessID", inferred=_NOT_MAPPED),
    ),
}


_MAPPED_MARKS: Marks = (("event.code",), ("winlog.channel",), *ecs.MARKS)


def recognize_mapped(document: Document, _dataset: str, settings: ReadOptions) -> View | None:
    """Return the view of an ECS document that the system integration made of a 5156."""
    if not any(code in (CONNECTION, str(CONNECTION)) for code in leaves(document, "event.code")):
        return None
    channel = first(document, "winlog.channel")
    if not isinstance(channel, str) or channel.lower() != SECURITY_CHANNEL:
        return None
    return View(
        "windows_firewall", "Security 5156 document", document, MAPPED, settings, _MAPPED_MARKS
    )
