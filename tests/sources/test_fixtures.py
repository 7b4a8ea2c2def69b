"""Every form of every source: what is read of it, and that all forms tell the same."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.support.forms import FOLDER, FORMS, OTHERS, fixture
from tests.support.forms.connection import SCENE, Connection
from tests.support.forms.reading import normalized

SOURCES = {
    "elastic_defend",
    "winlogbeat",
    "sysmon",
    "endgame",
    "defender",
    "sentinel_one",
    "windows_firewall",
    "ecs",
    "asim",
    "ocsf",
}

NO_HOST = {"endgame-raw"}
"""Forms that do not tell the host's name."""

OWN_TIME = {name for name in FORMS if name.startswith("windows_firewall-") and "mapped" not in name}
"""Forms whose only time is that of the record."""


def seen(name: str, connection: Connection) -> View:
    view = recognize(FORMS[name](connection), ReadOptions())
    assert view is not None
    return view


def one(view: View, field: str) -> Any:
    (value,) = view.read(field).values
    return value


@pytest.mark.parametrize("name", list(FORMS))
def test_the_fixture_reads_as_expected(name: str) -> None:
    golden = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))[name]
    lines = (FOLDER / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    assert [normalized(json.loads(line)) for line in lines] == golden


def test_the_fixtures_are_what_their_script_writes() -> None:
    assert {path.stem for path in FOLDER.glob("*.ndjson")} == set(FORMS)
    for name in FORMS:
        lines = (FOLDER / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == fixture(name)


def test_every_source_has_a_fixture() -> None:
    assert {name.split("-")[0] for name in FORMS} == SOURCES


@pytest.mark.parametrize("connection", SCENE, ids=lambda c: f"{c.destination}:{c.port}")
@pytest.mark.parametrize("name", list(FORMS))
def test_every_form_tells_what_happened(name: str, connection: Connection) -> None:
    view = seen(name, connection)
    assert view.source == name.split("-", maxsplit=1)[0]
    assert one(view, "event.category") == "network"
    assert one(view, "host.os.type") == "windows"
    assert one(view, "process.pid") == connection.pid
    assert one(view, "network.transport") == connection.protocol
    assert one(view, "source.ip") == ip_address(connection.source)
    assert one(view, "source.port") == connection.source_port
    assert one(view, "destination.ip") == ip_address(connection.destination)
    assert one(view, "destination.port") == connection.port
    if name not in NO_HOST:
        assert one(view, "host.name").lower() == connection.host.lower()
    if name not in OWN_TIME:
        microseconds = round(connection.time.timestamp() * 1_000_000)
        assert one(view, "@timestamp").time == microseconds


@pytest.mark.parametrize("name", list(FORMS))
def test_every_form_has_the_two_sightings_of_the_scene(name: str) -> None:
    found = [connection.destination for connection in SCENE if matches(seen(name, connection))]
    assert found == ["45.83.122.10", "185.220.101.4"]


@pytest.mark.parametrize("name", list(OTHERS))
def test_what_only_looks_like_a_connection_is_recognized_and_no_sighting(name: str) -> None:
    for other in OTHERS[name]:
        view = recognize(other(SCENE[0]), ReadOptions())
        assert view is not None
        assert not matches(view)
