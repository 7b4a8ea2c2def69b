"""The first and the last hour of the calendar are hours like others, in every command."""

import json
from pathlib import Path

import pytest

from smbrare.records.times import EARLIEST, LATEST, date, format_time
from tests.conftest import Run
from tests.support.events import matching

TIMES = {
    "0001-01-01T00:00:00Z": "45.83.122.10",
    "0001-01-01T00:00:00.000001Z": "45.83.122.11",
    "0001-01-09T00:00:00Z": "45.83.122.10",
    "9999-12-23T00:00:00Z": "45.83.122.11",
    "9999-12-31T23:00:00Z": "45.83.122.12",
    "9999-12-31T23:59:59.999999Z": "45.83.122.11",
}


@pytest.fixture(params=["all", "last"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log of such times, and one of the last moment alone."""
    times = list(TIMES.items())[-1 if request.param == "last" else 0 :]
    events = [matching(timestamp=time, destination__ip=address) for time, address in times]
    path = tmp_path / "log.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


@pytest.mark.parametrize("name", ["table", "json", "ndjson", "csv", "html", "markdown", "sarif"])
def test_a_scan_has_all_findings(run: Run, log: Path, name: str) -> None:
    result = run("scan", log, "-f", name)
    assert result.code == 1, result.err
    assert "9999-12-31" in result.out


@pytest.mark.parametrize("name", ["table", "json", "ndjson", "csv"])
@pytest.mark.parametrize(
    "schedule",
    [
        (),
        ("--anchor", "9999-12-31T23:59Z"),
        ("--interval", "7d", "--lookback", "14d", "--history", "9999w"),
    ],
)
def test_a_replay_ends(run: Run, log: Path, name: str, schedule: tuple[str, ...]) -> None:
    result = run("replay", log, "-f", name, *schedule)
    assert result.code == 1, result.err
    assert run("replay", log, "--compare").code in {0, 1}


def test_a_baseline_is_exported_and_comes_back(run: Run, log: Path, tmp_path: Path) -> None:
    first, second, text = (tmp_path / name for name in ("a.db", "b.db", "a.json"))
    assert run("scan", log, "--baseline", first).code == 1
    exported = run("baseline", "export", first)
    assert exported.code == 0
    text.write_text(exported.out)
    assert run("baseline", "merge", text, "-o", second).code == 0
    assert run("baseline", "export", second).out == exported.out
    for command in (("show",), ("show", "-f", "json"), ("verify",)):
        assert run("baseline", *command, second).code == 0
    assert run("watch", log, "--baseline", tmp_path / "w.db", "--once").code == 1


@pytest.mark.parametrize("beyond", [0, 1, 10**6, 10**18])
def test_a_time_beyond_the_calendar_is_shown_as_its_end(beyond: int) -> None:
    assert date(format_time(LATEST + beyond)).time == LATEST
    assert date(format_time(EARLIEST - beyond)).time == EARLIEST
