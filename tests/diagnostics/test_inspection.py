"""Inspections count what a scan judges, whatever the order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import examine
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey
from smbrare.diagnostics.advice import advise
from smbrare.diagnostics.funnel import funnel
from smbrare.diagnostics.inspection import Inspected, Inspection, observe
from smbrare.records.event import Origin, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR, date
from smbrare.rule import predicate
from tests.diagnostics.test_explanation import documents
from tests.support.activities import windows
from tests.support.events import DESTINATION, matching

SETTINGS = ReadOptions()


def sysmon(**data: str) -> dict[str, Any]:
    return {
        "EventID": 3,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Hostname": "WS-02",
        "UtcTime": "2026-11-16 08:00:00.000",
        "SourceIp": "10.20.1.12",
        "DestinationIp": "10.20.0.5",
        "DestinationPort": "445",
        "Protocol": "tcp",
        "ProcessId": "4",
    } | data


DEFENDER = {
    "Timestamp": "2026-11-16T08:00:00Z",
    "DeviceName": "ws-02",
    "ActionType": "ConnectionSuccess",
    "LocalIP": "10.20.1.12",
    "RemoteIP": "10.20.0.5",
    "RemotePort": 445,
    "Protocol": "Tcp",
    "InitiatingProcessId": 4,
    "InitiatingProcessAccountSid": "S-1-5-18",
}
SENTINEL_ONE = {
    "event.category": "ip",
    "event.type": "IP Connect",
    "event.time": 1_763_456_000_000,
    "dataSource.name": "SentinelOne",
    "endpoint.name": "WS-02",
    "endpoint.os": "windows",
    "src.process.pid": 4,
    "src.ip.address": "10.20.1.12",
    "dst.ip.address": "10.20.0.5",
    "dst.port.number": 445,
    "meta.event.name": "TCPV4",
}


def several() -> st.SearchStrategy[list[dict[str, Any]]]:
    others = st.sampled_from(
        [
            {"message": "hello"},
            matching() | {"kibana.alert.rule.uuid": "x"},
            matching(event__category=["process"], destination__ip=None),
            sysmon(DestinationIp=DESTINATION),
        ]
    )
    return st.lists(documents() | others, max_size=12)


def inspected(*events: dict[str, Any], skipped: int = 0) -> Inspected:
    survey, inspection = InputSurvey("a", "ndjson"), Inspection()
    for number, document in enumerate(events, start=1):
        observe(document, Origin("a", number), SETTINGS, survey, inspection)
    for number in range(skipped):
        survey.skip(Skipped(Origin("a", 1000 + number), "no JSON", could_matter=False))
    near = inspection.near_by_clause()
    report = Report(
        SETTINGS, Criteria(), (), (survey,), inspection.sightings.count, near, inspection.span
    )
    return Inspected(report, inspection)


@given(several())
def test_an_inspection_counts_what_a_scan_judges(events: list[dict[str, Any]]) -> None:
    seen = inspected(*events)
    partial, survey = Partial(), InputSurvey("a", "ndjson")
    for number, document in enumerate(events, start=1):
        examine(document, Origin("a", number), SETTINGS, survey, partial)
    assert seen.report.inputs == (survey,)
    assert seen.inspection.span == partial.span
    # A sighting is kept for each destination of an event.
    assert (seen.inspection.sightings.count > 0) == (len(partial.sightings) > 0)


@given(several(), st.integers(0, 3))
def test_the_funnel_accounts_for_every_record(events: list[dict[str, Any]], skipped: int) -> None:
    seen = inspected(*events, skipped=skipped)
    stages = funnel(seen)
    assert stages[0].left == len(events) + skipped
    assert sum(stage.removed.count for stage in stages) + stages[-1].left == stages[0].left
    assert stages[-1].left == seen.inspection.sightings.count
    assert [stage.name for stage in stages[-7:]] == [clause.field for clause in predicate.CLAUSES]
    for stage in stages:
        assert bool(stage.removed.count) == (stage.removed.example is not None)


@given(several())
def test_the_order_of_events_does_not_show(events: list[dict[str, Any]]) -> None:
    forward, backward = Inspection(), Inspection()
    numbered = list(enumerate(events, start=1))
    for into, some in ((forward, numbered), (backward, reversed(numbered))):
        for number, document in some:
            observe(document, Origin("a", number), SETTINGS, InputSurvey("a"), into)
    assert forward == backward


def test_events_near_misses_keep_their_addresses_and_what_they_hold() -> None:
    near = inspected(
        matching(process__pid=5120),
        matching(process__pid=5120),
        matching(destination__ip=[DESTINATION, "91.219.236.18"], host__os=None),
        matching(source__ip="10.1"),
        matching(process__pid=5, network__transport="udp"),
        matching(destination__ip="10.0.0.1"),
        matching(destination__port=443),
    ).inspection.near
    assert {tuple(key): (tally.count, str(tally.example)) for key, tally in near.items()} == {
        ("process.pid", DESTINATION, "5120"): (2, "a:1"),
        ("host.os.type", DESTINATION, "missing"): (1, "a:3"),
        ("host.os.type", "91.219.236.18", "missing"): (1, "a:3"),
        ("source.ip", DESTINATION, "malformed 10.1"): (1, "a:4"),
    }


def test_gaps_are_the_hours_without_events() -> None:
    hours = ["2026-11-16T08", "2026-11-16T09", "2026-11-16T12", "2026-11-17T00"]
    seen = inspected(*(matching(timestamp=f"{hour}:30:00Z") for hour in hours))
    assert seen.inspection.gaps() == [
        (date("2026-11-16T10:00Z").time // HOUR, date("2026-11-16T12:00Z").time // HOUR),
        (date("2026-11-16T13:00Z").time // HOUR, date("2026-11-17T00:00Z").time // HOUR),
    ]


def client() -> dict[str, Any]:
    """Return an event of SMB's client."""
    return windows("Microsoft-Windows-SmbClient/Connectivity", 30803, {"ServerName": "\\\\x"})


