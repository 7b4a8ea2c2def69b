"""What a host's other events tell, in every form that the tables read."""

import json
from pathlib import Path
from typing import Any

import pytest

from smbrare.records.event import Origin
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import date
from smbrare.sources.activities import LONGEST, activity, read
from smbrare.sources.activities.activity import Activity
from tests.support.activities import (
    HOST,
    TIME,
    defender,
    logoff,
    logon,
    mapped,
    process,
    security,
    windows,
)

FULL = "ws-01.corp.example"
OUTLOOK, EXPLORER = "C:\\Office\\OUTLOOK.EXE", "C:\\Windows\\explorer.exe"
COMMAND = f'"{OUTLOOK}" /recycle'
ORIGIN = Origin("events.ndjson", 1)
ROGUE = {"server": "45.83.122.10", "address": "45.83.122.10"}


def told(document: dict[str, Any]) -> Activity | None:
    found = read(document, ReadOptions())
    return None if found is None else activity(*found, ORIGIN)


def expected(kind: Any, host: str = HOST, **told_besides: Any) -> Activity:
    besides: dict[str, Any] = {"user": "CORP\\alice", "origin": ORIGIN} | told_besides
    return Activity(date(TIME).time, kind, host, **besides)


EVENT_XML = {
    "Event": {
        "System": {
            "EventID": 4624,
            "Channel": "Security",
            "Computer": HOST,
            "TimeCreated": {"#attributes": {"SystemTime": TIME}},
        },
        "EventData": {
            "TargetUserName": "alice",
            "TargetDomainName": "CORP",
            "LogonType": 10,
            "IpAddress": "10.20.1.99",
        },
    }
}

FORMS: dict[str, tuple[dict[str, Any], Activity]] = {
    "Sysmon 1": (process(), expected("process", what=OUTLOOK, detail=COMMAND, parent=EXPLORER)),
    "Sysmon 1 in a message": (
        {
            "Id": 1,
            "LogName": "Microsoft-Windows-Sysmon/Operational",
            "MachineName": HOST,
            "TimeCreated": TIME,
            "Message": "Process Create:\r\nUtcTime: 2026-11-16 07:59:30.000\r\n"
            f"Image: {OUTLOOK}\r\nCommandLine: {COMMAND}\r\n"
            f"User: CORP\\alice\r\nParentImage: {EXPLORER}\r\n",
        },
        expected("process", what=OUTLOOK, detail=COMMAND, parent=EXPLORER),
    ),
    "Security 4688": (
        security(
            4688,
            {
                "NewProcessName": OUTLOOK,
                "CommandLine": COMMAND,
                "ParentProcessName": EXPLORER,
                "SubjectUserName": "alice",
                "SubjectDomainName": "CORP",
                "TargetUserName": "-",
                "TargetDomainName": "-",
            },
        ),
        expected("process", what=OUTLOOK, detail=COMMAND, parent=EXPLORER),
    ),
    "Security 4624": (logon(), expected("logon", what="Interactive", detail="10.20.1.99")),
    "Security 4624 as JSON of its XML": (
        EVENT_XML,
        expected("logon", what="RemoteInteractive", detail="10.20.1.99"),
    ),
    "Security 4647": (logoff(), expected("logoff", what="Logoff")),
    "Security 5145": (
        security(
            5145,
            {
                "ShareName": "\\\\*\\IPC$",
                "RelativeTargetName": "srvsvc",
                "IpAddress": "10.20.1.99",
                "SubjectUserName": "alice",
                "SubjectDomainName": "CORP",
            },
        ),
        expected("share", what="\\\\*\\IPC$", detail="srvsvc", parent="10.20.1.99"),
    ),
    "NTLM 8001": (
        windows(
            "Microsoft-Windows-NTLM/Operational",
            8001,
            {
                "TargetName": "cifs/45.83.122.10",
                "ProcessName": "System",
                "ClientUserName": "alice",
                "ClientDomainName": "CORP",
            },
        ),
        expected(
            "ntlm", what="cifs/45.83.122.10", parent="System", shows="authentication", **ROGUE
        ),
    ),
    "SMB client 30803": (
        windows(
            "Microsoft-Windows-SmbClient/Connectivity", 30803, {"ServerName": "\\45.83.122.10"}
        ),
        expected(
            "smb",
            user="",
            what="\\45.83.122.10",
            detail="event 30803",
            shows="attempt",
            outcome="failure",
            **ROGUE,
        ),
    ),
    "SMB client 31001": (
        windows(
            "Microsoft-Windows-SmbClient/Security",
            31001,
            {"ServerName": "\\45.83.122.10", "UserName": "CORP\\alice"},
        ),
        expected(
            "smb",
            what="\\45.83.122.10",
            detail="event 31001",
            shows="attempt",
            outcome="failure",
            **ROGUE,
        ),
    ),
    "Sysmon 22": (
        windows(
            "Microsoft-Windows-Sysmon/Operational",
            22,
            {
                "UtcTime": "2026-11-16 07:59:30.000",
                "QueryName": "files.example",
                "QueryResults": "::ffff:45.83.122.10;",
                "User": "CORP\\alice",
            },
        ),
        expected("dns", what="files.example", detail="::ffff:45.83.122.10;"),
    ),
    "Defender, a process": (
        defender(
            "DeviceProcessEvents",
            ActionType="ProcessCreated",
            FolderPath=OUTLOOK,
            ProcessCommandLine=COMMAND,
            InitiatingProcessFolderPath=EXPLORER,
            AccountName="alice",
            AccountDomain="CORP",
        ),
        expected("process", host=FULL, what=OUTLOOK, detail=COMMAND, parent=EXPLORER),
    ),
    "Defender, a logon": (
        defender(
            "DeviceLogonEvents",
            ActionType="LogonSuccess",
            LogonType="CachedInteractive",
            AccountName="alice",
            AccountDomain="CORP",
        ),
        expected("logon", host=FULL, what="CachedInteractive"),
    ),
    "Defender, a row": (
        {
            "Timestamp": TIME,
            "DeviceName": FULL,
            "ActionType": "LogonSuccess",
            "LogonType": "Unlock",
            "AccountName": "alice",
            "AccountDomain": "CORP",
        },
        expected("logon", host=FULL, what="Unlock"),
    ),
    "Elastic Defend, a process": (
        mapped(
            "process",
            **{
                "event.type": ["start"],
                "process": {
                    "executable": OUTLOOK,
                    "command_line": COMMAND,
                    "parent": {"executable": EXPLORER},
                },
            },
        ),
        expected("process", what=OUTLOOK, detail=COMMAND, parent=EXPLORER),
    ),
    "Elastic Defend, a logon": (
        mapped(
            "authentication",
            **{
                "event.action": "log_on",
                "event.outcome": "success",
                "process.Ext.session_info.logon_type": "RemoteInteractive",
            },
        ),
        expected("logon", what="RemoteInteractive"),
    ),
    "a 4624 that a pipeline mapped": (
        mapped(
            "authentication",
            **{"event.code": "4624", "winlog": {"channel": "Security", "logon.type": "Unlock"}},
        ),
        expected("logon", what="Unlock"),
    ),
    "a 5140 that a pipeline mapped": (
        mapped(
            "network",
            **{
                "event.code": "5140",
                "source.ip": "10.20.1.99",
                "winlog.event_data.ShareName": "\\\\*\\C$",
            },
        ),
        expected("share", what="\\\\*\\C$", parent="10.20.1.99"),
    ),
    "an ECS DNS event": (
        mapped(
            "network",
            **{"dns.question.name": "files.example", "dns.resolved_ip": ["45.83.122.10"]},
        ),
        expected("dns", what="files.example", detail="45.83.122.10"),
    ),
}


