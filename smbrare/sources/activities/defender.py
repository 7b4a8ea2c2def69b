"""Microsoft Defender XDR: rows of DeviceProcessEvents and DeviceLogonEvents.

Source: Microsoft's schema of these tables of Advanced Hunting.
"""

from collections.abc import Mapping
from functools import cache

from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.sources.activities.activity import Kind
from smbrare.sources.activities.logon_types import logon_type
from smbrare.sources.mapping import (
    Table,
    Take,
    View,
    lower,
    placed,
    utc,
)

_ACTIONS: Mapping[str, tuple[Kind, Table]] = {
    "processcreated": (
        "process",
        {
            "what": (Take("row.FolderPath"), Take("row.FileName")),
            "detail": (Take("row.ProcessCommandLine"),),
            "parent": (
                Take("row.InitiatingProcessFolderPath"),
                Take("row.InitiatingProcessFileName"),
            ),
            "account": (Take("row.AccountName"),),
            "domain": (Take("row.AccountDomain"),),
        },
    ),
    "logonsuccess": (
        "logon",
        {
            "what": (Take("row.LogonType", logon_type),),
            "detail": (Take("row.RemoteIP"),),
            "account": (Take("row.AccountName"),),
            "domain": (Take("row.AccountDomain"),),
        },
    ),
}
_RECORD: Table = {
    "@timestamp": (
        Take("row.Timestamp"),
        Take("row.Timestamp [UTC]", utc),
        Take("row.TimeGenerated"),
        Take("row.TimeGenerated [UTC]", utc),
    ),
    "host.name": (Take("row.DeviceName", lower),),
    "host.id": (Take("row.DeviceId"),),
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


def read(document: Document, row: Document, settings: ReadOptions) -> tuple[Kind, View] | None:
    """Return what a row tells of its host; None if it is of no kind that these tables read.

    Args:
        document: The record.
        row: The row in it, or itself.
        settings: How to read it.
    """
    action = _action(row)
    if action not in _ACTIONS:
        return None
    place = "" if row is document else "properties"
    return _ACTIONS[action][0], View("", "", document, _table(action, place), settings)


def _action(row: Document) -> str:
    action = row.get("ActionType")
    return action.lower() if isinstance(action, str) else ""


@cache
def _table(action: str, place: str) -> Table:
    return placed({**_RECORD, **_ACTIONS[action][1]}, {"row": (place,)})
