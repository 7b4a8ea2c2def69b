"""Peculiarities of Defender, SentinelOne, Endgame and of ECS documents: one test for each."""

import json
from typing import Any

import pytest

from smbrare.rule import matches
from smbrare.sources import recognize
from smbrare.sources.mapping import Settings, View
from tests.forms import FORMS, ecs, vendors, windows
from tests.forms.connection import Connection
from tests.forms.reading import values

CONNECTION = Connection(domain="share.example")
POSIX = {"InitiatingProcessPosixEffectiveUser": {"Sid": "S-1-5-18", "Name": "root"}}


def seen(document: Any, **settings: Any) -> View:
    view = recognize(document, Settings(**settings))
    assert view is not None
    return view


def read(document: Any, field: str) -> list[Any]:
    return values(seen(document), field)


def row(**changes: Any) -> dict[str, Any]:
    return vendors.defender_row(CONNECTION) | changes


# Defender


@pytest.mark.parametrize(
    ("protocol", "transport"),
    [("Tcp", "tcp"), ("TcpV4", "tcp"), ("TcpV6", "tcp"), ("Udp", "udp"), ("Icmp", "icmp")],
)
def test_defenders_protocol_is_the_transport(protocol: str, transport: str) -> None:
    assert read(row(Protocol=protocol), "network.transport") == [transport]


INBOUND = {"direction": "In", "conn_state": "SF"}


@pytest.mark.parametrize("fields", [INBOUND, json.dumps(INBOUND)])
def test_local_and_remote_are_swapped_where_the_direction_is_in(fields: Any) -> None:
    record = row(AdditionalFields=fields)
    assert read(record, "destination.ip") == [CONNECTION.source]
    assert read(record, "destination.port") == [CONNECTION.source_port]
    assert read(record, "source.ip") == [CONNECTION.destination]
    assert read(record, "source.port") == [CONNECTION.port]
    assert read(record, "network.direction") == ["inbound"]
    assert read(record, "destination.domain") == []


@pytest.mark.parametrize(
    ("fields", "direction"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("{}", "unknown"),
        ("{", "unknown"),
        ('{"direction": "in"}', "unknown"),
        ('{"direction": ["In"]}', "unknown"),
        ('["direction"]', "unknown"),
        ({"direction": "Out"}, "outbound"),
        ('{"direction": "Out"}', "outbound"),
    ],
)
def test_local_and_remote_stay_where_no_direction_in_is_said(fields: Any, direction: str) -> None:
    record = row(AdditionalFields=fields)
    assert read(record, "destination.ip") == [CONNECTION.destination]
    assert read(record, "network.direction") == [direction]


def test_an_inbound_record_the_wrong_way_round_is_judged_as_the_rule_judges_it() -> None:
    record = row(ActionType="InboundConnectionAccepted", LocalPort=445, RemotePort=445)
    view = seen(record)
    assert matches(view)
    assert values(view, "network.direction") == ["unknown"]


def test_a_sid_makes_it_windows_and_is_not_inferred() -> None:
    reading = seen(row()).read("host.os.type")
    assert reading.values == ("windows",)
    assert reading.path == "InitiatingProcessAccountSid"
    assert reading.inferred == ""


@pytest.mark.parametrize("fields", [POSIX, json.dumps(POSIX)])
def test_posix_details_make_it_no_windows_whatever_the_sid(fields: Any) -> None:
    record = row(AdditionalFields=fields)
    assert read(record, "host.os.type") == ["unix"]
    assert not matches(seen(record))


@pytest.mark.parametrize("sid", [None, ""])
def test_without_a_sid_the_kernels_name_makes_it_windows_as_inferred(sid: Any) -> None:
    for name in ("System", "ntoskrnl.exe"):
        record = row(InitiatingProcessAccountSid=sid, InitiatingProcessFileName=name)
        reading = seen(record).read("host.os.type")
        assert reading.values == ("windows",)
        assert reading.inferred


def test_without_any_sign_of_windows_the_system_is_unknown() -> None:
    record = row(
        InitiatingProcessAccountSid=None,
        InitiatingProcessFileName="kworker",
        InitiatingProcessFolderPath="/usr/lib/kworker",
        InitiatingProcessAccountDomain="host",
    )
    assert read(record, "host.os.type") == []


@pytest.mark.parametrize(
    ("table", "network"),
    [
        ("AdvancedHunting-DeviceNetworkEvents", True),
        ("AdvancedHunting-DeviceNetworkInfo", True),
        ("AdvancedHunting-DeviceEvents", False),
        ("AdvancedHunting-DeviceLogonEvents", False),
    ],
)
def test_the_table_of_a_streaming_record_decides_whether_it_is_network(
    table: str, *, network: bool
) -> None:
    record = vendors.defender_streaming(CONNECTION) | {"category": table}
    assert (read(record, "event.category") == ["network"]) is network


