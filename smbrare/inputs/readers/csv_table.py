"""CSV tables of events: Kibana's Discover, Advanced Hunting, Event Viewer, PowerShell and others.

Kibana formats what it exports: numbers with thousands commas, several values in one cell, marks
for what is missing. The others write columns as they are. A header of ECS or dotted names tells
one from the other. Which names a table of events may have, the reader is told.
"""

import csv
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO, TypeAlias

from msgspec import Struct

from smbrare.inputs.readers.csv_dates import with_dates_decided
from smbrare.inputs.readers.csv_lines import CsvLines
from smbrare.limits import DEFAULT, KIB, Limits
from smbrare.records.event import Document, Origin, Record, Skipped
from smbrare.records.fields import ADDRESSES, LONGS
from smbrare.records.json_text import BadJson, decode

Names: TypeAlias = Callable[[], frozenset[str]]
"""Returns the names of columns that tables of events have."""

_DELIMITERS = ",;\t"
_NUMBERS = frozenset({"destination.port", "process.pid", "source.port"})
_LISTS = (
    ADDRESSES
    | LONGS
    | {"event.category", "event.type", "host.ip", "host.os.type", "network.transport"}
)
"""Columns of Kibana's whose cells may hold several values that have no comma of their own."""

_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
# Kibana writes a quote before what a spreadsheet would take for a formula.
_GUARDED = re.compile(r"'[-+=@\t\r]")
_MISSING = frozenset({"", "-", "'-", "(empty)"})
_NO_NAME = re.compile(r'["{}]')
"""What no name of a column holds, and a line of JSON does."""
_NAME = re.compile(r"'?[A-Za-z_@][\w.@ \[\]()#/-]*")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+")
"""What many a table has that holds no events; such names alone make none of it."""
_SEPARATOR_LINES = {b"sep=%c" % delimiter: chr(delimiter) for delimiter in b",;\t"}
"""Lines by which Excel tells the delimiter of what follows."""
_OF_EVENT_VIEWER = frozenset({"Event ID", "Date and Time"})
_ELEMENT = re.compile(r"(?:\.[0-9]+|\[[0-9]+\])$")
"""What is behind the name of a column that holds one element of a list."""
_LEAST_KNOWN = 2
_MARK = "\ufeff"
_LONGEST_HEADER = 64 * KIB
_FIELD_LIMIT = "larger than field limit"
"""What csv says of a field that is too long."""


class _Table(Struct, frozen=True):
    """What a header says: its names in order, beside those that tables of events have."""

    columns: tuple[str, ...]
    known: frozenset[str]
    delimiter: str
    is_kibana: bool


def recognizes(head: bytes, whole: bool, *, names: Names) -> bool:  # noqa: FBT001 - as of `Reader`
    """Return whether a text begins with the header of a table of events.

    Args:
        head: The first bytes.
        whole: Whether they are all there is, so that the last line needs no end.
        names: The columns that such tables have.
    """
    line, newline, rest = head.lstrip().partition(b"\n")
    delimiters = _given_delimiters(line)
    if delimiters:
        line, newline, _ = rest.lstrip().partition(b"\n")
    return bool(newline or whole) and _table(line, delimiters, names) is not None


def _given_delimiters(line: bytes) -> str:
    """Return the delimiters that a line before a header leaves; empty if it is no such line."""
    text = line.strip().removeprefix(_MARK.encode()).strip(b'"')
    return _DELIMITERS if text.startswith(b"#TYPE ") else _SEPARATOR_LINES.get(text, "")


def _table(line: bytes, delimiters: str, names: Names) -> _Table | None:
    """Return what a header line says, or None if it is none of a table of events."""
    if len(line) > _LONGEST_HEADER or b"\0" in line or line.startswith((b"{", b"[{")):
        return None
    text = line.decode("utf-8", "replace").strip()
    for delimiter in delimiters or _DELIMITERS:
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        table = _headed(cells, delimiter, names())
        known = [name for name in table.columns if name in table.known]
        if len(known) >= _LEAST_KNOWN and not all(map(_PLAIN_WORD.fullmatch, known)):
            return None if any(map(_NO_NAME.search, table.columns)) else table
    return None


