"""ECS documents as the pipelines of the rule's sources leave them in Elasticsearch."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.forms import events, windows
from tests.support.forms.connection import Connection, iso
from tests.support.forms.vendors import defender_row


def _document(connection: Connection, digits: int = 3) -> dict[str, Any]:
    """Return what all pipelines agree on."""
    domain, user = connection.account
    return {
        "@timestamp": iso(connection.time, digits),
        "event": {"category": ["network"], "type": ["start"], "kind": "event"},
        "host": {"name": connection.host, "id": "host-id", "os": {"type": "windows"}},
        "user": {"name": user, "domain": domain},
        "process": {"pid": connection.pid},
        "source": {"ip": connection.source, "port": connection.source_port},
        "destination": {"ip": connection.destination, "port": connection.port},
        "network": {"transport": connection.protocol, "type": "ipv4"},
    }


def _direction(connection: Connection) -> str:
    return "egress" if connection.outward else "ingress"


def elastic_defend(connection: Connection) -> dict[str, Any]:
    """Elastic Defend 8."""
    document = _document(connection, 7)
    document["agent"] = {"type": "endpoint", "version": "8.15.0"}
    document["data_stream"] = {"dataset": "endpoint.events.network", "type": "logs"}
    document["event"] |= {
        "action": "connection_attempted" if connection.outward else "connection_accepted",
        "dataset": "endpoint.events.network",
        "module": "endpoint",
        "id": f"MYfZG5h8j1qej16H+++++{connection.source_port}",
        "ingested": iso(connection.time + timedelta(seconds=21), 0).replace(".", ""),
        "outcome": connection.outcome,
    }
    document["process"] |= {"name": connection.process or "System", "executable": connection.image}
    document["network"]["direction"] = _direction(connection)
    return document


def elastic_defend_old(connection: Connection) -> dict[str, Any]:
    """The first Elastic Defend: host.os.platform alone, 8 digits, other words for direction."""
    document = elastic_defend(connection)
    document["@timestamp"] = iso(connection.time, 8)
    document["host"]["os"] = {"name": "Windows 10", "platform": "windows", "version": "10.0"}
    document["network"]["direction"] = "outbound" if connection.outward else "inbound"
    for name in ("dataset", "ingested"):
        del document["event"][name]
    del document["data_stream"]
    return document


def _sysmon(connection: Connection) -> dict[str, Any]:
    document = _document(connection)
    document["event"] |= {
        "code": "3",
        "type": ["start", "connection", "protocol"],
        "provider": events.SYSMON,
        "created": iso(connection.time + timedelta(seconds=1)),
    }
    document["process"] |= {"executable": connection.image}
    if connection.process:
        document["process"]["name"] = connection.process
    if connection.domain:
        document["destination"]["domain"] = connection.domain
    document["network"]["direction"] = _direction(connection)
    document["winlog"] = {
        "channel": events.SYSMON_CHANNEL,
        "computer_name": connection.host,
        "event_id": "3",
        "process": {"pid": windows.SERVICE_PID},
        "provider_name": events.SYSMON,
    }
    return document


def winlogbeat_mapped(connection: Connection) -> dict[str, Any]:
    """Winlogbeat after its pipeline, forwarded: host is the collector."""
    document = _sysmon(connection)
    document["agent"] = {"type": "winlogbeat", "version": "8.15.0"}
    document["event"]["module"] = "sysmon"
    document["host"] = {"name": "COLLECTOR", "id": "collector-id"}
    return document


def winlogbeat_mapped_other(connection: Connection) -> dict[str, Any]:
    """Winlogbeat after its pipeline, of another kind."""
    document = winlogbeat_mapped(connection)
    document["event"] |= {"category": ["process"], "code": "1", "type": ["start"]}
    document["winlog"]["event_id"] = "1"
    del document["source"], document["destination"], document["network"]
    return document


def sysmon_mapped(connection: Connection) -> dict[str, Any]:
    """The data set windows.sysmon_operational, whose pipeline sets no host.os.type."""
    document = _sysmon(connection)
    document["agent"] = {"type": "filebeat", "version": "8.15.0"}
    document["data_stream"] = {"dataset": "windows.sysmon_operational", "type": "logs"}
    document["event"] |= {"action": "Network connection", "dataset": "windows.sysmon_operational"}
    del document["host"]
    return document


def windows_firewall_mapped(connection: Connection) -> dict[str, Any]:
    """Event 5156 after the system integration, which sets neither the process nor the system."""
    document = _document(connection)
    document["data_stream"] = {"dataset": "system.security", "type": "logs"}
    document["event"] |= {
        "action": "windows-firewall-connection",
        "type": ["connection", "info", "allowed"],
        "code": "5156",
        "dataset": "system.security",
        "outcome": "success",
    }
    document["host"] = {"name": connection.host}
    document["process"] = {"executable": connection.image}
    document["network"]["direction"] = "outbound" if connection.outward else "inbound"
    document["winlog"] = {
        "channel": "Security",
        "computer_name": connection.host,
        "event_id": "5156",
        "event_data": {"ProcessID": str(connection.pid), "Protocol": "6", "LayerRTID": "48"},
        "process": {"pid": windows.SERVICE_PID},
    }
    del document["user"]
    return document


def endgame_mapped(connection: Connection) -> dict[str, Any]:
    """Endgame's ECS: every value in an array, epoch milliseconds, the system by its name."""
    since_1970 = connection.time - datetime(1970, 1, 1, tzinfo=UTC)
    process = {"process.name": connection.process, "process.executable": connection.image}
    flat = {
        "timestamp": str(since_1970 // timedelta(milliseconds=1)),
        "event.module": "endgame",
        "event.dataset": "esensor",
        "event.category": "network",
        "event.action": "ipv4_connection_attempt_event",
        "endgame.event_type_full": "network_event",
        "endgame.event_subtype_full": "ipv4_connection_attempt_event",
        "host.name": connection.host,
        "host.os.platform": "windows",
        "host.os.name": "Windows",
        "user.name": connection.account[1],
        "user.domain": connection.account[0],
        "process.pid": connection.pid,
        "source.ip": connection.source,
        "source.port": connection.source_port,
        "destination.ip": connection.destination,
        "destination.port": connection.port,
        "network.transport": connection.protocol,
        **(process if connection.process else {}),
    }
    document: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        node = document
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = [value]
    document["timestamp"] = flat["timestamp"]
    return document


def endgame_mapped_name(connection: Connection) -> dict[str, Any]:
    """The same with @timestamp, and the system by host.os.name alone."""
    document = endgame_mapped(connection)
    document["@timestamp"] = iso(connection.time)
    document["host"]["os"] = {"name": ["Windows 10 Pro"]}
    del document["timestamp"]
    return document


def defender_mapped(connection: Connection) -> dict[str, Any]:
    """m365_defender from 2.14.2."""
    row = defender_row(connection)
    document = _document(connection)
    document["event"] |= {"action": row["ActionType"].lower()}
    document["event"]["type"] = ["denied" if connection.outcome == "failure" else "start"]
    document["host"] |= {"name": row["DeviceName"], "id": row["DeviceId"]}
    document["user"] = {
        "name": row["InitiatingProcessAccountName"],
        "domain": row["InitiatingProcessAccountDomain"],
        "id": row["InitiatingProcessAccountSid"],
    }
    document["process"]["name"] = row["InitiatingProcessFileName"]
    document["network"]["direction"] = "unknown" if connection.outward else "inbound"
    if connection.domain:
        document["url"] = {"domain": connection.domain, "original": row["RemoteUrl"]}
    document["m365_defender"] = {
        "event": {
            "category": "AdvancedHunting-DeviceNetworkEvents",
            "action": {"type": row["ActionType"]},
            "protocol": row["Protocol"],
        }
    }
    return document


def defender_mapped_old(connection: Connection) -> dict[str, Any]:
    """m365_defender before 2.14.2: network.protocol, and no host.os.type."""
    document = defender_mapped(connection)
    del document["host"]["os"], document["network"]["transport"]
    document["network"]["protocol"] = defender_row(connection)["Protocol"].lower()
    document["data_stream"] = {"dataset": "m365_defender.event", "type": "logs"}
    del document["m365_defender"]
    return document


def sentinel_one_mapped(connection: Connection) -> dict[str, Any]:
    """sentinel_one_cloud_funnel, which sets neither network.transport nor host.name."""
    document = _document(connection)
    document["data_stream"] = {"dataset": "sentinel_one_cloud_funnel.event", "type": "logs"}
    document["event"] |= {
        "type": ["start", "connection"],
        "id": f"01GEF7MB0DMJQHCWR3DZWQY4CF_{connection.source_port}",
        "outcome": connection.outcome,
    }
    document["host"] = {
        "hostname": connection.host,
        "id": "asdf356783457dfds4456d65",
        "os": {"platform": "windows", "type": "windows"},
    }
    document["process"] |= {
        "name": connection.process or connection.image,
        "executable": connection.image,
    }
    document["network"] = {"direction": _direction(connection), "protocol": "microsoft-ds"}
    document["sentinel_one_cloud_funnel"] = {
        "event": {"meta_event_name": "TCPV4", "category": "ip", "type": "IP Connect"}
    }
    return document


def plain(connection: Connection) -> dict[str, Any]:
    """ECS of no known origin, with some keys dotted and some nested."""
    document = _document(connection)
    return {
        "@timestamp": document["@timestamp"],
        "event.category": "network",
        "host": {"name": connection.host, "os.type": "windows"},
        "process.pid": str(connection.pid),
        "source": document["source"],
        "destination.ip": [connection.destination],
        "destination": {"port": str(connection.port)},
        "network": {"transport": [connection.protocol]},
    }


def not_network(connection: Connection) -> dict[str, Any]:
    """An Elastic Defend document of another kind."""
    document = elastic_defend(connection)
    document["event"] |= {"category": ["process"], "dataset": "endpoint.events.process"}
    del document["source"], document["destination"], document["network"]
    return document
