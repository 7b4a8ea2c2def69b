"""The lines of a CSV table, and what to do about a row that is broken."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from smbrare.limits import KIB, Limits, longer_than
from smbrare.records.event import Origin, Skipped
from smbrare.rule.port_sieve import may_match_wide

_RETRY_FREE_BYTES = 64 * KIB


class _CsvLine(Struct, frozen=True):
    """A line: its number from 1, its offset, as much of it as a row may have, and if it ends."""

    number: int
    offset: int
    text: bytes
    ends: bool


class CsvLines:
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
        """Forget the lines of the row before."""
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
