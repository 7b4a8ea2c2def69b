"""The records in which collectors and other tools wrap a Windows event."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.support.forms import windows
from tests.support.forms.connection import iso
from tests.support.forms.events import Event
from tests.support.forms.windows import SERVICE_PID


def wazuh(event: Event) -> dict[str, Any]:
    """An alert of Wazuh's: the names of the event begin with a small letter."""
    return {
        "timestamp": iso(event.logged + timedelta(seconds=2)).replace("Z", "+0000"),
        "rule": {"level": 3, "id": "61605", "groups": ["windows", "sysmon"]},
        "agent": {"id": "007", "name": event.host.partition(".")[0], "ip": "10.20.1.17"},
        "manager": {"name": "wazuh-manager"},
        "decoder": {"name": "windows_eventchannel"},
        "data": {
            "win": {
                "system": {
                    "providerName": event.provider,
                    "eventID": str(event.number),
                    "systemTime": iso(event.logged, 7),
                    "processID": str(SERVICE_PID),
                    "channel": event.channel,
                    "computer": event.host,
                    "message": f'"{event.message}"',
                },
                "eventdata": {
                    name[:1].lower() + name[1:]: value for name, value in event.data.items()
                },
            }
        },
        "location": "EventChannel",
    }


def _columns(event: Event) -> dict[str, Any]:
    """What the Fluents write of an event; ProcessID is the logging service."""
    return {
        "ProviderName": event.provider,
        "EventID": event.number,
        "Qualifiers": "",
        "Level": 4,
        "ProcessID": SERVICE_PID,
        "ThreadID": 4492,
        "Channel": event.channel,
        "Computer": event.host,
        "UserID": "S-1-5-18",
    }


def fluent_bit(event: Event) -> dict[str, Any]:
    """Fluent Bit's winevtlog: typed values by position, whole seconds with an offset."""
    return {
        **_columns(event),
        "TimeCreated": f"{event.logged + timedelta(hours=9):%Y-%m-%d %H:%M:%S} +0900",
        "Message": event.message,
        "StringInserts": list(windows.typed(event.data).values()),
    }


def fluent_bit_bare(event: Event) -> dict[str, Any]:
    """The same without a message."""
    return fluent_bit(event) | {"Message": ""}


def fluent_bit_xml(event: Event) -> dict[str, Any]:
    """Fluent Bit that renders the event as XML."""
    return {
        "System": windows.xml(event),
        "Message": event.message,
        "StringInserts": list(windows.typed(event.data).values()),
    }


def fluentd(event: Event) -> dict[str, Any]:
    """Fluentd's windows_eventlog2: all values are text."""
    return {
        **{name: str(value) for name, value in _columns(event).items()},
        "TimeCreated": f"{event.logged:%Y/%m/%d %H:%M:%S.%f}700",
        "Description": event.message,
        "EventData": list(event.data.values()),
    }


def telegraf(event: Event) -> dict[str, Any]:
    """Telegraf's win_eventlog as JSON; of the message the first line is left."""
    return {
        "fields": {
            "EventRecordID": 8,
            "Message": event.message.partition("\r")[0],
            "ProcessID": SERVICE_PID,
            "ProcessName": "Sysmon64.exe",
            "Version": 5,
            **{f"Data_{name}": value for name, value in event.data.items()},
        },
        "name": "win_eventlog",
        "tags": {
            "Channel": event.channel,
            "Computer": event.host,
            "EventID": str(event.number),
            "Source": event.provider,
            "host": "collector",
        },
        "timestamp": int(event.logged.timestamp()),
    }


def opentelemetry(event: Event) -> dict[str, Any]:
    """The body of OpenTelemetry's windowseventlog receiver."""
    return {
        "event_id": {"qualifiers": 0, "id": event.number},
        "provider": {"name": event.provider, "guid": "{5770385f}", "event_source": ""},
        "system_time": iso(event.logged, 9),
        "computer": event.host,
        "channel": event.channel,
        "record_id": 8,
        "level": "Information",
        "message": event.message,
        "execution": {"process_id": SERVICE_PID, "thread_id": 4492},
        "event_data": dict(event.data),
    }


def otlp(event: Event) -> dict[str, Any]:
    """A log record of OTLP as JSON, in which each value says its type."""
    return {
        "timeUnixNano": str(int(event.logged.timestamp()) * 1_000_000_000),
        "severityText": "Information",
        "body": _typed_by_otlp(opentelemetry(event)),
        "attributes": [{"key": "log.source", "value": {"stringValue": "wel"}}],
    }


