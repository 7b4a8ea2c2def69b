"""The second pass: what it finds in which inputs, and what it says that it could not do."""

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.finding import Finding
from smbrare.detection.host_context import TOO_MANY, HostContext
from smbrare.inputs.discovery import discover
from smbrare.inputs.readers import ndjson
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.outputs.triage import triage
from smbrare.records.event import Record
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning, second_pass, visits
from smbrare.scanning.second_pass import NO_HOST, NO_TIME, READ_ONCE, add_host_context
from tests.conftest import Run
from tests.support.activities import logon, process, security, windows
from tests.support.container_world import WORLD, event_data
from tests.support.events import DESTINATION, matching
from tests.support.evtx_writer import evtx
from tests.support.reports import report, with_host_context, write

QUERY = {
    "@timestamp": "2026-11-16T07:59:58Z",
    "event": {"category": ["network"]},
    "host": {"name": "WS-09"},
    "dns": {"question": {"name": "files.example"}, "resolved_ip": [DESTINATION]},
}
NEAR = [process(), logon(time="2026-11-16T06:00:00Z"), QUERY]
FAR = [
    process(host="WS-02"),
    process(time="2026-11-16T09:00:00.000Z"),
    logon(user="bob", host="WS-02"),
    {"kibana.alert.uuid": "x", "event.kind": "signal", **process()},
]


def context_of(finding: Finding) -> HostContext:
    assert finding.host_context is not None
    return finding.host_context


def looked(*paths: Path) -> tuple[Finding, ...]:
    return with_host_context(report(*paths), *paths)


def test_a_finding_tells_who_was_logged_on_what_ran_and_which_name_led_there(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "events.ndjson", [*FAR, *NEAR, matching()])
    (finding,) = looked(path)
    assert [each.user for each in context_of(finding).logged_on] == ["CORP\\alice"]
    (event,) = context_of(finding).events
    assert (event.kind, event.what) == ("process", "C:\\Office\\OUTLOOK.EXE")
    assert str(event.origin) == f"{path}:5"
    assert [query.name for query in finding.queries] == ["files.example"]
    assert context_of(finding).gaps == ()


@pytest.mark.parametrize(
    ("other", "grade"),
    [
        (matching(host__name="ws-01.other.example", destination__ip="10.20.0.5"), "unknown"),
        (security(4634, {"TargetUserName": "x"}, host="WS-01.other.example"), "unknown"),
        (matching(host__name="ws-02.other.example", destination__ip="10.20.0.5"), "authentication"),
        (matching(host__name="ws-01.corp.example", destination__ip="10.20.0.5"), "authentication"),
    ],
)
def test_any_event_shows_that_a_short_name_is_of_two_hosts(
    run: Run, tmp_path: Path, other: dict[str, Any], grade: str
) -> None:
    sent = windows(
        "Microsoft-Windows-NTLM/Operational",
        8001,
        {"TargetName": f"cifs/{DESTINATION}", "ClientUserName": "alice"},
        host="ws-01.corp.example",
    )
    path = write(tmp_path / "events.ndjson", [matching(host__name="WS-01"), sent, other])
    (found,) = json.loads(run("scan", path, "--format", "json").out)["findings"]
    assert found["smbrare"]["exposure"]["grade"] == grade


def sent(host: str, time: str, user: str = "bob") -> dict[str, Any]:
    """Return NTLM that a host sent to the destination."""
    data = {"TargetName": f"cifs/{DESTINATION}", "ClientUserName": user}
    channel = "Microsoft-Windows-NTLM/Operational"
    return windows(channel, 8001, data, host=host, time=f"2026-11-{time}.000Z")


def of(host: str, time: str) -> dict[str, Any]:
    at = f"2026-11-{time}.000Z"
    return matching(timestamp=at, host__name=host, event__ingested=at)


