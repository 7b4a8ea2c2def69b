"""Windows events of a connection, before any exporter wraps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.forms.connection import Connection, iso

SYSMON = "Microsoft-Windows-Sysmon"
SYSMON_CHANNEL = "Microsoft-Windows-Sysmon/Operational"
AUDITING = "Microsoft-Windows-Security-Auditing"


@dataclass(frozen=True)
class Event:
    """One Windows event: the envelope that all share, and EventData as text."""

    number: int
    provider: str
    channel: str
    time: datetime
    host: str
    data: Mapping[str, str]
    message: str

    @property
    def logged(self) -> datetime:
        """Return when the record was written, a little after what it tells of."""
        return self.time + timedelta(seconds=1, microseconds=234_567)


def sysmon(connection: Connection) -> Event:
    """Return the Sysmon event 3 of a connection."""
    domain, user = connection.account
    data = {
        "RuleName": "-",
        "UtcTime": iso(connection.time).replace("T", " ").rstrip("Z"),
        "ProcessGuid": "{9f85ce58-59d1-5f2b-0100-000000000400}",
        "ProcessId": str(connection.pid),
        "Image": connection.image,
        "User": f"{domain}\\{user}",
        "Protocol": connection.protocol,
        "Initiated": "true" if connection.outward else "false",
        "SourceIsIpv6": "false",
        "SourceIp": connection.source,
        "SourceHostname": "-",
        "SourcePort": str(connection.source_port),
        "SourcePortName": "-",
        "DestinationIsIpv6": "false",
        "DestinationIp": connection.destination,
        "DestinationHostname": connection.domain or "-",
        "DestinationPort": str(connection.port),
        "DestinationPortName": "-",
    }
    lines = [f"{name}: {value}" for name, value in data.items()]
    message = "\r\n".join(["Network connection detected:", *lines])
    return Event(3, SYSMON, SYSMON_CHANNEL, connection.time, connection.host, data, message)


def dns(connection: Connection) -> Event:
    """Return the Sysmon event 22 that goes before a connection: network, but no connection."""
    data = {
        "RuleName": "-",
        "UtcTime": iso(connection.time).replace("T", " ").rstrip("Z"),
        "ProcessGuid": "{9f85ce58-59d1-5f2b-0100-000000000400}",
        "ProcessId": str(connection.pid),
        "QueryName": "share.example",
        "QueryStatus": "0",
        "QueryResults": "45.83.122.10;",
        "Image": "C:\\Windows\\System32\\svchost.exe",
        "User": "NT AUTHORITY\\NETWORK SERVICE",
    }
    lines = [f"{name}: {value}" for name, value in data.items()]
    message = "\r\n".join(["Dns query:", *lines])
    return Event(22, SYSMON, SYSMON_CHANNEL, connection.time, connection.host, data, message)


def other_channel(connection: Connection) -> Event:
    """Return an event 3 of another channel, with the same names in its EventData."""
    event = sysmon(connection)
    provider, channel = "Vendor-Monitoring", "Vendor-Monitoring/Results"
    return Event(3, provider, channel, event.time, event.host, event.data, event.message)


def firewall(connection: Connection) -> Event:
    """Return the Security event 5156 of a connection."""
    direction = ("%%14593", "Outbound") if connection.outward else ("%%14592", "Inbound")
    path = connection.image.replace("C:", "\\device\\harddiskvolume3").lower()
    application = "System" if connection.image == "System" else path
    number = {"tcp": "6", "udp": "17"}[connection.protocol]
    data = {
        "ProcessID": str(connection.pid),
        "Application": application,
        "Direction": direction[0],
        "SourceAddress": connection.source,
        "SourcePort": str(connection.source_port),
        "DestAddress": connection.destination,
        "DestPort": str(connection.port),
        "Protocol": number,
        "FilterRTID": "67993",
        "LayerName": "%%14611",
        "LayerRTID": "48",
        "RemoteUserID": "S-1-0-0",
        "RemoteMachineID": "S-1-0-0",
    }
    message = "\r\n".join(
        [
            "The Windows Filtering Platform has permitted a connection.",
            "",
            "Application Information:",
            f"\tProcess ID:\t\t{connection.pid}",
            f"\tApplication Name:\t{application}",
            "",
            "Network Information:",
            f"\tDirection:\t\t{direction[1]}",
            f"\tSource Address:\t\t{connection.source}",
            f"\tSource Port:\t\t{connection.source_port}",
            f"\tDestination Address:\t{connection.destination}",
            f"\tDestination Port:\t\t{connection.port}",
            f"\tProtocol:\t\t{number}",
        ]
    )
    return Event(5156, AUDITING, "Security", connection.time, connection.host, data, message)
