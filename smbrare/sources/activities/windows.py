"""Raw Windows events: Sysmon's and the Security log's, NTLM's audit, and the SMB client's.

Sources: the manifests of the providers, by the names of EventData in Sysmon event 1, Security
events 4624, 4647, 4688, 5140 and 5145, Microsoft-Windows-NTLM event 8001 and SMBClient's events.
"""

from collections.abc import Mapping

from smbrare.records.read_options import ReadOptions
from smbrare.sources.activities.activity import ActivityKind, logon_type
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import View, account_domain, account_name, utc
from smbrare.sources.windows_event import RECORD, TableByShape, WindowsEvent, data_rules

_NTLM_CHANNEL = "microsoft-windows-ntlm/operational"
_SMB_CLIENT = "microsoft-windows-smbclient/"
_SYSMON_DNS = 22


def _data(*names: str) -> tuple[FieldRule, ...]:
    return tuple(FieldRule(f"data.{name}") for name in names)


_EVENTS: Mapping[tuple[str, int], tuple[ActivityKind, FieldTable]] = {
    ("sysmon", 1): (
        "process",
        {
            "@timestamp": (*data_rules("UtcTime", utc), *RECORD["@timestamp"]),
            "what": data_rules("Image"),
            "detail": data_rules("CommandLine"),
            "parent": data_rules("ParentImage"),
            "account": data_rules("User", account_name),
            "domain": data_rules("User", account_domain),
        },
    ),
    ("security", 4688): (
        "process",
        {
            "what": _data("NewProcessName"),
            "detail": _data("CommandLine"),
            "parent": _data("ParentProcessName"),
            # Who it runs as stands in Target only where that is not who started it.
            "account": _data("TargetUserName", "SubjectUserName"),
            "domain": _data("TargetDomainName", "SubjectDomainName"),
        },
    ),
    ("security", 4624): (
        "logon",
        {
            "what": (FieldRule("data.LogonType", logon_type),),
            "detail": _data("IpAddress"),
            "account": _data("TargetUserName"),
            "domain": _data("TargetDomainName"),
        },
    ),
    ("security", 4647): (
        "logoff",
        {
            "what": (FieldRule(constant="Logoff"),),
            "account": _data("TargetUserName"),
            "domain": _data("TargetDomainName"),
        },
    ),
    **{
        ("security", number): (
            "share",
            {
                "what": _data("ShareName"),
                "detail": _data("RelativeTargetName"),
                "parent": _data("IpAddress"),
                "account": _data("SubjectUserName"),
                "domain": _data("SubjectDomainName"),
            },
        )
        for number in (5140, 5145)
    },
    ("ntlm", 8001): (
        "ntlm",
        {
            "what": _data("TargetName"),
            "parent": _data("ProcessName"),
            "account": _data("ClientUserName"),
            "domain": _data("ClientDomainName"),
        },
    ),
}
_SMB: FieldTable = {
    "what": _data("ServerName", "ShareName"),
    "detail": (FieldRule("event_id", lambda number: f"event {number}"),),
    "account": _data("UserName"),
}

_PLACED = {key: (kind, TableByShape({**RECORD, **table})) for key, (kind, table) in _EVENTS.items()}
_SMB_PLACED = TableByShape({**RECORD, **_SMB})


def is_dns(event: WindowsEvent) -> bool:
    """Return whether an event is Sysmon's of a DNS query."""
    return event.event_id == _SYSMON_DNS and event.is_sysmon


def read(event: WindowsEvent, options: ReadOptions) -> tuple[ActivityKind, View] | None:
    """Return the kind and view of an event; None if these tables do not read its kind."""
    if event.channel.startswith(_SMB_CLIENT):
        return "smb", _view(event, _SMB_PLACED[event.shape], options)
    if event.channel == _NTLM_CHANNEL:
        log = "ntlm"
    else:
        log = "sysmon" if event.is_sysmon else "security" if event.is_security else ""
    if event.event_id is None or (log, event.event_id) not in _PLACED:
        return None
    kind, tables = _PLACED[log, event.event_id]
    return kind, _view(event, tables[event.shape], options)


def _view(event: WindowsEvent, table: FieldTable, options: ReadOptions) -> View:
    return event.layout("", "", table).view(event.document, options)
