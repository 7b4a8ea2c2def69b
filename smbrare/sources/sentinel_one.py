"""SentinelOne: records of Cloud Funnel and of Deep Visibility, and mapped ECS documents.

Cloud Funnel writes dotted keys, which some shippers turn into objects; Deep Visibility's API has
names of its own for the same fields.

Follows the mapping of Elastic's sentinel_one_cloud_funnel integration, which never sets
network.transport: the transport is in ``meta.event.name`` alone, and is inferred from it in both
forms, so that ``--literal`` and a replay find what Elastic's rule would, which is nothing.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.records.fields import keyword, long
from smbrare.records.paths import leaves
from smbrare.records.times import Moment, from_number
from smbrare.sources import ecs, event_kinds
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, account_domain, account_name, one_of

_MILLISECONDS = 1_000
META = "sentinel_one_cloud_funnel.event.meta_event_name"
_SYSTEMS = {"osx": "macos"} | {
    name: name for name in ("windows", "linux", "macos", "ios", "android")
}
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
        for name in ("event.type", "eventType")
        for value in leaves(document, name)
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
    "host.os.type": (FieldRule("endpoint.os", one_of(_SYSTEMS)),),
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

_DEEP_NAMES = {
    "event.category": ("objectType",),
    "event.network.direction": ("netEventDirection", "direction"),
    "event.network.connectionStatus": ("netConnStatus", "connectionStatus"),
    "event.id": ("id",),
    "endpoint.name": ("endpointName", "agentName"),
    "agent.uuid": ("agentUuid",),
    "endpoint.os": ("endpointOs", "agentOs"),
    "src.process.user": ("srcProcUser", "user"),
    "src.process.pid": ("srcProcPid", "pid"),
    "src.process.name": ("srcProcName", "processName"),
    "src.process.image.path": ("srcProcImagePath", "processImagePath"),
    "src.ip.address": ("srcIp",),
    "src.port.number": ("srcPort",),
    "dst.ip.address": ("dstIp",),
    "dst.port.number": ("dstPort",),
    "meta.event.name": ("metaEventName",),
    "event.dns.request": ("dnsRequest",),
    "event.dns.response": ("dnsResponse",),
}

DEEP: FieldTable = {
    **{
        field: tuple(
            replace(rule, path=path, inferred=rule.inferred and path)
            for rule in rules
            for path in (_DEEP_NAMES[rule.path] if rule.path else ("",))
        )
        for field, rules in RAW.items()
        if field != "@timestamp"
    },
    "@timestamp": (FieldRule("eventTime"), FieldRule("createdAt")),
}
"""The same by Deep Visibility's names."""

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
_NESTED = frozenset({"meta", "dataSource", "src", "i"})
_DEEP_KEYS = frozenset({"endpointOs", "agentOs"})
_DEEP_MARKS: Marks = (("eventType",), tuple(_DEEP_KEYS))
_FUNNEL_MARKS: Marks = (("event.category",), _KEYS)
RAW_FORMS: Mapping[tuple[str, str], Marks] = {
    ("sentinel_one", "Record of Cloud Funnel, flat or nested"): _FUNNEL_MARKS,
    ("sentinel_one", "Event of Deep Visibility's API"): _DEEP_MARKS,
}
_KINDS = (event_kinds.DNS, event_kinds.CONNECTION, event_kinds.LISTENING, "")
_RAW_LAYOUTS, _DEEP_LAYOUTS = (
    {about: Layout("sentinel_one", "SentinelOne record", table, marks, about) for about in _KINDS}
    for table, marks in ((RAW, _FUNNEL_MARKS), (DEEP, _DEEP_MARKS))
)
_MAPPED_MARKS: Marks = ((META, "sentinel_one_cloud_funnel"), *ecs.MARKS)


def recognize(document: Document) -> Layout | None:
    """Return the layout of a raw record of any kind: connection, DNS, process and others."""
    if "eventType" in document and not _DEEP_KEYS.isdisjoint(document):
        return _DEEP_LAYOUTS[_event_kind(document)]
    is_flat = "event.category" in document and any(key in document for key in _KEYS)
    is_nested = "event" in document and not _NESTED.isdisjoint(document)
    if not (is_flat or is_nested) or not leaves(document, "event.category"):
        return None
    if not any(leaves(document, key) for key in _KEYS):
        return None
    return _RAW_LAYOUTS[_event_kind(document)]


def _event_kind(document: Document) -> str:
    if "dns" in (*leaves(document, "event.category"), *leaves(document, "objectType")):
        return event_kinds.DNS
    if _connects(document):
        return event_kinds.CONNECTION
    about = [*leaves(document, "event.type"), *leaves(document, "eventType")]
    return event_kinds.LISTENING if "listen" in str(about).lower() else ""


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of an ECS document that the sentinel_one_cloud_funnel integration made."""
    if dataset.startswith("sentinel_one_cloud_funnel"):
        marks = ecs.BY_DATASET
    elif "sentinel_one_cloud_funnel" in document or leaves(document, META):
        marks = _MAPPED_MARKS
    else:
        return None
    return Layout("sentinel_one", "SentinelOne document", MAPPED, marks)
