"""CSV tables: Kibana's Discover export, and Advanced Hunting of Defender XDR and Sentinel.

Kibana formats what it exports: numbers with thousands commas, several values in one cell, marks
for what is missing. Advanced Hunting writes columns as they are. A header of ECS or dotted names
tells one from the other.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

from msgspec import Struct

from smbrare.inputs.readers.csv_dates import with_dates_decided
from smbrare.limits import DEFAULT, KIB, Limits, longer_than
from smbrare.records.event import Document, Origin, Record, Skipped
from smbrare.records.fields import ADDRESSES, LONGS
from smbrare.rule.port_sieve import may_match_wide

_COLUMNS = frozenset(
    {
        "@timestamp",
        "ActionType",
        "DestinationIp",
        "DeviceName",
        "EventID",
        "EventId",
        "LocalIP",
        "RemoteIP",
        "RemotePort",
        "TimeGenerated",
        "TimeGenerated [UTC]",
        "destination.ip",
        "destination.port",
        "event.category",
        "host.name",
        "process.pid",
        "source.ip",
        "winlog.channel",
        "winlog.event_data.DestinationIp",
    }
)
"""Columns that tables of events have; a table without any of them is none."""

_DELIMITERS = ",;\t"
_NUMBERS = frozenset({"destination.port", "process.pid", "source.port"})
_LISTS = (
    ADDRESSES
    | LONGS
    | {
        "event.category",
        "event.type",
        "host.ip",
        "host.os.type",
        "network.transport",
    }
)
"""Columns of Kibana's whose cells may hold several values that have no comma of their own."""

_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
# Kibana writes a quote before what a spreadsheet would take for a formula.
_GUARDED = re.compile(r"'[-+=@\t\r]")
_MISSING = frozenset({"", "-", "'-", "(empty)"})
_NO_NAME = re.compile(r'["{}]')
"""What no name of a column holds, and a line of JSON does."""
_NAME = re.compile(r"'?[A-Za-z_@][\w.@ \[\]()#/-]*")
_LEAST_KNOWN = 2
_MARK = "\ufeff"
_LONGEST_HEADER = 64 * KIB
_FIELD_LIMIT = "larger than field limit"
"""What csv says of a field that is too long."""
_RETRY_FREE_BYTES = 64 * KIB


class _Table(Struct, frozen=True):
    """What a header says.

    Attributes:
        columns: The names in it, in order.
        names: These, and those that other tables of events have.
        delimiter: What separates cells.
        is_kibana: Whether Kibana formatted the cells.
    """

    columns: tuple[str, ...]
    names: frozenset[str]
    delimiter: str
    is_kibana: bool


def recognizes(head: bytes, whole: bool) -> bool:  # noqa: FBT001 - as `Reader` asks
    """Return whether a text begins with the header of a table of events.

    Args:
        head: The first bytes.
        whole: Whether they are all there is, so that the last line needs no end.
    """
    line, newline, _ = head.lstrip().partition(b"\n")
    return bool(newline or whole) and _table(line) is not None


def _table(line: bytes) -> _Table | None:
    """Return what a header line says, or None if it is none of a table of events."""
    if len(line) > _LONGEST_HEADER or b"\0" in line:
        return None
    text = line.decode("utf-8", "replace").strip()
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        table = _headed(cells, delimiter)
        if not _COLUMNS.isdisjoint(table.columns) and not any(map(_NO_NAME.search, table.columns)):
            return table if len(table.columns) > 1 else None
    return None


def _headed(cells: list[str], delimiter: str) -> _Table:
    """Return the table that a header's cells begin."""
    columns = tuple(_unguarded(cell).strip().removeprefix(_MARK) for cell in cells)
    is_kibana = any("." in name or name.startswith(("@", "_")) for name in columns)
    return _Table(columns, _COLUMNS.union(columns), delimiter, is_kibana)


def _begins_another(cells: list[str], table: _Table) -> bool:
    """Return whether a row is the header of a table that was joined to this one.

    Most of its cells are names of columns that are known, or some are and all look like names: not
    so an event, whose time, addresses and ports do not, whatever its other cells hold.
    """
    known = sum(map(table.names.__contains__, cells))
    if known < _LEAST_KNOWN:
        return False
    return 2 * known > len(cells) or (
        len(set(cells)) == len(cells) and all(map(_NAME.fullmatch, cells))
    )


def read(stream: BinaryIO, path: str, limits: Limits = DEFAULT) -> Iterator[Record | Skipped]:
    """Yield the rows of a table as flat documents, and what had to be skipped.

    A document has the columns that hold something. In Kibana's, ports and process ids are without
    thousands commas, the cells of `_LISTS` are lists where they hold several values, and dates are
    Kibana's text, which `times.date` reads. Dates of numbers have the year first where their column
    shows the order of day and month.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins, which count lines.
        limits: The longest row and field to hold in memory.

    Raises:
        OSError: If the stream fails; rows before that were yielded.
    """
    return with_dates_decided(_rows(stream, path, limits))


