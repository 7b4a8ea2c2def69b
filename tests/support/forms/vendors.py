"""Records of the vendors whose own form is no Windows event."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.forms.connection import Connection, iso


def _milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def endgame_raw(connection: Connection) -> dict[str, Any]:
    """Endgame's sensor before ECS: FILETIME, and no name of the host."""
    since_1601 = connection.time - datetime(1601, 1, 1, tzinfo=UTC)
    record = {
        "event_type": "network",
        "event_type_full": "network_event",
        "event_subtype_full": "ipv4_connection_attempt_event",
        "opcode": 12,
        "timestamp": since_1601 // timedelta(microseconds=1) * 10,
        "pid": connection.pid,
        "process_name": connection.process or "System",
        "process_path": connection.image,
        "protocol": connection.protocol,
        "subtype": "outgoing" if connection.outward else "incoming",
        "source_address": connection.source,
        "source_port": connection.source_port,
        "destination_address": connection.destination,
        "destination_port": connection.port,
        "user_domain": connection.account[0],
        "user_name": connection.account[1],
        "serial_event_id": 75304,
        "unique_pid": 75273,
    }
    if connection.image == "System":
        del record["process_path"]
    return record


def endgame_raw_process(connection: Connection) -> dict[str, Any]:
    """A process event of the sensor."""
    return {
        "event_type": "process",
        "event_type_full": "process_event",
        "event_subtype_full": "creation_event",
        "opcode": 1,
        "timestamp": endgame_raw(connection)["timestamp"],
        "pid": connection.pid,
        "process_name": "smss.exe",
        "process_path": "C:\\Windows\\System32\\smss.exe",
        "user_domain": "NT AUTHORITY",
        "user_name": "SYSTEM",
    }


def _hunting_fields(connection: Connection) -> str | None:
    return None if connection.outward else json.dumps({"direction": "In", "conn_state": "SF"})


def defender_row(connection: Connection) -> dict[str, Any]:
    """A row of DeviceNetworkEvents; local and remote as the device sees them."""
    near = (connection.source, connection.source_port)
    far = (connection.destination, connection.port)
    local, remote = (near, far) if connection.outward else (far, near)
    failed = connection.outcome == "failure"
    return {
        "Timestamp": iso(connection.time, 7),
        "DeviceId": "2af9e3da2eb7bd1b6c1fccb55ab5cd4cdec1e583",
        "DeviceName": connection.host.lower(),
        "ActionType": "ConnectionFailed" if failed else "ConnectionSuccess",
        "RemoteIP": remote[0],
        "RemotePort": remote[1],
        "RemoteUrl": f"https://{connection.domain}" if connection.domain else "",
        "LocalIP": local[0],
        "LocalPort": local[1],
        "Protocol": "TcpV4" if connection.port == 139 else "Tcp",
        "LocalIPType": None,
        "RemoteIPType": None,
        "InitiatingProcessFileName": connection.process or "System",
        "InitiatingProcessFolderPath": connection.image.lower() if connection.process else None,
        "InitiatingProcessId": connection.pid,
        "InitiatingProcessParentId": 0,
        "InitiatingProcessAccountDomain": connection.account[0].lower(),
        "InitiatingProcessAccountName": connection.account[1].lower(),
        "InitiatingProcessAccountSid": "S-1-5-18" if connection.pid == 4 else "S-1-5-21-1-2-3-1001",
        "ReportId": 122788,
        "AdditionalFields": _hunting_fields(connection),
    }


def defender_streaming(connection: Connection) -> dict[str, Any]:
    """The streaming API: the row in an envelope whose time is that of the export."""
    return {
        "time": iso(connection.time + timedelta(hours=3), 7),
        "tenantId": "12345af3-bc0e-4f36-b08e-27759e912345",
        "operationName": "Publish",
        "category": "AdvancedHunting-DeviceNetworkEvents",
        "properties": defender_row(connection),
        "Tenant": "DefaultTenant",
    }


