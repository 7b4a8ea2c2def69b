"""The SMB client's own log: what each event shows about the connection that it is about.

Sources: the provider's manifest (nasbench/EVTX-ETW-Resources, Windows 10 1507 and 11 24H2; OTRF's
OSSEM) for numbers, names and tasks; MS-SMB2 3.2.4.2 for the order of connection, session set-up
and tree connect; MS-ERREF 2.3.1 for the statuses.

Event 31001 is a failure of the client's own InitializeSecurityContext: a published record of one
has the status of a refused logon because there were no credentials to send
(SEC_E_NO_CREDENTIALS). Only where its security status is no failure did a server refuse the logon.
"""

import re
from collections.abc import Callable, Mapping

from smbrare.records.fields import keyword, long
from smbrare.sources.activities.remote import remote_rules
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.windows_event import RECORD, TableByShape, WindowsEvent, data_rules

CHANNELS = "microsoft-windows-smbclient/"
"""How the names of its channels begin."""

_LOGON_REFUSED = """
    C0000022 ACCESS_DENIED          C0000064 NO_SUCH_USER         C000006A WRONG_PASSWORD
    C000006D LOGON_FAILURE          C000006E ACCOUNT_RESTRICTION  C000006F INVALID_LOGON_HOURS
    C0000070 INVALID_WORKSTATION    C0000071 PASSWORD_EXPIRED     C0000072 ACCOUNT_DISABLED
    C000015B LOGON_TYPE_NOT_GRANTED C0000193 ACCOUNT_EXPIRED      C0000224 PASSWORD_MUST_CHANGE
    C0000234 ACCOUNT_LOCKED_OUT
"""
_SHARE_REFUSED = """
    C0000022 ACCESS_DENIED          C00000CA NETWORK_ACCESS_DENIED
    C00000CB BAD_DEVICE_TYPE        C00000CC BAD_NETWORK_NAME
"""
"""A server answers so to who asks for a share in a session."""

_ALL_BITS = 0xFFFF_FFFF


def _status(value: object) -> str:
    """Return a status as eight digits, however its number is written, or else its name."""
    text = keyword(value).strip()
    try:
        number = int(text, 16) if text.lower().startswith("0x") else long(text)
    except ValueError:
        return text.upper().removeprefix("STATUS_")
    return f"{number & _ALL_BITS:08X}"


def _if_status(known: str, shown: str) -> Callable[[object], str | None]:
    """Return a conversion that gives what some statuses show, and nothing for others."""
    statuses = frozenset(known.split())
    return lambda value: shown if _status(value) in statuses else None


def _is_sent(security_status: object) -> str | None:
    """Return ``sent`` for the security package's success; its failures have the highest bit set."""
    return "sent" if re.fullmatch("[0-7][0-9A-F]{7}", _status(security_status)) else None


_SERVER = {"ServerName": "Server name", "Address": "Server address", "ShareName": "Path"}
_TABLE: FieldTable = {
    **RECORD,
    "what": tuple(
        rule
        for name in ("ServerName", "ShareName")
        for rule in data_rules(name, None, _SERVER[name])
    ),
    "detail": (FieldRule("event_id", lambda number: f"event {number}"),),
    "account": data_rules("UserName", None, "User name"),
    **remote_rules(
        "ServerName",
        "ShareName",
        "PrincipalName",
        sockets=("Address", "RemoteAddress", "ServerAddress"),
        labels=_SERVER,
    ),
}


def _shows(shows: str, outcome: str) -> FieldTable:
    return {"shows": (FieldRule(constant=shows),), "outcome": (FieldRule(constant=outcome),)}


_SHOWN: Mapping[int, FieldTable] = {
    30800: _shows("attempt", "failure"),  # The name was not resolved.
    30803: _shows("attempt", "failure"),
    30804: _shows("connection", "success"),  # It was disconnected.
    30805: _shows("authentication", "success"),  # The session was lost, and again established.
    30806: _shows("authentication", "success"),
    30807: _shows("authentication", "success"),  # A share of a session was lost, and so on.
    30808: _shows("authentication", "success"),
    30816: _shows("connection", "failure"),  # The server refused to negotiate.
    31001: {
        "shows": (
            FieldRule("data.Status", _if_status(_LOGON_REFUSED, "authentication")),
            FieldRule(constant="attempt"),
        ),
        "outcome": (FieldRule(constant="failure"),),
        "sent": (FieldRule("data.SecurityStatus", _is_sent), FieldRule(constant="not sent")),
    },
    31010: {
        "shows": (
            FieldRule("data.Status", _if_status(_SHARE_REFUSED, "authentication")),
            FieldRule("data.Status", _if_status(_LOGON_REFUSED, "connection")),
            FieldRule(constant="attempt"),
        ),
        "outcome": (FieldRule(constant="failure"),),
    },
    31017: _shows("authentication", "failure"),  # The server took the logon for a guest's.
    31022: _shows("authentication", "success"),
}

_TABLES = {number: TableByShape({**_TABLE, **shown}) for number, shown in _SHOWN.items()}
_OTHER = TableByShape(_TABLE)


def table_of(event: WindowsEvent) -> FieldTable:
    """Return the table of an event of the client; where its number is unknown, it shows nothing."""
    return (_OTHER if event.event_id is None else _TABLES.get(event.event_id, _OTHER))[event.shape]
