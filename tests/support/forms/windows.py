"""The records in which exporters wrap a Windows event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from tests.support.forms.connection import iso
from tests.support.forms.events import Event

SERVICE_PID = 3236
"""The logging service, which no reader may take for the process that connected."""


def winlogbeat_8(event: Event) -> dict[str, Any]:
    """Winlogbeat 8 behind a collector, which host names."""
    return {
        "@timestamp": iso(event.logged),
        "agent": {"type": "winlogbeat", "version": "8.15.0", "name": "COLLECTOR"},
        "host": {"name": "COLLECTOR", "id": "collector-id"},
        "event": {"code": str(event.number), "kind": "event", "provider": event.provider},
        "winlog": {
            "channel": event.channel,
            "provider_name": event.provider,
            "event_id": str(event.number),
            "computer_name": event.host,
            "record_id": 222729,
            "process": {"pid": SERVICE_PID, "thread": {"id": 3636}},
            "user": {"name": "SYSTEM", "domain": "NT AUTHORITY", "identifier": "S-1-5-18"},
            "event_data": dict(event.data),
        },
        "message": event.message.replace("\r\n", "\n"),
    }


def winlogbeat_7(event: Event) -> dict[str, Any]:
    """Winlogbeat 7.4: numbers as numbers, empty text for what is missing."""
    record = winlogbeat_8(event)
    record["@metadata"] = {"beat": "winlogbeat", "type": "_doc", "version": "7.4.0"}
    record["agent"] = {"type": "winlogbeat", "version": "7.4.0", "hostname": event.host}
    record["host"] = {"name": event.host, "id": "host-id"}
    record["event"]["code"] = event.number
    record["event"]["action"] = "Network connection detected (rule: NetworkConnect)"
    record["winlog"]["event_id"] = event.number
    record["winlog"]["event_data"] = {k: "" if v == "-" else v for k, v in event.data.items()}
    return record


def winlogbeat_6(event: Event) -> dict[str, Any]:
    """Winlogbeat 6: everything one level higher, beside the beat's own fields."""
    return {
        "@timestamp": iso(event.logged),
        "beat": {"name": "COLLECTOR", "hostname": "COLLECTOR", "version": "6.8.0"},
        "host": {"name": "COLLECTOR"},
        "type": "wineventlog",
        "computer_name": event.host,
        "event_data": dict(event.data),
        "event_id": event.number,
        "log_name": event.channel,
        "source_name": event.provider,
        "process_id": SERVICE_PID,
        "record_number": "222729",
        "message": event.message,
    }


def winlogbeat_fields(event: Event) -> dict[str, Any]:
    """A Winlogbeat 8 record as Kibana's ``fields`` have it: flat keys, every value in an array."""
    flat: dict[str, Any] = {}

    def flatten(prefix: str, node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                flatten(f"{prefix}.{key}" if prefix else key, value)
        else:
            flat[prefix] = [node]

    flatten("", winlogbeat_8(event))
    return flat


def xml(event: Event) -> str:
    """The event as Windows renders it in XML."""
    data = "".join(
        f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in event.data.items()
    )
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{event.provider}' Guid='{{5770385f-c22a-43e0-bf4c-06f5698ffbd9}}'/>"
        f"<EventID>{event.number}</EventID><Version>5</Version><Level>4</Level>"
        f"<TimeCreated SystemTime='{iso(event.logged, 9)}'/><EventRecordID>8</EventRecordID>"
        f"<Correlation/><Execution ProcessID='{SERVICE_PID}' ThreadID='4492'/>"
        f"<Channel>{event.channel}</Channel><Computer>{event.host}</Computer>"
        f"<Security UserID='S-1-5-18'/></System><EventData>{data}</EventData></Event>"
    )


def agent(event: Event) -> dict[str, Any]:
    """What Elastic Agent ships: winlog beside the original XML; @timestamp is when it was read."""
    record = winlogbeat_8(event)
    record["@timestamp"] = iso(event.time + timedelta(hours=2))
    record["agent"] = {"type": "filebeat", "version": "8.15.0"}
    record["host"] = {"name": event.host, "id": "host-id"}
    record["event"]["original"] = xml(event)
    record["winlog"]["time_created"] = iso(event.logged)
    record["data_stream"] = {"dataset": "windows.sysmon_operational", "type": "logs"}
    del record["message"]
    return record


