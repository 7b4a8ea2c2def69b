"""Destinations that a baseline has seen, or learnt: as a table, JSON, NDJSON or CSV."""

from collections.abc import Iterator
from typing import Any

from smbrare.baseline.seen import Seen, SeenDestinations
from smbrare.outputs.csv_rows import csv_lines
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Styled, lines
from smbrare.outputs.json_values import json_text
from smbrare.outputs.wording import time_text
from smbrare.records.times import format_time
from smbrare.text import some

COLUMNS = ("destination.ip", "first_seen", "last_seen", "hours", "hosts", "sources")
_NEW = "new_to_baseline"
_TABLE = (
    Column[Seen]("Destination", lambda one: Styled(one.destination, "bold")),
    Column[Seen]("First (UTC)", lambda one: time_text(one.first)),
    Column[Seen]("Last (UTC)", lambda one: time_text(one.last)),
    Column[Seen]("Hours", lambda one: f"{one.hours:,}", right=True),
    Column[Seen]("Hosts", lambda one: some(one.hosts), folds=True),
    Column[Seen]("Sources", lambda one: some(one.sources), folds=True),
)


def render_table(listed: SeenDestinations, options: RenderOptions) -> Iterator[str]:
    """Yield a table, or nothing where nothing was seen."""
    seen, columns = list(listed.seen), list(_TABLE)
    if listed.are_learnt:
        columns.append(Column("New", lambda one: "new" if one.is_new else ""))
    if seen:
        yield from lines(columns, seen, options)


def render_json(listed: SeenDestinations, _: RenderOptions) -> Iterator[str]:
    """Yield one document: a list of destinations."""
    separator = "[\n"
    for fields in _fields(listed):
        yield f"{separator}  {json_text(fields)}"
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def render_ndjson(listed: SeenDestinations, _: RenderOptions) -> Iterator[str]:
    """Yield one destination a line."""
    for fields in _fields(listed):
        yield f"{json_text(fields)}\n"


def render_csv(listed: SeenDestinations, _: RenderOptions) -> Iterator[str]:
    """Yield a header and a row a destination, safe to open in a spreadsheet."""
    return csv_lines((*COLUMNS, _NEW) if listed.are_learnt else COLUMNS, _fields(listed))


def _fields(listed: SeenDestinations) -> Iterator[dict[str, Any]]:
    for one in listed.seen:
        times = format_time(one.first), format_time(one.last)
        values = (one.destination, *times, one.hours, list(one.hosts), list(one.sources))
        fields: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
        if listed.are_learnt:
            fields[_NEW] = one.is_new
        yield fields
