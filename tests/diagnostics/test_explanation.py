"""Explanations say what the rule says, and the change they suggest makes a sighting."""

from collections.abc import Iterator
from functools import partial as bind
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import examine
from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey
from smbrare.diagnostics.explanation import Explanation, explain_event, judge_rarity
from smbrare.diagnostics.target import Target, find, parse_target
from smbrare.errors import UsageError
from smbrare.inputs.containers import Part
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Contents, Origin, Record
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR, format_time
from smbrare.rule import predicate
from smbrare.sources import recognize
from tests.support.events import DESTINATION, matching

POOLS: dict[str, list[Any]] = {
    "destination.port": [445, 139, "445", "0445", 443, 445.9, "x", True, None, [80, 445]],
    "process.pid": [4, "4", 5, "4e0", "", "-", {"a": 1}, [4, 5], 2**70],
    "destination.ip": [
        DESTINATION,
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "2a02::1",
        "fe80::1%3",
        "010.1.1.1",
        [DESTINATION, "10.0.0.1"],
        [DESTINATION, "91.219.236.18"],
        "-",
        None,
    ],
    "source.ip": ["10.20.1.11", "45.1.1.1", ["45.1.1.1", "10.0.0.2"], "fe80::1", "10.1", None],
    "network.transport": ["tcp", "udp", "TCP", ["udp", "tcp"], None],
    "event.category": [["network"], "network", ["process"], None],
    "host.os.type": ["windows", "Windows", "linux", None],
    "host.os.platform": ["windows", None],
    "@timestamp": ["2026-11-16T08:00:00.000Z", "soon", None],
}

SYSMON_DATA = {
    "destination.port": "DestinationPort",
    "process.pid": "ProcessId",
    "destination.ip": "DestinationIp",
    "source.ip": "SourceIp",
    "network.transport": "Protocol",
}


def set_field(document: dict[str, Any], field: str, value: Any) -> None:
    """Give a document one value of a field, in place of all it has of it, dotted or nested."""
    document.pop(field, None)
    head, _, rest = field.partition(".")
    if isinstance(document.get(head), dict) and rest:
        set_field(document[head], rest, value)
    else:
        document[field] = value


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for field, pool in POOLS.items():
        # Mostly what the rule wants: an event of random values fails nearly every clause.
        value = draw(st.sampled_from(pool[:1] * 2 + pool))
        if draw(st.booleans()):
            document[field] = value
        else:
            *parents, leaf = field.split(".")
            node = document
            for parent in parents:
                node = node.setdefault(parent, {})
            node[leaf] = value
    return document


def sighted(document: dict[str, Any], settings: ReadOptions) -> bool:
    partial = Partial()
    examine(document, Origin("a", 1), settings, InputSurvey("a"), partial)
    return len(partial.sightings) > 0


@given(document=documents(), literal=st.booleans())
def test_the_verdict_is_that_of_the_rule_and_of_a_scan(
    *, document: dict[str, Any], literal: bool
) -> None:
    settings = ReadOptions(literal=literal)
    explained = explain_event(document, settings)
    view = recognize(document, settings)
    assert explained.judged == (view is not None)
    assert explained.sighting == (view is not None and predicate.matches(view))
    assert explained.sighting == sighted(document, settings)


@given(document=documents(), literal=st.booleans())
def test_the_suggested_change_gives_a_sighting_and_nothing_less_does(
    *, document: dict[str, Any], literal: bool
) -> None:
    settings = ReadOptions(literal=literal)
    changes = explain_event(document, settings).changes
    for change in changes:
        assert not sighted(document, settings)
        set_field(document, change.field, list(change.to))
    assert not changes or sighted(document, settings)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "ProcessId": st.sampled_from(["4", "5120", "-", "x"]),
            "SourceIp": st.sampled_from(["10.20.1.11", "45.1.1.1", "fe80:0:0:0:1:2:3:4"]),
            "DestinationIp": st.sampled_from(["45.83.122.10", "224.0.0.251", "-"]),
            "DestinationPort": st.sampled_from(["445", "139", "53", ""]),
            "Protocol": st.sampled_from(["tcp", "udp"]),
        },
    )
)
def test_the_suggested_change_of_a_raw_record_gives_a_sighting(data: dict[str, Any]) -> None:
    def record(values: dict[str, Any]) -> dict[str, Any]:
        return {
            "EventID": 3,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "UtcTime": "2026-11-16 08:00:00.000",
            **values,
        }

    changes = explain_event(record(data), ReadOptions()).changes
    for change in changes:
        data[SYSMON_DATA[change.field]] = str(change.to[0])
    assert sighted(record(data), ReadOptions())


