"""``smbrare replay``: alerts, runs, comparisons and exit codes."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.support.events import DESTINATION, matching

EXAMPLE = FIXTURES / "replay.ndjson"
DOCUMENT = ROOT / "docs" / "replay.md"
OTHER = "91.219.236.18"


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def alerts(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def runs(out: str) -> list[tuple[str, str]]:
    return [(alert["destination"]["ip"], alert["smbrare"]["run"]) for alert in alerts(out)]


def test_an_alert_is_a_finding_with_its_run(run: Run) -> None:
    result = run("replay", EXAMPLE, "--format", "ndjson")
    assert result.code == 1
    last = alerts(result.out)[-1]
    assert last["@timestamp"] == "2026-11-23T08:33:30Z"
    assert last["destination"]["ip"] == DESTINATION
    own = last["smbrare"]
    assert own["run"] == "2026-11-23T08:40:00Z"
    assert own["window"] == {"from": "2026-11-23T08:31:00Z", "to": "2026-11-23T08:40:00Z"}
    assert own["phase_dependent"] is True
    assert own["max_signals_exceeded"] is False
    assert "before the run at 2026-11-23T08:40:00Z" in last["event"]["reason"]


def test_the_anchor_decides_what_depends_on_the_phase(run: Run) -> None:
    at_the_fives = runs(run("replay", EXAMPLE, "-f", "ndjson").out)
    between = runs(run("replay", EXAMPLE, "-f", "ndjson", "--anchor", "2026-01-01T00:04Z").out)
    assert (DESTINATION, "2026-11-23T08:40:00Z") in at_the_fives
    assert not any(time.startswith("2026-11-23") and ip == DESTINATION for ip, time in between)
    assert (OTHER, "2026-11-23T09:44:00Z") in between
    assert not any(time.startswith("2026-11-23") and ip == OTHER for ip, time in at_the_fives)


@pytest.mark.parametrize("output_format", ["table", "json", "ndjson", "csv"])
def test_order_and_copies_of_files_change_no_byte(
    run: Run, tmp_path: Path, output_format: str
) -> None:
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    one, two = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    one.write_text("".join(lines[::2]))
    two.write_text("".join(reversed(lines[1::2])))
    arguments = ("--format", output_format, "--max-signals", "1")
    forwards = run("replay", one, two, *arguments)
    assert forwards.out
    assert run("replay", two, one, *arguments).out == forwards.out
    if output_format == "ndjson":
        again = run("replay", one, two, one, *arguments)
        assert runs(again.out) == runs(forwards.out)


def test_the_json_document_says_what_the_runs_were_and_what_they_left(run: Run) -> None:
    document = json.loads(run("replay", EXAMPLE, "-f", "json", "--max-signals", "1").out)
    assert list(document) == ["rule", "scan", "also_seen", "replay", "findings"]
    replay = document["replay"]
    assert replay["interval_seconds"] == 300
    assert replay["anchor"] == "1970-01-01T00:00:00Z"
    assert replay["alerts"] == len(document["findings"]) == 5
    assert replay["phase_dependent"] == 1
    assert replay["raised_in_other_phases"] == [
        {"@timestamp": "2026-11-23T09:35:30Z", "destination": {"ip": OTHER}}
    ]
    assert replay["crowded_runs"] == ["2026-11-20T11:05:00Z"]
    assert replay["never_raised"] == [
        {"@timestamp": "2026-11-20T11:00:30Z", "destination": {"ip": "146.70.53.12"}}
    ]


def test_a_csv_has_the_columns_of_a_run_and_a_scans_has_not(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("replay", EXAMPLE, "--format", "csv").out)))
    assert rows[-1]["smbrare.run"] == "2026-11-23T08:40:00Z"
    assert rows[-1]["smbrare.phase_dependent"] == "true"
    assert "smbrare.run" not in run("scan", EXAMPLE, "--format", "csv").out


def test_a_run_that_max_signals_cuts_keeps_the_destination_with_most_events(
    run: Run, tmp_path: Path
) -> None:
    once = matching(timestamp="2026-11-16T08:00:30Z", destination__ip=DESTINATION)
    twice = [
        matching(
            timestamp=f"2026-11-16T08:00:3{second}Z",
            destination__ip=OTHER,
            source__port=50_000 + second,
        )
        for second in (1, 2)
    ]
    # The copies of one event are one event.
    path = write(tmp_path / "x.ndjson", once, once, once, *twice)
    result = run("replay", path, "--max-signals", "1", "-f", "ndjson")
    assert runs(result.out) == [(OTHER, "2026-11-16T08:05:00Z")]
    assert alerts(result.out)[0]["smbrare"]["max_signals_exceeded"] is True
    assert (
        "1 run had more than --max-signals 1 alerts to raise, the first at 2026-11-16T08:05:00Z"
        in result.err
    )
    assert f"silent history after that: {DESTINATION}" in result.err


def test_the_time_field_falls_back_in_each_event_alone(run: Run, tmp_path: Path) -> None:
    ingested = matching(timestamp="2026-11-16T08:00:00Z")
    ingested["event"]["ingested"] = "2026-11-18T12:01:00Z"
    path = write(
        tmp_path / "x.ndjson",
        ingested,
        matching(timestamp="2026-11-17T08:01:00Z", destination__ip=OTHER),
    )
    by_ingestion = run("replay", path, "-f", "ndjson")
    assert runs(by_ingestion.out) == [
        (OTHER, "2026-11-17T08:05:00Z"),
        (DESTINATION, "2026-11-18T12:05:00Z"),
    ]
    by_event = run("replay", path, "-f", "ndjson", "--time-field", "@timestamp")
    assert (DESTINATION, "2026-11-16T08:00:00Z") in runs(by_event.out)


def test_a_replay_is_literal_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    document = matching()
    document["host"]["os"] = {"platform": "windows"}
    path = write(tmp_path / "x.ndjson", document)
    literal = run("replay", path)
    assert (literal.code, literal.out) == (4, "")
    assert "with --inferred it is supplied where the record shows it" in literal.err
    assert run("replay", path, "--inferred").code == 1


def test_durations_may_be_minutes_and_a_schedule_of_any_kind_runs(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.ndjson",
        matching(timestamp="2026-11-16T08:00:00Z"),
        matching(timestamp="2026-11-16T10:10:00Z"),
    )
    options = ("--interval", "1m", "--lookback", "2m", "--history", "1h30m", "-f", "ndjson")
    assert runs(run("replay", path, *options).out) == [
        (DESTINATION, "2026-11-16T08:00:00Z"),
        (DESTINATION, "2026-11-16T10:10:00Z"),
    ]


def test_a_comparison_has_one_line_for_each_sighting_judged_apart(run: Run) -> None:
    result = run("replay", EXAMPLE, "--compare", "--max-signals", "1")
    assert result.code == 1
    heading, *lines = result.out.splitlines()
    assert heading.split("  ")[0] == "Time (UTC)"
    assert [line.split()[2:5] for line in lines] == [
        ["185.220.101.4", "scan", "time_field"],
        ["185.220.101.4", "replay", "time_field"],
        ["20.60.40.9", "scan", "inferred"],
        ["146.70.53.12", "scan", "max_signals"],
        [DESTINATION, "replay", "silence"],
    ]
    assert (
        "5 differences between scan and replay: 3 raised by scan only, 2 by replay only"
        in result.err
    )


def test_a_comparison_fits_the_terminal_and_cuts_no_address(run: Run) -> None:
    result = run("replay", EXAMPLE, "--compare", "--quiet", env={"COLUMNS": "80"})
    assert max(map(len, result.out.splitlines())) <= 80
    wide = run("replay", EXAMPLE, "--compare", "--quiet")
    assert sorted(result.out.split()) == sorted(wide.out.split())


def test_a_comparison_in_json_is_the_findings_with_who_and_why(run: Run) -> None:
    lines = alerts(run("replay", EXAMPLE, "--compare", "-f", "ndjson").out)
    document = json.loads(run("replay", EXAMPLE, "--compare", "-f", "json").out)
    assert document["differences"] == lines
    own = lines[-1]["smbrare"]
    assert (own["raised_by"], own["reasons"]) == ("replay", ["silence"])
    assert own["explanation"].startswith("silent for 6d 23h 54m")
    assert own["run"] == "2026-11-23T08:40:00Z"
    assert "run" not in lines[0]["smbrare"]


def test_a_scan_and_a_replay_that_agree_give_an_empty_comparison(run: Run) -> None:
    result = run("replay", FIXTURES / "sample.ndjson", "--compare", "--inferred")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("Scan and replay agree in 37 network events of 6 days.\n")


def test_standard_input_is_replayed_but_not_compared_where_that_reads_it_again(
    run_process: Run,
) -> None:
    text = EXAMPLE.read_bytes()
    assert len(alerts(run_process("replay", "-", "-f", "ndjson", stdin=text).out)) == 6
    refused = run_process("replay", "-", "--compare", stdin=text)
    assert refused.code == 2
    assert "can be read only once" in refused.err
    once = ("--inferred", "--time-field", "@timestamp")
    assert run_process("replay", "-", "--compare", *once, stdin=text).code == 1


def test_findings_are_passed_over_when_replayed_themselves(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "alerts.ndjson"
    assert run("replay", EXAMPLE, "-f", "ndjson", "-o", report, "--exit-zero").code == 0
    assert run("replay", report).code == 4
    report = tmp_path / "differences.ndjson"
    run("replay", EXAMPLE, "--compare", "-f", "ndjson", "-o", report)
    assert "4 alerts skipped" in run("scan", report).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--history", "1h"], "longer than the lookback by an hour"),
        (["--interval", "0m"], "not a duration"),
        (["--lookback", "all"], "not a duration"),
        (["--anchor", "soon"], "not a time"),
        (["--max-signals", "0"], "0 is not in the range"),
        (["--compare", "--format", "csv"], "not csv"),
        (["--output", "no/such/folder/x"], "not a directory"),
    ],
)
def test_wrong_usage_is_code_2(run: Run, arguments: list[str], message: str) -> None:
    result = run("replay", EXAMPLE, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_file_cut_off_is_code_3_with_its_alerts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    path.write_bytes(EXAMPLE.read_bytes()[:-20])
    result = run("replay", path, "-f", "ndjson")
    assert result.code == 3
    assert len(alerts(result.out)) == 6


def test_a_matching_event_without_a_time_is_no_all_clear(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ndjson", matching(timestamp="yesterday"))
    result = run("replay", path, "--quiet")
    assert (result.code, result.out) == (4, "")
    assert "1 matching event not evaluated: no run reads an event without a time" in result.err


def test_judged_files_without_an_alert_are_code_0(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ndjson", matching(destination__ip="10.20.0.5"))
    result = run("replay", path, "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")
