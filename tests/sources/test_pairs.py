"""Published records and what the vendor's own pipeline makes of them, compared field by field."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment
from smbrare.sources import recognize
from smbrare.sources.mapping import (
    View,
)
from tests.conftest import ROOT
from tests.support.forms.reading import FIELDS

Pair: TypeAlias = tuple[Any, Any]


def documents(path: Path, key: str = "") -> list[Any]:
    loaded = json.loads(path.read_text(encoding="utf-8"))
    found = loaded[key] if key else loaded
    assert isinstance(found, list)
    return found


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def evtx_records(path: Path) -> list[Any]:
    evtx = pytest.importorskip("evtx")
    return [json.loads(record["data"]) for record in evtx.PyEvtxParser(str(path)).records_json()]


def pairs(shared: Path, name: str) -> list[Pair]:
    """Return the raw records of one source with the documents that its pipeline makes of them."""
    defender = shared / "m365_defender" / "test-device.log"
    sentinel_one = shared / "sentinel_one_cloud_funnel" / "test-network-action.log"
    sysmon = shared / "sysmon_integration" / "test-events.json"
    firewall = shared / "security_5156" / "test-5156.json"
    winlogbeat = shared / "winlogbeat"
    raws, expected = {
        "defender": lambda: (lines(defender), f"{defender}-expected.json"),
        "sentinel_one": lambda: (lines(sentinel_one), f"{sentinel_one}-expected.json"),
        "sysmon": lambda: (documents(sysmon, "events"), f"{sysmon}-expected.json"),
        "windows_firewall": lambda: (documents(firewall, "events"), f"{firewall}-expected.json"),
        "winlogbeat": lambda: (
            documents(winlogbeat / "sysmon-9.01.raw.json"),
            str(winlogbeat / "sysmon-9.01.expected.json"),
        ),
        "evtx": lambda: (
            evtx_records(winlogbeat / "sysmon-9.01.evtx"),
            str(winlogbeat / "sysmon-9.01.expected.json"),
        ),
    }[name]()
    key = "" if "winlogbeat" in expected else "expected"
    return list(zip(raws, documents(Path(expected), key), strict=True))


CONNECTIONS = {
    "defender": 22,
    "sentinel_one": 1,
    "sysmon": 173,
    "windows_firewall": 1,
    "winlogbeat": 16,
    "evtx": 16,
}
"""How many of a pair's documents are of category network."""


def expected_values(document: Any, field: str) -> list[Any]:
    """Return a field of the pipeline's document, typed without smbrare's help."""
    node = document
    for part in [field] if field.startswith("@") else field.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    found = node if isinstance(node, list) else [] if node is None else [node]
    if field.endswith(".ip"):
        return [ip_address(value) for value in found]
    if field in {"@timestamp", "event.ingested"}:
        return [milliseconds(datetime.fromisoformat(value)) for value in found]
    return [int(v) if field.endswith((".port", ".pid")) else str(v) for v in found]