def test_every_clause_has_an_example_that_satisfies_it() -> None:
    for clause in predicate.CLAUSES:
        document = matching()
        set_field(document, clause.field, [clause.example])
        assert sighted(document, ReadOptions())


def test_each_clause_is_pass_inferred_fail_or_missing() -> None:
    document = matching(
        host__os={"platform": "windows"}, process__pid=5120, source__ip="10.1", network={}
    )
    by_field = {clause.field: clause for clause in explain_event(document, ReadOptions()).clauses}
    assert {field: clause.verdict for field, clause in by_field.items()} == {
        "destination.port": "PASS",
        "process.pid": "FAIL",
        "destination.ip": "PASS",
        "source.ip": "MISSING",
        "network.transport": "MISSING",
        "event.category": "PASS",
        "host.os.type": "INFERRED",
    }
    assert by_field["host.os.type"].inferred == "host.os.platform"
    assert by_field["source.ip"].malformed == ("10.1",)
    assert by_field["process.pid"].values == (5120,)
    assert by_field["process.pid"].read_from == "process.pid"


def test_literal_says_what_it_omitted() -> None:
    document = matching(host__os={"platform": "windows"})
    explained = explain_event(document, ReadOptions(literal=True))
    (missing,) = explained.failing
    assert missing.without_literal is not None
    assert missing.without_literal.values == ("windows",)
    assert missing.without_literal.inferred == "host.os.platform"


def test_an_excluded_destination_names_its_range_as_iana_does() -> None:
    explained = explain_event(matching(destination__ip="100.64.3.4"), ReadOptions())
    (failing,) = explained.failing
    (excluded,) = failing.excluded
    assert (excluded.network, excluded.name) == ("100.64.0.0/10", "Shared Address Space")


def test_an_internal_address_beside_a_public_one_has_only_to_go() -> None:
    document = matching(destination__ip=["10.0.0.1", DESTINATION])
    (change,) = explain_event(document, ReadOptions()).changes
    assert change.to == (DESTINATION,)


def test_alerts_and_unknown_records_are_not_evaluated() -> None:
    alert = explain_event(
        matching(event__kind="signal") | {"kibana.alert.rule.uuid": "x"}, ReadOptions()
    )
    assert alert.alert
    assert not alert.judged
    unknown = explain_event({"message": "hello"}, ReadOptions())
    assert unknown == Explanation(keys=("message",))


def partial_of(*documents: dict[str, Any]) -> Partial:
    partial = Partial()
    for number, document in enumerate(documents, start=1):
        examine(document, Origin("a", number), ReadOptions(), InputSurvey("a"), partial)
    return partial


