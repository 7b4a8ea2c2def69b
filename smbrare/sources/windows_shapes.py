"""The shapes in which exporters write Windows events, and where each keeps what.

Exporters agree on the names in EventData and on little else. A `Shape` says where one of them keeps
the parts that the tables of `sysmon` and `windows_firewall` ask for:

- ``event_id``, ``channel``, ``provider``, ``computer``, ``action``, ``host_id``, ``ingested``;
- ``time``; ``utc_time``, whose column is UTC by its name; ``epoch_time``, seconds since 1970;
- ``data``: EventData by name;
- ``rendered``: the message, where the exporter keeps the values nowhere else;
- ``message``: the message, where it may hold a value that the exporter lost.

The process id of the logging service (``winlog.process.pid``, ``Execution.ProcessID``, NXLog's
``ExecutionProcessID`` and ``ProcessID``, the ``ProcessId`` beside EventData in PowerShell's and
EvtxECmd's records) is nowhere among them: it is not the process that connected.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from smbrare.records.event import Document
from smbrare.records.paths import leaves
from smbrare.sources.ecs import SHIPPER, shippers
from smbrare.sources.event_data import as_names, from_position, from_text
from smbrare.sources.mapping import Marks, Places


class Shape(Struct, frozen=True, eq=False):
    """How one exporter writes a Windows event.

    Attributes:
        source: The source that a Sysmon event of this exporter belongs to.
        places: Where it keeps the parts of the event.
        unpack: Returns the record with EventData by name, where a list or a text packs it; raises
            `Malformed` if it cannot. Only called for network events. None for no packing.
        packed: The path of what ``unpack`` decodes.
        marks: By what it is distinguished from another exporter that writes alike.
    """

    source: str
    places: Places
    unpack: Callable[[Document], Document] | None = None
    packed: str = ""
    marks: Marks = ()


def _unpack_event(document: Document) -> Document:
    event = document["Event"]
    data = event.get("EventData")
    if not isinstance(data, Mapping) or "Data" not in data:
        return document
    return {**document, "Event": {**event, "EventData": as_names(data)}}


def _unpack_payload(document: Document) -> Document:
    return {**document, "Payload": {"EventData": _event_data(document["Payload"])}}


def _unpack_column(document: Document) -> Document:
    return {**document, "EventData": _event_data(document["EventData"])}


def _event_data(value: object) -> Mapping[str, object]:
    return as_names(from_text(value) if isinstance(value, str) else value)


def _unpack_properties(document: Document) -> Document:
    values = from_position(document.get("Id"), document.get("Properties"))
    return {**document, "Properties": values}


_WINLOG: Places = {
    "event_id": ("winlog.event_id", "event.code"),
    "channel": ("winlog.channel",),
    "provider": ("winlog.provider_name", "event.provider"),
    # host.name is the collector where events were forwarded.
    "computer": ("winlog.computer_name", "host.name"),
    "host_id": ("host.id",),
    "time": ("winlog.time_created", "@timestamp"),
    "ingested": ("event.ingested",),
    "action": ("event.action",),
    "data": ("winlog.event_data",),
    "message": ("message",),
}


_COLUMNS: Places = {
    "event_id": ("EventID",),
    "channel": ("Channel", "EventLog"),
    "provider": ("SourceName", "ProviderName", "Provider", "EventSourceName", "Source"),
    "computer": ("Hostname", "Computer", "ComputerName"),
    "utc_time": ("TimeGenerated [UTC]",),
    "time": (
        "TimeCreated",
        "EventTime",
        "TimeGenerated",
        "TimeGenerated [Local Time]",
        "@timestamp",
    ),
    "message": ("Message", "RenderedDescription"),
}

WINLOGBEAT = Shape("winlogbeat", _WINLOG)
"""Winlogbeat 7 and 8: everything of the event below ``winlog``."""

AGENT = Shape("sysmon", _WINLOG, marks=((*SHIPPER, "event.original"),))
"""The same, shipped by Elastic Agent for the windows integration."""

WINLOGBEAT_6 = Shape(
    "winlogbeat",
    {
        "event_id": ("event_id",),
        "channel": ("log_name",),
        "provider": ("source_name",),
        "computer": ("computer_name", "host.name"),
        "time": ("@timestamp",),
        "ingested": ("event.ingested",),
        "data": ("event_data",),
        "message": ("message",),
    },
)
"""Winlogbeat 6: the same names one level higher."""

EVENT_JSON = Shape(
    "sysmon",
    {
        "event_id": ("Event.System.EventID.#text", "Event.System.EventID"),
        "channel": ("Event.System.Channel",),
        "provider": (
            "Event.System.Provider.#attributes.Name",
            "Event.System.Provider_attributes.Name",
            "Event.System.Provider.@Name",
        ),
        "computer": ("Event.System.Computer",),
        "time": (
            "Event.System.TimeCreated.#attributes.SystemTime",
            "Event.System.TimeCreated_attributes.SystemTime",
            "Event.System.TimeCreated.@SystemTime",
        ),
        "ingested": ("event.ingested",),
        "data": ("Event.EventData",),
        "message": ("Event.RenderingInfo.Message",),
    },
    _unpack_event,
)
"""The XML of an event as JSON: evtx_dump, the evtx library, and converters like them."""

VELOCIRAPTOR = Shape(
    "sysmon",
    {
        "event_id": ("System.EventID.Value", "System.EventID"),
        "channel": ("System.Channel",),
        "provider": ("System.Provider.Name",),
        "computer": ("System.Computer",),
        "epoch_time": ("System.TimeCreated.SystemTime",),
        "data": ("EventData",),
        "message": ("Message",),
    },
)
"""Velociraptor's parse_evtx: System and EventData at the top."""

