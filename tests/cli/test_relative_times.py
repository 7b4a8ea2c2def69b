"""Times by the clock choose what is reported, to the microsecond, and never what is a finding."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.cli.parameters import TIME, TIME_AHEAD
from smbrare.records.times import MICROSECONDS, date
from tests.conftest import FIXTURES, Run

SAMPLE = FIXTURES / "sample.ndjson"
NOW = date("2026-11-20T10:30:00.5Z").time


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24h", "2026-11-19T10:30:00.5Z"),
        ("1h30m", "2026-11-20T09:00:00.5Z"),
        ("2w", "2026-11-06T10:30:00.5Z"),
        ("now", "2026-11-20T10:30:00.5Z"),
        ("today", "2026-11-20T00:00:00Z"),
        ("yesterday", "2026-11-19T00:00:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
    ],
)
def test_a_time_by_the_clock_is_that_long_ago_in_utc(text: str, meant: str) -> None:
    assert TIME.convert(text, None, None) == date(meant).time


@given(st.integers(1, 9_999), st.sampled_from("wdhm"))
def test_ahead_and_ago_lie_as_far_from_now(count: int, unit: str) -> None:
    text = f"{count}{unit}"
    ago, ahead = TIME.convert(text, None, None), TIME_AHEAD.convert(text, None, None)
    minutes = {"w": 10_080, "d": 1_440, "h": 60, "m": 1}[unit]
    assert NOW - ago == ahead - NOW == count * minutes * 60 * MICROSECONDS


def test_since_by_the_clock_reports_what_the_same_time_written_out_reports(run: Run) -> None:
    spelled = run("scan", SAMPLE, "--since", "2026-11-19T10:30:00.5Z", "-f", "json")
    document = json.loads(run("scan", SAMPLE, "--since", "24h", "-f", "json").out)
    assert document == json.loads(spelled.out)
    assert [each["destination"]["ip"] for each in document["findings"]] == ["91.219.236.18"]
    assert document["scan"]["since"] == "2026-11-19T10:30:00.500Z"
    assert document["scan"]["matches"] == 9


@pytest.mark.parametrize("text", ["soon", "24 h", "0h", "-1d", "999999w", "Yesterday ", ""])
def test_what_is_no_time_is_wrong_usage(run: Run, text: str) -> None:
    result = run("scan", SAMPLE, f"--since={text}")
    assert result.code == 2
    assert "is not a time such as 2026-11-20" in result.err
