"""How collectors write Windows events, and which shape a record has.

The names follow the documentation and the code of each collector; docs/sources.md says where.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from smbrare.records.event import Document
from smbrare.records.fields import Malformed
from smbrare.records.paths import leaves
from smbrare.sources.ecs import shippers
from smbrare.sources.event_data import from_position
from smbrare.sources.mapping import Places
from smbrare.sources.windows_shapes import (
    AGENT,
    COLUMNS,
    EVENT_DATA_COLUMN,
    EVENT_JSON,
    EVENT_VIEWER,
    EVTXECMD,
    FLAT,
    POWERSHELL,
    VELOCIRAPTOR,
    WINLOGBEAT,
    WINLOGBEAT_6,
    Shape,
)


def _inserts_by_name(document: Document) -> Document:
    inserts = document["StringInserts"]
    if not isinstance(inserts, list):
        raise Malformed("no list of values")
    return {**document, "StringInserts": from_position(document["EventID"], inserts)}


def _merged_data(document: Document) -> Document:
    """Return a record of OpenTelemetry's receiver whose data is no list of one name each."""
    data = document.get("event_data")
    listed = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        return document
    named = {key: item[key] for item in listed if isinstance(item, Mapping) for key in item}
    return {**document, "event_data": named}


def _named_info(document: Document) -> Document:
    info = document["AllFieldInfo"]
    if not isinstance(info, str):
        return document
    named: dict[str, str] = {}
    for part in info.split(" ¦ "):
        name, _, value = part.partition(": ")
        if name in named:
            raise Malformed("a name given twice")
        named[name] = value
    return {**document, "AllFieldInfo": named}


def _without_service(document: Document) -> Document:
    """Return a record without a process id that may be the logging service's."""
    if "executionprocessid" in document:
        return document
    return {key: value for key, value in document.items() if key != "processid"}


def _subject_of_helk(document: Document) -> Document:
    # The logging service's id, unless HELK says that it wrote the subject's over it.
    steps = [step for key in _BY_HELK for step in leaves(document, key)]
    if "general_rename-ProcessId" in steps:
        return document
    return {key: value for key, value in document.items() if key != "process_id"}


WAZUH = Shape(
    "Wazuh's alerts and archives: names begin with a small letter",
    "sysmon",
    {
        "event_id": ("data.win.system.eventID",),
        "channel": ("data.win.system.channel",),
        "provider": ("data.win.system.providerName",),
        "computer": ("data.win.system.computer",),
        "time": ("data.win.system.systemTime",),
        "data": ("data.win.eventdata",),
        "message": ("data.win.system.message",),
    },
    spelling=lambda name: name[:1].lower() + name[1:],
)

FLUENT_BIT = Shape(
    "Fluent Bit's winevtlog: values by position",
    "sysmon",
    {**COLUMNS, "data": ("StringInserts",)},
    _inserts_by_name,
    "StringInserts",
)

TELEGRAF = Shape(
    "Telegraf's win_eventlog: which names are fields and which are tags is configured",
    "sysmon",
    {
        "event_id": ("fields.EventID", "tags.EventID"),
        "channel": ("fields.Channel", "tags.Channel"),
        "provider": ("fields.Source", "tags.Source"),
        "computer": ("fields.Computer", "tags.Computer"),
        "utc_time": ("fields.TimeCreated", "tags.TimeCreated"),
        "message": ("fields.Message", "tags.Message"),
        "epoch_time": ("timestamp",),
        "data": ("fields", "tags"),
    },
    spelling=lambda name: f"Data_{name}",
)

OPENTELEMETRY = Shape(
    "OpenTelemetry's windowseventlog receiver: the body of a log record",
    "sysmon",
    {
        "event_id": ("event_id.id",),
        "channel": ("channel",),
        "provider": ("provider.name",),
        "computer": ("computer",),
        "time": ("system_time",),
        "data": ("event_data",),
        "message": ("message",),
    },
    _merged_data,
    "event_data",
)

HAYABUSA = Shape(
    "Hayabusa's timeline with all fields: an object in JSON, a text in CSV",
    "sysmon",
    {
        "event_id": ("EventID",),
        "channel": ("Channel",),
        "provider": ("Provider",),
        "computer": ("Computer",),
        "time": ("Timestamp",),
        "data": ("AllFieldInfo",),
    },
    _named_info,
    "AllFieldInfo",
    channels={"sysmon": "microsoft-windows-sysmon/operational", "sec": "security"},
)

_BY_HELK = ("etl_pipeline", "z_logstash_pipeline")
"""Where HELK lists the steps that a record went through."""
_HELK_NAMES = {
    "UtcTime": "@event_date_creation",
    "ProcessId": "process_id",
    "Image": "process_path",
    "User": "user_account",
    "Protocol": "network_protocol",
    "Initiated": "network_initiated",
    "SourceIp": "src_ip_addr",
    "SourcePort": "src_port",
    "DestinationIp": "dst_ip_addr",
    "DestinationPort": "dst_port",
    "DestinationPortName": "dst_port_name",
    "DestinationHostname": "dst_host_name",
    "QueryResults": "dns_query_results",
}

