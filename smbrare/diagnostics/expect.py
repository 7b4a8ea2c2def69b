"""Compares findings with those expected, for sample logs in CI."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import orjson
from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.errors import UsageError
from smbrare.records.event import Document
from smbrare.records.fields import Malformed, ip
from smbrare.records.paths import first
from smbrare.records.times import date, format_time

Expected: TypeAlias = tuple[str, int | None]
"""A destination in canonical text and a time in microseconds since 1970 UTC, None if undated."""

_DESTINATION = ("destination.ip", "destination")
_TIME = ("@timestamp", "time")


class Mismatch(Struct, frozen=True):
    """How findings differ from those expected; both sides are empty where they don't."""

    missing: tuple[Expected, ...]
    unexpected: tuple[Expected, ...]

    def lines(self) -> Iterator[str]:
        """Yield a line for each finding that is missing, then for each that nobody expected."""
        for word, side in (
            ("expected, not found", self.missing),
            ("found, not expected", self.unexpected),
        ):
            for destination, time in side:
                yield f"{word}: {destination} at {_time_text(time)}"


def _time_text(time: int | None) -> str:
    return "no readable time" if time is None else format_time(time)


def parse(content: bytes, name: str) -> Counter[Expected]:
    """Return the findings that a file expects; an empty file expects none.

    Args:
        content: NDJSON as ``--format ndjson`` writes it, or CSV with the columns
            ``destination.ip`` and ``@timestamp`` (or ``destination`` and ``time``), in UTF-8, or in
            UTF-16 with a byte order mark.
        name: What to call the file in an error.

    Raises:
        UsageError: If the file is neither, or a line has no destination or a broken time.
    """
    try:
        marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = content.decode("utf-16" if marked else "utf-8-sig")
        rows = _objects(text) if text.lstrip().startswith("{") else _csv_rows(text)
        return Counter(_parse_row(row, f"{name}:{number}") for number, row in rows)
    except (UnicodeError, csv.Error, orjson.JSONDecodeError) as error:
        raise UsageError(f"{name} is neither NDJSON nor CSV: {error}") from None


def _objects(text: str) -> Iterator[tuple[int, Document]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, orjson.loads(line)


def _csv_rows(text: str) -> Iterator[tuple[int, Document]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if reader.fieldnames and set(_DESTINATION).isdisjoint(reader.fieldnames):
        raise csv.Error("no column destination.ip")
    for row in reader:
        yield reader.line_num, row


def _parse_row(row: Document, place: str) -> Expected:
    destination, time = first(row, *_DESTINATION), first(row, *_TIME)
    if destination is None:
        raise UsageError(f"{place}: no destination.ip")
    try:
        return str(ip(destination)), None if time is None else date(time).time
    except Malformed as error:
        raise UsageError(f"{place}: {error}") from None


def compare(expected: Counter[Expected], findings: Iterable[Finding]) -> Mismatch:
    """Return how the new findings of a scan differ from those expected."""
    found = Counter(
        (finding.sighting.destination, finding.sighting.event_time) for finding in findings
    )
    return Mismatch(_sort(expected - found), _sort(found - expected))


def _sort(some: Counter[Expected]) -> tuple[Expected, ...]:
    return tuple(sorted(some.elements(), key=lambda one: (one[1] is None, one[1] or 0, one[0])))