def defender_streaming_process(connection: Connection) -> dict[str, Any]:
    """A streaming record of another table, which has the columns of an address too."""
    return {
        "time": iso(connection.time, 7),
        "operationName": "Publish",
        "category": "AdvancedHunting-DeviceEvents",
        "properties": {
            **defender_row(connection),
            "ActionType": "NamedPipeEvent",
        },
    }


def defender_text(connection: Connection) -> dict[str, Any]:
    """A row as a CSV reader gives it: text alone, empty where there was null."""
    return {
        name: "" if value is None else str(value)
        for name, value in defender_row(connection).items()
    }


def defender_text_event(connection: Connection) -> dict[str, Any]:
    """A row of DeviceEvents out of a query that joins tables."""
    return defender_text(connection) | {"ActionType": "FirewallOutboundConnectionBlocked"}


def defender_sentinel(connection: Connection) -> dict[str, Any]:
    """A row that Microsoft Sentinel's portal exported."""
    time = connection.time
    shown = (
        f"{time.month}/{time.day}/{time.year}, {time.hour % 12 or 12}:{time:%M:%S}."
        f"{time.microsecond // 1000:03d} {'AM' if time.hour < 12 else 'PM'}"
    )
    row = defender_text(connection)
    del row["Timestamp"]
    return {
        "TenantId": "8ecf8077-cf51-4820-aadd-14040956f35d",
        **row,
        "TimeGenerated [UTC]": shown,
        "Timestamp [UTC]": shown,
        "SourceSystem": "",
        "Type": "DeviceNetworkEvents",
    }


def sentinel_one_raw(connection: Connection) -> dict[str, Any]:
    """Cloud Funnel v2: flat dotted keys."""
    image = connection.image
    return {
        "timestamp": f"{connection.time:%H:%M:%S}.{connection.time.microsecond // 1000:03d}",
        "event.time": _milliseconds(connection.time),
        "event.category": "ip",
        "event.type": "IP Connect" if connection.outward else "IPConnect",
        "event.id": f"01GEF7MB0DMJQHCWR3DZWQY4CF_{connection.source_port}",
        "meta.event.name": "TCPV4",
        "event.network.direction": "OUTGOING" if connection.outward else "INCOMING",
        "event.network.connectionStatus": connection.outcome.upper(),
        "event.network.protocolName": "microsoft-ds",
        "src.ip.address": connection.source,
        "src.port.number": connection.source_port,
        "dst.ip.address": connection.destination,
        "dst.port.number": connection.port,
        "src.process.pid": connection.pid,
        "src.process.name": connection.process or image,
        "src.process.image.path": image,
        "src.process.user": "\\".join(connection.account),
        "src.process.parent.pid": 11892,
        "endpoint.name": connection.host,
        "endpoint.os": "windows",
        "endpoint.type": "laptop",
        "agent.uuid": "asdf356783457dfds4456d65",
        "sca:ingestTime": _milliseconds(connection.time) // 1000 + 3,
        "dataSource.name": "SentinelOne",
        "i.scheme": "edr",
    }


def sentinel_one_raw_dns(connection: Connection) -> dict[str, Any]:
    """A DNS record, which is of category network and no connection."""
    record = sentinel_one_raw(connection)
    for name in ("src.ip.address", "src.port.number", "dst.ip.address", "dst.port.number"):
        del record[name]
    return record | {
        "event.category": "dns",
        "event.type": "DNS Resolved",
        "meta.event.name": "DNS",
    }


def sentinel_one_raw_process(connection: Connection) -> dict[str, Any]:
    """A process record."""
    return sentinel_one_raw_dns(connection) | {
        "event.category": "process",
        "event.type": "Process Creation",
        "meta.event.name": "PROCESSCREATION",
    }


def sentinel_one_nested(connection: Connection) -> dict[str, Any]:
    """A raw record whose dotted keys a shipper turned into objects."""
    nested: dict[str, Any] = {}
    for key, value in sentinel_one_raw(connection).items():
        *outer, last = key.split(".")
        node = nested
        for step in outer:
            node = node.setdefault(step, {})
        node[last] = value
    return nested


