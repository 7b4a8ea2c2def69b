"""Synthetic events as Elastic Defend writes them."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.network import Connection, Host, Network, hexadecimal

Event = dict[str, Any]

HASHES = {"md5": 128, "sha1": 160, "sha256": 256}
"""Hashes that a process event carries, and their bits."""


def iso(time: datetime, digits: int) -> str:
    """Return a time in UTC with 3, 6 or 7 fraction digits; the seventh is always 7."""
    text = f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}"
    return f"{text}7Z" if digits == 7 else f"{text[: 20 + digits]}Z"  # noqa: PLR2004 - 100 ns


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