def otlp_raw(event: Event) -> dict[str, Any]:
    """The same of a receiver that keeps the XML."""
    return otlp(event) | {"body": {"stringValue": windows.xml(event)}}


def _typed_by_otlp(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        pairs = [{"key": key, "value": _typed_by_otlp(inner)} for key, inner in value.items()]
        return {"kvlistValue": {"values": pairs}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def opentelemetry_elasticsearch(event: Event) -> dict[str, Any]:
    """What OpenTelemetry's exporter for Elasticsearch writes; older data are a list."""
    data = [{name: value} for name, value in event.data.items()]
    return {
        "@timestamp": iso(event.logged),
        "body": {"structured": opentelemetry(event) | {"event_data": {"data": data}}},
        "resource": {"attributes": {"host.name": "collector"}},
        "severity_text": "Information",
    }


def gelf(event: Event) -> dict[str, Any]:
    """NXLog's GELF: its fields begin with an underscore, the host is the record's."""
    record = windows.nxlog(event)
    host, message = record.pop("Hostname"), record.pop("Message")
    for name in ("host", "port", "@timestamp"):
        del record[name]
    return {
        "version": "1.1",
        "host": host,
        "short_message": message[:64],
        "full_message": message,
        "timestamp": event.logged.timestamp(),
        "level": 6,
        **{f"_{name}": value for name, value in record.items()},
    }


def graylog(event: Event) -> dict[str, Any]:
    """The same as Graylog keeps and exports it."""
    record = {key.removeprefix("_"): value for key, value in gelf(event).items()}
    record |= {"source": record.pop("host"), "message": record.pop("short_message")}
    del record["version"]
    return record | {"timestamp": iso(event.logged), "gl2_source_input": "5f2b", "_id": "1"}


def graylog_beats(event: Event) -> dict[str, Any]:
    """Winlogbeat through Graylog's Beats input."""
    return _graylog(event, "winlogbeat_winlog")


def graylog_beats_bare(event: Event) -> dict[str, Any]:
    """The same without the beat's name in front."""
    return _graylog(event, "winlog")


def _graylog(event: Event, prefix: str) -> dict[str, Any]:
    fields = {
        "event_id": event.number,
        "channel": event.channel,
        "provider_name": event.provider,
        "computer_name": event.host,
        "process_pid": SERVICE_PID,
        **{f"event_data_{name}": value for name, value in event.data.items()},
    }
    return {
        "timestamp": iso(event.logged),
        "source": "collector",
        "message": event.message,
        **{f"{prefix}_{name}": value for name, value in fields.items()},
    }


def helk(event: Event) -> dict[str, Any]:
    """HELK: other names, paths and accounts in lower case."""
    data = event.data
    names = {
        "Initiated": "network_initiated",
        "Protocol": "network_protocol",
        "SourceIp": "src_ip_addr",
        "SourcePort": "src_port",
        "DestinationIp": "dst_ip_addr",
        "DestinationPort": "dst_port",
        "DestinationHostname": "dst_host_name",
        "QueryResults": "dns_query_results",
        "Image": "process_path",
        "User": "user_account",
        "ProcessId": "process_id",
    }
    record = {new: data[old] for old, new in names.items() if data.get(old, "-") != "-"}
    for name in ("process_path", "user_account"):
        record[name] = record[name].lower()
    return {
        "@timestamp": iso(event.logged + timedelta(seconds=3)),
        "@event_date_creation": iso(event.time),
        "beat_hostname": "collector",
        "etl_pipeline": ["all-filter-0098", "winevent-sysmon-all-1531", "general_rename-ProcessId"],
        "event_id": event.number,
        "host_name": event.host.lower(),
        "log_name": event.channel,
        "source_name": event.provider,
        "type": "wineventlog",
        **record,
    }


def lower(event: Event) -> dict[str, Any]:
    """NXLog's record with all names in lower case, as some pipelines make them."""
    return {name.lower(): value for name, value in windows.nxlog(event).items()}


def flattened(event: Event) -> dict[str, Any]:
    """The JSON of evtx_dump as a table: one dotted name a value."""
    record = windows.evtx_dump(event)["Event"]
    system = {
        "Provider.#attributes.Name": event.provider,
        "EventID.#text": event.number,
        "TimeCreated.#attributes.SystemTime": iso(event.logged, 6),
        "Execution.#attributes.ProcessID": SERVICE_PID,
        "Channel": event.channel,
        "Computer": event.host,
    }
    return {
        **{f"Event.System.{name}": value for name, value in system.items()},
        **{f"Event.EventData.{name}": value for name, value in record["EventData"].items()},
    }


def evtx2es(event: Event) -> dict[str, Any]:
    """evtx2es: Winlogbeat's names, filled from the file."""
    return {
        "@timestamp": iso(event.logged, 6),
        "event": {
            "action": "eventlog-x",
            "category": ["host"],
            "kind": "event",
            "provider": event.provider,
            "code": event.number,
        },
        "winlog": {
            "channel": event.channel,
            "computer_name": event.host,
            "event_id": event.number,
            "provider_name": event.provider,
            "process": {"pid": SERVICE_PID, "thread_id": 4492},
            "event_data": windows.typed(event.data),
        },
        "log": {"file": {"name": "/evidence/log.evtx"}},
    }


def plaso(event: Event) -> dict[str, Any]:
    """A line of plaso's psort, as Timesketch keeps it: the XML is the event."""
    return {
        "__container_type__": "event",
        "data_type": "windows:evtx:record",
        "event_identifier": event.number,
        "computer_name": event.host,
        "source_name": event.provider,
        "strings": list(event.data.values()),
        "timestamp": int(event.logged.timestamp() * 1_000_000),
        "xml_string": windows.xml(event),
    }


def chainsaw(event: Event) -> dict[str, Any]:
    """A finding of Chainsaw's, with the event that it rests on."""
    return {
        "group": "Sigma",
        "kind": "individual",
        "name": "Network Connection",
        "timestamp": iso(event.logged, 6),
        "document": {
            "kind": "evtx",
            "path": "/evidence/log.evtx",
            "data": windows.evtx_dump_separate(event),
        },
    }


_HAYABUSA_CHANNELS = {"Microsoft-Windows-Sysmon/Operational": "Sysmon", "Security": "Sec"}


def hayabusa(event: Event) -> dict[str, Any]:
    """Hayabusa's json-timeline with the profile all-field-info; channels are abbreviated."""
    return {
        "Timestamp": iso(event.logged).replace("T", " ").replace("Z", " +00:00"),
        "RuleTitle": "Net Conn",
        "Level": "info",
        "Computer": event.host,
        "Channel": _HAYABUSA_CHANNELS.get(event.channel, event.channel),
        "EventID": event.number,
        "RecordID": 8,
        "AllFieldInfo": windows.typed(event.data),
        "RuleFile": "Sysmon_3_Info_NetConn.yml",
        "EvtxFile": "log.evtx",
    }


def hayabusa_text(event: Event) -> dict[str, Any]:
    """Its csv-timeline with the same profile."""
    record = {name: str(value) for name, value in hayabusa(event).items()}
    info = " ¦ ".join(f"{name}: {value}" for name, value in event.data.items())
    return record | {"AllFieldInfo": info}


def azure_windows_event(event: Event) -> dict[str, Any]:
    """A row of Log Analytics' WindowsEvent."""
    return {
        "TimeGenerated": iso(event.logged, 7),
        "Computer": event.host,
        "Provider": event.provider,
        "Channel": event.channel,
        "EventID": event.number,
        "EventData": dict(event.data),
        "SystemProcessId": SERVICE_PID,
        "Type": "WindowsEvent",
    }


def azure_security_event(event: Event) -> dict[str, Any]:
    """A row of Log Analytics' SecurityEvent: EventData is XML, ProcessId another column's."""
    data = windows.xml(event)
    return {
        "TimeGenerated": iso(event.logged, 7),
        "Computer": event.host,
        "EventSourceName": event.provider,
        "Channel": event.channel,
        "EventID": event.number,
        "EventData": data[data.index("<EventData>") : data.index("</Event>")],
        "ProcessId": "0x0",
        "Type": "SecurityEvent",
    }


def grouped(records: list[dict[str, Any]]) -> str:
    """Return log records of OTLP as a file exporter writes a batch of them."""
    scope = {"scope": {"name": "otelcol"}, "logRecords": records}
    resource = {"attributes": [{"key": "host.name", "value": {"stringValue": "collector"}}]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]})
