"""Dates in a table: their column tells the order of day and month, or a warning that none does."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs.readers import csv_dates, csv_table
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.times import date, format_time
from smbrare.sources import column_names
from tests.conftest import Run

PLACE = Origin("table.csv", 1)
HEADER = (
    "Timestamp,DeviceName,ActionType,RemoteIP,RemotePort,LocalIP,LocalPort,Protocol,"
    "InitiatingProcessFileName,InitiatingProcessId,InitiatingProcessAccountSid,Note\n"
)


def row(timestamp: str, remote: str = "45.83.122.10", note: str = "") -> str:
    return (
        f'"{timestamp}",ws-07,ConnectionSuccess,{remote},445,10.20.1.17,50017,Tcp,System,4,'
        f'S-1-5-18,"{note}"\n'
    )


def table(*timestamps: str) -> bytes:
    return (HEADER + "".join(map(row, timestamps))).encode()


def times(content: bytes) -> list[Any]:
    read = list(csv_table.read(io.BytesIO(content), "table.csv", names=column_names))
    assert all(isinstance(each, Record) for each in read)
    return [date(each.document["Timestamp"]) for each in read if isinstance(each, Record)]


def micros(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


WRITERS = {
    "browser": "{a}/{b}/{t:%Y, %H:%M:%S}",
    "milliseconds": "{a:02}/{b:02}/{t:%Y, %H:%M:%S}.000",
    "half days": "{a}/{b}/{t:%Y, %I:%M:%S %p}",
    "dashes": "{a:02}-{b:02}-{t:%Y %H:%M:%S}",
}
moments = st.lists(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0)
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("day_first", [True, False])
@pytest.mark.parametrize("form", WRITERS)
@given(written=moments)
def test_one_date_that_shows_the_order_decides_for_its_column(
    form: str, written: list[datetime], *, day_first: bool
) -> None:
    """The naive reading: with any day over 12 every date is what was written."""
    texts = [
        WRITERS[form].format(
            a=moment.day if day_first else moment.month,
            b=moment.month if day_first else moment.day,
            t=moment,
        )
        for moment in written
    ]
    read = times(table(*texts))
    shown = any(moment.day > 12 for moment in written)
    if shown or not day_first:
        assert [each.time for each in read] == list(map(micros, written))
    ambiguous = [not shown and moment.day != moment.month for moment in written]
    assert [each.order_assumed for each in read] == ambiguous


def test_a_proof_past_the_look_ahead_counts_for_what_follows(monkeypatch: Any) -> None:
    monkeypatch.setattr(csv_dates, "_LOOK_AHEAD_BYTES", 500)
    texts = [f"{day:02}/11/2026, 10:00:00" for day in (*([5] * 20), 18, 6)]
    read = times(table(*texts))
    assert [each.order_assumed for each in read] == [True] * 20 + [False] * 2
    assert format_time(read[0].time) == "2026-05-11T10:00:00Z"
    assert [format_time(each.time)[:10] for each in read[20:]] == ["2026-11-18", "2026-11-06"]


def test_rows_are_not_held_back_where_no_date_is_ambiguous() -> None:
    class Endless(io.BytesIO):
        def __init__(self) -> None:
            super().__init__(table("2026-11-18T09:11:18Z"))

        def readline(self, size: int | None = -1) -> bytes:
            return super().readline(size) or pytest.fail("read on before the row was given")

    assert isinstance(
        next(iter(csv_table.read(Endless(), "table.csv", names=column_names))), Record
    )


@pytest.mark.parametrize("held", [Record(PLACE, {}), Skipped(PLACE, "broken", could_matter=True)])
def test_rows_without_text_are_not_held_back_for_ever(
    monkeypatch: Any, held: Record | Skipped
) -> None:
    monkeypatch.setattr(csv_dates, "_LOOK_AHEAD_BYTES", 5_000)

    def rows() -> Iterator[Record | Skipped]:
        yield Record(PLACE, {"time": "5/6/2026, 10:00:00"})
        yield from repeat(held, 100)
        pytest.fail("read on before a row was given")

    assert isinstance(next(csv_dates.with_dates_decided(rows())), Record)


def test_a_column_that_contradicts_itself_keeps_what_each_date_shows() -> None:
    read = times(table("18/11/2026, 10:00:00", "11/19/2026, 10:00:00"))
    assert [format_time(each.time)[:10] for each in read] == ["2026-11-18", "2026-11-19"]


def test_texts_that_only_begin_like_dates_decide_nothing_and_stay() -> None:
    content = HEADER + row("5/6/2026, 10:00:00", note="18/11/2026 was the day")
    (read,) = csv_table.read(io.BytesIO(content.encode()), "table.csv", names=column_names)
    assert isinstance(read, Record)
    assert read.document["Note"] == "18/11/2026 was the day"
    assert read.document["Timestamp"] == "5/6/2026, 10:00:00"


def test_broken_rows_keep_their_place_among_those_held_back() -> None:
    content = HEADER + row("5/11/2026, 10:00:00") + "broken,row\n" + row("18/11/2026, 10:00:00")
    read = list(csv_table.read(io.BytesIO(content.encode()), "table.csv", names=column_names))
    assert [isinstance(each, Record) for each in read] == [True, False, True]
    assert [each.origin.number for each in read] == [2, 3, 4]


def test_a_pipe_is_read_by_the_order_that_a_later_row_shows(run_process: Run) -> None:
    content = table("5/11/2026, 10:00:00") + row("18/11/2026, 10:00:00", "9.9.9.9").encode()
    result = run_process("scan", "-", "-f", "ndjson", stdin=content)
    assert '"@timestamp":"2026-11-05T10:00:00Z"' in result.out
    assert "day first" not in result.err


def test_an_ambiguous_column_is_read_month_first_with_a_warning(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(table("5/6/2026, 10:00:00", "5/7/2026, 10:00:00"))
    result = run("scan", path, "-f", "ndjson")
    assert '"@timestamp":"2026-05-06T10:00:00Z"' in result.out
    assert '"inferred":["@timestamp"]' in result.out
    assert "2 dates that may be day first or month first" in result.err
    assert "Timestamp '5/6/2026, 10:00:00', read as 2026-05-06T10:00:00Z" in result.err
