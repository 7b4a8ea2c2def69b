"""What real exports do: one test for each peculiarity that a reader could trip over."""

import json
import re
from datetime import timedelta, timezone
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, date, format_time
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.field_rules import ZONE_ASSUMED
from smbrare.sources.mapping import View
from smbrare.sources.windows_event import message_line
from tests.support.forms import events, vendors, windows
from tests.support.forms.connection import Connection
from tests.support.forms.reading import values

CONNECTION = Connection()
SYSMON = events.sysmon(CONNECTION)
FIREWALL = events.firewall(CONNECTION)
TIME = Moment(date(CONNECTION.time.isoformat()).time)


def seen(document: Any, **settings: Any) -> View:
    view = recognize(document, ReadOptions(**settings))
    assert view is not None
    return view


def read(document: Any, field: str, **settings: Any) -> list[Any]:
    return values(seen(document, **settings), field)


def path(document: Any, field: str) -> str:
    return seen(document).read(field).path


# The process that connected, and the service that logged it


@pytest.mark.parametrize(
    "wrap",
    [
        windows.winlogbeat_8,
        windows.winlogbeat_6,
        windows.nxlog,
        windows.evtx_dump,
        windows.powershell,
        windows.evtxecmd,
        windows.velociraptor,
    ],
)
def test_the_logging_services_process_is_never_taken(wrap: Any) -> None:
    record = wrap(SYSMON)
    assert str(windows.SERVICE_PID) in json.dumps(record)
    assert read(record, "process.pid") == [4]


def test_where_the_subjects_id_is_lost_the_services_does_not_stand_in() -> None:
    record = windows.nxlog_lost_key(SYSMON)
    record["Message"] = ""
    record["Image"] = "C:\\Windows\\System32\\svchost.exe"
    assert record["ProcessID"] == windows.SERVICE_PID
    assert read(record, "process.pid") == []


def test_a_lost_process_id_is_read_out_of_the_message_and_named_as_inferred() -> None:
    reading = seen(windows.nxlog_lost_key(SYSMON)).read("process.pid")
    assert reading.values == (4,)
    assert reading.path == "Message"
    assert "message" in reading.inferred


def test_the_image_system_stands_for_the_kernel_where_the_id_is_lost() -> None:
    record = windows.nxlog_lost_key(SYSMON)
    del record["Message"]
    reading = seen(record).read("process.pid")
    assert reading.values == (4,)
    assert reading.path == "Image"
    assert reading.inferred


@pytest.mark.parametrize("image", ["<unknown process>", "system", "C:\\System", "-"])
def test_no_other_image_stands_for_the_kernel(image: str) -> None:
    record = windows.nxlog_lost_key(SYSMON)
    del record["Message"]
    record["Image"] = image
    assert read(record, "process.pid") == []


def test_an_id_that_is_no_number_is_malformed_and_what_else_holds_it_is_inferred() -> None:
    record = windows.nxlog(SYSMON) | {"ProcessId": "0x4"}
    reading = seen(record).read("process.pid")
    assert reading.values == (4,)
    assert reading.path == "Message"
    assert reading.inferred
    assert reading.malformed == ("0x4",)
    del record["Message"], record["Image"]
    reading = seen(record).read("process.pid")
    assert reading.values == ()
    assert reading.malformed == ("0x4",)


def test_older_nxlog_keeps_the_services_id_where_event_5156_keeps_its_own() -> None:
    record = windows.nxlog_lost_key(FIREWALL)
    assert read(record, "process.pid") == [4]
    assert path(record, "process.pid") == "Message"
    record["Message"] = "Die Windows-Filterplattform hat eine Verbindung zugelassen."
    assert read(record, "process.pid") == []


def test_a_localized_message_gives_no_value_rather_than_a_wrong_one() -> None:
    record = windows.powershell(SYSMON)
    record["Message"] = "Netzwerkverbindung erkannt:\r\nProzess-ID: 4\r\nZiel-IP: 45.83.122.10"
    view = seen(record)
    assert view.source == "sysmon"
    assert values(view, "process.pid") == []
    assert values(view, "destination.ip") == []


def test_the_message_of_powershell_is_the_data_and_so_not_inferred() -> None:
    view = seen(windows.powershell(SYSMON), literal=True)
    assert matches(view)
    assert view.read("process.pid").path == "Message"
    assert view.read("process.pid").inferred == ""