HELK = Shape(
    "HELK: names of the Open Source Security Events Metadata",
    "sysmon",
    {
        "event_id": ("event_id",),
        "channel": ("log_name",),
        "provider": ("source_name",),
        "computer": ("host_name", "computer_name"),
        "time": ("event_recorded_time", "@timestamp"),
        "data": ("",),
    },
    _subject_of_helk,
    spelling=lambda name: _HELK_NAMES.get(name, name),
)

_LOWER: Places = {part: tuple(map(str.lower, names)) for part, names in COLUMNS.items()}
LOWER = Shape(
    "Flat, all names in lower case, so that two process ids have one name",
    "sysmon",
    {**_LOWER, "data": ("",)},
    _without_service,
    spelling=str.lower,
)


def _graylog(prefix: str) -> Shape:
    return Shape(
        f"Winlogbeat through Graylog, names that begin with {prefix}",
        "winlogbeat",
        {
            "event_id": (f"{prefix}_event_id",),
            "channel": (f"{prefix}_channel",),
            "provider": (f"{prefix}_provider_name",),
            "computer": (f"{prefix}_computer_name",),
            "time": ("timestamp",),
            "data": ("",),
            "message": ("message",),
        },
        spelling=lambda name: f"{prefix}_event_data_{name}",
    )


GRAYLOG_BEATS = (_graylog("winlogbeat_winlog"), _graylog("winlog"))
"""Winlogbeat's fields in Graylog, which has no dots in names."""

GRAYLOG = replace(
    FLAT,
    name="NXLog through Graylog, which keeps the host's name as the source",
    places={**FLAT.places, "computer": (*COLUMNS["computer"], "source")},
)

SHAPES = (
    WINLOGBEAT,
    AGENT,
    WINLOGBEAT_6,
    EVENT_JSON,
    VELOCIRAPTOR,
    EVTXECMD,
    POWERSHELL,
    EVENT_VIEWER,
    EVENT_DATA_COLUMN,
    FLAT,
    WAZUH,
    FLUENT_BIT,
    TELEGRAF,
    OPENTELEMETRY,
    HAYABUSA,
    HELK,
    LOWER,
    GRAYLOG,
    *GRAYLOG_BEATS,
)

_BY_KEYS = (
    (("System", "EventData"), VELOCIRAPTOR),
    (("System.EventID.Value",), VELOCIRAPTOR),
    (("EventId", "Payload"), EVTXECMD),
    (("Id", "LogName"), POWERSHELL),
    (("Id", "ProviderName"), POWERSHELL),
    (("Event ID", "Source"), EVENT_VIEWER),
    (("log_name", "event_id"), WINLOGBEAT_6),
    (("Event.System.EventID",), EVENT_JSON),
    (("Event.System.EventID.#text",), EVENT_JSON),
)
"""Keys at the top, all of which a record of a shape has."""


def shape_of(document: Document) -> Shape | None:
    """Return the shape of a raw Windows event, by the keys at the top; None if it is not one."""
    shape = _by_keys(document)
    if shape is None or leaves(document, "destination.ip"):
        return None  # A pipeline has made ECS of it, whatever it kept of the raw record.
    return shape


def _by_keys(document: Document) -> Shape | None:
    if "etl_pipeline" in document or "z_logstash_pipeline" in document:
        return HELK
    if "winlog" in document or "winlog.channel" in document or "winlog.event_id" in document:
        return None if _is_mapped(document) else _beat(document)
    if "EventID" in document:
        return _of_columns(document)
    if "Event" in document:
        event = document["Event"]
        return EVENT_JSON if isinstance(event, dict) and "System" in event else None
    for keys, shape in _BY_KEYS:
        if all(key in document for key in keys):
            return shape
    return _of_collector(document)


def _of_columns(document: Document) -> Shape | None:
    if not any(key in document for key in (*COLUMNS["channel"], *COLUMNS["provider"])):
        return None
    if "EventData" in document:
        return EVENT_DATA_COLUMN
    if "StringInserts" in document:
        return FLUENT_BIT
    if "RuleTitle" in document:
        return HAYABUSA if "AllFieldInfo" in document else None
    return GRAYLOG if "gl2_source_input" in document else FLAT


def _of_collector(document: Document) -> Shape | None:
    for shape in (WAZUH, TELEGRAF, OPENTELEMETRY, *GRAYLOG_BEATS, LOWER):
        places = shape.places
        named = (*places["channel"], *places["provider"])
        if _has(document, places["event_id"]) and (shape is WAZUH or _has(document, named)):
            return shape
    return None


def _has(document: Document, paths: tuple[str, ...]) -> bool:
    return any(leaves(document, path) for path in paths)


def _is_mapped(document: Document) -> bool:
    """Return whether a pipeline has turned a record of ``winlog`` without addresses into ECS."""
    return bool(leaves(document, "event.category")) and not (
        leaves(document, "winlog.event_data.DestinationIp")
        or leaves(document, "winlog.event_data.DestAddress")
    )


def _beat(document: Document) -> Shape:
    if found := shippers(document):
        return WINLOGBEAT if "winlogbeat" in found else AGENT
    return AGENT if leaves(document, "event.original") else WINLOGBEAT
