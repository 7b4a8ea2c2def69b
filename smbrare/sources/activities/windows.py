"""Raw Windows events: Sysmon's and the Security log's, NTLM's audit, and the SMB client's.

Sources: the manifests of the providers, by the names of EventData in Sysmon events 1, 11 and 15,
Security events 4624, 4647, 4648, 4688, 5140 and 5145, and Microsoft-Windows-NTLM events 4001,
4013, 4015 and 8001; Microsoft's KB5064479 and published records for events 4020 and 4021 of
Windows 11 24H2, whose manifest is not published. 8001 audits what would be blocked, and so was
sent; 4001, 4013 and 4015 were blocked. IpAddress of 4648 is where the logon came from.
"""

from collections.abc import Mapping

from smbrare.records.fields import keyword
from smbrare.records.read_options import ReadOptions
from smbrare.sources.activities import smb_client
from smbrare.sources.activities.activity import ActivityKind, logon_type
from smbrare.sources.activities.lures import lure_of, source_url
from smbrare.sources.activities.remote import remote_rules
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import View, account_domain, account_name, utc
from smbrare.sources.windows_event import RECORD, TableByShape, WindowsEvent, data_rules

_NTLM_CHANNEL = "microsoft-windows-ntlm/operational"
_SYSMON_DNS = 22
_EXPLICIT_LOGON = 4648
_NO_VALUE = frozenset({"null", "(null)"})
_AUTHENTICATION = (FieldRule(constant="authentication"),)


def _known(value: object) -> str | None:
    """Return a text, unless it is the word with which NTLM's events mark a gap."""
    text = keyword(value)
    return None if text.lower() in _NO_VALUE else text


def _data(*names: str) -> tuple[FieldRule, ...]:
    return tuple(FieldRule(f"data.{name}") for name in names)


_NTLM: FieldTable = {
    "what": data_rules("TargetName", _known, "Target server"),
    "parent": data_rules("ProcessName", _known, "Name of client process"),
    # Whose credentials they are: those that were supplied, or else those of the process.
    "supplied.account": data_rules("UserName", _known, "Supplied user"),
    "supplied.domain": data_rules("DomainName", _known, "Supplied domain"),
    "account": data_rules("ClientUserName", _known, "User identity of client process"),
    "domain": data_rules(
        "ClientDomainName", _known, "Domain name of user identity of client process"
    ),
    **remote_rules("TargetName", labels={"TargetName": "Target server"}),
}
_BLOCKED: FieldTable = {
    "shows": (FieldRule(constant="attempt"),),
    "outcome": (FieldRule(constant="failure"),),
}
_TARGETS = ("TargetService", "TargetMachine", "TargetIP")
_NTLM_24H2: FieldTable = {
    "what": tuple(rule for name in _TARGETS for rule in data_rules(name, _known)),
    "detail": data_rules("NtlmUsageReason", _known),
    "parent": data_rules("ProcessName", _known),
    "account": data_rules("Username", _known),
    "domain": data_rules("DomainName", _known),
    "shows": _AUTHENTICATION,
    **remote_rules(*_TARGETS, sockets=("TargetIP",)),
}
_SYSMON: FieldTable = {
    "@timestamp": (*data_rules("UtcTime", utc), *RECORD["@timestamp"]),
    "account": data_rules("User", account_name),
    "domain": data_rules("User", account_domain),
}
_FILE: FieldTable = {
    **_SYSMON,
    "what": data_rules("TargetFilename", lure_of),
    "detail": data_rules("Contents", source_url),
    "parent": data_rules("Image"),
}
_EVENTS: Mapping[tuple[str, int], tuple[ActivityKind, FieldTable]] = {
    ("sysmon", 1): (
        "process",
        {
            **_SYSMON,
            "what": data_rules("Image"),
            "detail": data_rules("CommandLine"),
            "parent": data_rules("ParentImage"),
        },
    ),
    ("sysmon", 11): ("file", _FILE),
    ("sysmon", 15): ("file", _FILE),
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
    ("security", _EXPLICIT_LOGON): (
        "credentials",
        {
            # A logon to this machine names localhost, which is no remote server.
            "what": remote_rules("TargetServerName", "TargetInfo")["server"],
            "parent": _data("ProcessName"),
            "account": _data("TargetUserName"),
            "domain": _data("TargetDomainName"),
            "shows": _AUTHENTICATION,
            **remote_rules("TargetServerName", "TargetInfo"),
        },
    ),
    ("ntlm", 8001): ("ntlm", {**_NTLM, "shows": _AUTHENTICATION}),
    **{("ntlm", number): ("ntlm", {**_NTLM, **_BLOCKED}) for number in (4001, 4013, 4015)},
    **{("ntlm", number): ("ntlm", _NTLM_24H2) for number in (4020, 4021)},
}

_PLACED = {key: (kind, TableByShape({**RECORD, **table})) for key, (kind, table) in _EVENTS.items()}


def is_dns(event: WindowsEvent) -> bool:
    """Return whether an event is Sysmon's of a DNS query."""
    return event.event_id == _SYSMON_DNS and event.is_sysmon


def is_never_mapped(event: WindowsEvent) -> bool:
    """Return whether pipelines leave what is read of an event here in EventData alone."""
    if event.is_security:
        return event.event_id == _EXPLICIT_LOGON
    return event.channel == _NTLM_CHANNEL or event.channel.startswith(smb_client.CHANNELS)


def read(event: WindowsEvent, options: ReadOptions) -> tuple[ActivityKind, View] | None:
    """Return the kind and view of an event; None if these tables do not read its kind."""
    if event.channel.startswith(smb_client.CHANNELS):
        return "smb", _view(event, smb_client.table_of(event), options)
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
