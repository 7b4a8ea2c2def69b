"""What unknown records and files look like, and how to get them in a form that is read.

One line each. Most are not read because the exporter drops what the rule asks for.
"""

from pathlib import Path

from msgspec import Struct

from smbrare.records.event import Document


class UnknownForm(Struct, frozen=True):
    """A form that is known to be of no use, or to need another export.

    Attributes:
        name: What it looks like.
        lacks: What is missing in it.
        remedy: What to do.
        keys: Keys of a record, all of which it has.
        beginnings: First bytes of a file, any of which it has.
    """

    name: str
    lacks: str
    remedy: str
    keys: tuple[str, ...] = ()
    beginnings: tuple[bytes, ...] = ()


_NO_PROCESS = "it names no process, so PID 4 cannot be checked"
_SENSOR = "export the endpoint's events instead (Sysmon event 3, or an EDR's network events)"

LOOKS = (
    UnknownForm(
        "a timeline of Hayabusa",
        "its profile leaves out AllFieldInfo, and with it addresses and process",
        "use the profile all-field-info, or scan the .evtx files themselves",
        ("RuleTitle", "Level"),
    ),
    UnknownForm(
        "a SentinelOne export of chosen columns",
        "event.category or meta.event.name is missing",
        "export event.category, meta.event.name, src.process.pid and endpoint.os as well",
        ("src.ip.address", "dst.ip.address"),
    ),
    UnknownForm(
        "a table of Sysmon events by Export-SysmonLogs",
        "it names neither the log nor the host",
        "scan the .evtx file, or export with Get-WinEvent | ConvertTo-Json -Depth 3",
        ("ProcessGUID", "DestinationIP"),
    ),
    UnknownForm(
        "a Graylog export",
        "the event's number and log are missing",
        "export the fields that end in _winlog_event_id and _winlog_channel as well",
        ("winlogbeat_winlog_event_data_DestinationIp",),
    ),
    UnknownForm(
        "rows of a Velociraptor event artifact",
        "they name neither the log nor the host",
        "collect the .evtx file, or use Windows.EventLogs.EvtxHunter",
        ("ID", "EventData"),
    ),
    UnknownForm(
        "Zeek's conn.log", _NO_PROCESS, _SENSOR, ("id.orig_h", "id.resp_h"), (b"#separator",)
    ),
    UnknownForm("Suricata's eve.json", _NO_PROCESS, _SENSOR, ("src_ip", "dest_ip")),
    UnknownForm("flow logs", _NO_PROCESS, _SENSOR, ("srcaddr", "dstaddr")),
    UnknownForm(
        "a packet capture",
        _NO_PROCESS,
        _SENSOR,
        beginnings=(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a"),
    ),
    UnknownForm(
        "a log of Process Monitor",
        "its format is its own",
        "scan the Sysmon log of the machine instead",
        beginnings=(b"PML_",),
    ),
    UnknownForm(
        "a database of SQLite",
        "it is not a log",
        "export the table of events as CSV or JSON",
        beginnings=(b"SQLite format 3\0",),
    ),
    UnknownForm(
        "an event log of Windows XP or 2003",
        "these systems log no connections",
        _SENSOR,
        beginnings=(b"\x30\0\0\0LfLe",),
    ),
    UnknownForm("other network logs", _NO_PROCESS, _SENSOR, ("src", "dst")),
)
"""In the order asked."""


def look_of_record(document: Document) -> UnknownForm | None:
    """Return what a record of no known source looks like, by its keys; None for nothing known."""
    return next(
        (look for look in LOOKS if look.keys and all(key in document for key in look.keys)), None
    )


def look_of_file(path: str) -> UnknownForm | None:
    """Return what a file of no known format looks like, by its first bytes.

    Nothing is known of what is no file, such as a member of an archive.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(64)
    except (OSError, ValueError):
        return None
    return next((look for look in LOOKS if head.startswith(look.beginnings)), None)
