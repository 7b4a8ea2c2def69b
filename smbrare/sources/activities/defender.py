"""Microsoft Defender XDR: rows of DeviceProcessEvents and DeviceLogonEvents.

Source: Microsoft's schema of these tables of Advanced Hunting.
"""

from collections.abc import Mapping
from functools import cache

from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.sources import defender
from smbrare.sources.activities.activity import ActivityKind, logon_type
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, View, place_table

_ACTIONS: Mapping[str, tuple[ActivityKind, FieldTable]] = {
    "processcreated": (
        "process",
        {
            "what": (FieldRule("row.FolderPath"), FieldRule("row.FileName")),
            "detail": (FieldRule("row.ProcessCommandLine"),),
            "parent": (
                FieldRule("row.InitiatingProcessFolderPath"),
                FieldRule("row.InitiatingProcessFileName"),
            ),
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
    place = "" if row is document else "properties"
    return _ACTIONS[action][0], Layout("", "", _table(action, place)).view(document, options)


def _action(row: Document) -> str:
    action = row.get("ActionType")
    return action.lower() if isinstance(action, str) else ""


@cache
def _table(action: str, place: str) -> FieldTable:
    return place_table({**defender.RECORD, **_ACTIONS[action][1]}, {"row": (place,)})
