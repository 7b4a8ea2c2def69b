"""Dates in the columns of a table whose writer put the day first, or the month.

Portals and spreadsheets write ``5/6/2026`` by the user's language. Where any date of a column can
be read in one order only, the whole column was written in it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.limits import MIB
from smbrare.records.date_forms import is_ambiguous, shows_day_first, with_year_first
from smbrare.records.event import Record, Skipped

_LOOK_AHEAD_BYTES = 16 * MIB
"""Size of the rows that are held back until a date shows the order of its column."""

_ROW_BYTES = 100
"""What a row counts beside its text: a row without any takes memory too."""

_ROWS_TO_FIND_COLUMNS = 1_000
"""Where these rows have no date that could be ambiguous, the table has no such column."""


class _Columns(Struct):
    """What is known about the columns of dates.

    Attributes:
        day_first: Column → whether its dates have the day first.
        undecided: Columns that rows are held back for.
        given_up: Columns whose order showed in none of the rows that were held back.
    """

    day_first: dict[str, bool] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def look_at(self, row: Record) -> None:
        """Learn from a row's dates."""
        for name, cell in row.document.items():
            if not _may_be_date(cell) or name in self.day_first:
                continue
            day_first = shows_day_first(cell)
            if day_first is not None:
                self.day_first[name] = day_first
                self.undecided.discard(name)
            elif name not in self.given_up and is_ambiguous(cell):
                self.undecided.add(name)

    def give_up(self) -> None:
        """Wait for no column any longer."""
        self.given_up |= self.undecided
        self.undecided.clear()

    @property
    def found(self) -> bool:
        """Whether there is any such column."""
        return bool(self.day_first or self.undecided or self.given_up)

    def decided(self, row: Record) -> Record:
        """Return a row with the year first in dates of columns whose order is known."""
        changed = {
            name: with_year_first(cell, day_first=self.day_first[name])
            for name, cell in row.document.items()
            if name in self.day_first and _may_be_date(cell)
        }
        return replace(row, document={**row.document, **changed}) if changed else row


def _may_be_date(cell: Any) -> bool:
    return isinstance(cell, str) and len(cell) > 9 and (cell[1] in "/-" or cell[2] in "/-")  # noqa: PLR2004 - as d/m/yyyy


def with_dates_decided(rows: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
    """Yield rows, each date of a column whose order shows written with the year first.

    Rows are held back until it shows, up to a limit, so that a pipe can be read. Dates of a column
    whose order does not show are left as they are: `times.date` reads them month first, and says
    that it is a guess.
    """
    columns, held, size, seen = _Columns(), deque[Record | Skipped](), 0, 0
    waiting = iter(rows)
    for row in waiting:
        held.append(row)
        size += _ROW_BYTES
        if isinstance(row, Record):
            seen += 1
            columns.look_at(row)
            size += sum(map(len, row.document.values()))
        if size > _LOOK_AHEAD_BYTES:
            columns.give_up()
        if not columns.undecided:
            yield from _released(held, columns)
            size = 0
        if seen >= _ROWS_TO_FIND_COLUMNS and not columns.found:
            break
    yield from _released(held, columns)
    yield from waiting


def _released(held: deque[Record | Skipped], columns: _Columns) -> Iterator[Record | Skipped]:
    while held:
        row = held.popleft()
        yield columns.decided(row) if isinstance(row, Record) else row
