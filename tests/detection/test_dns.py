"""What DNS events say: names to addresses, in every form that sources write it."""

import json
from pathlib import Path
from typing import Any

import pytest

from smbrare.detection.dns import Resolutions, is_named, resolved
from tests.support.events import view

ADDRESS = "45.83.122.10"


def ecs(**dns: Any) -> dict[str, Any]:
    return {"event": {"category": ["network"]}, "dns": {"question": {"name": "A.example"}, **dns}}


def sysmon(results: str) -> dict[str, Any]:
    return {
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational",
            "event_id": "22",
            "event_data": {"QueryName": "a.example", "QueryResults": results},
        }
    }


def sentinel_one(request: str, response: str) -> dict[str, Any]:
    return {
        "event.category": "dns",
        "meta.event.name": "DNS",
        "event.dns.request": request,
        "event.dns.response": response,
    }


def defender(answers: Any) -> dict[str, Any]:
    fields = {"direction": "Out", "query": "a.example", "answers": answers}
    return {
        "category": "AdvancedHunting-DeviceNetworkEvents",
        "properties": {
            "ActionType": "DnsConnectionInspected",
            "RemoteIP": "10.0.0.53",
            "AdditionalFields": json.dumps(fields),
        },
    }


EVENTS = {
    "ECS, resolved": ecs(resolved_ip=[ADDRESS]),
    "ECS, answers": ecs(answers=[{"type": "CNAME", "data": "b.example"}, {"data": ADDRESS}]),
    "ECS, one answer": ecs(answers={"type": "A", "data": ADDRESS}),
    "ECS, plain answers": ecs(answers=["b.example", ADDRESS]),
    "Sysmon": sysmon(f"type:  5 b.example;::ffff:{ADDRESS};"),
    "Sysmon, the address alone": sysmon(ADDRESS),
    "SentinelOne": sentinel_one("a.example", f"b.example;{ADDRESS}"),
    "SentinelOne, with types": sentinel_one("type: 1 a.example", f"type: 5 b.example;{ADDRESS}"),
    "Defender": defender(json.dumps(["b.example", ADDRESS])),
    "Defender, a list": defender([ADDRESS]),
}


@pytest.mark.parametrize("document", EVENTS.values(), ids=EVENTS.keys())
def test_every_form_tells_the_name_and_the_address(document: dict[str, Any]) -> None:
    assert list(resolved(view(document))) == [("a.example", ADDRESS)]


@pytest.mark.parametrize(
    "document",
    [
        ecs(),
        ecs(answers=[{"type": "CNAME", "data": "b.example"}]),
        ecs(resolved_ip=["not an address", 7, None]),
        sysmon("type:  5 b.example;"),
        sysmon("-"),
        sentinel_one("a.example", "b.example"),
        defender("[broken"),
        defender(None),
        defender({"a": 1}),
    ],
)
def test_what_holds_no_address_says_nothing(document: dict[str, Any]) -> None:
    assert list(resolved(view(document))) == []


@pytest.mark.parametrize(
    ("name", "pattern", "matches"),
    [
        ("a.example", "a.example", True),
        ("b.a.example", "a.example", False),
        ("b.a.example", "*.a.example", True),
        ("c.b.a.example", "*.a.example", True),
        ("a.example", "*.a.example", False),
        ("evila.example", "*.a.example", False),
        ("a.example.evil", "*.a.example", False),
    ],
)
def test_a_pattern_names_the_name_or_every_name_below(
    name: str, pattern: str, *, matches: bool
) -> None:
    assert is_named(name, pattern) is matches


def test_resolutions_keep_what_is_wanted_and_merge() -> None:
    parts = [Resolutions(frozenset({"*.example"})) for _ in range(2)]
    parts[0].observe(view(EVENTS["Sysmon"]))
    parts[1].observe(view(ecs(resolved_ip=["91.219.236.18"])))
    parts[1].observe(
        view({**ecs(), "dns": {"question": {"name": "x.other"}, "resolved_ip": "9.9.9.9"}})
    )
    parts[0].merge(parts[1])
    assert parts[0].addresses == {"a.example": {ADDRESS, "91.219.236.18"}}
    assert parts[0].of(["a.example"]) == {ADDRESS, "91.219.236.18"}
    assert parts[0].of(["*.a.example"]) == frozenset()


def test_real_logs_resolve_names(shared: Path) -> None:
    raw = json.loads((shared / "sysmon_integration" / "test-events.json").read_text())["events"]
    mapped = json.loads(
        (shared / "sysmon_integration" / "test-events.json-expected.json").read_text()
    )
    found = []
    for events in (raw, mapped["expected"]):
        told: dict[str, set[str]] = {}
        for event in events:
            if event["winlog"]["event_id"] in (22, "22"):
                for name, address in resolved(view(event)):
                    told.setdefault(name, set()).add(address)
        found.append(told)
    assert found[0] == found[1]
    assert found[0]["go.microsoft.com"] == {"89.160.20.156"}
    lines = (shared / "sentinel_one_cloud_funnel" / "test-dns.log").read_text().splitlines()
    assert ("blog.example.com", "216.160.83.57") in {
        pair for line in lines for pair in resolved(view(json.loads(line)))
    }
    lines = (shared / "m365_defender" / "test-device.log").read_text().splitlines()
    inspected = [json.loads(line) for line in lines if "DnsConnectionInspected" in line]
    assert ("download.windowsupdate.com", "89.160.20.112") in {
        pair for record in inspected for pair in resolved(view(record))
    }
