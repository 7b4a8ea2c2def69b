"""Synthetic events as the exporters write them, for measurements.

Every shape is a function of a network, a connection and a time; nothing in it is a real host,
person or trace. Public addresses are data: the rule excludes the documentation ranges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.network import Connection, Host, Network, guid, hexadecimal

Event = dict[str, Any]

SYSMON = "Microsoft-Windows-Sysmon"
SYSMON_CHANNEL = f"{SYSMON}/Operational"
SYSMON_GUID = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"


def iso(time: datetime, digits: int) -> str:
    """Return a time in UTC with 3, 6 or 7 fraction digits; the seventh is always 7."""
    text = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}"
    return f"{text}7Z" if digits == 7 else f"{text[: 20 + digits]}Z"  # noqa: PLR2004 - 100 ns


def _utc(time: datetime) -> str:
    return iso(time, 3)[:-1].replace("T", " ")


def _entity_id(random: Random) -> str:
    """Return base64-like text of the length of Elastic Defend's process entity ids."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(random.choices(alphabet, k=82)) + "=="


def _defend(random: Random, host: Host, time: datetime, category: str, /, **more: Any) -> Event:
    return {
        "agent": {"id": host.agent, "type": "endpoint", "version": "8.15.0"},
        "@timestamp": iso(time, 7),
        "ecs": {"version": "8.10.0"},
        "data_stream": {
            "namespace": "default",
            "type": "logs",
            "dataset": f"endpoint.events.{category}",
        },
        "host": {
            "hostname": host.name,
            "name": host.name,
            "id": host.id,
            "ip": [host.ip, "127.0.0.1", "::1"],
            "mac": [host.mac],
            "architecture": "x86_64",
            "os": {
                "type": "windows",
                "platform": "windows",
                "name": "Windows",
                "family": "windows",
                "full": "Windows 11 Enterprise 23H2 (10.0.22631.3880)",
                "kernel": "23H2 (10.0.22631.3880)",
            },
        },
        "event": {
            "agent_id_status": "verified",
            "sequence": random.randrange(10**6),
            "ingested": iso(time + timedelta(seconds=random.randrange(5, 90)), 3)[:19] + "Z",
            "created": iso(time, 7),
            "kind": "event",
            "module": "endpoint",
            "dataset": f"endpoint.events.{category}",
            "id": f"N{random.getrandbits(60):015x}+++++{random.randrange(1000):03d}",
            "category": [category],
            "outcome": "success",
            **more.pop("event"),
        },
        "message": f"Endpoint {category} event",
        **more,
    }


def _process(random: Random, connection: Connection) -> Event:
    return {
        "pid": connection.pid,
        "entity_id": _entity_id(random),
        "name": connection.executable.rpartition("\\")[2],
        "executable": connection.executable,
    }


def defend_network(network: Network, connection: Connection, time: datetime) -> Event:
    """Return a connection as Elastic Defend writes it."""
    random = network.random
    return _defend(
        random,
        connection.host,
        time,
        "network",
        event={"action": "connection_attempted", "type": ["start"]},
        user={"domain": connection.domain, "name": connection.user, "id": "S-1-5-18"},
        process=_process(random, connection),
        source={
            "address": connection.host.ip,
            "ip": connection.host.ip,
            "port": connection.source_port,
        },
        destination={
            "address": connection.destination,
            "ip": connection.destination,
            "port": connection.port,
        },
        network={
            "transport": "tcp",
            "type": "ipv4",
            "direction": "egress",
            "community_id": f"1:{random.getrandbits(120):030x}=",
        },
    )


def defend_process(network: Network, connection: Connection, time: datetime) -> Event:
    """Return the start of a process as Elastic Defend writes it."""
    random = network.random
    return _defend(
        random,
        connection.host,
        time,
        "process",
        event={"action": "start", "type": ["start"]},
        user={"domain": connection.domain, "name": connection.user},
        process={
            **_process(random, connection),
            "args": [connection.executable, "--type=utility", f"--mojo={random.getrandbits(60)}"],
            "hash": {name: hexadecimal(random, bits) for name, bits in HASHES.items()},
            "parent": {"pid": random.randrange(400, 20000) & ~3, "entity_id": _entity_id(random)},
        },
    )


HASHES = {"md5": 128, "sha1": 160, "sha256": 256}


def defend_file(network: Network, connection: Connection, time: datetime) -> Event:
    """Return the creation of a file as Elastic Defend writes it."""
    random = network.random
    name = f"{hexadecimal(random, 64)}.tmp"
    return _defend(
        random,
        connection.host,
        time,
        "file",
        event={"action": "creation", "type": ["creation"]},
        user={"domain": connection.domain, "name": connection.user},
        process=_process(random, connection),
        file={
            "name": name,
            "extension": "tmp",
            "path": f"C:\\Users\\{connection.user}\\AppData\\Local\\Temp\\{name}",
            "size": random.randrange(10**6),
        },
    )


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


SMB = 445


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


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of line.

    Attributes:
        build: Writes an event.
        weight: Its share of all lines, in percent.
        unit: Microseconds between the times that it can express.
        network: Whether it holds the connection, so that it can match the rule.
    """

    build: Callable[[Network, Connection, datetime], Event]
    weight: int
    unit: int
    network: bool


SHAPES = (
    Shape(defend_network, 24, 1, network=True),
    Shape(defend_process, 12, 1, network=False),
    Shape(defend_file, 16, 1, network=False),
    Shape(beat_network, 10, 1000, network=True),
    Shape(beat_process, 10, 1000, network=False),
    Shape(beat_mapped, 14, 1000, network=True),
    Shape(dumped_network, 8, 1000, network=True),
    Shape(dumped_process, 6, 1000, network=False),
)
