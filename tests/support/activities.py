"""Events of a host besides its connections, in the forms that exporters write them."""

from typing import Any

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
