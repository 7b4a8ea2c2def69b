"""Queries to paste, made for one finding: who else contacted it, what its hosts did, and why.

Three languages: Kibana's query bar (KQL), ES|QL, and the hunting KQL of Microsoft Defender.
"""

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.detection.host_context import LURES
from smbrare.outputs.rule.exclusions import HOST_FIELDS
from smbrare.records.times import MICROSECONDS, date, format_time
from smbrare.sources.activities.lures import EXTENSIONS
from smbrare.text import visible

AROUND_MINUTES = 15
"""Minutes before and after the first connection that a look at the hosts takes in."""

_AROUND = AROUND_MINUTES * 60 * MICROSECONDS
_EARLIEST = date("0001-01-01T00:00:00Z").time
_LATEST = date("9999-12-31T23:59:59Z").time
_EVERYTHING = "logs-*, winlogbeat-*, endgame-*"
_ESQL_NEEDS = "// KQL() needs Elasticsearch 8.18 or later."
_ADDRESS_FIELDS = (
    "destination.ip",
    "source.ip",
    "winlog.event_data.DestinationIp",
    "winlog.event_data.DestAddress",
)
_SOURCE_FIELDS = (
    "host.ip",
    "source.ip",
    "winlog.event_data.SourceIp",
    "winlog.event_data.SourceAddress",
)
"""Where documents keep an address; the last two are Winlogbeat's without an ingest pipeline.

Of a field that no index has KQL finds nothing, where ES|QL refuses the query.
"""


class Pivot(Struct, frozen=True):
    """One query.

    Attributes:
        title: The question that it answers.
        language: Where it is pasted.
        text: The query, over one or more lines.
    """

    title: str
    language: str
    text: str


def pivots(finding: Finding) -> tuple[Pivot, ...]:
    """Return the queries of a finding; undated ones have none that look around its time.

    Host names with invisible characters are omitted, because no clipboard carries them
    faithfully: the private address of the connection stands in for them.
    """
    who = "Who contacted the destination?"
    what = "What did the hosts do around it?"
    found = [
        Pivot(who, "Kibana KQL", _kibana_who(finding)),
        Pivot(who, "ES|QL", _esql_who(finding)),
        Pivot(who, "Defender KQL", _defender_who(finding)),
    ]
    window = _window(finding, _AROUND)
    if window is not None:
        start, end = window
        found += [
            Pivot(what, "Kibana KQL", _kibana_around(finding, start, end)),
            Pivot(what, "ES|QL", _esql(_kibana_hosts(finding), start, end)),
            Pivot(what, "Defender KQL", _defender_around(finding, start, end)),
        ]
    window = _window(finding, LURES)
    if window is not None:
        why = "What made them connect, and were credentials sent?"
        start, end = window
        found += [
            Pivot(why, "Kibana KQL", f"{_exposure(finding)} and {_kibana_time(start, end)}"),
            Pivot(why, "ES|QL", _esql(_exposure(finding), start, end)),
            Pivot(why, "Defender KQL", _defender_exposure(finding, start, end)),
        ]
    return tuple(found)


def quote(text: str) -> str:
    """Return a string literal; the three languages escape quotes and backslashes alike."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hosts(finding: Finding) -> list[str]:
    return [quote(name) for name in finding.hosts if name and visible(name) == name]


def _window(finding: Finding, before: int) -> tuple[str, str] | None:
    time = finding.sighting.event_time
    if time is None:
        return None
    start, end = max(time - before, _EARLIEST), min(time + _AROUND, _LATEST)
    return format_time(start), format_time(end)


def _kibana_who(finding: Finding) -> str:
    address = quote(finding.sighting.destination)
    return " or ".join(f"{field} : {address}" for field in _ADDRESS_FIELDS)


def _kibana_hosts(finding: Finding) -> str:
    """Return a condition on the hosts, wherever a source keeps their names."""
    hosts = " or ".join(_hosts(finding))
    if not hosts:
        source = quote(finding.sighting.source)
        return f"({' or '.join(f'{field} : {source}' for field in _SOURCE_FIELDS)})"
    fields = HOST_FIELDS if "host.name" in finding.event else (*HOST_FIELDS, "host.id")
    return f"({' or '.join(f'{field} : ({hosts})' for field in fields)})"


def _kibana_around(finding: Finding, start: str, end: str) -> str:
    # An index without an ingest pipeline, as Winlogbeat's, has no event.category.
    kinds = "event.category : (process or file or network or authentication)"
    condition = f"{_kibana_hosts(finding)} and ({kinds} or not event.category : *)"
    return f"{condition} and {_kibana_time(start, end)}"


def _esql_who(finding: Finding) -> str:
    return "\n".join(
        (
            _ESQL_NEEDS,
            f"FROM {_EVERYTHING}",
            f'| WHERE KQL("""({_kibana_who(finding)})""")',
            "| STATS first_seen = MIN(@timestamp), last_seen = MAX(@timestamp), events = COUNT(*)",
            "    BY host.name, source.ip, destination.port, event.outcome",
            "| SORT first_seen",
        )
    )


def _esql(condition: str, start: str, end: str) -> str:
    """Return a query for the events of a time that a condition in Kibana's language selects."""
    return "\n".join(
        (
            _ESQL_NEEDS,
            f"FROM {_EVERYTHING}",
            f'| WHERE @timestamp >= "{start}" AND @timestamp <= "{end}"',
            f'| WHERE KQL("""{condition}""")',
            "| KEEP @timestamp, host.name, user.name, event.category, event.action, process.name,",
            "    process.command_line, file.path, destination.ip, destination.port",
            "| SORT @timestamp",
            "| LIMIT 1000",
        )
    )