def milliseconds(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def read_values(view: View, field: str) -> list[Any]:
    # The pipelines cut times to milliseconds; smbrare keeps the microseconds of the vendor.
    found = view.read(field).values
    return [value.time // 1000 if isinstance(value, Moment) else value for value in found]


def raw_properties(raw: Any) -> Any:
    return raw.get("properties", {})


Expectation: TypeAlias = Callable[[Any, Any], list[Any]]

WINDOWS: Expectation = lambda _raw, _expected: ["windows"]  # noqa: E731
COMPUTER: Expectation = lambda _raw, expected: [expected["winlog"]["computer_name"]]  # noqa: E731

DIFFERENCES: Mapping[tuple[str, str], tuple[Expectation, str]] = {
    ("sysmon", "host.name"): (
        COMPUTER,
        "the pipeline leaves host to the agent; winlog.computer_name is the machine",
    ),
    ("sysmon", "host.os.type"): (
        WINDOWS,
        "the pipeline leaves host to the agent; the Sysmon channel is Windows's alone",
    ),
    ("sysmon", "@timestamp"): (
        lambda raw, _: [
            milliseconds(
                datetime.fromisoformat(raw["winlog"]["event_data"]["UtcTime"]).replace(tzinfo=UTC)
            )
        ],
        "one UtcTime has a T in place of the blank, and the pipeline drops it",
    ),
    ("winlogbeat", "host.os.type"): (
        WINDOWS,
        "set by Winlogbeat's routing pipeline, which the published documents did not pass",
    ),
    ("winlogbeat", "event.action"): (
        lambda _raw, _expected: ["Network connection"],
        "Winlogbeat's pipeline sets none; the windows integration's is given",
    ),
    ("windows_firewall", "host.os.type"): (WINDOWS, "as for sysmon"),
    ("windows_firewall", "process.pid"): (
        lambda raw, _: [int(raw["winlog"]["event_data"]["ProcessID"])],
        "the pipeline does not map the id that the event holds",
    ),
    ("sentinel_one", "host.name"): (
        lambda raw, _: [raw["endpoint.name"]],
        "the pipeline sets host.hostname only",
    ),
    ("sentinel_one", "event.action"): (
        lambda _raw, _expected: ["connection_attempted"],
        "1.3.0 tests the direction before it is there; later versions set the action",
    ),
    ("sentinel_one", "network.transport"): (
        lambda _raw, _expected: ["tcp"],
        "no version sets it; meta.event.name says TCPV4",
    ),
    ("defender", "host.os.type"): (
        WINDOWS,
        "the pipeline asks for a SID alone; the path of the process names a drive",
    ),
    ("defender", "event.outcome"): (
        lambda raw, _: {"ConnectionFailed": ["failure"], "ConnectionSuccess": ["success"]}.get(
            raw_properties(raw).get("ActionType"), []
        ),
        "the pipeline keeps the outcome in event.action alone",
    ),
    ("defender", "destination.domain"): (
        lambda raw, _: re.findall(
            r"^(?:https?://)?([a-z.-]+[a-z])", raw_properties(raw).get("RemoteUrl") or ""
        ),
        "the pipeline keeps the remote name in url alone; an address is no name",
    ),
}
"""Where smbrare says something else than the pipeline, on purpose: what, and why.

docs/sources.md tells the same; the pair ``evtx`` differs as ``winlogbeat`` does.
"""

RAW_DIFFERENCES: Mapping[tuple[str, str], tuple[Expectation, str]] = {
    ("defender", "source.port"): (
        lambda raw, _: [
            port for port in [raw_properties(raw).get("RemotePort")] if port is not None
        ],
        "with direction In the pipeline writes the local port to source and destination",
    ),
    ("defender", "host.os.type"): (
        lambda raw, _: ["unix"] if "Posix" in str(raw) else ["windows"],
        "the pipeline takes a Mac's SID for Windows; AdditionalFields tells of POSIX users",
    ),
}
"""The same for raw records alone: the document keeps what the pipeline got wrong."""


def difference(name: str, field: str, form: str) -> Expectation | None:
    key = ("winlogbeat" if name == "evtx" else name, field)
    found = (RAW_DIFFERENCES.get(key) if form == "raw" else None) or DIFFERENCES.get(key)
    return found[0] if found else None


@pytest.mark.parametrize("form", ["raw", "mapped"])
@pytest.mark.parametrize("name", list(CONNECTIONS))
def test_a_record_reads_as_its_vendors_pipeline_maps_it(shared: Path, name: str, form: str) -> None:
    compared = 0
    for raw, expected in pairs(shared, name):
        if "network" not in expected["event"].get("category", []):
            continue
        view = recognize(raw if form == "raw" else expected, ReadOptions())
        assert view is not None
        compared += 1
        for field in FIELDS:
            found, wanted = read_values(view, field), expected_values(expected, field)
            differs = difference(name, field, form)
            if found != wanted and differs is not None:
                wanted = differs(raw, expected)
            if (name, field, form) == ("sysmon", "@timestamp", "mapped"):
                continue  # What the pipeline dropped is not in its document.
            assert found == wanted, (field, raw)
    assert compared == CONNECTIONS[name]


@pytest.mark.parametrize("name", list(CONNECTIONS))
def test_a_record_of_another_kind_is_recognized_and_no_network_event(
    shared: Path, name: str
) -> None:
    for raw, expected in pairs(shared, name):
        if "network" not in expected["event"].get("category", []):
            for document in (raw, expected):
                view = recognize(document, ReadOptions())
                assert view is not None
                assert view.source in {name, "sysmon", "winlogbeat"}
                assert "network" not in view.read("event.category").values


def test_every_difference_is_met_by_a_published_record(shared: Path) -> None:
    met = set()
    for name in CONNECTIONS:
        for raw, expected in pairs(shared, name):
            view = recognize(raw, ReadOptions())
            assert view is not None
            if "network" in expected["event"].get("category", []):
                met |= {
                    ("winlogbeat" if name == "evtx" else name, field)
                    for field in FIELDS
                    if read_values(view, field) != expected_values(expected, field)
                }
    assert met == DIFFERENCES.keys() | RAW_DIFFERENCES.keys()


def test_an_event_reads_the_same_as_evtx_as_raw_winlogbeat_and_mapped(shared: Path) -> None:
    compared = 0
    for (evtx, expected), (beat, _) in zip(
        pairs(shared, "evtx"), pairs(shared, "winlogbeat"), strict=True
    ):
        views = [recognize(record, ReadOptions()) for record in (evtx, beat, expected)]
        if "network" in expected["event"].get("category", []):
            readings = [
                {field: read_values(view, field) for field in FIELDS} for view in views if view
            ]
            assert readings[0] == readings[1] == readings[2]
            compared += 1
    assert compared == CONNECTIONS["evtx"]


def test_the_documentation_lists_every_difference() -> None:
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = text[text.index("## Deliberate differences") :].splitlines()
    for source, field in DIFFERENCES.keys() | RAW_DIFFERENCES.keys():
        assert any(f"`{source}`" in row and f"`{field}`" in row for row in rows), (source, field)