@pytest.mark.parametrize("count", [17, 18])
def test_powershells_values_by_position_have_a_rule_name_or_none(count: int) -> None:
    record = windows.powershell_deep(SYSMON)
    record["Properties"] = record["Properties"][18 - count :]
    view = seen(record)
    assert matches(view)
    assert view.read("destination.port").path == "Properties.DestinationPort"


@pytest.mark.parametrize("count", [0, 16, 19])
def test_a_count_of_values_that_is_not_sysmons_gives_none(count: int) -> None:
    record = windows.powershell_deep(SYSMON)
    record["Properties"] = (record["Properties"] * 2)[:count]
    assert read(record, "destination.port") == []


def test_a_time_that_powershell_decorated_is_read() -> None:
    record = windows.powershell_deep(FIREWALL)
    record["TimeCreated"] = {"value": "/Date(1595374458918)/", "DateTime": "Tuesday"}
    assert read(record, "@timestamp") == ["2020-07-21T23:34:18.918Z"]


# Which event it is


@pytest.mark.parametrize(
    "wrap", [windows.winlogbeat_8, windows.nxlog, windows.evtx_dump, windows.evtxecmd]
)
def test_event_3_of_another_channel_is_no_connection(wrap: Any) -> None:
    assert read(wrap(events.other_channel(CONNECTION)), "event.category") == []


def test_the_provider_tells_sysmon_where_the_channel_is_another() -> None:
    record = windows.nxlog(SYSMON) | {"Channel": "ForwardedEvents"}
    assert read(record, "event.category") == ["network"]
    del record["Channel"]
    assert read(record, "event.category") == ["network"]


@pytest.mark.parametrize(
    "number", [3, "3", "03", 3.0, {"#text": 3}, {"#attributes": {"Qualifiers": 0}, "#text": "3"}]
)
def test_the_number_of_an_event_has_several_spellings(number: Any) -> None:
    record = windows.evtx_dump(SYSMON)
    record["Event"]["System"]["EventID"] = number
    assert read(record, "event.category") == ["network"]


@pytest.mark.parametrize("number", [None, "three", [], {}, True, {"#text": "x"}])
def test_an_event_without_a_number_is_recognized_and_no_connection(number: Any) -> None:
    record = windows.evtx_dump(SYSMON)
    record["Event"]["System"]["EventID"] = number
    assert read(record, "event.category") == []


@pytest.mark.parametrize("channel", ["Security", "security", "SECURITY"])
def test_the_case_of_a_channel_does_not_matter(channel: str) -> None:
    record = windows.winlogbeat_8(FIREWALL)
    record["winlog"]["channel"] = channel
    assert seen(record).source == "windows_firewall"


def test_5156_of_another_channel_is_no_connection() -> None:
    record = windows.winlogbeat_8(FIREWALL)
    record["winlog"]["channel"] = "Application"
    assert read(record, "event.category") == []


# Which machine it was


def test_host_is_the_machine_of_the_event_not_the_collector() -> None:
    record = windows.winlogbeat_8(SYSMON)
    assert record["host"]["name"] == "COLLECTOR"
    assert read(record, "host.name") == [CONNECTION.host]
    assert read(record, "host.id") == []


@pytest.mark.parametrize("name", ["WS-07.corp.example", "ws-07", "WS-07.CORP.EXAMPLE"])
def test_the_id_of_the_machine_itself_is_kept(name: str) -> None:
    record = windows.winlogbeat_8(SYSMON)
    record["host"]["name"] = name
    assert read(record, "host.id") == ["collector-id"]


def test_a_host_that_is_text_is_the_collector_of_logstash() -> None:
    record = windows.nxlog(SYSMON)
    assert isinstance(record["host"], str)
    assert read(record, "host.name") == [CONNECTION.host]


# When it was


def test_utc_time_is_the_time_of_the_event_whatever_the_record_says() -> None:
    record = windows.flat_time_created(SYSMON)
    assert record["TimeCreated"].endswith("Z")
    assert seen(record).time().values == (TIME,)
    assert seen(record).time().inferred == ""