def agent_xml(event: Event) -> dict[str, Any]:
    """A record that holds the XML alone."""
    return {
        "@timestamp": iso(event.time + timedelta(hours=2)),
        "agent": {"type": "filebeat", "version": "8.15.0"},
        "event": {"original": xml(event), "kind": "event"},
    }


def nxlog(event: Event) -> dict[str, Any]:
    """NXLog: EventData's names beside its own; EventTime in a zone that it does not name."""
    data = dict(event.data)
    if "ProcessID" in data:
        data["ProcessId"] = data.pop("ProcessID")
    return {
        "EventTime": f"{event.logged - timedelta(hours=4):%Y-%m-%d %H:%M:%S}",
        "@timestamp": iso(event.logged + timedelta(seconds=3)),
        "Hostname": event.host,
        "EventID": event.number,
        "SourceName": event.provider,
        "Channel": event.channel,
        "SourceModuleType": "im_msvistalog",
        "ExecutionProcessID": SERVICE_PID,
        "AccountName": "SYSTEM",
        "Domain": "NT AUTHORITY",
        "host": "collector.example",
        "port": 60122,
        "Message": event.message,
        **data,
    }


def nxlog_lost_key(event: Event) -> dict[str, Any]:
    """Older NXLog: its own ProcessID stands where the process that connected stood."""
    record = nxlog(event)
    del record["ExecutionProcessID"], record["ProcessId"]
    return record | {"ProcessID": SERVICE_PID}


def flat_time_created(event: Event) -> dict[str, Any]:
    """Flat with TimeCreated, which claims UTC and is local."""
    return {
        "SourceName": event.provider,
        "Level": "4",
        "Channel": event.channel,
        "Hostname": event.host,
        "TimeCreated": iso(event.logged - timedelta(hours=5)),
        "@timestamp": iso(event.logged - timedelta(hours=5)),
        "EventID": event.number,
        "Message": event.message,
        "Task": "3",
        **event.data,
    }


