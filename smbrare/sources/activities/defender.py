"""Microsoft Defender XDR: rows of the tables of processes, logons, files and connections.

Source: Microsoft's schema of these tables of Advanced Hunting.
"""

from collections.abc import Mapping
from functools import cache

from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.sources import defender
from smbrare.sources.activities.activity import ActivityKind, logon_type
from smbrare.sources.activities.lures import lure_of
from smbrare.sources.activities.remote import part_of, port_number
from smbrare.sources.activities.webdav import is_web_client
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, View, place_table

_PARENT = (
    FieldRule("row.InitiatingProcessFolderPath"),
    FieldRule("row.InitiatingProcessFileName"),
)
_PROGRAM: FieldTable = {
    "parent": _PARENT,
    "account": (FieldRule("row.InitiatingProcessAccountName"),),
    "domain": (FieldRule("row.InitiatingProcessAccountDomain"),),
}
_FILE: FieldTable = {
    "what": (FieldRule("row.FolderPath", lure_of), FieldRule("row.FileName", lure_of)),
    "detail": (FieldRule("row.FileOriginUrl"), FieldRule("row.FileOriginReferrerUrl")),
    **_PROGRAM,
}


_WEBDAV: FieldTable = {
    "what": (FieldRule("row.RemoteUrl"), FieldRule("row.RemoteIP")),
    "detail": (FieldRule("row.InitiatingProcessCommandLine"),),
    **_PROGRAM,
    "server": (FieldRule("row.RemoteUrl", part_of("server")),),
    "address": (FieldRule("row.RemoteIP", part_of("address")),),
    "port": (FieldRule("row.RemotePort", port_number),),
    "outcome": (FieldRule("row.ActionType", defender.connection_outcome),),
}
_ACTIONS: Mapping[str, tuple[ActivityKind, FieldTable]] = {
    "processcreated": (
        "process",
        {
            "what": (FieldRule("row.FolderPath"), FieldRule("row.FileName")),
            "detail": (FieldRule("row.ProcessCommandLine"),),
            "parent": _PARENT,
            "account": (FieldRule("row.AccountName"),),
            "domain": (FieldRule("row.AccountDomain"),),
        },
    ),
    "logonsuccess": (
        "logon",
        {
            "what": (FieldRule("row.LogonType", logon_type),),
            "detail": (FieldRule("row.RemoteIP"),),
            "account": (FieldRule("row.AccountName"),),
            "domain": (FieldRule("row.AccountDomain"),),
        },
    ),
    "filecreated": ("file", _FILE),
    "filerenamed": ("file", _FILE),
    **{
        f"connection{ending}": ("webdav", _WEBDAV)
        for ending in ("success", "failed", "request", "attempt")
    },
}


def row_of(document: Document) -> Document | None:
    """Return the row of a streaming record, or the record if it is a row itself, else None."""
    if "ActionType" in document:
        return document
    properties = document.get("properties")
    return properties if isinstance(properties, dict) and "ActionType" in properties else None


def is_dns(row: Document) -> bool:
    """Return whether a row may be one of an inspected DNS query."""
    return _action(row).endswith("inspected")


def read(
    document: Document, row: Document, options: ReadOptions
) -> tuple[ActivityKind, View] | None:
    """Return the kind and view of a row; None if these tables do not read its kind.

    Args:
        document: The record.
        row: The row in it, or itself.
        options: How to read it.
    """
    action = _action(row)
    if action not in _ACTIONS:
        return None
    kind = _ACTIONS[action][0]
    if kind == "webdav" and not _is_web_client(row):
        return None
    place = "" if row is document else "properties"
    return kind, Layout("", "", _table(action, place)).view(document, options)


def _is_web_client(row: Document) -> bool:
    command, port = row.get("InitiatingProcessCommandLine"), row.get("RemotePort")
    return isinstance(command, str) and is_web_client(command, port)


def _action(row: Document) -> str:
    action = row.get("ActionType")
    return action.lower() if isinstance(action, str) else ""


@cache
def _table(action: str, place: str) -> FieldTable:
    return place_table({**defender.RECORD, **_ACTIONS[action][1]}, {"row": (place,)})