def _kibana_time(start: str, end: str) -> str:
    return f'@timestamp >= "{start}" and @timestamp <= "{end}"'


def _exposure(finding: Finding) -> str:
    """Return a condition on what may have led to a connection, and what shows credentials sent."""
    endings = " or ".join(EXTENSIONS)
    paths = " or ".join(f"*.{ending}" for ending in EXTENSIONS)
    kinds = (
        "winlog.channel : (Microsoft-Windows-S*Client/* or Microsoft-Windows-NTLM/*)",
        "event.code : 4648",
        "process.command_line : *DavSetCookie*",
        "winlog.event_data.CommandLine : *DavSetCookie*",
        f"file.extension : ({endings})",
        f"winlog.event_data.TargetFilename : ({paths} or *desktop.ini)",
    )
    return f"{_kibana_hosts(finding)} and ({' or '.join(kinds)})"


def _defender_exposure(finding: Finding, start: str, end: str) -> str:
    # Defender keeps no events of NTLM or of SMB's client.
    return "\n".join(
        (
            "union DeviceFileEvents, DeviceProcessEvents",
            f"| where Timestamp between (datetime({start}) .. datetime({end}))",
            _defender_machines(finding),
            '| where ProcessCommandLine contains "DavSetCookie"',
            f'    or FileName matches regex @"(?i)([.]({"|".join(EXTENSIONS)})|^desktop[.]ini)$"',
            "| project Timestamp, DeviceName, ActionType, AccountName, FileName, FolderPath,",
            "    FileOriginUrl, ProcessCommandLine, InitiatingProcessFileName",
            "| order by Timestamp asc",
        )
    )


def _defender_addresses(address: str) -> str:
    """Return an address as Defender may write it: also as IPv6, where a socket took both."""
    spelled = [address] if ":" in address else [address, f"::ffff:{address}"]
    return f"({', '.join(map(quote, spelled))})"


def _defender_who(finding: Finding) -> str:
    addresses = _defender_addresses(finding.sighting.destination)
    return "\n".join(
        (
            "DeviceNetworkEvents",
            # Of a connection from outside the destination is the local side.
            f"| where RemoteIP in~ {addresses} or LocalIP in~ {addresses}",
            "| summarize First = min(Timestamp), Last = max(Timestamp), Events = count()",
            "    by DeviceName, LocalIP, RemoteIP, RemotePort, ActionType",
            "| order by First asc",
        )
    )


def _defender_machines(finding: Finding) -> str:
    hosts = ", ".join(_hosts(finding))
    addresses = _defender_addresses(finding.sighting.source)
    if not hosts:
        return (
            "| where DeviceId in ((DeviceNetworkEvents"
            f" | where LocalIP in~ {addresses} or RemoteIP in~ {addresses} | distinct DeviceId))"
        )
    if "host.name" in finding.event:
        return f"| where DeviceName has_any ({hosts})"
    return f"| where DeviceName has_any ({hosts}) or DeviceId in~ ({hosts})"


def _defender_around(finding: Finding, start: str, end: str) -> str:
    return "\n".join(
        (
            "union DeviceProcessEvents, DeviceFileEvents, DeviceNetworkEvents, DeviceLogonEvents",
            f"| where Timestamp between (datetime({start}) .. datetime({end}))",
            _defender_machines(finding),
            "| project Timestamp, DeviceName, ActionType, AccountName, FileName, FolderPath,",
            "    ProcessCommandLine, InitiatingProcessFileName, RemoteIP, RemotePort",
            "| order by Timestamp asc",
        )
    )
