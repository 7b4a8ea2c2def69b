"""How much history a finding had, and which part of it a window reports."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from smbrare.baseline.store import Baseline
from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import examine
from smbrare.detection.finding import reason
from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey, Span
from smbrare.outputs.wording import history_text
from smbrare.records.event import Origin
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR, date
from smbrare.scanning.scan import judge, learn
from tests.conftest import FIXTURES, Run
from tests.support.events import matching
from tests.support.reports import write

SAMPLE = FIXTURES / "sample.ndjson"
ROGUE, OTHER, SHARE = "45.83.122.10", "91.219.236.18", "20.60.40.9"


def hourly(days: float, start: str = "2026-11-01T00:30:00Z") -> list[dict[str, Any]]:
    """Return an internal connection in every hour, so that all of them are covered."""
    first = date(start).time
    return [
        matching(timestamp=stamp(first + hour * HOUR), destination__ip="10.20.0.5")
        for hour in range(int(days * 24))
    ]


def stamp(time: int) -> int:
    """Return a time as epoch milliseconds."""
    return time // 1_000


def findings(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def gathered(*documents: dict[str, Any], sampled: bool = False) -> Partial:
    partial = Partial()
    survey = InputSurvey("events.ndjson", sampled=sampled)
    for number, document in enumerate(documents, 1):
        examine(document, Origin("events.ndjson", number), ReadOptions(), survey, partial)
    partial.surveys.append(survey)
    return partial


# Coverage


def test_a_full_week_before_a_finding_is_full_history(run: Run, tmp_path: Path) -> None:
    events = [*hourly(8), matching(timestamp="2026-11-08T12:00:00Z")]
    path = write(tmp_path / "events.ndjson", events)
    result = run("scan", path, "-f", "ndjson")
    (finding,) = findings(result.out)
    assert finding["smbrare"]["history_known_seconds"] == 7 * 86_400
    assert "; 1 of 1 with full history" in result.err
    assert " 7d  " in run("scan", path).out


def test_a_gap_and_a_record_dated_1601_give_no_history(run: Run, tmp_path: Path) -> None:
    old = matching(timestamp="1601-01-01T00:00:00Z", destination__ip="10.20.0.5")
    path = write(
        tmp_path / "events.ndjson", [old, *hourly(0.25), matching(timestamp="2026-11-06T00:00:00Z")]
    )
    result = run("scan", path)
    assert " 6h  " in result.out
    assert "; 0 of 1 with full history" in result.err


def test_the_baseline_keeps_the_hours_of_what_it_learnt(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "b.db"
    run("scan", write(tmp_path / "old.ndjson", hourly(7)), "--baseline", baseline)
    new = write(tmp_path / "new.ndjson", [matching(timestamp="2026-11-08T00:00:00Z")])
    assert " 7d  " in run("scan", new, "--baseline", baseline, "--no-update").out
    assert " 0h  " in run("scan", new).out


def test_known_hours_of_the_same_inputs_do_not_depend_on_how_they_were_split(
    run: Run, tmp_path: Path
) -> None:
    events = [*hourly(3), *(matching(timestamp=f"2026-11-0{d}T12:00:00Z") for d in (2, 3))]
    together = tmp_path / "together.db"
    apart = tmp_path / "apart.db"
    run("scan", write(tmp_path / "all.ndjson", events), "--baseline", together)
    for number in range(3):
        piece = write(tmp_path / f"{number}.ndjson", events[number::3])
        run("scan", piece, "--baseline", apart)
    assert Baseline(together).covered() == Baseline(apart).covered()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_cold_start_is_said_in_one_line(run: Run, tmp_path: Path, count: int) -> None:
    many = [matching(destination__ip=f"45.83.1.{number}") for number in range(count)]
    err = run("scan", write(tmp_path / "events.ndjson", many)).err
    (said,) = [line for line in err.lower().splitlines() if line.startswith("cold")]
    assert said.startswith(f"cold start: {count} destination")


def test_findings_without_full_history_beside_others_are_counted(run: Run, tmp_path: Path) -> None:
    early = matching(timestamp="2026-11-02T12:00:00Z")
    late = matching(timestamp="2026-11-08T12:00:00Z", destination__ip=OTHER)
    err = run("scan", write(tmp_path / "events.ndjson", [*hourly(8), early, late])).err
    assert "cold     1 of 2 have less than 7d of history" in err
    assert "Cold start" not in err


def test_many_findings_with_full_history_are_no_cold_start(run: Run, tmp_path: Path) -> None:
    many = [
        matching(timestamp="2026-11-08T12:00:00Z", destination__ip=f"45.83.1.{number}")
        for number in range(10)
    ]
    result = run("scan", write(tmp_path / "events.ndjson", [*hourly(8), *many]))
    assert not re.search(r"^cold", result.err.lower(), re.MULTILINE)
    assert "; 10 of 10 with full history" in result.err


def test_history_of_all_time_is_never_called_full(run: Run) -> None:
    result = run("scan", SAMPLE, "--history", "all")
    assert "full history" not in result.err


def test_what_rests_on_a_sample_is_a_lower_bound() -> None:
    early = matching(timestamp="2026-11-16T06:00:00Z", destination__ip="10.20.0.5")
    partial = gathered(early, matching(), sampled=True)
    report = judge(partial, ReadOptions(), Criteria())
    (finding,) = report.findings
    assert history_text(finding.history) == "≥ 1h of 7d"
    assert finding.history.sampled
    assert "at least 1h of it known" in reason(finding)


def test_full_history_is_no_lower_bound_even_from_a_sample() -> None:
    partial = gathered(*hourly(8), matching(timestamp="2026-11-08T12:00:00Z"), sampled=True)
    (finding,) = judge(partial, ReadOptions(), Criteria()).findings
    assert history_text(finding.history) == "7d of 7d"


def test_hours_of_a_sample_stay_a_lower_bound_in_the_baseline(tmp_path: Path) -> None:
    baseline = Baseline(tmp_path / "b.db", {"time field": "@timestamp", "literal": "false"})
    early = matching(timestamp="2026-11-16T06:00:00Z", destination__ip="10.20.0.5")
    learn(Criteria(), gathered(early, sampled=True), baseline)
    assert set(baseline.covered().values()) == {True}
    (finding,) = judge(gathered(matching()), ReadOptions(), Criteria(), baseline).findings
    assert history_text(finding.history) == "≥ 1h of 7d"
    learn(Criteria(), gathered(early), baseline)
    assert set(baseline.covered().values()) == {False}


def test_only_the_hours_of_a_sampled_input_are_marked_as_sampled() -> None:
    whole, sampled, both = Span(), Span(), Span()
    whole.add(date("2026-11-16T06:00:00Z"))
    sampled.add(date("2026-11-16T06:30:00Z"), sampled=True)
    sampled.add(date("2026-11-16T09:30:00Z"), sampled=True)
    for part in (sampled, whole):
        both.merge(part)
    hour = date("2026-11-16T06:00:00Z").time // HOUR
    assert both.hours == {hour, hour + 3}
    assert both.exact == {hour}


# Windows


def window(run: Run, *options: str) -> tuple[list[str], str]:
    result = run("scan", SAMPLE, "-f", "ndjson", *options)
    return [finding["destination"]["ip"] for finding in findings(result.out)], result.err


def test_a_window_reports_the_findings_in_it_alone(run: Run) -> None:
    assert window(run)[0] == [SHARE, ROGUE, OTHER]
    assert window(run, "--since", "2026-11-18")[0] == [ROGUE, OTHER]
    assert window(run, "--until", "2026-11-20")[0] == [SHARE, ROGUE]
    assert window(run, "--since", "2026-11-18", "--until", "2026-11-20")[0] == [ROGUE]
    assert window(run, "--since", "2026-11-18T09:11:18Z", "--until", "2026-11-18T09:11:19Z")[0]
    assert window(run, "--until", "2026-11-18T09:11:18Z")[0] == [SHARE]


def test_destinations_found_before_the_window_and_active_in_it_are_counted(run: Run) -> None:
    found, err = window(run, "--since", "2026-11-20")
    assert found == [OTHER]
    assert "2 first contacted before the window" in err
    assert "before the window" not in window(run, "--until", "2026-11-20")[1]
    _, err = window(run, "--since", "2026-11-18", "--until", "2026-11-20")
    assert "1 first contacted before the window" in err


def test_a_destination_with_a_finding_in_the_window_too_is_not_counted(run: Run) -> None:
    # With 36 hours of history the share is found on the 16th and, after two quiet days, again.
    found, err = window(run, "--since", "2026-11-20", "--history", "36h")
    assert sorted(found) == [SHARE, ROGUE, OTHER]
    assert "window" not in err


def test_a_window_in_which_nothing_was_found_gives_exit_0(run: Run) -> None:
    assert run("scan", SAMPLE, "--since", "2026-12-01").code == 0


def test_a_window_changes_nothing_of_what_is_learnt(run: Run, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.db", tmp_path / "part.db"
    run("scan", SAMPLE, "--baseline", whole)
    run("scan", SAMPLE, "--baseline", part, "--since", "2026-11-21", "--until", "2026-11-22")
    assert list(Baseline(whole).rows()) == list(Baseline(part).rows())
    assert Baseline(whole).covered() == Baseline(part).covered()


def test_undated_findings_are_in_every_window(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching(timestamp=None)])
    assert run("scan", path, "--since", "2026-12-01", "--until", "2026-12-02").code == 1


def test_a_window_that_ends_before_it_starts_is_an_error(run: Run) -> None:
    result = run("scan", SAMPLE, "--since", "2026-11-18", "--until", "2026-11-18")
    assert (result.code, result.err) == (2, "smbrare: --until is not after --since\n")


# History, hosts, time fields


@pytest.mark.parametrize(
    ("history", "found"),
    [("1h", 5), ("24h", 3), ("23h", 4), ("1d1m", 3), ("2d", 2), ("7d", 1), ("all", 1)],
)
def test_the_history_is_any_duration_of_an_hour_or_more(
    run: Run, tmp_path: Path, history: str, found: int
) -> None:
    times = ("01T00:00", "01T02:00", "02T02:00", "04T02:00", "07T00:00")
    path = write(tmp_path / "e.ndjson", [matching(timestamp=f"2026-11-{t}:00Z") for t in times])
    result = run("scan", path, "-f", "ndjson", "--history", history)
    assert len(findings(result.out)) == found


def test_all_is_for_ever(run: Run, tmp_path: Path) -> None:
    times = ("1990-01-01", "2026-11-01")
    path = write(tmp_path / "e.ndjson", [matching(timestamp=f"{t}T00:00:00Z") for t in times])
    assert len(findings(run("scan", path, "-f", "ndjson", "--history", "all").out)) == 1
    assert len(findings(run("scan", path, "-f", "ndjson").out)) == 2


def test_per_host_judges_each_hosts_destinations_apart_from_one_baseline(
    run: Run, tmp_path: Path
) -> None:
    baseline = tmp_path / "b.db"
    first = write(tmp_path / "1.ndjson", [matching()])
    other = matching(timestamp="2026-11-17T08:00:00Z", host__name="WS-02")
    second = write(tmp_path / "2.ndjson", [matching(timestamp="2026-11-17T08:00:00Z"), other])
    run("scan", first, "--baseline", baseline)
    options = ("-f", "ndjson", "--baseline", baseline, "--no-update")
    assert run("scan", second, *options).out == ""
    (finding,) = findings(run("scan", second, *options, "--per-host").out)
    assert finding["host"]["name"] == "WS-02"
    apart = run("scan", first, second, "-f", "ndjson", "--per-host").out
    assert len({finding["smbrare"]["id"] for finding in findings(apart)}) == 2


def test_the_time_of_ingest_counts_on_request_and_falls_back_to_the_events_own(
    run: Run, tmp_path: Path
) -> None:
    without = matching(timestamp="2026-11-16T08:00:00Z", destination__ip=OTHER)
    ingested = matching(timestamp="2026-11-16T08:00:00Z")
    ingested["event"]["ingested"] = "2026-11-19T10:00:00Z"
    unreadable = matching(timestamp="2026-11-17T08:00:00Z", destination__ip=SHARE)
    unreadable["event.ingested"] = "soon"
    path = write(tmp_path / "events.ndjson", [without, ingested, unreadable])
    result = run("scan", path, "-f", "ndjson", "--time-field", "event.ingested")
    assert {f["destination"]["ip"]: f["smbrare"]["last_seen"] for f in findings(result.out)} == {
        OTHER: "2026-11-16T08:00:00Z",
        ROGUE: "2026-11-19T10:00:00Z",
        SHARE: "2026-11-17T08:00:00Z",
    }
