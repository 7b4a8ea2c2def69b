"""Events packed in a text, a list or a field of another record; the paths that readings name."""

from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.support.forms import events, windows
from tests.support.forms.connection import Connection
from tests.support.forms.reading import values

SYSMON = events.sysmon(Connection())


def seen(document: Any) -> View:
    view = recognize(document, ReadOptions())
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("wrap", "column"),
    [(windows.evtxecmd, "Payload"), (windows.azure_json, "EventData")],
)
@pytest.mark.parametrize("damaged", ['{"EventData"', "<EventData><Data", "no JSON", "7", "true"])
def test_packed_data_that_cannot_be_decoded_is_counted_as_malformed(
    wrap: Any, column: str, damaged: str
) -> None:
    view = seen(wrap(SYSMON) | {column: damaged})
    assert values(view, "event.category") == ["network"]
    assert view.read("destination.port").malformed == (damaged,)
    assert view.read("destination.port").path == column


@pytest.mark.parametrize("empty", [None, "", "null", "{}", [], {}])
def test_packed_data_that_is_empty_is_missing(empty: Any) -> None:
    record = windows.azure_json(SYSMON) | {"EventData": empty, "RenderedDescription": ""}
    reading = seen(record).read("destination.port")
    assert reading.values == ()
    assert reading.malformed == ()


def test_where_azure_has_no_event_data_its_description_is_read_as_inferred() -> None:
    reading = seen(windows.azure_json(SYSMON) | {"EventData": None}).read("destination.port")
    assert reading.values == (445,)
    assert reading.path == "RenderedDescription"
    assert reading.inferred


@pytest.mark.parametrize("field", ["event.original", "message"])
def test_xml_that_stands_alone_in_a_field_is_read(field: str) -> None:
    view = seen({"@timestamp": "2026-11-16T10:00:00Z", field: windows.xml(SYSMON)})
    assert matches(view)
    assert view.layers == (f"{field} (XML)",)


@pytest.mark.parametrize(
    "text",
    [
        "<Event",
        "<Event/>",
        "<Events></Events>",
        "<Event><System/></Event>",
        "Event",
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Event>&e;</Event>',
    ],
)
def test_text_that_is_no_event_is_no_connection(text: str) -> None:
    view = recognize({"event.original": text}, ReadOptions())
    assert view is None or values(view, "event.category") == []


@pytest.mark.parametrize(
    ("wrap", "wanted"),
    [
        (windows.winlogbeat_8, "winlog.event_data.ProcessId"),
        (windows.winlogbeat_fields, "winlog.event_data.ProcessId"),
        (windows.winlogbeat_6, "event_data.ProcessId"),
        (windows.evtx_dump, "Event.EventData.ProcessId"),
        (windows.evtxecmd, "Payload.EventData.ProcessId"),
        (windows.azure_xml, "EventData.ProcessId"),
        (windows.velociraptor, "EventData.ProcessId"),
        (windows.nxlog, "ProcessId"),
        (windows.powershell, "Message"),
        (windows.agent_xml, "Event.EventData.ProcessId"),
    ],
)
def test_a_reading_names_the_exporters_own_path(wrap: Any, wanted: str) -> None:
    assert seen(wrap(SYSMON)).read("process.pid").path == wanted
