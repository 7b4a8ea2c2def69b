"""The SMB client's own log: what each event shows about the connection that it is about.

Sources: the provider's manifest (nasbench/EVTX-ETW-Resources, Windows 10 1507 and 11 24H2; OTRF's
OSSEM) for numbers, names and tasks; MS-SMB2 3.2.4.2 for the order of connection, session set-up
and tree connect; MS-ERREF 2.3.1 for the statuses.

Event 31001 is a failure of the client's own InitializeSecurityContext: a published record of one
has the status of a refused logon because there were no credentials to send
(SEC_E_NO_CREDENTIALS). Only where its security status is no failure did a server refuse the logon.
"""

from collections.abc import Callable, Mapping

from smbrare.records.fields import keyword, long
from smbrare.sources.activities.remote import remote_rules
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.windows_event import RECORD, TableByShape, WindowsEvent, data_rules

CHANNELS = "microsoft-windows-smbclient/"
"""How the names of its channels begin."""

_LOGON_REFUSED = {
    0xC0000022: "STATUS_ACCESS_DENIED",
    0xC0000064: "STATUS_NO_SUCH_USER",
    0xC000006A: "STATUS_WRONG_PASSWORD",
    0xC000006D: "STATUS_LOGON_FAILURE",
    0xC000006E: "STATUS_ACCOUNT_RESTRICTION",
    0xC000006F: "STATUS_INVALID_LOGON_HOURS",
    0xC0000070: "STATUS_INVALID_WORKSTATION",
    0xC0000071: "STATUS_PASSWORD_EXPIRED",
    0xC0000072: "STATUS_ACCOUNT_DISABLED",
    0xC000015B: "STATUS_LOGON_TYPE_NOT_GRANTED",
    0xC0000193: "STATUS_ACCOUNT_EXPIRED",
    0xC0000224: "STATUS_PASSWORD_MUST_CHANGE",
    0xC0000234: "STATUS_ACCOUNT_LOCKED_OUT",
}
_SHARE_REFUSED = {
    0xC0000022: "STATUS_ACCESS_DENIED",
    0xC00000CA: "STATUS_NETWORK_ACCESS_DENIED",
    0xC00000CB: "STATUS_BAD_DEVICE_TYPE",
    0xC00000CC: "STATUS_BAD_NETWORK_NAME",
}
"""A server answers so to who asks for a share in a session."""

_FAILED = 0x8000_0000
_ALL_BITS = 0xFFFF_FFFF


def _status(value: object) -> int | str:
    """Return a status as a number, whether it is written so, in hex or signed; else its name."""
    text = keyword(value).strip()
    try:
        return (int(text, 16) if text.lower().startswith("0x") else long(text)) & _ALL_BITS
    except ValueError:
        return text.upper()


def _if_status(known: Mapping[int, str], shown: str) -> Callable[[object], str | None]:
    """Return a conversion that gives what some statuses show, and nothing for others."""
    statuses = {*known, *known.values()}
    return lambda value: shown if _status(value) in statuses else None


def _is_sent(security_status: object) -> str | None:
    """Return ``sent`` for the security package's success; its failures have the highest bit set."""
    status = _status(security_status)
    return "sent" if isinstance(status, int) and status < _FAILED else None


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
