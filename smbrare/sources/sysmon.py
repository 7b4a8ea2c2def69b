"""Sysmon: raw events 3 (network connection) and 22 (DNS query), and ECS documents made of them.

Follows the mapping of Elastic's sysmon_operational integration and of Winlogbeat's Sysmon module.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.records.fields import keyword
from smbrare.records.paths import first, leaves
from smbrare.sources import ecs, event_kinds
from smbrare.sources.field_rules import SERVICE_NAME, FieldRule, FieldTable, service_port
from smbrare.sources.mapping import (
    Layout,
    Marks,
    account_domain,
    account_name,
    file_name,
    one_of,
    utc,
)
from smbrare.sources.windows_event import (
    LOST_KEY,
    RECORD,
    SYSMON_CHANNEL,
    TableByShape,
    WindowsEvent,
    data_rules,
    message_line,
)

NETWORK_CONNECTION = 3
DNS_QUERY = 22

_ACTIONS = {NETWORK_CONNECTION: "Network connection", DNS_QUERY: "DNSEvent (DNS query)"}
_EVENT_NUMBER = "the number of the event, which tells its kind"
_CHANNEL = "the Sysmon channel, which Windows alone has"


def _kernel(image: object) -> int | None:
    return 4 if keyword(image) == "System" else None


_PROCESS: FieldTable = {
    **RECORD,
    # UtcTime is when the connection was made; the record's own time is when it was logged.
    "@timestamp": (*data_rules("UtcTime", utc), *RECORD["@timestamp"]),
    "event.category": (FieldRule(constant="network"),),
    "user.domain": data_rules("User", account_domain),
    "user.name": data_rules("User", account_name),
    "process.pid": (
        *data_rules("ProcessId"),
        FieldRule("data.Image", _kernel, inferred="Image, which is System for the kernel alone"),
    ),
    "process.name": data_rules("Image", file_name),
    "process.executable": data_rules("Image"),
}

CONNECTION: FieldTable = {
    **_PROCESS,
    "event.type": (FieldRule(constant=("start", "connection", "protocol")),),
    "event.action": (FieldRule("action"), FieldRule(constant=_ACTIONS[NETWORK_CONNECTION])),
    "source.ip": data_rules("SourceIp"),
    "source.port": data_rules("SourcePort"),
    "destination.ip": data_rules("DestinationIp"),
    "destination.port": (
        *data_rules("DestinationPort"),
        FieldRule("data.DestinationPortName", service_port, inferred=SERVICE_NAME),
    ),
    "destination.domain": data_rules("DestinationHostname"),
    "network.transport": tuple(replace(rule, word="tcp") for rule in data_rules("Protocol")),
    "network.direction": data_rules("Initiated", one_of({"true": "egress", "false": "ingress"})),
}

DNS: FieldTable = {
    **_PROCESS,
    "event.type": (FieldRule(constant=("connection", "protocol", "info")),),
    "event.action": (FieldRule("action"), FieldRule(constant=_ACTIONS[DNS_QUERY])),
    "dns.question.name": data_rules("QueryName"),
    "dns.answers.data": data_rules("QueryResults"),
}

_NETWORK: Mapping[int | None, tuple[str, Mapping[Any, FieldTable]]] = {
    NETWORK_CONNECTION: (event_kinds.CONNECTION, TableByShape(CONNECTION)),
    DNS_QUERY: (event_kinds.DNS, TableByShape(DNS)),
}
_PROCESS_EVENTS = frozenset({1, 5})


def recognize(event: WindowsEvent) -> Layout | None:
    """Return the event's layout if it is one of Sysmon's, of any number."""
    if not event.is_sysmon:
        return None
    by = "channel" if event.channel == SYSMON_CHANNEL else "provider"
    kind = f"Sysmon event {event.event_id}"
    source = event.shape.source
    if event.event_id not in _NETWORK:
        is_process = event.event_id in _PROCESS_EVENTS
        about = event_kinds.PROCESS if is_process else event_kinds.OTHER
        return event.record(source, kind, event_kind=about, by=by)
    about, tables = _NETWORK[event.event_id]
    return event.layout(source, kind, tables[event.shape], event_kind=about, by=by)


def _is(number: int) -> Callable[[Document], bool]:
    def is_number(document: Document) -> bool:
        numbers = leaves(document, "winlog.event_id") or leaves(document, "event.code")
        return number in numbers or str(number) in numbers

    return is_number


_LABELS = {
    "source.ip": "SourceIp",
    "destination.ip": "DestinationIp",
    "destination.port": "DestinationPort",
    "process.pid": "ProcessId",
}
"""Field → what it is called in the rendered message."""

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
    **{
        name: (*ecs.TABLE[name], FieldRule("message", message_line(label), inferred=LOST_KEY))
        for name, label in _LABELS.items()
    },
}

_BY_CHANNEL: Marks = (("winlog.channel",), *ecs.MARKS)


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of an ECS document that a pipeline made of a Sysmon event."""
    marks = ecs.BY_DATASET
    if dataset not in ("windows.sysmon_operational", "sysmon"):
        marks = _BY_CHANNEL
        channel = first(document, "winlog.channel")
        if not isinstance(channel, str) or channel.lower() != SYSMON_CHANNEL:
            return None
    # Winlogbeat's own pipeline alone sets event.module to sysmon.
    winlogbeat = dataset == "sysmon" or "winlogbeat" in ecs.shippers(document)
    source = "winlogbeat" if winlogbeat else "sysmon"
    return Layout(source, "Sysmon document", MAPPED, marks)