def advice(*events: dict[str, Any]) -> list[str]:
    return [f"{each.source}: {each.seen}" for each in advise(inspected(*events))]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([matching()], []),
        ([sysmon()], []),
        (
            [matching(process__pid=8), client(), client()],
            [
                "clients: 2 events of SMB, WebDAV or NTLM clients, and no SMB connection of PID 4",
                "ecs: 1 SMB connection, none of PID 4",
                "winlogbeat: no network event among 2 records",
            ],
        ),
        ([matching(), client()], ["winlogbeat: no network event among 1 record"]),
        (
            [sysmon(ProcessId="5120")] * 2,
            ["sysmon: 2 connections of Sysmon, none of PID 4"],
        ),
        (
            [sysmon(EventID="22", DestinationPort="", DestinationIp="", SourceIp="")],
            ["sysmon: 1 network event and none with a port: name lookups only"],
        ),
        (
            [sysmon(EventID="1")] * 3,
            ["sysmon: no network event among 3 records"],
        ),
        ([matching(process__pid=77)], ["ecs: 1 SMB connection, none of PID 4"]),
        (
            [matching(destination__port=443)],
            ["ecs: 1 connection, none to port 139 or 445, not even internal"],
        ),
        ([matching(), matching(host__os=None)], ["ecs: host.os.type missing in 1 connection"]),
        (
            [matching(host__os={"platform": "windows"})],
            ["ecs: host.os.type inferred in 1 network event"],
        ),
        (
            [matching(network__transport=None)] * 2,
            ["ecs: network.transport missing in 2 connections"],
        ),
        (
            [matching(), matching(process__pid=None)],
            ["ecs: process.pid missing in 1 connection"],
        ),
        ([matching(event__category=None)], ["ecs: event.category missing in 1 connection"]),
        (
            [matching(), matching(source__ip=None)],
            ["ecs: source.ip missing in 1 connection"],
        ),
        (
            [matching(), matching(source__ip="10.1")],
            ["ecs: 1 malformed value of source.ip"],
        ),
        (
            [matching(timestamp="soon")],
            ["ecs: 1 network event without a time that can be read"],
        ),
        ([matching(timestamp="2026-11-16T08:00:00")], ["ecs: 1 time without a zone"]),
        ([matching(host__name=None)], ["ecs: 1 network event without a host"]),
    ],
)
def test_advice_follows_from_what_the_events_lack(
    events: list[dict[str, Any]], expected: list[str]
) -> None:
    assert advice(*events) == expected


@pytest.mark.parametrize(
    ("lacks", "event", "seen", "change"),
    [
        ("LocalIP", DEFENDER, "source.ip (LocalIP)", "Add LocalIP to the query's project"),
        ("Protocol", DEFENDER, "network.transport (Protocol)", "Add Protocol to the query's"),
        ("src.process.pid", SENTINEL_ONE, "process.pid (src.process.pid)", "query's columns"),
        ("SourceIp", sysmon(), "source.ip (SourceIp)", "its EventData contains SourceIp"),
    ],
)
def test_what_a_vendor_lacks_is_named_as_the_vendor_does(
    lacks: str, event: dict[str, Any], seen: str, change: str
) -> None:
    lacking = {name: value for name, value in event.items() if name != lacks}
    told = inspected(event, lacking)
    advised = advise(told)
    (one,) = (each for each in advised if " missing " in each.seen)
    assert one.seen == f"{seen} missing in 1 connection"
    assert change in one.change


def test_where_the_process_id_is_missing_nothing_is_said_of_its_value() -> None:
    lacking = {name: value for name, value in sysmon().items() if name != "ProcessId"}
    assert advice(lacking) == ["sysmon: process.pid (ProcessId) missing in 1 connection"]