@pytest.mark.parametrize(("document", "tells"), FORMS.values(), ids=FORMS.keys())
def test_every_form_tells_what_happened_and_who_did_it(
    document: dict[str, Any], tells: Activity
) -> None:
    assert told(document) == tells


NOTHING = {
    "a logon of a service": logon(logon_type="5"),
    "a failed logon of Defender": defender("DeviceLogonEvents", ActionType="LogonFailed"),
    "a failed logon of a pipeline": mapped(
        "authentication", **{"event.code": "4624", "event.outcome": "failure"}
    ),
    "an end of a process": mapped("process", **{"event.type": ["end"]}),
    "event 1 of another channel": windows("Application", 1, {"Image": OUTLOOK}),
    "another Security event": security(4672, {"SubjectUserName": "alice"}),
    "an event without a time": {**process(), "@timestamp": None, "winlog": {}},
    "a connection": mapped("network"),
    "nothing known": {"a": 1},
}


@pytest.mark.parametrize("document", NOTHING.values(), ids=NOTHING.keys())
def test_other_events_tell_nothing(document: dict[str, Any]) -> None:
    assert told(document) is None


def test_a_long_command_line_is_cut_and_says_so() -> None:
    event = process()
    event["winlog"]["event_data"]["CommandLine"] = "x" * (LONGEST + 1)
    found = told(event)
    assert found is not None
    assert found.detail == "x" * LONGEST + "…"


def test_published_logs_tell_processes_logons_and_shares(shared: Path) -> None:
    lines = (shared / "m365_defender" / "test-device.log").read_text().splitlines()
    rows = [found for line in lines if (found := told(json.loads(line))) is not None]
    assert {(each.kind, each.user) for each in rows} >= {
        ("process", "corporatedomain\\janebloggs"),
        ("logon", "azuread\\system"),
    }
    lines = (shared / "winlogbeat" / "winlogbeat-7.4-small.ndjson").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    kinds = {each.kind for each in (told(one.get("_source", one)) for one in events) if each}
    assert kinds >= {"logon", "share"}