@pytest.mark.parametrize(
    ("events", "options", "accounts"),
    [
        ([sent("WS-02", "17T10:00:01")], (), ["bob"]),
        ([sent("WS-01", "16T08:00:01", "alice"), sent("WS-02", "17T10:00:01")], (), None),
        ([sent("WS-02", "17T09:54:59")], (), []),
        ([sent("WS-02", "17T12:05:01")], (), []),
        ([sent("WS-02", "17T11:00:00")], (), ["bob"]),
        ([sent("WS-01", "17T11:00:00")], (), []),
        ([sent("WS-03", "17T11:00:00")], (), []),
        ([sent("WS-02", "17T11:00:00")], ("--time-field", "event.ingested"), []),
    ],
)
def test_the_evidence_of_every_host_of_a_finding_counts_in_its_own_time(
    run: Run,
    tmp_path: Path,
    events: list[Any],
    options: tuple[str, ...],
    accounts: list[str] | None,
) -> None:
    connections = [of("WS-01", "16T08:00:00"), of("WS-02", "17T10:00:00")]
    connections += [of("WS-02", "17T12:00:00"), matching(host__name="WS-03") | {"event": {}}]
    path = write(tmp_path / "events.ndjson", [*connections, *events])
    (found,) = json.loads(run("scan", path, "--format", "json", *options).out)["findings"]
    shown = found["smbrare"]["exposure"]
    assert [each["account"] for each in shown["accounts"]] == (
        ["alice", "bob"] if accounts is None else accounts
    )
    assert shown["grade"] == ("unknown" if accounts == [] else "authentication")
    if accounts == ["bob"]:
        html = run("scan", path, "--format", "html").out
        assert "on WS-02" in html


def test_of_a_host_in_many_findings_the_first_are_looked_at_and_the_others_say_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "MOST_VISITS", 2)
    events = []
    for number in range(4):
        address = f"45.83.122.{number}"
        events += [
            each | {"destination": {"ip": address, "port": 445}}
            for each in (of("WS-01", f"16T08:0{number}:00"), of("WS-02", "17T10:00:00"))
        ]
        data = {"TargetName": f"cifs/{address}", "ClientUserName": "bob"}
        where = {"host": "WS-02", "time": "2026-11-17T10:00:00.000Z"}
        events.append(windows("Microsoft-Windows-NTLM/Operational", 8001, data, **where))
    path = write(tmp_path / "events.ndjson", events)
    found = json.loads(run("scan", path, "--format", "json").out)["findings"]
    told = [
        (
            each["smbrare"]["exposure"]["grade"],
            each["smbrare"]["host_context"]["not_complete"] == [visits.TOO_MANY_VISITS],
        )
        for each in found
    ]
    assert told == [("authentication", False)] * 2 + [("unknown", True)] * 2


def test_per_host_a_finding_has_the_evidence_of_its_host_alone(run: Run, tmp_path: Path) -> None:
    events = [of("WS-01", "16T08:00:00"), of("WS-02", "17T10:00:00"), sent("WS-02", "17T10:00:00")]
    path = write(tmp_path / "events.ndjson", events)
    found = json.loads(run("scan", path, "--format", "json", "--per-host").out)["findings"]
    grades = [each["smbrare"]["exposure"]["grade"] for each in found]
    assert grades == ["unknown", "authentication"]


@pytest.mark.parametrize("odd", ["null", '{"a": "\\ud800"}'])
@pytest.mark.parametrize("place", [1, 3, 8])
def test_the_elements_of_an_array_tell_the_same(tmp_path: Path, odd: str, place: int) -> None:
    lines = [json.dumps(event) for event in [*FAR, *NEAR, matching()]]
    lines.insert(place, odd)
    path = tmp_path / "events.json"
    path.write_text(f"[{', '.join(lines)}]")
    (finding,) = looked(path)
    (event,) = context_of(finding).events
    assert str(event.origin) == f"{path}:{lines.index(json.dumps(NEAR[0])) + 1}"
    assert event.origin.offset is None
    assert [each.user for each in context_of(finding).logged_on] == ["CORP\\alice"]
    assert [query.name for query in finding.queries] == ["files.example"]


def test_the_records_of_an_evtx_file_tell_the_same(tmp_path: Path) -> None:
    connection = event_data(WORLD[0])
    day, time = connection["UtcTime"].split()
    started = {"EventID": "1", "Image": "C:\\Office\\WINWORD.EXE", "User": "CORP\\alice"}
    later = {**started, "UtcTime": f"{day} 23:00:00.000", "Image": "C:\\late.exe"}
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(evtx([{**started, "UtcTime": f"{day} {time}"}, later, connection]))
    (finding,) = looked(path)
    (event,) = context_of(finding).events
    assert (event.kind, event.what) == ("process", "C:\\Office\\WINWORD.EXE")
    assert str(event.origin) == f"{path}:1"
    # Among names that may be escaped, every record is decoded.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second_pass, "_PLAIN_NAME", re.compile("no name"))
        (again,) = looked(path)
    assert context_of(again) == context_of(finding)


