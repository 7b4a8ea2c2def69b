"""ECS documents: as Elastic Defend writes them, and as pipelines make them of other events.

Sources: the mappings of Elastic's windows, system and m365_defender integrations and of
Winlogbeat's modules; Elastic Defend's own fields for the type of a logon.
"""

from collections.abc import Mapping

from smbrare.records.event import Document
from smbrare.records.paths import first, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.sources import ecs
from smbrare.sources.activities.activity import ActivityKind, logon_type
from smbrare.sources.activities.lures import lure_of, source_url
from smbrare.sources.activities.remote import part_of, port_number
from smbrare.sources.activities.webdav import is_web_client
from smbrare.sources.defender import connection_outcome
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, View, one_of

_PROCESS: FieldTable = {
    "what": (FieldRule("process.executable"), FieldRule("process.name")),
    "detail": (FieldRule("process.command_line"), FieldRule("process.args")),
    "parent": (FieldRule("process.parent.executable"), FieldRule("process.parent.name")),
}
_LOGON: FieldTable = {
    "what": tuple(
        FieldRule(path, logon_type)
        for path in (
            "winlog.logon.type",
            "winlog.event_data.LogonType",
            "process.Ext.session_info.logon_type",
            "m365_defender.event.logon.type",
        )
    ),
    "detail": (FieldRule("source.ip"),),
}
_SHARE: FieldTable = {
    "what": (FieldRule("winlog.event_data.ShareName"),),
    "detail": (FieldRule("winlog.event_data.RelativeTargetName"),),
    "parent": (FieldRule("source.ip"), FieldRule("winlog.event_data.IpAddress")),
}
_LOGOFF: FieldTable = {"what": (FieldRule(constant="Logoff"),)}
_FILE: FieldTable = {
    "what": (FieldRule("file.path", lure_of), FieldRule("file.name", lure_of)),
    "detail": (
        FieldRule("file.origin_url"),
        FieldRule("file.origin_referrer_url"),
        FieldRule("winlog.event_data.Contents", source_url),
    ),
    "parent": _PROCESS["what"],
}
_WEBDAV: FieldTable = {
    "what": (FieldRule("destination.domain"), FieldRule("destination.ip")),
    "detail": _PROCESS["detail"],
    "parent": _PROCESS["what"],
    "server": (FieldRule("destination.domain", part_of("server")),),
    "address": (FieldRule("destination.ip", part_of("address")),),
    "port": (FieldRule("destination.port", port_number),),
    "outcome": (
        FieldRule("event.outcome", one_of({"success": "success", "failure": "failure"})),
        FieldRule("event.action", connection_outcome),
    ),
}

_KINDS: Mapping[ActivityKind, FieldTable] = {
    "process": _PROCESS,
    "logon": _LOGON,
    "logoff": _LOGOFF,
    "share": _SHARE,
    "file": _FILE,
    "webdav": _WEBDAV,
}
_USER: FieldTable = {"account": ecs.TABLE["user.name"], "domain": ecs.TABLE["user.domain"]}
_TABLES: Mapping[ActivityKind, FieldTable] = {
    kind: {**ecs.TABLE, **_USER, **table} for kind, table in _KINDS.items()
}

_LOGONS = frozenset({"logged-in", "log_on", "logonsuccess"})
_PROCESS_CODES = frozenset({"1", "4688"})
_LOGON_CODE, _LOGOFF_CODE = "4624", "4647"
_SHARE_CODES = frozenset({"5140", "5145"})
_FILE_CODES = frozenset({"11", "15"})
_FILE_WRITES = frozenset({"creation", "rename", "filecreated", "filerenamed"})


def is_ecs(document: Document) -> bool:
    """Return whether a document names its fields as ECS does."""
    return bool(leaves(document, "event.category"))


def is_dns(document: Document) -> bool:
    """Return whether an ECS document is one of a DNS query."""
    return first(document, ecs.NAME) is not None


def read(document: Document, options: ReadOptions) -> tuple[ActivityKind, View] | None:
    """Return the kind and view of a document; None if these tables do not read its kind."""
    kind = _kind(document)
    return None if kind is None else (kind, Layout("", "", _TABLES[kind]).view(document, options))


def _kind(document: Document) -> ActivityKind | None:
    categories = leaves(document, "event.category")
    code = str(first(document, "event.code", "winlog.event_id") or "")
    if "process" in categories:
        started = "start" in leaves(document, "event.type")
        return "process" if started and (not code or code in _PROCESS_CODES) else None
    if code in _SHARE_CODES:
        return "share"
    if "file" in categories:
        return "file" if _is_write(document, code) else None
    if "network" in categories and _is_web_client(document):
        return "webdav"
    if "authentication" not in categories:
        return None
    if code == _LOGOFF_CODE:
        return "logoff"
    on = code == _LOGON_CODE or not _LOGONS.isdisjoint(leaves(document, "event.action"))
    return "logon" if on and "failure" not in leaves(document, "event.outcome") else None


def _is_write(document: Document, code: str) -> bool:
    """Return whether a file was made, or got its name or its mark of the web."""
    told = {*leaves(document, "event.action"), *leaves(document, "event.type")}
    return code in _FILE_CODES if code else not _FILE_WRITES.isdisjoint(told)


def _is_web_client(document: Document) -> bool:
    words = leaves(document, "process.command_line") or leaves(document, "process.args")
    port = first(document, "destination.port")
    return is_web_client(" ".join(map(str, words)), port)
