"""SentinelOne Cloud Funnel: raw records of flat dotted keys, and mapped ECS documents.

Follows the mapping of Elastic's sentinel_one_cloud_funnel integration, which never sets
network.transport: the transport is in ``meta.event.name`` alone, and is inferred from it in both
forms, so that ``--literal`` and a replay find what Elastic's rule would, which is nothing.
"""

from collections.abc import Container

from smbrare.records.event import Document
from smbrare.records.fields import keyword, long
from smbrare.records.paths import leaves
from smbrare.records.times import Moment, from_number
from smbrare.sources import ecs, event_kinds
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, account_domain, account_name, one_of

_MILLISECONDS = 1_000
META = "sentinel_one_cloud_funnel.event.meta_event_name"
_LATER = "network.direction, from which later versions of the integration take it"


def _time(value: object) -> Moment:
    return from_number(long(value), _MILLISECONDS)


def _category(value: object) -> str | None:
    name = keyword(value).lower()
    if name == "dns" or ("ip" in name and "command" not in name):
        return "network"
    return name if name in {"process", "file", "registry"} else None


def _transport(name: object) -> str | None:
    """Return the transport out of ``TCPV4`` and its like."""
    text = keyword(name).lower()
    return next((known for known in ("tcp", "udp") if text.startswith(known)), None)


def _connects(document: Document) -> bool:
    # The vendor writes "IP Connect", Elastic's sample "IPConnect".
    return any(
        isinstance(value, str) and value.replace(" ", "") == "IPConnect"
        for value in leaves(document, "event.type")
    )


RAW: FieldTable = {
    "@timestamp": (FieldRule("event.time", _time),),
    "event.category": (FieldRule("event.category", _category),),
    "event.type": (
        FieldRule(constant=("start", "connection"), when=_connects),
        FieldRule(constant="info"),
    ),
    "event.action": (
        FieldRule(
            "event.network.direction",
            one_of({"outgoing": "connection_attempted", "incoming": "connection_accepted"}),
        ),
    ),
    "event.outcome": (
        FieldRule(
            "event.network.connectionStatus",
            one_of({"success": "success", "failure": "failure", "blocked": "unknown"}),
        ),
    ),
    "event.id": (FieldRule("event.id"),),
    "host.name": (FieldRule("endpoint.name"),),
    "host.id": (FieldRule("agent.uuid"),),
    "host.os.type": (
        FieldRule(
            "endpoint.os",
            one_of(
                {
                    "windows": "windows",
                    "linux": "linux",
                    "macos": "macos",
                    "osx": "macos",
                    "ios": "ios",
                    "android": "android",
                }
            ),
        ),
    ),
    "user.name": (FieldRule("src.process.user", account_name),),
    "user.domain": (FieldRule("src.process.user", account_domain),),
    "process.pid": (FieldRule("src.process.pid"),),
    "process.name": (FieldRule("src.process.name"),),
    "process.executable": (FieldRule("src.process.image.path"),),
    "source.ip": (FieldRule("src.ip.address"),),
    "source.port": (FieldRule("src.port.number"),),
    "destination.ip": (FieldRule("dst.ip.address"),),
    "destination.port": (FieldRule("dst.port.number"),),
    # Elastic's pipeline keeps the name as it is, and so leaves the transport out.
    "network.transport": (FieldRule("meta.event.name", _transport, inferred="meta.event.name"),),
    "dns.question.name": (FieldRule("event.dns.request"),),
    "dns.answers.data": (FieldRule("event.dns.response"),),
    "network.direction": (
        FieldRule("event.network.direction", one_of({"outgoing": "egress", "incoming": "ingress"})),
    ),
}

MAPPED: FieldTable = {
    **ecs.TABLE,
    "event.action": (
        *ecs.TABLE["event.action"],
        FieldRule(
            "network.direction",
            one_of({"egress": "connection_attempted", "ingress": "connection_accepted"}),
            inferred=_LATER,
        ),
    ),
    "network.transport": (
        *ecs.TABLE["network.transport"],
        FieldRule(META, _transport, inferred=META),
    ),
}

_KEYS = ("meta.event.name", "dataSource.name", "sca:ingestTime", "src.process.pid", "i.scheme")
RAW_MARKS: Marks = (("event.category",), _KEYS)
_RAW_LAYOUTS = {
    about: Layout("sentinel_one", "SentinelOne record", RAW, RAW_MARKS, about)
    for about in (event_kinds.DNS, event_kinds.CONNECTION, event_kinds.LISTENING, "")
}
_MAPPED_MARKS: Marks = ((META, "sentinel_one_cloud_funnel"), *ecs.MARKS)


def recognize(document: Document) -> Layout | None:
    """Return the layout of a raw record of any kind: connection, DNS, process and others."""
    if not has_keys(document):
        return None
    return _RAW_LAYOUTS[_event_kind(document)]


def has_keys(keys: Container[str]) -> bool:
    """Return whether a record may be a raw one, by its keys at the top."""
    return "event.category" in keys and any(key in keys for key in _KEYS)


def _event_kind(document: Document) -> str:
    if document["event.category"] == "dns":
        return event_kinds.DNS
    if _connects(document):
        return event_kinds.CONNECTION
    return event_kinds.LISTENING if "listen" in str(document.get("event.type")).lower() else ""


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of an ECS document that the sentinel_one_cloud_funnel integration made."""
    if dataset.startswith("sentinel_one_cloud_funnel"):
        marks = ecs.BY_DATASET
    elif "sentinel_one_cloud_funnel" in document or leaves(document, META):
        marks = _MAPPED_MARKS
    else:
        return None
    return Layout("sentinel_one", "SentinelOne document", MAPPED, marks)