def test_triage_names_the_user_and_the_program(tmp_path: Path) -> None:
    (finding,) = looked(write(tmp_path / "events.ndjson", [*NEAR, matching()]))
    text = " ".join(step.say() for step in triage(finding))
    assert "Treat the NetNTLM response of CORP\\alice as compromised: reset the password" in text
    assert "Shortly before, WS-01 started OUTLOOK.EXE." in text


def test_without_a_logon_triage_names_whose_programs_started(tmp_path: Path) -> None:
    (finding,) = looked(write(tmp_path / "events.ndjson", [process(), matching()]))
    text = " ".join(step.say() for step in triage(finding))
    assert "Treat the NetNTLM response of CORP\\alice as compromised" in text


def split_by_files(folder: Path, events: list[dict[str, Any]]) -> list[Path]:
    return [write(folder / f"{number}.ndjson", [event]) for number, event in enumerate(events)]


def told(finding: Finding) -> Any:
    found = context_of(finding)
    return (
        [each.content for each in found.events],
        found.logged_on[0].user,
        found.active,
        finding.queries,
        found.gaps,
    )


def test_order_copies_compression_and_sifting_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [*FAR, *NEAR, matching()]
    plain = write(tmp_path / "events.ndjson", events)
    (expected,) = looked(plain)
    packed = tmp_path / "events.ndjson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    document = tmp_path / "events.json"
    document.write_text(json.dumps(events))
    ways = [
        [write(tmp_path / "reversed.ndjson", events[::-1])],
        [packed],
        [document],
        [packed, plain],
        split_by_files(tmp_path, events),
    ]
    for paths in ways:
        (finding,) = looked(*paths)
        assert told(finding) == told(expected)
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    (finding,) = looked(plain)
    assert told(finding) == told(expected)


def test_a_host_whose_name_is_escaped_in_json_is_found(tmp_path: Path) -> None:
    events = [process(host="büro-01"), matching(host__name="BÜRO-01")]
    (finding,) = looked(write(tmp_path / "events.ndjson", events))
    assert len(context_of(finding).events) == 1


def test_what_was_not_looked_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        process(),
        matching(),
        matching(destination__ip="91.219.236.18", host__name=None),
        matching(destination__ip="185.220.101.4", timestamp=None),
    ]
    path = write(tmp_path / "events.ndjson", events)
    gaps = {finding.sighting.destination: context_of(finding).gaps for finding in looked(path)}
    assert gaps == {DESTINATION: (), "91.219.236.18": (NO_HOST,), "185.220.101.4": (NO_TIME,)}
    monkeypatch.setattr(second_pass, "MOST_FINDINGS", 1)
    first, *others = looked(path)
    assert context_of(first).gaps == ()
    assert {context_of(finding).gaps for finding in others} == {(TOO_MANY,)}


def test_inputs_that_cannot_be_read_again_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [process(), matching()])
    made, inputs = report(path), list(discover([str(path), "-"]))
    path.unlink()
    (finding,), _ = add_host_context(made.findings, inputs, ReadOptions(), lambda _: None)
    assert context_of(finding).gaps == (
        f"{path} was not read again: No such file or directory",
        READ_ONCE,
    )
    assert not context_of(finding).events


def test_damage_in_an_input_does_not_stop_the_second_pass(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [process(), matching(), security(4688, {})])
    path.write_text("{broken ws-01\n" + path.read_text() + '{"cut": "ws-01')
    (finding,) = looked(path)
    assert [each.origin.number for each in context_of(finding).events] == [2]


def test_the_program_looks_around_for_reports(run: Run, run_process: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [*NEAR, matching()])
    page = run("scan", path, "--format", "html")
    assert page.code == 1
    assert "CORP\\alice was logged on (Interactive since 2026-11-16 06:00:00" in page.out
    assert "Evidence, in order" in page.out
    piped = run_process("scan", "-", "--format", "html", stdin=path.read_bytes())
    assert f"Not complete: {READ_ONCE}" in piped.out
    assert "No interactive logon was found" not in piped.out
    assert "files.example" in piped.out
    assert "OUTLOOK" in run("scan", path, "--format", "json").out
    assert "OUTLOOK" not in run("scan", path, "--format", "ndjson").out