def test_a_time_without_a_zone_is_read_in_the_one_given_and_is_inferred() -> None:
    record = windows.nxlog(FIREWALL)
    zone = timezone(timedelta(hours=-4))
    reading = seen(record, zone=zone).time()
    assert reading.inferred == ZONE_ASSUMED
    assert format_time(reading.values[0].time) == "2026-11-16T08:15:31Z"
    assert read(record, "@timestamp") == ["2026-11-16T04:15:31Z"]


def test_ingestion_is_the_time_on_request_where_the_document_has_it() -> None:
    record = windows.winlogbeat_8(SYSMON)
    assert seen(record, time_field="event.ingested").time().values == (TIME,)
    record["event"]["ingested"] = "2026-11-17T00:00:00Z"
    reading = seen(record, time_field="event.ingested").time()
    assert format_time(reading.values[0].time) == "2026-11-17T00:00:00Z"
    assert reading.path == "event.ingested"


@pytest.mark.parametrize(
    ("column", "inferred"),
    [("TimeGenerated [UTC]", ""), ("TimeGenerated [Local Time]", ZONE_ASSUMED)],
)
def test_the_portals_column_says_whether_its_time_is_utc(column: str, inferred: str) -> None:
    row = vendors.defender_text(CONNECTION)
    del row["Timestamp"]
    row[column] = "10/25/2023, 9:43:21.990 PM"
    reading = seen(row, zone=timezone(timedelta(hours=2))).read("@timestamp")
    hour = 19 if inferred else 21
    assert format_time(reading.values[0].time) == f"2023-10-25T{hour}:43:21.990Z"
    assert reading.inferred == inferred


def test_velociraptors_seconds_keep_their_fraction() -> None:
    record = windows.velociraptor(FIREWALL)
    assert read(record, "@timestamp") == ["2026-11-16T08:15:31.357Z"]
    record["System"]["TimeCreated"]["SystemTime"] = "1763280931.25"
    assert read(record, "@timestamp") == ["2025-11-16T08:15:31.250Z"]
    record["System"]["TimeCreated"]["SystemTime"] = True
    assert seen(record).read("@timestamp").malformed == (True,)


# Values


def test_dash_and_empty_text_are_missing_not_malformed() -> None:
    record = windows.winlogbeat_7(SYSMON)
    record["winlog"]["event_data"] |= {"SourceIp": "-", "DestinationIp": "", "SourcePort": "-"}
    del record["message"]
    view = seen(record)
    for field in ("source.ip", "destination.ip", "source.port", "destination.domain"):
        assert view.read(field).values == ()
        assert view.read(field).malformed == ()


def test_long_ipv6_is_read_as_its_short_form() -> None:
    record = windows.nxlog(SYSMON) | {"SourceIp": "fe80:0:0:0:3816:b2ee:1b9b:324b"}
    assert read(record, "source.ip") == [str(ip_address("fe80::3816:b2ee:1b9b:324b"))]


def test_sysmon_9s_garbled_ipv4_is_no_private_source() -> None:
    garbled = {"SourceIp": "a00:20f:0:0:18a2:6e00:e0:ffff", "SourceIsIpv6": "true"}
    assert not matches(seen(windows.nxlog(SYSMON) | garbled))


def test_the_kernel_has_an_executable_and_no_process_name() -> None:
    view = seen(windows.winlogbeat_8(SYSMON))
    assert values(view, "process.executable") == ["System"]
    assert values(view, "process.name") == []


@pytest.mark.parametrize("account", ["SYSTEM", "A\\B\\C", "user@corp.example"])
def test_an_account_of_another_form_gives_no_user(account: str) -> None:
    record = windows.nxlog(SYSMON) | {"User": account, "Message": ""}
    assert read(record, "user.name") == []
    assert read(record, "user.domain") == []


def test_a_key_in_another_case_is_another_key() -> None:
    record = windows.nxlog(SYSMON)
    record["destinationport"] = record.pop("DestinationPort")
    record["Message"] = ""
    assert read(record, "destination.port") == []


@given(st.lists(st.sampled_from(["A:", "A", ":", " ", "\t", "\n", "\r", "x", "B:"]), max_size=12))
@examples(max_examples=300)
def test_a_line_of_a_message_is_the_first_that_begins_with_its_label(parts: list[str]) -> None:
    message = "".join(parts)
    found = re.search(r"^[ \t]*A:[ \t]*([^\r\n]*)", message, re.MULTILINE)
    assert (message_line("A")(message) or "") == (found[1] if found else "")
