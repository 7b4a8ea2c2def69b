"""Microsoft Defender XDR: streaming records, rows of Advanced Hunting, and mapped ECS documents.

Follows the mapping of Elastic's m365_defender integration. A streaming record holds a row of a
table in ``properties``; Advanced Hunting and Microsoft Sentinel export the row alone, as JSON or as
CSV, whose values are text.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from smbrare.records.event import Document
from smbrare.records.fields import Malformed, ip, keyword
from smbrare.records.json_text import BadJson, decode
from smbrare.records.paths import first, leaves
from smbrare.sources import ecs, event_kinds
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, lower, one_of, place_table, utc, windows_path

_NETWORK_TABLES = ("devicenetworkevents", "devicenetworkinfo")
_NETWORK_ACTIONS = ("Connection", "InboundConnection", "ListeningConnection")
_TYPES = {
    "ConnectionSuccess": "start",
    "ConnectionRequest": "start",
    "ListeningConnectionCreated": "start",
    "InboundConnectionAccepted": "start",
    "ConnectionFailed": "denied",
    "DnsConnectionInspected": "protocol",
}
_COLUMNS = "the columns, which are those of DeviceNetworkEvents"
_SID = "the SID of the account, which Elastic's mapping takes for Windows as well"
_KERNEL = "the name of the process, which is the Windows kernel's"
_PATH = "the path of the process, which names a drive"
_AUTHORITY = "the domain of the account, which is NT AUTHORITY on Windows alone"

_ASKED_FOR = ("direction", "Posix", "query")

connection_outcome = one_of({"connectionsuccess": "success", "connectionfailed": "failure"})
_nt_authority = one_of({"nt authority": "windows"})
_kernel = one_of({"system": "windows", "ntoskrnl.exe": "windows"})
_tcp = one_of({"tcp": "tcp", "tcpv4": "tcp", "tcpv6": "tcp"})


def _transport(protocol: object) -> str:
    return _tcp(protocol) or keyword(protocol).lower()


def _additional(fields: object) -> Mapping[str, Any]:
    """Return AdditionalFields, which is an object, its text, null or empty."""
    # Most texts say nothing that is asked for, and are not worth decoding.
    if isinstance(fields, str) and any(word in fields for word in _ASKED_FOR):
        try:
            fields = decode(fields)
        except BadJson:
            return {}
    return fields if isinstance(fields, dict) else {}


def _direction(fields: object) -> str | None:
    named = {"In": "inbound", "Out": "outbound"}
    direction = _additional(fields).get("direction")
    return named.get(direction) if isinstance(direction, str) else None


def _query(fields: object) -> str | None:
    name = _additional(fields).get("query")
    return name if isinstance(name, str) else None


def _answers(fields: object) -> str | None:
    """Return the answers of an inspected DNS query, a list in the text of a text, as one text."""
    answers = _additional(fields).get("answers")
    try:
        listed = decode(answers) if isinstance(answers, str) else answers
    except BadJson:
        return None
    return ";".join(map(str, listed)) if isinstance(listed, list) else None


def _is_address(text: str) -> bool:
    try:
        ip(text)
    except Malformed:
        return False
    return True


def _host_name(url: object) -> str | None:
    """Return the host of a URL or of a bare host name; an address is no name."""
    text = keyword(url)
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        raise Malformed("no URL") from None
    return None if host is None or _is_address(host) else host


RECORD: FieldTable = {
    "@timestamp": (
        # The envelope's own time is when the record was exported.
        FieldRule("row.Timestamp"),
        FieldRule("row.Timestamp [UTC]", utc),
        FieldRule("row.TimeGenerated"),
        FieldRule("row.TimeGenerated [UTC]", utc),
        FieldRule("row.Timestamp [Local Time]"),
        FieldRule("row.TimeGenerated [Local Time]"),
    ),
    "event.action": (FieldRule("row.ActionType", lower),),
    "host.name": (FieldRule("row.DeviceName", lower),),
    "host.id": (FieldRule("row.DeviceId"),),
}

_NETWORK: FieldTable = {
    **RECORD,
    "event.type": (
        FieldRule("row.ActionType", lambda action: _TYPES.get(keyword(action), "info")),
        FieldRule(constant="info"),
    ),
    "event.outcome": (FieldRule("row.ActionType", connection_outcome),),
    "host.os.type": (
        FieldRule("row.InitiatingProcessAccountSid", lambda _sid: "windows"),
        FieldRule("row.InitiatingProcessFolderPath", windows_path, inferred=_PATH),
        FieldRule("row.InitiatingProcessFileName", _kernel, inferred=_KERNEL),
        FieldRule("row.InitiatingProcessAccountDomain", _nt_authority, inferred=_AUTHORITY),
    ),
    "user.name": (FieldRule("row.InitiatingProcessAccountName"),),
    "user.domain": (FieldRule("row.InitiatingProcessAccountDomain"),),
    "process.pid": (FieldRule("row.InitiatingProcessId"),),
    "process.name": (FieldRule("row.InitiatingProcessFileName"),),
    "process.executable": (FieldRule("row.InitiatingProcessFolderPath"),),
    "network.transport": (FieldRule("row.Protocol", _transport),),
    "network.direction": (
        FieldRule("row.AdditionalFields", _direction),
        FieldRule(constant="unknown"),
    ),
    "dns.question.name": (FieldRule("row.AdditionalFields", _query),),
    "dns.answers.data": (FieldRule("row.AdditionalFields", _answers),),
}

_OUTWARD: FieldTable = {
    "source.ip": (FieldRule("row.LocalIP"),),
    "source.port": (FieldRule("row.LocalPort"),),
    "destination.ip": (FieldRule("row.RemoteIP"),),
    "destination.port": (FieldRule("row.RemotePort"),),
    "destination.domain": (FieldRule("row.RemoteUrl", _host_name),),
}

_INWARD: FieldTable = {
    "source.ip": (FieldRule("row.RemoteIP"),),
    "source.port": (FieldRule("row.RemotePort"),),
    "destination.ip": (FieldRule("row.LocalIP"),),
    "destination.port": (FieldRule("row.LocalPort"),),
}


def _row_table(place: str, *, inbound: bool, posix: bool, named: bool) -> FieldTable:
    """Return the table of a network row.

    Args:
        place: Where the row stands in the record.
        inbound: Whether the remote side opened the connection, as AdditionalFields says.
        posix: Whether AdditionalFields describes a process of macOS or Linux, which have SIDs too.
        named: Whether the record names the table, or the action one of its kind.
    """
    category = FieldRule(constant="network", inferred="" if named else _COLUMNS)
    table = {**_NETWORK, **(_INWARD if inbound else _OUTWARD), "event.category": (category,)}
    if posix:
        table["host.os.type"] = (FieldRule(constant="unix"),)
    return place_table(table, {"row": (place,)})


ROW = _row_table("", inbound=False, posix=False, named=True)
"""The columns of a network row."""

_OTHER = {place: place_table(RECORD, {"row": (place,)}) for place in ("", "properties")}

ADAPTER = frozenset({"NetworkAdapterName", "NetworkAdapterType"})
"""Columns of DeviceNetworkInfo, which describes adapters and holds no connection."""

HOSTS = ("DeviceName", "DeviceId", "RemoteIP")
_BY_CATEGORY: Marks = (("category",),)
_BY_ACTION: Marks = (("ActionType",), HOSTS)
_BY_TYPE: Marks = (("Type",), *_BY_ACTION)
_BY_COLUMNS: Marks = (("RemoteIP",), ("InitiatingProcessId",))
RAW_FORMS: Mapping[tuple[str, str], Marks] = {
    ("defender", "Record of the streaming API"): _BY_CATEGORY,
    ("defender", "Row of Advanced Hunting or Microsoft Sentinel"): _BY_ACTION,
    ("defender", "The same without ActionType"): _BY_COLUMNS,
}
CATEGORY = "m365_defender.event.category"
_BY_NAME: Marks = ((CATEGORY, "m365_defender"), *ecs.MARKS)


def recognize(document: Document) -> Layout | None:
    """Return the layout of a streaming record, or of a row of Advanced Hunting or Sentinel."""
    if "properties" in document and "category" in document:
        row, table = document["properties"], document["category"]
        if not isinstance(row, dict) or not isinstance(table, str):
            return None
        if not table.startswith("AdvancedHunting-"):
            return None
        named = table.lower().endswith(_NETWORK_TABLES)
        return _layout(row, "properties", _BY_CATEGORY, named=named, network=named)
    if "ActionType" in document:
        if not any(key in document for key in HOSTS):
            return None
        named = _is_network_row(document)
        marks = _BY_TYPE if document.get("Type") else _BY_ACTION
        return _layout(document, "", marks, named=named, network=named)
    if "RemoteIP" in document and "InitiatingProcessId" in document:
        return _layout(document, "", _BY_COLUMNS, named=False, network=True)
    return None


def _is_network_row(row: Document) -> bool:
    """Return whether a row is one of DeviceNetworkEvents; a query may mix tables."""
    table = row.get("Type")
    if isinstance(table, str) and table:
        return table.lower() in _NETWORK_TABLES
    action = row.get("ActionType")
    return isinstance(action, str) and (
        action.startswith(_NETWORK_ACTIONS) or action.endswith("Inspected")
    )


def _layout(row: Document, place: str, marks: Marks, *, named: bool, network: bool) -> Layout:
    if not network:
        return _other_layout(place, marks)
    additional = _additional(row.get("AdditionalFields"))
    inbound = additional.get("direction") == "In"
    posix = any("Posix" in key for key in additional)
    about = "" if ADAPTER.isdisjoint(row) else event_kinds.OTHER
    if place and "ActionType" not in row:
        about = event_kinds.CONNECTION  # As far as can be told: a streamed row always has one.
    return _network_layout(place, marks, about, inbound=inbound, posix=posix, named=named)


@cache
def _other_layout(place: str, marks: Marks) -> Layout:
    return Layout("defender", "Defender record", _OTHER[place], marks)


@cache
def _network_layout(
    place: str, marks: Marks, about: str, *, inbound: bool, posix: bool, named: bool
) -> Layout:
    table = _row_table(place, inbound=inbound, posix=posix, named=named)
    return Layout("defender", "Defender network record", table, marks, about)


def _no_posix(document: Document) -> bool:
    details = first(document, "m365_defender.event.additional_fields")
    return not isinstance(details, dict) or not any("Posix" in key for key in details)


MAPPED: FieldTable = {
    **ecs.TABLE,
    "event.outcome": (*ecs.TABLE["event.outcome"], FieldRule("event.action", connection_outcome)),
    "host.os.type": (
        *ecs.TABLE["host.os.type"],
        FieldRule("user.id", lambda _sid: "windows", when=_no_posix, inferred=_SID),
        FieldRule("process.executable", windows_path, inferred=_PATH),
        FieldRule("process.name", _kernel, inferred=_KERNEL),
        FieldRule("user.domain", _nt_authority, inferred=_AUTHORITY),
    ),
    "destination.domain": (
        *ecs.TABLE["destination.domain"],
        FieldRule("url.domain", _host_name),
        FieldRule("url.original", _host_name),
    ),
    "network.transport": (
        *ecs.TABLE["network.transport"],
        FieldRule("network.transport", _tcp, inferred="network.transport in Defender's words"),
        FieldRule(
            "network.protocol", _tcp, inferred="network.protocol, used before version 2.14.2"
        ),
        FieldRule("m365_defender.event.protocol", _tcp, inferred="m365_defender.event.protocol"),
    ),
}


def recognize_mapped(document: Document, dataset: str) -> Layout | None:
    """Return the layout of an ECS document that the m365_defender integration made."""
    if dataset.startswith("m365_defender"):
        marks = ecs.BY_DATASET
    elif "m365_defender" in document or leaves(document, CATEGORY):
        marks = _BY_NAME
    else:
        return None
    return Layout("defender", "Defender document", MAPPED, marks)
