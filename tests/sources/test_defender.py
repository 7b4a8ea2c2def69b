"""Peculiarities of Microsoft Defender's records and documents: one test for each."""

import json
from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.support.forms import ecs, vendors
from tests.support.forms.connection import Connection
from tests.support.forms.reading import values

CONNECTION = Connection(domain="share.example")
POSIX = {"InitiatingProcessPosixEffectiveUser": {"Sid": "S-1-5-18", "Name": "root"}}


def seen(document: Any, **settings: Any) -> View:
    view = recognize(document, ReadOptions(**settings))
    assert view is not None
    return view


def read(document: Any, field: str) -> list[Any]:
    return values(seen(document), field)


def row(**changes: Any) -> dict[str, Any]:
    return vendors.defender_row(CONNECTION) | changes


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