def sentinel_one_deep(connection: Connection) -> dict[str, Any]:
    """An event of Deep Visibility's API."""
    direction = "OUTGOING" if connection.outward else "INCOMING"
    return {
        "agentName": connection.host,
        "agentOs": "windows",
        "agentUuid": "uuid-1",
        "createdAt": iso(connection.time, 6),
        "direction": direction,
        "dstIp": connection.destination,
        "dstPort": connection.port,
        "eventTime": iso(connection.time),
        "eventType": "IP Connect",
        "id": f"{connection.source_port}",
        "metaEventName": f"{connection.protocol.upper()}V4",
        "netConnStatus": connection.outcome.upper(),
        "netEventDirection": direction,
        "objectType": "ip",
        "pid": str(connection.pid),
        "processName": connection.process or "System",
        "srcIp": connection.source,
        "srcPort": connection.source_port,
        "user": "\\".join(connection.account),
    }


def sentinel_one_deep_dns(connection: Connection) -> dict[str, Any]:
    """A DNS query of the same API."""
    record = sentinel_one_deep(connection)
    for name in ("srcIp", "srcPort", "dstIp", "dstPort", "metaEventName"):
        del record[name]
    changed = {"eventType": "DNS Resolved", "objectType": "dns", "dnsRequest": "share.example"}
    return record | changed


def defender_graph(connection: Connection) -> dict[str, Any]:
    """A row whose columns begin with a small letter."""
    return {name[:1].lower() + name[1:]: value for name, value in defender_row(connection).items()}


def defender_timeline(connection: Connection) -> dict[str, Any]:
    """A row of a device's timeline as CSV: names with blanks, times without a zone."""
    names = {"Timestamp": "Event Time", "DeviceId": "Machine Id", "DeviceName": "Computer Name"}
    row = defender_text(connection)
    row["Timestamp"] = iso(connection.time).rstrip("Z")
    return {
        names.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)): value
        for name, value in row.items()
    }


def asim(connection: Connection) -> dict[str, Any]:
    """A row of Microsoft Sentinel's normalized network sessions."""
    end = "Src" if connection.outward else "Dst"
    return {
        "TimeGenerated": iso(connection.time, 7),
        "EventStartTime": iso(connection.time, 7),
        "EventSchema": "NetworkSession",
        "EventType": "EndpointNetworkSession",
        "EventProduct": "Sysmon",
        "EventResult": connection.outcome.title(),
        "Dvc": connection.host,
        "DvcHostname": connection.host,
        "DvcOs": "Windows",
        "SrcIpAddr": connection.source,
        "SrcPortNumber": connection.source_port,
        "DstIpAddr": connection.destination,
        "DstPortNumber": connection.port,
        "NetworkProtocol": connection.protocol.upper(),
        "NetworkDirection": "Outbound" if connection.outward else "Inbound",
        f"{end}ProcessId": str(connection.pid),
        f"{end}ProcessName": connection.image,
        "Type": "ASimNetworkSessionLogs",
    }


def asim_dns(connection: Connection) -> dict[str, Any]:
    """A row of another schema of the same model."""
    return asim(connection) | {"EventSchema": "Dns", "EventType": "Query"}


def ocsf(connection: Connection) -> dict[str, Any]:
    """An event of OCSF's class Network Activity."""
    domain, user = connection.account
    return {
        "class_uid": 4001,
        "class_name": "Network Activity",
        "activity_id": 1,
        "activity_name": "Open",
        "time": _milliseconds(connection.time),
        "status": connection.outcome.title(),
        "metadata": {"version": "1.3.0", "product": {"name": "EDR", "vendor_name": "Vendor"}},
        "device": {"hostname": connection.host, "os": {"name": "Windows", "type_id": 100}},
        "actor": {
            "process": {"pid": connection.pid, "name": connection.process or "System"},
            "user": {"name": user, "domain": domain},
        },
        "src_endpoint": {"ip": connection.source, "port": connection.source_port},
        "dst_endpoint": {"ip": connection.destination, "port": connection.port},
        "connection_info": {
            "protocol_name": connection.protocol,
            "protocol_num": 6,
            "direction_id": 2 if connection.outward else 1,
        },
    }
