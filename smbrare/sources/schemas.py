"""Schemas of normalized events that name a process: ASIM's NetworkSession and OCSF's class 4001.

Other tools fill them from whatever they collect, so any field may be missing.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.records.fields import Malformed, keyword, long
from smbrare.records.paths import first, leaves
from smbrare.sources.ecs import windows
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, file_name, lower, one_of, windows_path

_CLASS = 4001
"""OCSF's Network Activity."""
_PATH = "the path of the process, which names a drive"
_KERNEL = "the name of the process, which is the Windows kernel's"
_kernel = one_of({"system": "windows"})
_outcome = one_of({"success": "success", "failure": "failure"})

_DIRECTIONS = frozenset({"inbound", "outbound"})
_SOURCE = "the process at the source, since no direction says which end the device is"


def _direction(document: Document) -> str:
    direction = first(document, "NetworkDirection")
    return direction.lower() if isinstance(direction, str) else ""


def _windows_of(names: tuple[str, ...]) -> tuple[FieldRule, ...]:
    paths = [FieldRule(name, windows_path, inferred=_PATH) for name in names]
    return (*paths, *(FieldRule(name, _kernel, inferred=_KERNEL) for name in names))


def _of_process(field: str) -> tuple[FieldRule, ...]:
    """Return where ASIM keeps a part of the process: on the side of the device that reports."""
    source, destination = f"SrcProcess{field}", f"DstProcess{field}"
    return (
        FieldRule(source, when=lambda document: _direction(document) == "outbound"),
        FieldRule(destination, when=lambda document: _direction(document) == "inbound"),
        FieldRule(source, when=lambda d: _direction(d) not in _DIRECTIONS, inferred=_SOURCE),
    )


ASIM: FieldTable = {
    "@timestamp": (FieldRule("EventStartTime"), FieldRule("TimeGenerated")),
    "event.category": (FieldRule(constant="network"),),
    "event.action": (FieldRule("EventType", lower),),
    "event.outcome": (FieldRule("EventResult", _outcome),),
    "host.name": (FieldRule("DvcFQDN"), FieldRule("DvcHostname"), FieldRule("Dvc")),
    "host.id": (FieldRule("DvcId"),),
    "host.os.type": (
        FieldRule("DvcOs", windows),
        *_windows_of(("SrcProcessName", "DstProcessName")),
    ),
    "process.pid": _of_process("Id"),
    "process.executable": _of_process("Name"),
    "process.name": tuple(replace(rule, convert=file_name) for rule in _of_process("Name")),
    "source.ip": (FieldRule("SrcIpAddr"),),
    "source.port": (FieldRule("SrcPortNumber"),),
    "destination.ip": (FieldRule("DstIpAddr"),),
    "destination.port": (FieldRule("DstPortNumber"),),
    "destination.domain": (FieldRule("DstFQDN"), FieldRule("DstHostname")),
    "network.transport": (FieldRule("NetworkProtocol", lower),),
    "network.direction": (FieldRule("NetworkDirection", lower),),
}

OCSF: FieldTable = {
    "@timestamp": (FieldRule("time"),),
    "event.category": (FieldRule(constant="network"),),
    "event.action": (FieldRule("activity_name", lower),),
    "event.outcome": (FieldRule("status", _outcome),),
    "host.name": (FieldRule("device.hostname"), FieldRule("device.name")),
    "host.id": (FieldRule("device.uid"),),
    "host.os.type": (
        FieldRule("device.os.type_id", one_of({"100": "windows"})),
        FieldRule("device.os.type", windows),
        FieldRule("device.os.name", windows),
        *_windows_of(("actor.process.file.path", "actor.process.name")),
    ),
    "user.name": (FieldRule("actor.user.name"), FieldRule("actor.process.user.name")),
    "user.domain": (FieldRule("actor.user.domain"), FieldRule("actor.process.user.domain")),
    "process.pid": (FieldRule("actor.process.pid"),),
    "process.name": (FieldRule("actor.process.name"),),
    "process.executable": (FieldRule("actor.process.file.path"),),
    "source.ip": (FieldRule("src_endpoint.ip"),),
    "source.port": (FieldRule("src_endpoint.port"),),
    "destination.ip": (FieldRule("dst_endpoint.ip"),),
    "destination.port": (FieldRule("dst_endpoint.port"),),
    "destination.domain": (FieldRule("dst_endpoint.hostname"), FieldRule("dst_endpoint.domain")),
    "network.transport": (
        FieldRule("connection_info.protocol_name", lower),
        FieldRule("connection_info.protocol_num", one_of({"6": "tcp", "17": "udp"})),
    ),
    "network.direction": (
        FieldRule("connection_info.direction_id", one_of({"1": "inbound", "2": "outbound"})),
    ),
}

_ASIM_MARKS: Marks = (("EventSchema",),)
_OCSF_MARKS: Marks = (("class_uid",),)
RAW_FORMS: Mapping[tuple[str, str], Marks] = {
    ("asim", "ASIM network session"): _ASIM_MARKS,
    ("ocsf", "OCSF network activity, class 4001"): _OCSF_MARKS,
}
_ASIM = Layout("asim", "ASIM network session", ASIM, _ASIM_MARKS)
_OCSF = Layout("ocsf", "OCSF network activity", OCSF, _OCSF_MARKS)


def recognize(document: Document) -> Layout | None:
    """Return the layout of a record of one of the schemas."""
    schema = first(document, "EventSchema")
    if isinstance(schema, str) and keyword(schema).lower() == "networksession":
        return _ASIM
    try:
        classes = [long(value) for value in leaves(document, "class_uid")]
    except Malformed:
        return None
    return _OCSF if _CLASS in classes else None
