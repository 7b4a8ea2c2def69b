"""Judged by event.ingested, a finding still says when its event happened."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.support.events import matching

OWN, INGESTED, BEFORE = "2026-09-25T00:00:00Z", "2026-09-25T06:00:00Z", "2026-09-24T23:55:00Z"
BY_INGEST = ["--time-field", "event.ingested"]


def ingested(own: str | None, at: str | None, **changes: Any) -> dict[str, Any]:
    event = matching(timestamp=own, **changes)
    if at is not None:
        event["event"]["ingested"] = at
    return event


PROCESS = {
    "@timestamp": BEFORE,
    "event": {"category": ["process"], "type": ["start"], "ingested": INGESTED},
    "host": {"name": "WS-01", "os": {"type": "windows"}},
    "process": {
        "pid": 77,
        "name": "mail.exe",
        "executable": "C:\\mail.exe",
        "command_line": "mail",
    },
    "user": {"name": "ada", "domain": "CORP"},
}


@pytest.fixture
def log(tmp_path: Path) -> Any:
    def write(*events: Any) -> Path:
        path = tmp_path / "log.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        return path

    return write


def found(run: Run, *arguments: Any) -> list[dict[str, Any]]:
    result = run(*arguments, "--format", "ndjson")
    return [json.loads(line) for line in result.out.splitlines()]


@pytest.mark.parametrize("command", [["scan", *BY_INGEST], ["replay"]])
def test_the_finding_has_the_events_own_time_and_the_judged_one_in_event_ingested(
    run: Run, log: Any, command: list[str]
) -> None:
    (finding,) = found(run, *command, log(ingested(OWN, INGESTED)))
    assert finding["@timestamp"] == OWN
    assert finding["event"]["ingested"] == INGESTED
    assert finding["smbrare"]["last_seen"] == INGESTED
    table = run(*command, log(ingested(OWN, INGESTED)), "--format", "csv").out
    (row,) = csv.DictReader(table.splitlines())
    assert (row["@timestamp"], row["event.ingested"]) == (OWN, INGESTED)


def test_the_id_is_that_of_the_judged_time(run: Run, log: Any) -> None:
    (judged,) = found(run, "scan", *BY_INGEST, log(ingested(OWN, INGESTED)))
    (own,) = found(run, "scan", log(ingested(INGESTED, None)))
    assert judged["smbrare"]["id"] == own["smbrare"]["id"]
    assert "ingested" not in own["event"]


@pytest.mark.parametrize(
    ("own", "at", "shown"),
    [
        (None, INGESTED, (INGESTED, INGESTED)),
        (OWN, None, (OWN, None)),
        ("broken", INGESTED, (INGESTED, INGESTED)),
        (OWN, "broken", (OWN, None)),
    ],
)
def test_an_event_with_one_of_the_times_has_it_in_both_places_or_in_its_own(
    run: Run, log: Any, own: str | None, at: str | None, shown: tuple[str, str | None]
) -> None:
    (finding,) = found(run, "scan", *BY_INGEST, log(ingested(own, at)))
    assert (finding["@timestamp"], finding["event"].get("ingested")) == shown


def test_findings_are_in_the_order_of_the_judged_time(run: Run, log: Any) -> None:
    events = [
        ingested(OWN, "2026-09-25T09:00:00Z"),
        ingested("2026-09-25T01:00:00Z", "2026-09-25T08:00:00Z", destination__ip="9.9.9.9"),
    ]
    rows = found(run, "scan", *BY_INGEST, log(*events))
    assert [row["destination"]["ip"] for row in rows] == ["9.9.9.9", "45.83.122.10"]


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_events_of_one_time_of_ingest_the_one_that_happened_first_stands(
    run: Run, log: Any, *, reverse: bool
) -> None:
    events = [ingested(OWN, INGESTED), ingested(BEFORE, INGESTED)]
    (finding,) = found(run, "scan", *BY_INGEST, log(*(events[::-1] if reverse else events)))
    assert finding["@timestamp"] == BEFORE
    assert finding["smbrare"]["events"] == 2


def test_the_reports_look_around_the_time_when_it_happened(run: Run, log: Any) -> None:
    path = log(PROCESS, ingested(OWN, INGESTED))
    for output in ("markdown", "html"):
        text = run("scan", *BY_INGEST, path, "--format", output).out
        assert "2026-09-25 00:00:00" in text
        assert f"{INGESTED}, by which it is evaluated" in text
        assert "mail.exe" in text
        if output == "html":
            assert "2026-09-24T23:45:00Z" in text  # the queries' window
            assert "2026-09-25T00:15:00Z" in text


def test_a_table_shows_both_times(run: Run, log: Any) -> None:
    text = run("scan", *BY_INGEST, log(ingested(OWN, INGESTED))).out
    assert "2026-09-25 00:00:00" in text
    assert "ingested 2026-09-25 06:00:00" in text
    assert "ingested" not in run("scan", log(ingested(OWN, INGESTED))).out


def test_expected_findings_are_compared_by_the_time_that_a_finding_shows(
    run: Run, log: Any, tmp_path: Path
) -> None:
    path = log(ingested(OWN, INGESTED))
    expected = tmp_path / "expected.ndjson"
    expected.write_text(run("scan", *BY_INGEST, path, "--format", "ndjson").out)
    assert run("scan", *BY_INGEST, path, "--expect", expected).code == 0