LINES = st.lists(
    st.sampled_from(
        [
            b"",
            b"7",
            b'{"a":1}',
            b'{"a":"ws-01"}',
            b'{"a":"ws-0"}\r',
            b"{broken ws-01",
            b'{"a":"WS-01","b":"45.83.122.10"}',
            b'\xef\xbb\xbf{"b":"Ws-01"}',
            b'{"a":"' + b"x" * 40 + b'ws-01"}',
        ]
    ),
    max_size=12,
)


@given(lines=LINES, ends=st.booleans(), block=st.integers(1, 64))
def test_the_search_gives_the_records_of_the_lines_that_hold_a_text(
    *, lines: list[bytes], ends: bool, block: int
) -> None:
    limits = Limits(record_bytes=30)
    data = b"\n".join(lines) + b"\n" * ends
    options = ReaderOptions(limits, texts=(b"ws-01", b"45.83.122.10"))
    found = ndjson.read_with(io.BytesIO(data), "x", options, block_bytes=block)
    every = ndjson.read(io.BytesIO(data), "x", ReaderOptions(limits)).items
    wanted = [
        item
        for item in every
        if isinstance(item, Record) and "ws-01" in json.dumps(item.document).lower()
    ]
    assert list(found) == wanted


# By default and on request


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "events.ndjson", [*FAR, *NEAR, matching()])


def test_a_table_names_account_and_name_unless_told_otherwise(run: Run, log: Path) -> None:
    assert "files.example (DNS)  CORP\\alice  WS-01" in run("scan", log).out
    without = run("scan", log, "--no-context").out
    assert "CORP" not in without
    assert "Account" not in without


def test_json_has_the_events_and_the_logon_with_their_records(run: Run, log: Path) -> None:
    (finding,) = json.loads(run("scan", log, "-f", "json").out)["findings"]
    around = finding["smbrare"]["host_context"]
    (event,) = around["events"]
    assert (event["kind"], event["user"], event["record"]["number"]) == (
        "process",
        "CORP\\alice",
        5,
    )
    assert [each["user"] for each in around["logged_on"]] == ["CORP\\alice"]
    (bare,) = json.loads(run("scan", log, "-f", "json", "--no-context").out)["findings"]
    assert "host_context" not in bare["smbrare"]


def test_other_formats_have_it_on_request_only(run: Run, log: Path) -> None:
    plain = json.loads(run("scan", log, "-f", "ndjson").out)
    asked = json.loads(run("scan", log, "-f", "ndjson", "--context").out)
    assert asked["smbrare"].pop("host_context")["active_users"] == []
    more = {"accounts": [], "evidence": [], "evidence_count": 0}
    assert asked["smbrare"].pop("exposure") == {**plain["smbrare"].pop("exposure"), **more}
    assert asked == plain
    assert "CORP" not in run("scan", log, "-f", "csv").out
    header, row = csv.reader(run("scan", log, "-f", "csv", "--context").out.splitlines())
    assert (header[-1], row[-1]) == ("smbrare.users", "CORP\\alice")
    assert "logged_on" not in run("scan", log, "-f", "sarif").out
    assert "logged_on" in run("scan", log, "-f", "sarif", "--context").out


def test_a_pre_filtered_input_has_its_names_in_the_table(
    run: Run, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    result = run("scan", log)
    assert "files.example" in result.out
    assert "DNS names" not in result.err
    assert "DNS names not looked for" in run("scan", log, "--no-context").err


def test_the_highest_ranked_are_looked_around_and_the_rest_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = matching(destination__ip="91.219.236.18", event__outcome="failure")
    worst = matching(timestamp="2026-11-16T08:00:01Z", event__outcome="success")
    path = write(tmp_path / "events.ndjson", [*NEAR, failed, worst])
    monkeypatch.setattr(second_pass, "MOST_FINDINGS", 1)
    result = run("scan", path)
    (first, second) = result.out.splitlines()[1:]
    assert (DESTINATION in first, "CORP" in first, "CORP" in second) == (True, True, False)
    assert "highest-ranked findings were looked around" in result.err
