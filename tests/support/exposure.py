"""Writes fixtures/exposure.ndjson: what made three hosts speak SMB to the Internet, and what came.

Run ``python -m tests.support.exposure`` after a change here; a test checks that the file is
current. No public log holds these events beside a connection: they follow the providers' manifests.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.activities import defender, windows

FILE = Path(__file__).parents[2] / "fixtures" / "exposure.ndjson"
ROGUE, ROGUE_TWO, ROGUE_THREE = "45.83.122.10", "91.219.236.18", "185.220.101.4"

_SYSMON = "Microsoft-Windows-Sysmon/Operational"
_NTLM = "Microsoft-Windows-NTLM/Operational"
_CONNECTIVITY = "Microsoft-Windows-SmbClient/Connectivity"
_CLIENT_SECURITY = "Microsoft-Windows-SmbClient/Security"
_LURE = "C:\\Users\\alice\\Downloads\\invoice.library-ms"
_CHROME = {"Image": "C:\\Program Files\\Google\\Chrome\\chrome.exe", "User": "CORP\\alice"}


def _event(time: str, host: str, channel: str, number: int, data: dict[str, str]) -> dict[str, Any]:
    iso = f"2026-11-16T{time}.000Z"
    if channel == _SYSMON:
        data = {"UtcTime": iso[:-1].replace("T", " "), **data}
    return {**windows(channel, number, data, time=iso, host=host), "agent": {"type": "winlogbeat"}}


def _connection(time: str, host: str, source: str, to: str) -> dict[str, Any]:
    data = {
        "ProcessId": "4",
        "Image": "System",
        "User": "NT AUTHORITY\\SYSTEM",
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIp": source,
        "SourcePort": "50123",
        "DestinationIp": to,
        "DestinationPort": "445",
    }
    return _event(time, host, _SYSMON, 3, data)


def events() -> list[dict[str, Any]]:
    """Return the events of a host that sent NTLM, of one that failed, and of one without Sysmon."""
    sockets = {ROGUE: "2D537A0A", ROGUE_TWO: "5BDBEC12", ROGUE_THREE: "B9DC6504"}
    socket = {to: f"020001BD{address}{'0' * 16}" for to, address in sockets.items()}
    mark = f"[ZoneTransfer]  ZoneId=3  HostUrl=https://{ROGUE}/invoice.zip"
    cookie = f"rundll32.exe C:\\Windows\\system32\\davclnt.dll,DavSetCookie {ROGUE_TWO}@80"
    return [
        _event("08:41:10", "WS-21", _SYSMON, 11, {"TargetFilename": _LURE, **_CHROME}),
        _event(
            "08:41:11",
            "WS-21",
            _SYSMON,
            15,
            {"TargetFilename": f"{_LURE}:Zone.Identifier", "Contents": mark, **_CHROME},
        ),
        _connection("08:59:58", "WS-21", "10.20.1.21", ROGUE),
        _event(
            "08:59:59",
            "WS-21",
            _NTLM,
            8001,
            {
                "TargetName": f"cifs/{ROGUE}",
                "UserName": "(NULL)",
                "DomainName": "(NULL)",
                "CallerPID": "4",
                "ClientUserName": "alice",
                "ClientDomainName": "CORP",
            },
        ),
        _event(
            "09:00:20",
            "WS-21",
            _CONNECTIVITY,
            30804,
            {"ServerName": f"\\{ROGUE}", "Address": socket[ROGUE], "ConnectionType": "1"},
        ),
        _connection("09:10:00", "WS-22", "10.20.1.22", ROGUE_TWO),
        _event(
            "09:10:21",
            "WS-22",
            _CONNECTIVITY,
            30803,
            {
                "Status": "3221225653",
                "ServerName": f"\\{ROGUE_TWO}",
                "Address": socket[ROGUE_TWO],
                "ConnectionType": "1",
            },
        ),
        {
            **defender(
                "DeviceProcessEvents",
                ActionType="ProcessCreated",
                FolderPath="C:\\Windows\\System32\\rundll32.exe",
                ProcessCommandLine=f"{cookie} http://{ROGUE_TWO}/share",
                InitiatingProcessFolderPath="C:\\Windows\\System32\\svchost.exe",
                AccountName="bob",
                AccountDomain="CORP",
            )["properties"],
            "Timestamp": "2026-11-16T09:10:23.000Z",
            "DeviceName": "ws-22.corp.example",
        },
        _event(
            "09:20:00",
            "WS-23",
            "Security",
            4648,
            {
                "SubjectUserName": "carol",
                "SubjectDomainName": "CORP",
                "TargetUserName": "svc-backup",
                "TargetDomainName": "LAB",
                "TargetServerName": ROGUE_THREE,
                "TargetInfo": f"cifs/{ROGUE_THREE}",
                "ProcessName": "C:\\Windows\\explorer.exe",
            },
        ),
        _event(
            "09:20:01",
            "WS-23",
            _CLIENT_SECURITY,
            31010,
            {"Status": "3221225676", "ShareName": f"\\{ROGUE_THREE}\\backup", "ObjectName": ""},
        ),
        _event(
            "09:21:00",
            "WS-23",
            _CONNECTIVITY,
            30805,
            {"ServerName": f"\\{ROGUE_THREE}", "Address": socket[ROGUE_THREE]},
        ),
    ]


def text() -> str:
    """Return the file."""
    return "".join(f"{json.dumps(event)}\n" for event in events())


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
