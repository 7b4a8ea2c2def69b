"""Sysmon: raw events 3 (network connection) and 22 (DNS query), and ECS documents made of them.

Follows the mapping of Elastic's sysmon_operational integration and of Winlogbeat's Sysmon module.
"""

from collections.abc import Callable, Mapping
from typing import Any

from smbrare.records.event import Document
from smbrare.records.fields import keyword
from smbrare.records.paths import first, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.sources import ecs
from smbrare.sources.mapping import (
    FieldRule,
    FieldTable,
    Marks,
    View,
    account_domain,
    account_name,
    file_name,
    one_of,
    utc,
)
from smbrare.sources.windows_event import (
    RECORD,
    SYSMON_CHANNEL,
    TableByShape,
    WindowsEvent,
    data_rules,
    message_line,
)

NETWORK_CONNECTION = 3
DNS_QUERY = 22

_LOST_KEY = "the rendered message, since the exporter lost the key"
_ACTIONS = {NETWORK_CONNECTION: "Network connection", DNS_QUERY: "DNSEvent (DNS query)"}
_EVENT_NUMBER = "the number of the event, which tells its kind"
_CHANNEL = "the Sysmon channel, which Windows alone has"


def _data(name: str, convert: Callable[[Any], Any] | None = None) -> tuple[FieldRule, ...]:
    """Return the ways to fill a field from one name of EventData."""
    lost = FieldRule("message", message_line(name, convert), inferred=_LOST_KEY)
    return (*data_rules(name, convert), lost)


def _kernel(image: object) -> int | None:
    return 4 if keyword(image) == "System" else None


_PROCESS: FieldTable = {
    **RECORD,
    # UtcTime is when the connection was made; the record's own time is when it was logged.
    "@timestamp": (*_data("UtcTime", utc), *RECORD["@timestamp"]),
    "event.category": (FieldRule(constant="network"),),
    "user.domain": _data("User", account_domain),
    "user.name": _data("User", account_name),
    "process.pid": (
        *_data("ProcessId"),
        FieldRule("data.Image", _kernel, inferred="Image, which is System for the kernel alone"),
    ),
    "process.name": _data("Image", file_name),
    "process.executable": _data("Image"),
}

CONNECTION: FieldTable = {
    **_PROCESS,
    "event.type": (FieldRule(constant=("start", "connection", "protocol")),),
    "event.action": (FieldRule("action"), FieldRule(constant=_ACTIONS[NETWORK_CONNECTION])),
    "source.ip": _data("SourceIp"),
    "source.port": _data("SourcePort"),
    "destination.ip": _data("DestinationIp"),
    "destination.port": _data("DestinationPort"),
    "destination.domain": _data("DestinationHostname"),
    "network.transport": _data("Protocol"),
    "network.direction": _data("Initiated", one_of({"true": "egress", "false": "ingress"})),
}

DNS: FieldTable = {
    **_PROCESS,
    "event.type": (FieldRule(constant=("connection", "protocol", "info")),),
    "event.action": (FieldRule("action"), FieldRule(constant=_ACTIONS[DNS_QUERY])),
    "dns.question.name": _data("QueryName"),
    "dns.answers.data": _data("QueryResults"),
}

_NETWORK: Mapping[int | None, Mapping[Any, FieldTable]] = {
    NETWORK_CONNECTION: TableByShape(CONNECTION),
    DNS_QUERY: TableByShape(DNS),
}


def recognize(event: WindowsEvent, settings: ReadOptions) -> View | None:
    """Return the event's view if it is one of Sysmon's, of any number."""
    if not event.is_sysmon:
        return None
    by = "channel" if event.channel == SYSMON_CHANNEL else "provider"
    kind = f"Sysmon event {event.event_id}"
    tables = _NETWORK.get(event.event_id)
    if tables is None:
        return event.record(event.shape.source, kind, settings, by)
    return event.view(event.shape.source, kind, tables[event.shape], settings, by)


def _is(number: int) -> Callable[[Document], bool]:
    def is_number(document: Document) -> bool:
        numbers = leaves(document, "winlog.event_id") or leaves(document, "event.code")
        return number in numbers or str(number) in numbers

    return is_number


MAPPED: FieldTable = {
    **ecs.TABLE,
    "event.category": (
        *ecs.TABLE["event.category"],
        *(
            FieldRule(constant="network", when=_is(number), inferred=_EVENT_NUMBER)
            for number in _ACTIONS
        ),
    ),
    "event.action": (
        *ecs.TABLE["event.action"],
        *(
            FieldRule(constant=action, when=_is(number), inferred=_EVENT_NUMBER)
            for number, action in _ACTIONS.items()
        ),
    ),
    "host.os.type": (*ecs.TABLE["host.os.type"], FieldRule(constant="windows", inferred=_CHANNEL)),
}


_BY_CHANNEL: Marks = (("winlog.channel",), *ecs.MARKS)


def recognize_mapped(document: Document, dataset: str, settings: ReadOptions) -> View | None:
    """Return the view of an ECS document that a pipeline made of a Sysmon event."""
    marks = ecs.BY_DATASET
    if dataset not in ("windows.sysmon_operational", "sysmon"):
        marks = _BY_CHANNEL
        channel = first(document, "winlog.channel")
        if not isinstance(channel, str) or channel.lower() != SYSMON_CHANNEL:
            return None
    # Winlogbeat's own pipeline alone sets event.module to sysmon.
    winlogbeat = dataset == "sysmon" or "winlogbeat" in ecs.shippers(document)
    source = "winlogbeat" if winlogbeat else "sysmon"
    return View(source, "Sysmon document", document, MAPPED, settings, marks)
