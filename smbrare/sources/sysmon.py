"""Sysmon events, raw: event 3 (network connection) and event 22 (DNS query).

Follows the mapping of Elastic's sysmon_operational integration and of Winlogbeat's Sysmon module.
"""

from typing import Any

from smbrare.fields import Moment, date, keyword
from smbrare.sources.mapping import (
    Settings,
    Table,
    Take,
    View,
    account_domain,
    account_name,
    file_name,
)
from smbrare.sources.windows_event import WindowsEvent

NETWORK_CONNECTION = "3"
DNS_QUERY = "22"


def _is(event_id: str) -> Any:
    return lambda document: str(document["event_id"]) == event_id


def _utc(value: object) -> Moment:
    # Sysmon writes UtcTime without a zone; its name is its zone.
    return Moment(date(value).time)


def _direction(initiated: object) -> str | None:
    return {"true": "egress", "false": "ingress"}.get(keyword(initiated).lower())


def _kernel(image: object) -> int | None:
    return 4 if keyword(image) == "System" else None


_LOST_KEY = "the rendered Message, where the exporter lost the key"

TABLE: Table = {
    "@timestamp": (
        Take("data.UtcTime", _utc),
        Take("message_data.UtcTime", _utc),
        Take("time"),
    ),
    "event.category": (
        Take(constant="network", when=_is(NETWORK_CONNECTION)),
        Take(constant="network", when=_is(DNS_QUERY)),
    ),
    "event.type": (
        Take(constant=("start", "connection", "protocol"), when=_is(NETWORK_CONNECTION)),
        Take(constant=("connection", "protocol", "info"), when=_is(DNS_QUERY)),
    ),
    "event.action": (Take("action"),),
    "event.code": (Take("event_id"),),
    "host.name": (Take("computer"),),
    "host.os.type": (Take(constant="windows"),),
    "user.domain": (
        Take("data.User", account_domain),
        Take("message_data.User", account_domain),
    ),
    "user.name": (Take("data.User", account_name), Take("message_data.User", account_name)),
    "process.pid": (
        Take("data.ProcessId"),
        Take("message_data.ProcessId", inferred=_LOST_KEY),
        Take("data.Image", _kernel, inferred="Image, which is System for the kernel"),
    ),
    "process.name": (Take("data.Image", file_name), Take("message_data.Image", file_name)),
    "process.executable": (Take("data.Image"), Take("message_data.Image")),
    "source.ip": (Take("data.SourceIp"), Take("message_data.SourceIp", inferred=_LOST_KEY)),
    "source.port": (Take("data.SourcePort"), Take("message_data.SourcePort")),
    "destination.ip": (
        Take("data.DestinationIp"),
        Take("message_data.DestinationIp", inferred=_LOST_KEY),
    ),
    "destination.port": (
        Take("data.DestinationPort"),
        Take("message_data.DestinationPort", inferred=_LOST_KEY),
    ),
    "destination.domain": (
        Take("data.DestinationHostname"),
        Take("message_data.DestinationHostname"),
    ),
    "network.transport": (
        Take("data.Protocol"),
        Take("message_data.Protocol", inferred=_LOST_KEY),
    ),
    "network.direction": (
        Take("data.Initiated", _direction),
        Take("message_data.Initiated", _direction),
    ),
}


def recognize(event: WindowsEvent, settings: Settings) -> View | None:
    """Return the event's view if it is one of Sysmon's, of any number."""
    if not event.is_sysmon:
        return None
    table = TABLE if event.event_id in {NETWORK_CONNECTION, DNS_QUERY} else OTHER
    return View(event.source, f"Sysmon event {event.event_id}", event.document, table, settings)


OTHER: Table = {name: TABLE[name] for name in ("@timestamp", "event.code", "host.name")}
"""What is read of Sysmon's other events: they are counted, not judged."""
