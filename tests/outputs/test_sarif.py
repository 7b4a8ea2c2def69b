"""SARIF: valid, stable, and honest about what was held back."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sarif_kit.validate import validation_errors

from smbrare.outputs.formats import REPORT
from smbrare.outputs.sarif import uri
from smbrare.text import message
from tests.conftest import FIXTURES, Run
from tests.support.events import matching

SAMPLE = FIXTURES / "sample.ndjson"
WEEK = sorted((FIXTURES / "week").iterdir())


def log(text: str) -> Any:
    parsed = json.loads(text)
    assert validation_errors(parsed) == []
    (run,) = parsed["runs"]
    return run


def test_the_log_is_valid_against_the_official_schema(run: Run) -> None:
    results = log(run("scan", SAMPLE, "--format", "sarif").out)["results"]
    assert len(results) == 3
    assert results[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 5}


def test_the_schema_check_sees_an_error(run: Run) -> None:
    parsed = json.loads(run("scan", SAMPLE, "--format", "sarif").out)
    parsed["runs"][0]["results"][0]["level"] = "severe"
    assert validation_errors(parsed) != []


def test_the_fingerprint_is_the_id_of_the_finding_wherever_the_file_lies(
    run: Run, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere.ndjson"
    moved.write_bytes(b"\n" + SAMPLE.read_bytes())
    ids = [
        json.loads(line)["smbrare"]["id"]
        for line in run("scan", SAMPLE, "--format", "ndjson").out.splitlines()
    ]
    for path in (SAMPLE, moved):
        results = log(run("scan", path, "--format", "sarif").out)["results"]
        prints = [result["partialFingerprints"] for result in results]
        assert [each["smbrareFinding/v1"] for each in prints] == ids
        assert [each["primaryLocationLineHash"] for each in prints] == [f"{i}:1" for i in ids]


def test_what_the_baseline_suppressed_is_suppressed_with_its_reason(
    run: Run, tmp_path: Path
) -> None:
    baseline = tmp_path / "week.db"
    for day in WEEK[:-1]:
        run("scan", day, "--baseline", baseline)
    result = run("scan", WEEK[-1], "--baseline", baseline, "--no-update", "--format", "sarif")
    (held,) = log(result.out)["results"]
    (suppression,) = held["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert "2026-11-21T08:30:00Z, 1d before" in suppression["justification"]
    assert result.code == 0


def test_show_new_leaves_suppressed_results_out(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "week.db"
    run("scan", WEEK[0], "--baseline", baseline)
    scan = ("scan", WEEK[1], "--baseline", baseline, "--no-update", "--format", "sarif")
    assert len(log(run(*scan).out)["results"]) == 1
    assert log(run(*scan, "--show", "new").out)["results"] == []


def test_what_could_not_be_read_or_judged_is_a_notification(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text("{broken}\n" + json.dumps(matching(host__os__type=None)) + "\n")
    invocation = log(run("scan", broken, "--format", "sarif").out)["invocations"][0]
    kinds = [notice["descriptor"]["id"] for notice in invocation["toolExecutionNotifications"]]
    assert kinds == ["skipped-record", "not-judged"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 4


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("logs/a b.ndjson", "logs/a%20b.ndjson"),
        ("/var/log/x.ndjson", "file:///var/log/x.ndjson"),
        ("C:\\logs\\x.ndjson", "file:///C%3A/logs/x.ndjson"),
        ("a.zip!b:c#d?.ndjson", "a.zip%21b%3Ac%23d%3F.ndjson"),
        ("\udcff.ndjson", "%FF.ndjson"),
        ("-", "-"),
    ],
)
def test_a_path_is_a_uri(path: str, expected: str) -> None:
    assert uri(path) == expected


def test_a_message_holds_no_link_and_no_placeholder() -> None:
    assert message("[a](b) {0} \\ \x1b") == r"\[a\](b) {{0}} \\ \\x1b"


@pytest.mark.parametrize(("most", "warned"), [(2, True), (3, False)])
def test_more_findings_than_a_service_takes_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, most: int, *, warned: bool
) -> None:
    assert REPORT["sarif"].most == 25_000
    monkeypatch.setitem(REPORT, "sarif", replace(REPORT["sarif"], most=most))
    result = run("scan", FIXTURES / "sample.ndjson", "-f", "sarif", "-q")
    assert ("3 findings in sarif" in result.err) is warned
    assert result.code == 1


@pytest.mark.parametrize("over", [True, False])
def test_more_bytes_than_a_service_takes_packed_are_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, over: bool
) -> None:
    assert REPORT["sarif"].most_packed == 10_000_000
    given = ("scan", FIXTURES / "sample.ndjson", "-f", "sarif", "-q")
    size = len(gzip.compress(run(*given).out.encode()))
    most = size - 100 if over else size + 100
    monkeypatch.setitem(REPORT, "sarif", replace(REPORT["sarif"], most_packed=most))
    for result in (run(*given), run(*given, "-o", tmp_path / "a.sarif")):
        assert ("of sarif when packed by gzip: code scanning services take" in result.err) is over
        assert result.code == 1