TIMES = st.integers(0, 40 * 24).map(lambda halves: 1_790_000_000_000_000 + halves * HOUR // 2)


@given(st.lists(TIMES, min_size=1, max_size=8), st.integers(0, 7), st.sampled_from([1, 24, 168]))
def test_the_rarity_of_each_sighting_is_what_a_scan_of_all_reports(
    times: list[int], recorded: int, hours: int
) -> None:
    rows = list(
        partial_of(
            *(matching(timestamp=format_time(time)) for time in times[:recorded])
        ).sightings.rows()
    )
    scanned = [matching(timestamp=format_time(time)) for time in times[recorded:]]
    everything = partial_of(*scanned)
    question = Criteria(hours * HOUR)
    known = rarity.Known(rows, frozenset(everything.span.hours))
    reported = {
        finding.sighting.time: finding.status
        for finding in rarity.judge(everything.sightings, known, question)
    }
    for number, document in enumerate(scanned, start=1):
        own = Partial()
        examine(document, Origin("a", number), ReadOptions(), InputSurvey("a"), own)
        (answer,) = judge_rarity(own.sightings, everything.sightings, known, question)
        time = times[recorded + number - 1]
        assert answer.standing == reported.get(time, "seen")
        earlier = [moment for moment in times if moment < time]
        assert answer.previous == max(earlier, default=None)


def archive(monkeypatch: pytest.MonkeyPatch, **members: int) -> None:
    """Let every file be an archive with members of some records each."""

    def parts(stream: BinaryIO, path: str, limits: Limits, **how: bool) -> Iterator[Part]:
        del stream, limits, how
        for name, count in members.items():
            member = f"{path}!{name}"
            records = [Record(Origin(member, n), matching()) for n in range(1, count + 1)]
            yield Part(member, "ndjson", bind(_given, records))

    monkeypatch.setattr("smbrare.scanning.reading.containers.parts", parts)


def _given(records: list[Record], _options: ReaderOptions) -> Contents:
    return Contents(iter(records))


def place(text: str) -> Origin:
    target = parse_target(text, lambda path: path == __file__)
    return find(target, DEFAULT).origin


def test_a_record_is_found_in_the_member_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    archive(monkeypatch, a=3, b=5)
    assert place(f"{__file__}!b:2") == Origin(f"{__file__}!b", 2)
    assert place(f"{__file__}:5") == Origin(f"{__file__}!b", 5)
    with pytest.raises(UsageError, match=r"several records: .*!a:2, .*!b:2"):
        place(f"{__file__}:2")
    with pytest.raises(UsageError, match="no such record; there is none at all"):
        place(f"{__file__}!c:2")


def test_the_only_record_needs_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    archive(monkeypatch, a=0, b=1)
    assert place(__file__) == Origin(f"{__file__}!b", 1)
    archive(monkeypatch, a=1, b=1)
    with pytest.raises(UsageError, match="several records"):
        place(__file__)


@pytest.mark.parametrize(
    ("text", "files", "target"),
    [
        ("a.ndjson:12", {"a.ndjson"}, Target("a.ndjson", "a.ndjson", 12)),
        ("a.ndjson#12", {"a.ndjson"}, Target("a.ndjson", "a.ndjson", 12)),
        ("a.ndjson", {"a.ndjson"}, Target("a.ndjson", "a.ndjson", None)),
        ("-", set(), Target("-", "-", None)),
        ("-:3", set(), Target("-", "-", 3)),
        (
            "C:\\logs\\a.ndjson:12",
            {"C:\\logs\\a.ndjson"},
            Target("C:\\logs\\a.ndjson", "C:\\logs\\a.ndjson", 12),
        ),
        (
            "C:\\logs\\a.ndjson",
            {"C:\\logs\\a.ndjson"},
            Target("C:\\logs\\a.ndjson", "C:\\logs\\a.ndjson", None),
        ),
        ("C:7", {"C:7"}, Target("C:7", "C:7", None)),
        ("events:12", {"events:12"}, Target("events:12", "events:12", None)),
        ("events:12", {"events:12", "events"}, Target("events", "events", 12)),
        ("events:12:3", {"events:12"}, Target("events:12", "events:12", 3)),
        ("events:12:3", {"events:12", "events"}, Target("events:12", "events:12", 3)),
        (
            "2026-11-16T08:00:12",
            {"2026-11-16T08:00:12"},
            Target("2026-11-16T08:00:12", "2026-11-16T08:00:12", None),
        ),
        ("x.zip!a/b.ndjson:12", {"x.zip"}, Target("x.zip", "x.zip!a/b.ndjson", 12)),
        ("x.zip!a.zip!b#7", {"x.zip"}, Target("x.zip", "x.zip!a.zip!b", 7)),
        ("x!y.zip!b:7", {"x!y.zip"}, Target("x!y.zip", "x!y.zip!b", 7)),
        ("oh!no.ndjson:7", {"oh!no.ndjson"}, Target("oh!no.ndjson", "oh!no.ndjson", 7)),
        ("gone.ndjson:7", set(), Target("gone.ndjson", "gone.ndjson", 7)),
        ("gone.ndjson", set(), Target("gone.ndjson", "gone.ndjson", None)),
    ],
)
def test_a_target_names_file_member_and_number(text: str, files: set[str], target: Target) -> None:
    assert parse_target(text, files.__contains__) == target
