"""Events of a host besides its connections, in the forms that exporters write them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from smbrare.records.event import Document
from tests.support.container_world import read
from tests.support.evtx_writer import evtx

TIME = "2026-11-16T07:59:30.000Z"
HOST = "WS-01"


def windows(
    channel: str, number: int, data: dict[str, Any], *, time: str = TIME, host: str = HOST
) -> dict[str, Any]:
    """Return a raw event as Winlogbeat writes it."""
    return {
        "@timestamp": time,
        "winlog": {
            "channel": channel,
            "event_id": str(number),
            "computer_name": host,
            "event_data": data,
        },
    }


def security(number: int, data: dict[str, Any], **where: Any) -> dict[str, Any]:
    """Return an event of the Security log."""
    return windows("Security", number, data, **where)


def logon(user: str = "alice", logon_type: str = "2", **where: Any) -> dict[str, Any]:
    """Return a logon (4624)."""
    data = {
        "TargetUserName": user,
        "TargetDomainName": "CORP",
        "LogonType": logon_type,
        "IpAddress": "10.20.1.99",
    }
    return security(4624, data, **where)


def logoff(user: str = "alice", **where: Any) -> dict[str, Any]:
    """Return a logoff that the user asked for (4647)."""
    return security(4647, {"TargetUserName": user, "TargetDomainName": "CORP"}, **where)


def process(
    image: str = "C:\\Office\\OUTLOOK.EXE", user: str = "CORP\\alice", **where: Any
) -> dict[str, Any]:
    """Return a process start (Sysmon 1)."""
    time = where.get("time", TIME)
    data = {
        "UtcTime": time.replace("T", " ").removesuffix("Z"),
        "Image": image,
        "CommandLine": f'"{image}" /recycle',
        "User": user,
        "ParentImage": "C:\\Windows\\explorer.exe",
    }
    return windows("Microsoft-Windows-Sysmon/Operational", 1, data, **where)


def defender(table: str, **row: Any) -> dict[str, Any]:
    """Return a streaming record of Defender XDR."""
    return {
        "category": f"AdvancedHunting-{table}",
        "properties": {"Timestamp": TIME, "DeviceName": "ws-01.corp.example", **row},
    }


def mapped(category: str, **fields: Any) -> dict[str, Any]:
    """Return an ECS document."""
    return {
        "@timestamp": TIME,
        "host": {"name": HOST},
        "event.category": [category],
        "user": {"name": "alice", "domain": "CORP"},
        **fields,
    }


def exposed(text: str, destination: str) -> list[dict[str, Any]]:
    """Return a file and NTLM that prove a logon to a destination, with a text where one fits."""
    ntlm = {
        "TargetName": f"cifs/{destination}",
        "ClientUserName": text,
        "ClientDomainName": text,
        "ProcessName": text,
    }
    file = {"TargetFilename": f"C:\\{text}.library-ms", "Image": text, "User": text}
    return [
        windows("Microsoft-Windows-NTLM/Operational", 8001, ntlm, host=text),
        windows("Microsoft-Windows-Sysmon/Operational", 11, file, host=text),
    ]


def evtx_document(channel: str, number: int, data: Mapping[str, str]) -> Document:
    """Return the record of an EVTX file that holds one event."""
    system = {"EventID": str(number), "Channel": channel, "SystemTime": TIME}
    (document,) = read(evtx([{**system, **data}])).documents
    return document


def _xml(channel: str, number: int, data: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Event": {
            "System": {
                "EventID": number,
                "Channel": channel,
                "Computer": HOST,
                "TimeCreated": {"#attributes": {"SystemTime": TIME}},
            },
            "EventData": dict(data),
        }
    }


def _evtxecmd(channel: str, number: int, data: Mapping[str, str]) -> dict[str, Any]:
    named = [{"@Name": name, "#text": text} for name, text in data.items()]
    return {
        "EventId": number,
        "Channel": channel,
        "Provider": channel.partition("/")[0],
        "Computer": HOST,
        "TimeCreated": TIME.removesuffix("Z"),
        "Payload": json.dumps({"EventData": {"Data": named}}),
    }


def _columns(channel: str, number: int, data: Mapping[str, str]) -> dict[str, Any]:
    return {"EventID": number, "Channel": channel, "Computer": HOST, "TimeGenerated": TIME} | {
        "EventData": "<EventData>"
        + "".join(f'<Data Name="{name}">{text}</Data>' for name, text in data.items())
        + "</EventData>"
    }


def _wazuh(channel: str, number: int, data: Mapping[str, str]) -> dict[str, Any]:
    system = {"eventID": str(number), "channel": channel, "computer": HOST, "systemTime": TIME}
    named = {name[:1].lower() + name[1:]: text for name, text in data.items()}
    return {"data": {"win": {"system": system, "eventdata": named}}}


SHAPES: Mapping[str, Callable[[str, int, dict[str, str]], Document]] = {
    "EVTX": evtx_document,
    "JSON of the XML": _xml,
    "Winlogbeat": windows,
    "EvtxECmd": _evtxecmd,
    "a column of XML": _columns,
    "NXLog": lambda channel, number, data: {
        "EventID": number,
        "Channel": channel,
        "Hostname": HOST,
        "EventTime": TIME,
        **data,
    },
    "Velociraptor": lambda channel, number, data: {
        "System": {
            "EventID": {"Value": number},
            "Channel": channel,
            "Computer": HOST,
            "TimeCreated": {"SystemTime": 1794815970},
        },
        "EventData": data,
    },
    "Wazuh": _wazuh,
}
"""Whose record → how it is written there: by channel, number and EventData."""
