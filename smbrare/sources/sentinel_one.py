"""SentinelOne Cloud Funnel: raw records of flat dotted keys, and mapped ECS documents.

Follows the mapping of Elastic's sentinel_one_cloud_funnel integration, which never sets
network.transport: the transport is in ``meta.event.name`` alone, and is inferred from it in both
forms, so that ``--literal`` and a replay find what Elastic's rule would, which is nothing.
"""

from smbrare.records.event import Document
from smbrare.records.fields import keyword, long
from smbrare.records.paths import leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, from_number
from smbrare.sources import ecs, event_kinds
from smbrare.sources.mapping import (
    FieldRule,
    FieldTable,
    Marks,
    View,
    account_domain,
    account_name,
    one_of,
)

_MILLISECONDS = 1_000
_META = "sentinel_one_cloud_funnel.event.meta_event_name"
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
        FieldRule(_META, _transport, inferred=_META),
    ),
}

_KEYS = ("meta.event.name", "dataSource.name", "sca:ingestTime", "src.process.pid", "i.scheme")
RAW_MARKS: Marks = (("event.category",), _KEYS)
_MAPPED_MARKS: Marks = ((_META, "sentinel_one_cloud_funnel"), *ecs.MARKS)


def recognize(document: Document, options: ReadOptions) -> View | None:
    """Return the view of a raw record of any kind: connection, DNS, process and others."""
    if "event.category" not in document or not any(key in document for key in _KEYS):
        return None
    about = _event_kind(document)
    return View("sentinel_one", "SentinelOne record", document, RAW, options, RAW_MARKS, about)


def _event_kind(document: Document) -> str:
    if document["event.category"] == "dns":
        return event_kinds.DNS
    if _connects(document):
        return event_kinds.CONNECTION
    return event_kinds.LISTENING if "listen" in str(document.get("event.type")).lower() else ""


def recognize_mapped(document: Document, dataset: str, options: ReadOptions) -> View | None:
    """Return the view of an ECS document that the sentinel_one_cloud_funnel integration made."""
    if dataset.startswith("sentinel_one_cloud_funnel"):
        marks = ecs.BY_DATASET
    elif "sentinel_one_cloud_funnel" in document or leaves(document, _META):
        marks = _MAPPED_MARKS
    else:
        return None
    return View("sentinel_one", "SentinelOne document", document, MAPPED, options, marks)