def _headed(cells: list[str], delimiter: str, known: frozenset[str]) -> _Table:
    """Return the table that a header's cells begin."""
    columns = [_unguarded(cell).strip().removeprefix(_MARK) for cell in cells]
    if _OF_EVENT_VIEWER.issubset(columns):
        columns.append("Message")  # It writes the message without a name.
    named = tuple(_known_name(_ELEMENT.sub("", name), known) for name in columns)
    is_kibana = any("." in name or name.startswith(("@", "_")) for name in named)
    return _Table(named, known, delimiter, is_kibana)


def _known_name(name: str, known: frozenset[str]) -> str:
    """Return the name of a column, with the dots that Graylog writes as underscores."""
    if name in known or "_" not in name:
        return name
    dotted = _with_underscores(known)
    return dotted.get(name) or dotted.get(name.partition("_")[2]) or name


@lru_cache(maxsize=1)
def _with_underscores(known: frozenset[str]) -> dict[str, str]:
    return {name.replace(".", "_"): name for name in known if "." in name}


def _begins_another(cells: list[str], table: _Table) -> bool:
    """Return whether a row is the header of a table that was joined to this one.

    Most of its cells are names of columns that are known, or some are and all look like names: not
    so an event, whose time, addresses and ports do not, whatever its other cells hold.
    """
    known = sum(cell in table.known or cell in table.columns for cell in cells)
    if known < _LEAST_KNOWN:
        return False
    return 2 * known > len(cells) or (
        len(set(cells)) == len(cells) and all(map(_NAME.fullmatch, cells))
    )


def read(
    stream: BinaryIO, path: str, limits: Limits = DEFAULT, *, names: Names
) -> Iterator[Record | Skipped]:
    """Yield the rows of a table as flat documents, and what had to be skipped, as a `Reader` does.

    A document has the columns that hold something. In Kibana's, ports and process ids are without
    thousands commas, the cells of `_LISTS` are lists where they hold several values, and dates are
    Kibana's text, which `times.date` reads. Dates of numbers have the year first where their column
    shows the order of day and month. Origins count lines.
    """
    return with_dates_decided(_rows(stream, path, limits, names))


def _rows(stream: BinaryIO, path: str, limits: Limits, names: Names) -> Iterator[Record | Skipped]:
    csv.field_size_limit(limits.csv_field)  # The module keeps it for the whole process.
    lines = CsvLines(stream, limits)
    line = lines.header()
    delimiters = _given_delimiters(line)
    table = _table(lines.header() if delimiters else line, delimiters, names)
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
            table = _headed(cells, table.delimiter, table.known)
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
        if cell in _MISSING if table.is_kibana else not cell:
            continue
        value: Any = cell
        if cell[0] in "{[" and cell[-1] in "}]":
            value = _packed(cell)
        elif table.is_kibana:
            value = _formatted(name, cell)
        if name in document:
            before = document[name]
            value = [*(before if isinstance(before, list) else [before]), value]
        document[name] = value
    return document


def _packed(cell: str) -> Any:
    """Return the value of a cell that holds JSON, the text of any other."""
    try:
        return decode(cell)
    except BadJson:
        return cell


def _formatted(name: str, cell: str) -> str | list[str]:
    """Return the value or values that Kibana wrote into a cell."""
    if name not in _LISTS:
        return _unguarded(cell)
    if cell[0] == "[" and cell[-1] == "]":  # As ES|QL writes several, and pandas a list.
        values = [value.strip(" '\"") for value in cell[1:-1].split(",")]
    else:
        values = [_unguarded(value) for value in cell.split(", ")]
    if name in _NUMBERS:
        values = [
            value.replace(",", "") if _THOUSANDS.fullmatch(value) else value for value in values
        ]
    return values if len(values) > 1 else values[0]


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
