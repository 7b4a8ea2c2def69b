"""Synthetic Sysmon events: as Winlogbeat sends them, after its pipeline, and out of evtx_dump."""

from datetime import datetime, timedelta
from typing import Any

from bench.defend import HASHES, Event, iso
from bench.network import Connection, Host, Network, guid, hexadecimal

SMB = 445
SYSMON = "Microsoft-Windows-Sysmon"
SYSMON_CHANNEL = f"{SYSMON}/Operational"
SYSMON_GUID = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"


def _utc(time: datetime) -> str:
    return iso(time, 3)[:-1].replace("T", " ")


def sysmon_data(network: Network, connection: Connection, time: datetime) -> dict[str, str]:
    """Return the EventData of Sysmon's event 3, its values as text."""
    return {
        "RuleName": "-",
        "UtcTime": _utc(time),
        "ProcessGuid": guid(network.random),
        "ProcessId": str(connection.pid),
        "Image": connection.executable,
        "User": f"{connection.domain}\\{connection.user}",
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIsIpv6": "false",
        "SourceIp": connection.host.ip,
        "SourceHostname": f"{connection.host.name}.corp.example",
        "SourcePort": str(connection.source_port),
        "SourcePortName": "-",
        "DestinationIsIpv6": "false",
        "DestinationIp": connection.destination,
        "DestinationHostname": "-",
        "DestinationPort": str(connection.port),
        "DestinationPortName": "microsoft-ds" if connection.port == SMB else "-",
    }


def process_data(network: Network, connection: Connection, time: datetime) -> dict[str, str]:
    """Return the EventData of Sysmon's event 1, its values as text."""
    random = network.random
    hashes = ",".join(f"{n.upper()}={hexadecimal(random, b).upper()}" for n, b in HASHES.items())
    return {
        "RuleName": "-",
        "UtcTime": _utc(time),
        "ProcessGuid": guid(random),
        "ProcessId": str(random.randrange(400, 20000) & ~3),
        "Image": connection.executable,
        "FileVersion": "10.0.22621.1 (WinBuild.160101.0800)",
        "CommandLine": f'"{connection.executable}" -k netsvcs -p -s {random.randrange(10**5)}',
        "CurrentDirectory": "C:\\Windows\\system32\\",
        "User": f"{connection.domain}\\{connection.user}",
        "LogonId": f"0x{random.getrandbits(24):x}",
        "IntegrityLevel": "System",
        "Hashes": hashes,
        "ParentProcessGuid": guid(random),
        "ParentProcessId": str(random.randrange(400, 20000) & ~3),
        "ParentImage": "C:\\Windows\\System32\\services.exe",
    }


def _winlog(network: Network, host: Host, event_id: int, data: dict[str, str]) -> Event:
    return {
        "channel": SYSMON_CHANNEL,
        "provider_name": SYSMON,
        "provider_guid": SYSMON_GUID,
        "event_id": str(event_id),
        "computer_name": f"{host.name}.corp.example",
        "record_id": network.next_record(host),
        "api": "wineventlog",
        "opcode": "Info",
        "version": 5,
        "process": {"pid": 2044, "thread": {"id": 3636}},
        "user": {"identifier": "S-1-5-18", "name": "SYSTEM", "domain": "NT AUTHORITY"},
        "event_data": data,
    }


def _beat(network: Network, time: datetime, code: int, winlog: Event, /, **more: Any) -> Event:
    return {
        "@timestamp": iso(time, 3),
        "agent": {
            "id": network.collector.agent,
            "name": network.collector.name,
            "type": "winlogbeat",
            "version": "8.15.0",
        },
        "ecs": {"version": "8.0.0"},
        "log": {"level": "information"},
        "winlog": winlog,
        "event": {"code": str(code), "kind": "event", "provider": SYSMON, **more.pop("event", {})},
        **more,
    }


def _message(title: str, data: dict[str, str]) -> str:
    return "\n".join((f"{title}:", *(f"{name}: {value}" for name, value in data.items())))


def beat_network(network: Network, connection: Connection, time: datetime) -> Event:
    """Return Sysmon's event 3 as Winlogbeat sends it, before any ingest pipeline."""
    data = sysmon_data(network, connection, time)
    return _beat(
        network,
        time + timedelta(milliseconds=network.random.randrange(200, 3000)),
        3,
        _winlog(network, connection.host, 3, data),
        host={"name": network.collector.name},
        message=_message("Network connection detected", data),
    )


def beat_process(network: Network, connection: Connection, time: datetime) -> Event:
    """Return Sysmon's event 1 as Winlogbeat sends it, before any ingest pipeline."""
    data = process_data(network, connection, time)
    return _beat(
        network,
        time + timedelta(milliseconds=network.random.randrange(200, 3000)),
        1,
        _winlog(network, connection.host, 1, data),
        host={"name": network.collector.name},
    )


def beat_mapped(network: Network, connection: Connection, time: datetime) -> Event:
    """Return Sysmon's event 3 after Winlogbeat's ingest pipeline."""
    host = connection.host
    return _beat(
        network,
        time,
        3,
        _winlog(network, host, 3, {"RuleName": "-", "SourceHostname": host.name}),
        event={
            "action": "Network connection detected (rule: NetworkConnect)",
            "category": ["network"],
            "type": ["start", "connection", "protocol"],
            "module": "sysmon",
            "ingested": iso(time + timedelta(seconds=30), 3),
        },
        host={"name": f"{host.name}.corp.example", "os": {"type": "windows"}},
        process={
            "pid": connection.pid,
            "entity_id": guid(network.random),
            "executable": connection.executable,
        },
        user={"domain": connection.domain, "name": connection.user, "id": "S-1-5-18"},
        source={"ip": host.ip, "port": connection.source_port},
        destination={"ip": connection.destination, "port": connection.port},
        network={"transport": "tcp", "type": "ipv4", "direction": "egress"},
    )


def _dumped(network: Network, host: Host, time: datetime, event_id: int, data: Event) -> Event:
    return {
        "Event": {
            "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {
                "Provider": {"#attributes": {"Name": SYSMON, "Guid": SYSMON_GUID[1:-1].upper()}},
                "EventID": event_id,
                "Version": 5,
                "Level": 4,
                "Task": event_id,
                "Opcode": 0,
                "Keywords": "0x8000000000000000",
                "TimeCreated": {"#attributes": {"SystemTime": iso(time, 6)}},
                "EventRecordID": network.next_record(host),
                "Correlation": None,
                "Execution": {"#attributes": {"ProcessID": 3236, "ThreadID": 4064}},
                "Channel": SYSMON_CHANNEL,
                "Computer": f"{host.name}.corp.example",
                "Security": {"#attributes": {"UserID": "S-1-5-18"}},
            },
            "EventData": data,
        }
    }


def dumped_network(network: Network, connection: Connection, time: datetime) -> Event:
    """Return Sysmon's event 3 as evtx_dump prints it: numbers are numbers."""
    data: Event = dict(sysmon_data(network, connection, time))
    data |= {name: int(data[name]) for name in ("ProcessId", "SourcePort", "DestinationPort")}
    data["Initiated"] = True
    return _dumped(network, connection.host, time, 3, data)


def dumped_process(network: Network, connection: Connection, time: datetime) -> Event:
    """Return Sysmon's event 1 as evtx_dump prints it."""
    return _dumped(network, connection.host, time, 1, dict(process_data(network, connection, time)))