@pytest.mark.parametrize(
    ("action", "network"),
    [
        ("ConnectionSuccess", True),
        ("ConnectionAttempt", True),
        ("InboundConnectionAccepted", True),
        ("ListeningConnectionCreated", True),
        ("NtlmAuthenticationInspected", True),
        ("FirewallOutboundConnectionBlocked", False),
        ("LogonSuccess", False),
        ("NamedPipeEvent", False),
    ],
)
def test_the_action_decides_where_a_query_mixes_tables(action: str, *, network: bool) -> None:
    assert (read(row(ActionType=action), "event.category") == ["network"]) is network


def test_sentinels_type_decides_before_the_action() -> None:
    record = vendors.defender_sentinel(CONNECTION) | {"Type": "DeviceEvents"}
    assert read(record, "event.category") == []


def test_a_projection_without_the_action_is_recognized_by_its_columns() -> None:
    columns = ("Timestamp", "RemoteIP", "RemotePort", "LocalIP", "Protocol", "InitiatingProcessId")
    record = {name: value for name, value in row().items() if name in columns}
    view = seen(record)
    assert view.source == "defender"
    assert values(view, "event.category") == ["network"]
    assert view.read("event.category").inferred
    assert not seen(record, literal=True).read("event.category").values


def test_defenders_failed_connections_are_sightings_with_their_outcome() -> None:
    view = seen(row(ActionType="ConnectionFailed"))
    assert matches(view)
    assert values(view, "event.outcome") == ["failure"]
    assert values(view, "event.type") == ["denied"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Share.example/x", ["share.example"]),
        ("share.example", ["share.example"]),
        ("share.example:445", ["share.example"]),
        ("http://45.83.122.10/", []),
        ("http://[fe80::1]:5357/x", []),
        ("", []),
        (None, []),
    ],
)
def test_the_remote_name_is_the_host_of_the_url(url: Any, name: list[str]) -> None:
    assert read(row(RemoteUrl=url), "destination.domain") == name


def test_a_url_that_is_none_is_malformed() -> None:
    assert seen(row(RemoteUrl="http://[")).read("destination.domain").malformed == ("http://[",)


@pytest.mark.parametrize("protocol", ["tcp", "tcpv4", "tcpv6"])
def test_the_protocol_of_old_mapped_documents_is_their_transport_as_inferred(
    protocol: str,
) -> None:
    document = ecs.defender_mapped_old(CONNECTION)
    document["network"]["protocol"] = protocol
    reading = seen(document).read("network.transport")
    assert reading.values == ("tcp",)
    assert reading.path == "network.protocol"
    assert reading.inferred


@pytest.mark.parametrize("protocol", ["udp", "http", "smb"])
def test_another_protocol_is_no_transport(protocol: str) -> None:
    document = ecs.defender_mapped_old(CONNECTION)
    document["network"]["protocol"] = protocol
    assert read(document, "network.transport") == []


def test_posix_details_in_a_mapped_document_keep_its_sid_from_making_it_windows() -> None:
    document = ecs.defender_mapped_old(CONNECTION)
    document["m365_defender"] = {"event": {"additional_fields": POSIX}}
    document["process"] = {"pid": 4}
    document["user"]["domain"] = "macbook"
    assert read(document, "host.os.type") == []


# SentinelOne


def test_a_raw_record_is_sentinel_ones_though_its_event_category_looks_like_ecs() -> None:
    view = seen(vendors.sentinel_one_raw(CONNECTION))
    assert view.source == "sentinel_one"
    assert view.read("event.category").values == ("network",)


@pytest.mark.parametrize(
    ("name", "transport"),
    [("TCPV4", ["tcp"]), ("TCPV6", ["tcp"]), ("UDPV4", ["udp"]), ("DNS", []), ("", [])],
)
def test_the_meta_event_name_tells_the_transport(name: str, transport: list[str]) -> None:
    record = vendors.sentinel_one_raw(CONNECTION) | {"meta.event.name": name}
    assert read(record, "network.transport") == transport


def test_the_transport_is_read_in_a_raw_record_and_inferred_in_a_mapped_one() -> None:
    raw = seen(vendors.sentinel_one_raw(CONNECTION), literal=True)
    assert matches(raw)
    mapped = ecs.sentinel_one_mapped(CONNECTION)
    assert matches(seen(mapped))
    assert seen(mapped).read("network.transport").inferred
    assert not matches(seen(mapped, literal=True))


@pytest.mark.parametrize(
    ("category", "found"),
    [
        ("ip", ["network"]),
        ("IP", ["network"]),
        ("dns", ["network"]),
        ("command_script", []),
        ("process", ["process"]),
        ("indicators", []),
    ],
)
def test_the_raw_category_is_translated_as_the_integration_does(
    category: str, found: list[str]
) -> None:
    record = vendors.sentinel_one_raw(CONNECTION) | {"event.category": category}
    assert read(record, "event.category") == found


@pytest.mark.parametrize("name", ["IP Connect", "IPConnect"])
def test_a_connection_has_two_spellings(name: str) -> None:
    record = vendors.sentinel_one_raw(CONNECTION) | {"event.type": name}
    assert read(record, "event.type") == ["start", "connection"]


