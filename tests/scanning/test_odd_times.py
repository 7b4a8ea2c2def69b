"""Times that are easily read wrongly are read rightly, or a warning names field and value."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED, Run
from tests.support.events import matching
from tests.support.reports import write

RIGHT = "2026-11-18T09:11:18Z"
FORMS: dict[str, Any] = {
    "word": "2026-11-18 09:11:18 UTC",
    "RFC 1123": "Wed, 18 Nov 2026 09:11:18 GMT",
    "slashes": "2026/11/18 09:11:18",
    "half day": "11/18/2026, 9:11:18 am",
    "brackets": "2026-11-18T10:11:18+01:00[Europe/Berlin]",
    "comma": "2026-11-18 09:11:18,000",
    "Splunk": "2026-11-18 09:11:18.000 +0000",
    "Ruby": "2026-11-18 10:11:18 +0100",
    "day first": "18/11/2026, 09:11:18",
    "portal": "Nov 18, 2026 9:11:18 AM",
    "ms": 1_794_993_078_000,
    "us": 1_794_993_078_000_000,
    "ns": 1_794_993_078_000_000_000,
    "us text": "1794993078000000",
    "ns text": "1794993078000000000",
}


def findings(run: Run, *arguments: Any) -> tuple[list[Any], str]:
    result = run("scan", *arguments, "--format", "ndjson")
    return [json.loads(line) for line in result.out.splitlines()], result.err


@pytest.mark.parametrize("form", FORMS)
def test_a_finding_has_the_time_that_was_meant(run: Run, tmp_path: Path, form: str) -> None:
    (found,), err = findings(run, write(tmp_path / "x.ndjson", [matching(timestamp=FORMS[form])]))
    assert found["@timestamp"] == RIGHT
    assert "smbrare: " not in err


@pytest.mark.parametrize("value", [1_794_993_078, 1_794_993_078.0, "1794993078"])
def test_seconds_are_warned_of_and_read_once_the_unit_is_given(
    run: Run, tmp_path: Path, value: Any
) -> None:
    path = write(tmp_path / "x.ndjson", [matching(timestamp=value)] * 2)
    (found,), err = findings(run, path)
    assert found["@timestamp"].startswith("1970-01-21T")
    assert f"{path}: 2 events dated before 2000: @timestamp '{value}', read as 1970" in err
    assert "add --time-unit s" in err
    (found,), err = findings(run, path, "--time-unit", "s")
    assert found["@timestamp"] == RIGHT
    assert "smbrare: " not in err


@pytest.mark.parametrize(
    "command",
    [
        ["inspect"],
        ["replay"],
        ["watch", "--once", "--baseline", "{folder}/kept.db"],
        ["baseline", "learn", "{folder}/kept.db"],
    ],
)
def test_every_command_that_reads_warns(run: Run, tmp_path: Path, command: list[str]) -> None:
    command = [word.format(folder=tmp_path) for word in command]
    path = write(tmp_path / "x.ndjson", [matching(timestamp=1_794_993_078)])
    assert "1 event dated before 2000: @timestamp '1794993078'" in run(*command, path).err


def test_an_undated_finding_is_named_with_field_value_and_place(run: Run, tmp_path: Path) -> None:
    events = [matching(), *(matching(timestamp=text) for text in ("18.123", "yesterday"))]
    path = write(tmp_path / "x.ndjson", events)
    _, err = findings(run, path)
    assert (
        f"{path}:2: undated: @timestamp '18.123' cannot be read as a date"
        " (1 of 2 undated matches here)"
    ) in err
    _, err = findings(run, write(path, [matching(timestamp=None)]))
    assert f"{path}:1: undated: no time at all" in err
    _, err = findings(run, write(path, [matching(timestamp="1794993078.25")]))
    assert "add --time-unit s" in err


def test_what_a_log_writes_as_its_time_cannot_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ndjson", [matching(timestamp="\x1b[31m" + "x" * 500)])
    _, err = findings(run, path)
    assert "\x1b" not in err
    assert "x" * 80 not in err


def test_a_timestamp_alone_is_inferred_and_left_alone_under_literal(
    run: Run, tmp_path: Path
) -> None:
    document = matching(timestamp=None) | {"timestamp": RIGHT}
    path = write(tmp_path / "x.ndjson", [document])
    (found,), _ = findings(run, path)
    assert found["@timestamp"] == RIGHT
    assert found["smbrare"]["inferred"] == ["@timestamp"]
    (found,), _ = findings(run, path, "--literal")
    assert "@timestamp" not in found
    broken = matching(timestamp="yesterday") | {"timestamp": RIGHT}
    (found,), _ = findings(run, write(path, [broken]))
    assert "@timestamp" not in found


@pytest.mark.parametrize("literal", [False, True])
def test_a_zone_that_is_assumed_is_named_and_no_matter_of_literal(
    run: Run, tmp_path: Path, *, literal: bool
) -> None:
    """The field is there, and Elasticsearch too reads a time without a zone as UTC."""
    path = write(tmp_path / "x.ndjson", [matching(timestamp="2026-11-18 10:11:18")])
    (found,), _ = findings(
        run, path, "--input-tz", "Europe/Berlin", *(["--literal"] if literal else [])
    )
    assert found["@timestamp"] == RIGHT
    assert found["smbrare"]["inferred"] == ["@timestamp"]


CASES: dict[str, tuple[list[str], list[str | None], str]] = {
    "133-time-utc-word.ndjson": ([], ["2026-11-18T09:11:18.123Z"], ""),
    "134-time-slashes.ndjson": ([], [RIGHT], ""),
    "138-time-epoch-seconds-text.ndjson": ([], [None], "@timestamp '1795079478.123'"),
    "139-time-epoch-micros.ndjson": ([], ["2026-11-19T09:11:18.123456Z"], ""),
    "143-timestamp-key-only.ndjson": ([], ["2026-11-18T09:11:18.123Z"], ""),
    "154-epoch-seconds-three-months.ndjson": (
        ["--time-unit", "s"],
        ["2026-09-21T14:13:20Z", "2026-10-21T14:13:20Z", "2026-11-20T14:13:20Z"],
        "",
    ),
    "76-epoch-seconds-timestamp.ndjson": (
        ["--time-unit", "s"],
        ["2026-11-19T09:11:18Z", "2026-11-19T09:11:18.123Z"],
        "",
    ),
    "81-mde-csv-portal-date.csv": ([], [RIGHT], ""),
    "82-mde-csv-eu-date.csv": ([], ["2026-11-18T10:11:18.123Z"], ""),
    "107-mde-csv-local-pm-dayfirst.csv": ([], ["2026-11-18T10:11:18.123Z"], ""),
}


@pytest.mark.parametrize("name", CASES)
def test_a_given_case_is_dated_as_it_should_be(run: Run, name: str) -> None:
    path = SHARED / "cases" / "shapes" / name
    if not path.is_file():
        pytest.skip("no cases beside the repository")
    arguments, times, warning = CASES[name]
    found, err = findings(run, path, *arguments)
    assert [each.get("@timestamp") for each in found] == times
    assert warning in err
