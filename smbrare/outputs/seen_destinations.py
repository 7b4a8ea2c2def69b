"""Destinations that a baseline has seen, or learnt: as a table, JSON, NDJSON or CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from smbrare.baseline.seen import Seen
from smbrare.outputs import grid
from smbrare.outputs.wording import time_text
from smbrare.records.times import format_time
from smbrare.text import cell, json_visible, some

COLUMNS = ("destination.ip", "first_seen", "last_seen", "hours", "hosts", "sources")
_NEW = "new_to_baseline"

News = frozenset[str] | None
"""Destinations that the baseline did not hold before; None where that is not the question."""


def render_table(
    seen: Iterable[Seen], news: News, width: int | None, *, color: bool
) -> Iterator[str]:
    """Yield a table, or nothing where nothing was seen."""
    columns = [
        grid.Column("Destination"),
        grid.Column("First (UTC)"),
        grid.Column("Last (UTC)"),
        grid.Column("Hours", right=True),
        grid.Column("Hosts", folds=True),
        grid.Column("Sources", folds=True),
    ]
    rows: list[list[grid.Cell]] = [
        [
            (one.destination, "bold"),
            time_text(one.first),
            time_text(one.last),
            f"{one.hours:,}",
            some(one.hosts),
            some(one.sources),
        ]
        for one in seen
    ]
    if news is not None:
        columns.append(grid.Column("New"))
        for row in rows:
            row.append("new" if row[0][0] in news else "")
    if rows:
        yield from grid.lines(columns, rows, width, color=color)


def render_json(seen: Iterable[Seen], news: News) -> Iterator[str]:
    """Yield one document: a list of destinations."""
    separator = "[\n"
    for one in seen:
        yield f"{separator}  {_json(one, news)}"
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def render_ndjson(seen: Iterable[Seen], news: News) -> Iterator[str]:
    """Yield one destination a line."""
    for one in seen:
        yield f"{_json(one, news)}\n"


def render_csv(seen: Iterable[Seen], news: News) -> Iterator[str]:
    """Yield a header and a row a destination, safe to open in a spreadsheet."""
    columns = COLUMNS if news is None else (*COLUMNS, _NEW)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for one in seen:
        writer.writerow(map(_cell, _fields(one, news).values()))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


RENDERERS: Mapping[str, Callable[[Iterable[Seen], News], Iterator[str]]] = {
    "json": render_json,
    "ndjson": render_ndjson,
    "csv": render_csv,
}


def _fields(one: Seen, news: News) -> dict[str, Any]:
    values = (
        one.destination,
        format_time(one.first),
        format_time(one.last),
        one.hours,
        list(one.hosts),
        list(one.sources),
    )
    fields = dict(zip(COLUMNS, values, strict=True))
    return fields if news is None else fields | {_NEW: one.destination in news}


def _json(one: Seen, news: News) -> str:
    return json_visible(orjson.dumps(_fields(one, news)).decode())


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return cell(", ".join(value))
    return cell(value) if isinstance(value, str) else str(value)