EVTXECMD = Shape(
    "sysmon",
    {
        "event_id": ("EventId",),
        "channel": ("Channel",),
        "provider": ("Provider",),
        "computer": ("Computer",),
        "utc_time": ("TimeCreated",),
        "data": ("Payload.EventData",),
    },
    _unpack_payload,
    "Payload",
)
"""EvtxECmd: EventData in a JSON text, ``Payload``."""

POWERSHELL = Shape(
    "sysmon",
    {
        "event_id": ("Id",),
        "channel": ("LogName",),
        "provider": ("ProviderName",),
        "computer": ("MachineName",),
        # A DateTime that PowerShell 5.1 decorated is an object.
        "time": ("TimeCreated.value", "TimeCreated"),
        "data": ("Properties",),
        "rendered": ("Message",),
    },
    _unpack_properties,
)
"""``Get-WinEvent | ConvertTo-Json``: values by position from -Depth 3, else in the message."""

EVENT_VIEWER = Shape(
    "sysmon",
    {
        "event_id": ("Event ID",),
        "provider": ("Source",),
        "time": ("Date and Time",),
        "rendered": ("Message",),
    },
)
"""Event Viewer's CSV: the values are in the message alone."""

EVENT_DATA_COLUMN = Shape(
    "sysmon", {**_COLUMNS, "data": ("EventData",)}, _unpack_column, "EventData"
)
"""Azure Log Analytics, and Velociraptor's EvtxHunter: columns, one of them EventData."""

FLAT = Shape("sysmon", {**_COLUMNS, "data": ("",)})
"""NXLog and its like: EventData's names at the top, beside the record's own."""

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
)


def shape_of(document: Document) -> Shape | None:
    """Return the shape of a raw Windows event, by the keys at the top; None if it is not one."""
    shape = _by_keys(document)
    if shape is None or leaves(document, "destination.ip"):
        return None  # A pipeline has made ECS of it, whatever it kept of the raw record.
    return shape


def _by_keys(document: Document) -> Shape | None:
    if "winlog" in document or "winlog.channel" in document or "winlog.event_id" in document:
        return None if _is_mapped(document) else _beat(document)
    if "EventID" in document:
        if not any(key in document for key in (*_COLUMNS["channel"], *_COLUMNS["provider"])):
            return None
        return EVENT_DATA_COLUMN if "EventData" in document else FLAT
    if "Event" in document:
        event = document["Event"]
        return EVENT_JSON if isinstance(event, dict) and "System" in event else None
    if "System" in document and "EventData" in document:
        return VELOCIRAPTOR
    if "EventId" in document and "Payload" in document:
        return EVTXECMD
    if "Id" in document and ("LogName" in document or "ProviderName" in document):
        return POWERSHELL
    if "Event ID" in document and "Source" in document:
        return EVENT_VIEWER
    if "log_name" in document and "event_id" in document:
        return WINLOGBEAT_6
    return None


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