def _rows(stream: BinaryIO, path: str, limits: Limits) -> Iterator[Record | Skipped]:
    csv.field_size_limit(limits.csv_field)  # The module keeps it for the whole process.
    lines = _CsvLines(stream, limits)
    table = _table(lines.header())
    if table is None:
        reason = "no header of a table of events"
        yield Skipped(Origin(path, 1, 0), reason, could_matter=True, ends_input=True)
        return
    rows = csv.reader(lines, delimiter=table.delimiter, strict=True)
    while True:
        lines.begin_row()
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            limit = " (limit csv-field)" if _FIELD_LIMIT in str(error) else ""
            yield lines.skip(path, f"{error}{limit}")
            continue
        if _begins_another(cells, table):
            table = _headed(cells, table.delimiter)
        elif reason := _trouble(cells, table):
            yield lines.skip(path, reason)
        elif cells:
            yield Record(lines.origin(path), _document(cells, table))


def _trouble(cells: list[str], table: _Table) -> str:
    """Return what is wrong with a row, empty if nothing is."""
    if cells and len(cells) != len(table.columns):
        return f"{len(cells)} cells where the header has {len(table.columns)}"
    if any("\0" in cell for cell in cells):
        return "a NUL character"
    return ""


def _document(cells: list[str], table: _Table) -> Document:
    document: dict[str, Any] = {}
    for name, cell in zip(table.columns, cells, strict=True):
        if not table.is_kibana:
            if cell:
                document[name] = cell
        elif cell not in _MISSING:
            document[name] = _formatted(name, cell)
    return document


def _formatted(name: str, cell: str) -> str | list[str]:
    """Return the value or values that Kibana wrote into a cell."""
    if name not in _LISTS:
        return _unguarded(cell)
    values = [_unguarded(value) for value in cell.split(", ")]
    if name in _NUMBERS:
        values = [
            value.replace(",", "") if _THOUSANDS.fullmatch(value) else value for value in values
        ]
    return values if len(values) > 1 else values[0]


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


class _CsvLine(Struct, frozen=True):
    """A line, of which no more is held than a row may have.

    Attributes:
        number: Its number, counted from 1.
        offset: Where it begins.
        text: What is held of it.
        ends: Whether it has an end, or the input stops first.
    """

    number: int
    offset: int
    text: bytes
    ends: bool


class _CsvLines:
    """The lines of a table, as csv takes them, and what to do about a broken row.

    A quote that is not closed makes one row of many lines. Of a broken row only the first line is
    given up and the others are read again, as long as no more is read again than was read.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._longest = limits.record_bytes
        self._number = 0
        self._offset = 0
        self._again: deque[_CsvLine] = deque()
        self._again_bytes = 0
        self._row: list[_CsvLine] = []
        self._row_bytes = 0

    def header(self) -> bytes:
        """Return the first line that is not blank."""
        while (line := self._next()) is not None:
            if line.text.strip():
                return line.text
        return b""

    def begin_row(self) -> None:
        self._row.clear()
        self._row_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        if line is None:
            raise StopIteration
        self._row.append(line)
        self._row_bytes += len(line.text)
        if self._row_bytes > self._longest:
            raise csv.Error(longer_than(self._limits))
        return line.text.decode("utf-8", "replace")

    def origin(self, path: str) -> Origin:
        """Return where the row begins."""
        return Origin(path, self._row[0].number, self._row[0].offset)

    def skip(self, path: str, reason: str) -> Skipped:
        """Give up the row, or its first line if the others can be read again."""
        rest = self._row[1:]
        rest_bytes = self._row_bytes - len(self._row[0].text)
        if self._again_bytes + rest_bytes <= self._offset + _RETRY_FREE_BYTES:
            self._again_bytes += rest_bytes
            self._again.extendleft(reversed(rest))
            del self._row[1:]
        text = b"".join(line.text for line in self._row)
        cut_off = not self._row[-1].ends and not self._again
        return Skipped(
            self.origin(path),
            f"cut off: {reason}" if cut_off else reason,
            could_matter=cut_off or may_match_wide(text),
            ends_input=cut_off,
        )

    def _next(self) -> _CsvLine | None:
        if self._again:
            return self._again.popleft()
        text = self._stream.readline(self._longest + 1)
        if not text:
            return None
        offset = self._offset
        self._number += 1
        self._offset += len(text)
        part = text
        while len(part) > self._longest and not part.endswith(b"\n"):
            # What is held already makes the row too long; the rest of the line goes with it.
            part = self._stream.readline(self._longest + 1)
            self._offset += len(part)
        return _CsvLine(self._number, offset, text, part.endswith(b"\n"))
