"""Windows Filtering Platform event 5156 of the Security log: a permitted connection.

Elastic's system integration maps all but the process id, so the rule never matches it; here the
id in the record counts, marked as inferred.
"""

from smbrare.fields import keyword
from smbrare.sources.mapping import Settings, Table, Take, View, file_name
from smbrare.sources.windows_event import WindowsEvent

CONNECTION = "5156"

_IANA_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp"}
_DIRECTIONS = {"%%14592": "inbound", "%%14593": "outbound"}
_NOT_MAPPED = "the event's own process id, which Elastic's mapping leaves out"

TABLE: Table = {
    "@timestamp": (Take("time"),),
    "event.category": (Take(constant="network"),),
    "event.type": (Take(constant=("connection", "info", "allowed")),),
    "event.action": (Take(constant="windows-firewall-connection"),),
    "event.outcome": (Take(constant="success"),),
    "event.code": (Take("event_id"),),
    "host.name": (Take("computer"),),
    "host.os.type": (Take(constant="windows"),),
    "process.pid": (
        Take("data.ProcessID", inferred=_NOT_MAPPED),
        # NXLog writes the subject's id as ProcessId, since ProcessID is a field of its own.
        Take("data.ProcessId", inferred=_NOT_MAPPED),
    ),
    "process.name": (Take("data.Application", file_name),),
    "process.executable": (Take("data.Application"),),
    "source.ip": (Take("data.SourceAddress"),),
    "source.port": (Take("data.SourcePort"),),
    "destination.ip": (Take("data.DestAddress"),),
    "destination.port": (Take("data.DestPort"),),
    "network.transport": (
        Take("data.Protocol", lambda number: _IANA_PROTOCOLS.get(keyword(number))),
    ),
    "network.direction": (
        Take("data.Direction", lambda code: _DIRECTIONS.get(keyword(code), "unknown")),
    ),
}


def recognize(event: WindowsEvent, settings: Settings) -> View | None:
    """Return the event's view if it is a 5156 of the Security log."""
    if event.event_id != CONNECTION or not event.is_security:
        return None
    return View("windows_firewall", "Security event 5156", event.document, TABLE, settings)
