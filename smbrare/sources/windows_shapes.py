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
from smbrare.sources.ecs import SHIPPER
from smbrare.sources.event_data import as_names, from_position, from_text
from smbrare.sources.mapping import Marks, Places


class Shape(Struct, frozen=True, eq=False):
    """How one exporter writes a Windows event.

    Attributes:
        name: Whose records are so, for people.
        source: The source that a Sysmon event of this exporter belongs to.
        places: Where it keeps the parts of the event.
        unpack: Returns the record with EventData by name, where a list or a text packs it; raises
            `Malformed` if it cannot. Only called for network events. None for no packing.
        packed: The path of what ``unpack`` decodes.
        marks: By what it is distinguished from another exporter that writes alike.
        spelling: Turns a name of EventData into the exporter's; None where it keeps them.
        channels: What it calls a channel, in lower case → the channel.
    """

    name: str
    source: str
    places: Places
    unpack: Callable[[Document], Document] | None = None
    packed: str = ""
    marks: Marks = ()
    spelling: Callable[[str], str] | None = None
    channels: Mapping[str, str] = {}


def _unpack_event(document: Document) -> Document:
    event = document.get("Event", {})
    data = event.get("EventData")
    if not isinstance(data, Mapping) or "Data" not in data:
        return document
    return {**document, "Event": {**event, "EventData": as_names(data)}}


def _unpack_payload(document: Document) -> Document:
    return {**document, "Payload": {"EventData": _event_data(document["Payload"])}}


def _unpack_column(document: Document) -> Document:
    data = document["EventData"]
    if isinstance(data, list) and not any(isinstance(item, Mapping) for item in data):
        return {**document, "EventData": from_position(document["EventID"], data)}
    return {**document, "EventData": _event_data(data)}


def _event_data(value: object) -> Mapping[str, object]:
    return as_names(from_text(value) if isinstance(value, str) else value)


def _unpack_properties(document: Document) -> Document:
    items = document.get("Properties")
    if not isinstance(items, list):
        items = []
    # At its default depth ConvertTo-Json writes the name of a .NET class for each value.
    values = [item["Value"] for item in items if isinstance(item, Mapping) and "Value" in item]
    named = from_position(document.get("Id"), values if len(values) == len(items) else [])
    return {**document, "Properties": named}


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

COLUMNS: Places = {
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
    "message": ("Message", "RenderedDescription", "Description", "full_message"),
}
"""The columns of a flat record, as different exporters call them."""

WINLOGBEAT = Shape("Winlogbeat 7 and later: the event below winlog", "winlogbeat", _WINLOG)

AGENT = Shape(
    "The same, shipped by Elastic Agent", "sysmon", _WINLOG, marks=((*SHIPPER, "event.original"),)
)

WINLOGBEAT_6 = Shape(
    "Winlogbeat 6: the same names one level higher",
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

EVENT_JSON = Shape(
    "The XML of an event as JSON: evtx_dump, the evtx library, and converters like them",
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

VELOCIRAPTOR = Shape(
    "Velociraptor's parse_evtx: System and EventData at the top",
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

EVTXECMD = Shape(
    "EvtxECmd: EventData in a JSON text, Payload",
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

POWERSHELL = Shape(
    "Get-WinEvent | ConvertTo-Json: values by position from -Depth 3, else in the message",
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

EVENT_VIEWER = Shape(
    "Event Viewer's CSV: the values are in the message alone",
    "sysmon",
    {
        "event_id": ("Event ID",),
        "provider": ("Source",),
        "time": ("Date and Time",),
        "rendered": ("Message",),
    },
)

EVENT_DATA_COLUMN = Shape(
    "Azure Log Analytics, Velociraptor's EvtxHunter and Fluentd: columns, one of them EventData",
    "sysmon",
    {**COLUMNS, "data": ("EventData",)},
    _unpack_column,
    "EventData",
)

FLAT = Shape(
    "NXLog and its like: EventData's names at the top, beside the record's own",
    "sysmon",
    {**COLUMNS, "data": ("",)},
)