def test_another_type_is_no_start() -> None:
    record = vendors.sentinel_one_raw(CONNECTION) | {"event.type": "IP Listen"}
    assert read(record, "event.type") == ["info"]


def test_the_bare_clock_of_timestamp_is_not_the_time() -> None:
    record = vendors.sentinel_one_raw(CONNECTION)
    assert record["timestamp"] == "08:15:30.123"
    assert read(record, "@timestamp") == ["2026-11-16T08:15:30.123Z"]
    del record["event.time"]
    assert read(record, "@timestamp") == []


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("SUCCESS", "success"), ("FAILURE", "failure"), ("BLOCKED", "unknown")],
)
def test_the_status_of_a_connection_is_its_outcome(status: str, outcome: str) -> None:
    record = vendors.sentinel_one_raw(CONNECTION) | {"event.network.connectionStatus": status}
    view = seen(record)
    assert values(view, "event.outcome") == [outcome]
    assert matches(view)


@pytest.mark.parametrize("system", ["linux", "osx"])
def test_another_system_is_no_sighting(system: str) -> None:
    assert not matches(seen(vendors.sentinel_one_raw(CONNECTION) | {"endpoint.os": system}))


def test_the_host_of_a_mapped_document_is_its_hostname() -> None:
    assert read(ecs.sentinel_one_mapped(CONNECTION), "host.name") == [CONNECTION.host]


# Endgame


def test_filetime_keeps_its_microseconds() -> None:
    record = vendors.endgame_raw(CONNECTION) | {"timestamp": 131762381493039760}
    assert read(record, "@timestamp") == ["2018-07-16T18:09:09.303976Z"]


def test_the_first_filetime_is_the_first_of_1601() -> None:
    record = vendors.endgame_raw(CONNECTION) | {"timestamp": 0}
    assert read(record, "@timestamp") == ["1601-01-01T00:00:00Z"]


def test_a_raw_endgame_event_says_nothing_of_its_system_so_it_is_inferred() -> None:
    record = vendors.endgame_raw(CONNECTION)
    assert seen(record).read("host.os.type").inferred
    assert not seen(record, literal=True).read("host.os.type").values
    for name in ("user_domain", "process_name"):
        del record[name]
    assert read(record, "host.os.type") == []


def test_epoch_milliseconds_beside_a_missing_timestamp_are_the_time() -> None:
    document = ecs.endgame_mapped(CONNECTION)
    assert "@timestamp" not in document
    assert seen(document).time().path == "timestamp"


# ECS


@pytest.mark.parametrize(
    ("system", "found", "inferred"),
    [
        ({"type": "windows"}, ["windows"], False),
        ({"type": "linux", "platform": "windows"}, ["linux"], False),
        ({"platform": "windows"}, ["windows"], True),
        ({"name": "Windows Server 2019"}, ["windows"], True),
        ({"platform": "centos", "name": "CentOS"}, [], False),
        ({"type": "Windows"}, ["Windows"], False),
    ],
)
def test_the_system_is_inferred_only_where_it_is_not_said(
    system: Any, found: list[str], *, inferred: bool
) -> None:
    document = ecs.elastic_defend(CONNECTION)
    document["host"]["os"] = system
    reading = seen(document).read("host.os.type")
    assert list(reading.values) == found
    assert bool(reading.inferred) is inferred


@pytest.mark.parametrize(
    ("name", "source"),
    [(name, name.split("-", maxsplit=1)[0]) for name in FORMS if "mapped" in name],
)
def test_a_mapped_document_is_its_sources_in_flat_keys_too(name: str, source: str) -> None:
    flat: dict[str, Any] = {}

    def flatten(prefix: str, node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                flatten(f"{prefix}.{key}" if prefix else key, value)
        else:
            flat[prefix] = node if isinstance(node, list) else [node]

    flatten("", FORMS[name](CONNECTION))
    view = seen(flat)
    assert view.source == source
    assert matches(view)


def test_a_mapped_sysmon_document_without_a_category_has_it_inferred() -> None:
    document = ecs.winlogbeat_mapped(CONNECTION)
    del document["event"]["category"]
    assert matches(seen(document))
    assert seen(document).read("event.category").inferred
    assert not matches(seen(document, literal=True))


def test_a_raw_record_that_someone_gave_a_category_is_still_read_as_raw() -> None:
    record = windows.winlogbeat_8(windows.sysmon(CONNECTION))
    record["event"]["category"] = ["network"]
    assert matches(seen(record))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": 1},
        {"message": "text"},
        {"EventID": 3},
        {"Id": 3},
        {"Event": []},
        {"properties": {}},
        {"category": "AdvancedHunting-DeviceNetworkEvents", "properties": []},
        {"category": "billing", "properties": {"ActionType": "x"}},
        {"ActionType": "ConnectionSuccess"},
        {"source.ip": "10.0.0.1"},
    ],
)
def test_a_record_of_no_source_is_unknown(document: Any) -> None:
    assert recognize(document, Settings()) is None
