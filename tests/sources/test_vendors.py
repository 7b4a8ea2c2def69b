"""Peculiarities of SentinelOne, Endgame and of ECS documents: one test for each."""

import json
from pathlib import Path
from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.conftest import Run
from tests.support.forms import FORMS, ecs, events, vendors, windows
from tests.support.forms.connection import Connection
from tests.support.forms.reading import values

CONNECTION = Connection(domain="share.example")


def seen(document: Any, **settings: Any) -> View:
    view = recognize(document, ReadOptions(**settings))
    assert view is not None
    return view


def read(document: Any, field: str) -> list[Any]:
    return values(seen(document), field)


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


@pytest.mark.parametrize("form", [vendors.sentinel_one_raw, ecs.sentinel_one_mapped])
def test_the_transport_is_inferred_since_elastics_pipeline_never_sets_it(form: Any) -> None:
    record = form(CONNECTION)
    assert matches(seen(record))
    assert seen(record).read("network.transport").inferred
    assert not matches(seen(record, literal=True))


def test_a_replay_raises_no_alert_on_sentinel_one_unless_it_may_infer(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "sentinel_one.ndjson"
    path.write_text(json.dumps(vendors.sentinel_one_raw(CONNECTION)) + "\n")
    literal = run("replay", path, "--format", "json")
    assert json.loads(literal.out)["findings"] == []
    assert literal.code == 4
    assert "network.transport missing" in literal.err
    assert (
        len(json.loads(run("replay", path, "--inferred", "--format", "json").out)["findings"]) == 1
    )
    assert run("scan", path).code == 1


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
        ({"type": "Windows"}, ["windows"], True),
        ({"type": "Windows 10"}, ["Windows 10"], False),
        ({"type": "Windows 10", "platform": "windows"}, ["windows"], True),
        ({"type": "linux, windows"}, ["linux", "windows"], True),
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
    record = windows.winlogbeat_8(events.sysmon(CONNECTION))
    record["event"]["category"] = ["network"]
    assert matches(seen(record))


def test_a_document_that_kept_raw_keys_beside_its_ecs_is_read_as_ecs() -> None:
    document = ecs.plain(CONNECTION) | {"EventID": 3, "Channel": "Security", "Message": "x"}
    assert seen(document).source == "ecs"
    assert matches(seen(document))


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
    assert recognize(document, ReadOptions()) is None