def typed(data: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of EventData as numbers and booleans, where they look like them."""
    words = {"true": True, "false": False}
    return {
        name: int(value) if value.isdigit() else words.get(value, value)
        for name, value in data.items()
    }


def evtx_dump(event: Event) -> dict[str, Any]:
    """evtx_dump and the evtx library: typed values, attributes in an object."""
    return {
        "Event": {
            "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {
                "Provider": {"#attributes": {"Name": event.provider}},
                "EventID": {"#attributes": {"Qualifiers": 0}, "#text": event.number},
                "TimeCreated": {"#attributes": {"SystemTime": iso(event.logged, 6)}},
                "EventRecordID": 7000,
                "Execution": {"#attributes": {"ProcessID": SERVICE_PID, "ThreadID": 4064}},
                "Channel": event.channel,
                "Computer": event.host,
            },
            "EventData": typed(event.data),
        }
    }


def evtx_dump_separate(event: Event) -> dict[str, Any]:
    """evtx_dump with ``--separate-json-attributes``."""
    record = evtx_dump(event)
    system = record["Event"]["System"]
    for name in ("Provider", "TimeCreated", "Execution"):
        system[f"{name}_attributes"] = system.pop(name)["#attributes"]
    system["EventID"] = event.number
    system["EventID_attributes"] = {"Qualifiers": ""}
    return record


def xml_as_json(event: Event) -> dict[str, Any]:
    """XML through a general converter: attributes with an at sign, Data as a list."""
    data = [{"@Name": name, "#text": value} for name, value in event.data.items()]
    return {
        "Event": {
            "System": {
                "Provider": {"@Name": event.provider},
                "EventID": str(event.number),
                "TimeCreated": {"@SystemTime": iso(event.logged, 7)},
                "Execution": {"@ProcessID": str(SERVICE_PID)},
                "Channel": event.channel,
                "Computer": event.host,
            },
            "EventData": {"Data": data},
        }
    }


def _azure(event: Event, data: Any) -> dict[str, Any]:
    return {
        "TimeGenerated": iso(event.logged, 7),
        "Computer": event.host,
        "Source": event.provider,
        "EventLog": event.channel,
        "EventID": event.number,
        "RenderedDescription": event.message,
        "EventData": data,
        "Type": "Event",
    }


def azure_json(event: Event) -> dict[str, Any]:
    """Azure Log Analytics, EventData a JSON text of an object."""
    return _azure(event, json.dumps(dict(event.data)))


def azure_list(event: Event) -> dict[str, Any]:
    """Azure Log Analytics, EventData a list of names and texts."""
    return _azure(event, [{"Name": name, "text": value} for name, value in event.data.items()])


def azure_list_text(event: Event) -> dict[str, Any]:
    """Azure Log Analytics, EventData the JSON text of parsed XML."""
    data = [{"@Name": name, "#text": value} for name, value in event.data.items()]
    return _azure(event, json.dumps({"DataItem": {"EventData": {"Data": data}}}))


def azure_xml(event: Event) -> dict[str, Any]:
    """Azure Log Analytics, EventData as XML in its own envelope; columns as the portal exports."""
    data = "".join(
        f'<Data Name="{name}">{escape(value)}</Data>' for name, value in event.data.items()
    )
    text = (
        f'<DataItem Type="System.XmlData" time="{iso(event.logged, 7)}">'
        '<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event">'
        f"{data}</EventData></DataItem>"
    )
    record = _azure(event, text)
    logged = event.logged
    hour = logged.hour % 12 or 12
    half = "AM" if logged.hour < 12 else "PM"
    record["TimeGenerated [UTC]"] = (
        f"{logged.month}/{logged.day}/{logged.year}, {hour}:{logged:%M:%S}."
        f"{logged.microsecond // 1000:03d} {half}"
    )
    del record["TimeGenerated"]
    return {name: str(value) for name, value in record.items()}


def _milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def powershell(event: Event) -> dict[str, Any]:
    """``Get-WinEvent | ConvertTo-Json`` of PowerShell 5.1 at its default depth."""
    return {
        "Id": event.number,
        "Version": 5,
        "ProviderName": event.provider,
        "LogName": event.channel,
        "ProcessId": SERVICE_PID,
        "ThreadId": 4492,
        "MachineName": event.host,
        "UserId": {"BinaryLength": 12, "AccountDomainSid": None, "Value": "S-1-5-18"},
        "RecordId": 2555,
        "TimeCreated": f"/Date({_milliseconds(event.logged)})/",
        "Properties": ["System.Diagnostics.Eventing.Reader.EventProperty"] * len(event.data),
        "Message": event.message,
    }


def powershell_deep(event: Event) -> dict[str, Any]:
    """PowerShell 7 with ``-Depth 3``: values by position, and a time with an offset."""
    record = powershell(event)
    local = event.logged + timedelta(hours=2)
    record["TimeCreated"] = f"{local:%Y-%m-%dT%H:%M:%S.%f}0+02:00"
    record["Properties"] = [{"Value": value} for value in typed(event.data).values()]
    # The language of the rendering is the reader's; the values stand apart from it.
    record["Message"] = "Netzwerkverbindung erkannt"
    return record


def velociraptor(event: Event) -> dict[str, Any]:
    """Velociraptor's parse_evtx."""
    return {
        "System": {
            "Provider": {"Name": event.provider},
            "EventID": {"Value": event.number},
            "TimeCreated": {"SystemTime": _milliseconds(event.logged) / 1000},
            "EventRecordID": 8,
            "Execution": {"ProcessID": SERVICE_PID, "ThreadID": 4492},
            "Channel": event.channel,
            "Computer": event.host,
        },
        "EventData": typed(event.data),
        "Message": event.message,
    }


def velociraptor_hunter(event: Event) -> dict[str, Any]:
    """Velociraptor's EvtxHunter: columns, one of them EventData."""
    return {
        "EventTime": iso(event.logged, 6),
        "Computer": event.host,
        "Channel": event.channel,
        "Provider": event.provider,
        "EventID": event.number,
        "EventRecordID": 8,
        "EventData": typed(event.data),
        "Message": event.message,
        "OSPath": "C:\\Windows\\System32\\winevt\\Logs\\log.evtx",
    }


def evtxecmd(event: Event) -> dict[str, Any]:
    """EvtxECmd ``--json``: EventData in a JSON text."""
    data = [
        {"@Name": name, "#text": value.title() if value in {"true", "false"} else value}
        if value != "-"
        else {"@Name": name}
        for name, value in event.data.items()
    ]
    return {
        "PayloadData1": "left to people",
        "Payload": json.dumps({"EventData": {"Data": data}}),
        "Channel": event.channel,
        "Provider": event.provider,
        "EventId": event.number,
        "EventRecordId": "8",
        "ProcessId": SERVICE_PID,
        "ThreadId": 4492,
        "Computer": event.host,
        "TimeCreated": iso(event.logged, 7).replace("Z", "+00:00"),
    }
