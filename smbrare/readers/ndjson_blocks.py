"""NDJSON at nearly the speed of reading: only lines that could match the rule are decoded.

Every line is counted, and every line that is no JSON object in one piece is noticed and read as
`ndjson.read` reads it. What stays unseen is a line in braces that is broken inside and holds no
port of the rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase, RawIOBase
from typing import Literal, TypeAlias

import stringzilla

from smbrare.event import Origin, Record, Skipped
from smbrare.limits import DEFAULT, MIB, Limits
from smbrare.readers.ndjson import record, too_long
from smbrare.sieve import Sifted, Span, scan_block

Stream: TypeAlias = BufferedIOBase | RawIOBase

BLOCK_BYTES = MIB // 2
"""Read at a time: what stays in a processor's cache while it is searched several times, and gives
a bearable list of hits where the digits are everywhere."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that was decoded only to tell what its input holds; it may come as a `Record` too.

    Attributes:
        record: The record.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Tally:
    """What a stretch of an input held, decoded or not; tallies of stretches add up.

    Attributes:
        lines: All of its lines, blank and skipped ones too.
        blank: Lines that hold nothing but white space, and are no records.
    """

    lines: int
    blank: int


def read_blocks(
    stream: Stream,
    path: str,
    start: int = 0,
    end: int | None = None,
    limits: Limits = DEFAULT,
    *,
    sample_every: int = 0,
    cannot_match: Callable[[memoryview], bool] = lambda _: False,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Record | Skipped | Sample | Tally]:
    """Yield the records of a range that could match the rule, what was skipped, and tallies.

    A line belongs to the range in which it begins, so ranges that together cover a file give each
    of its lines once, and may be read at the same time. Numbers of lines count from the range's
    first line: `event.moved` adds the lines of the ranges before it, which their tallies tell.

    Args:
        stream: Decompressed UTF-8 bytes, at their start; seekable unless ``start`` is 0.
        path: The input's name, for the records' origins.
        start: First byte of the range.
        end: The byte past the range; None for the end of the stream.
        limits: The longest line to hold in memory.
        sample_every: Bytes of the stream between sampled records, which are the first one, those
            that lie at every multiple of this number, and the last; 0 for no sample. Neither
            ranges nor blocks change which they are.
        cannot_match: Asked of lines that the sieve leaves: whether one is certainly well-formed
            and certainly no match, so that it is not worth decoding.
        block_bytes: Bytes to read at a time.

    Yields:
        Records and skipped lines in the order of the file, and behind those of each block its
        samples and its tally, so that the count is right as far as a stream could be read.

    Raises:
        OSError, EOFError: If the stream fails; what was complete before that was yielded.
    """
    before = 0
    last: tuple[int, bytes] | None = None
    for piece in _pieces(stream, start, end, limits, block_bytes):
        if piece.kind == "lines":
            sifted = scan_block(piece.text)
            for number, first, past in _to_decode(sifted):
                line = piece.text[first:past]
                if not cannot_match(line):
                    origin = Origin(path, before + number, piece.offset + first)
                    yield record(bytes(line), origin)
            if sample_every:
                yield from _samples(piece, path, sample_every)
                last = _last_line(piece)
            tally = Tally(sifted.lines, sifted.blank)
        else:
            origin = Origin(path, before + 1, piece.offset)
            blank = False
            if piece.kind == "too long":
                yield too_long(origin, limits)
            elif (rest := bytes(piece.text)).strip():
                yield record(rest, origin)
            else:
                blank = True
            tally = Tally(1, int(blank))
        yield tally
        before += tally.lines
    if last is not None and end is None:
        yield from _sample(last[1], Origin(path, 0, last[0]))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some bytes of a range.

    Attributes:
        kind: ``lines`` for whole lines, ``rest`` for a last line without an end, ``too long`` for
            a line that was passed over.
        offset: Bytes from the start of the stream.
        text: The bytes, until the next piece is asked for.
    """

    kind: Literal["lines", "rest", "too long"]
    offset: int
    text: memoryview


def _to_decode(sifted: Sifted) -> list[Span]:
    if not sifted.odd:
        return sifted.candidates
    return sorted({*sifted.candidates, *sifted.odd})


def _samples(piece: "_Piece", path: str, every: int) -> Iterator[Sample]:
    """Yield the records of a block of whole lines in which a multiple of a number of bytes lies."""
    past = 0
    for mark in range(-(-piece.offset // every) * every, piece.offset + len(piece.text), every):
        at = mark - piece.offset
        if at >= past:
            text = stringzilla.Str(piece.text)
            first = text.rfind(b"\n", 0, at) + 1
            past = text.find(b"\n", at) + 1 or len(piece.text)
            yield from _sample(bytes(piece.text[first:past]), Origin(path, 0, piece.offset + first))


def _last_line(piece: "_Piece") -> tuple[int, bytes]:
    """Return where the last line of a block begins in the stream, and the line."""
    first = stringzilla.Str(piece.text).rfind(b"\n", 0, len(piece.text) - 1) + 1
    return piece.offset + first, bytes(piece.text[first:])


def _sample(line: bytes, origin: Origin) -> Iterator[Sample]:
    item = record(line, origin) if line.strip() else None
    if isinstance(item, Record):
        yield Sample(item)


def _pieces(
    stream: Stream,
    start: int,
    end: int | None,
    limits: Limits,
    block_bytes: int,
) -> Iterator[_Piece]:
    longest = limits.record_bytes + 1
    window = _Window(stream, min(block_bytes, longest), start)
    if start:
        window.seek_line(end)
    while end is None or window.offset < end:
        more = window.fill()
        whole = window.whole_lines(end)
        if whole:
            yield _Piece("lines", window.offset, window.first(whole))
            window.drop(whole)
        elif not more:
            if window.filled:
                yield _Piece("rest", window.offset, window.first(window.filled))
            return
        elif window.is_full and not window.grow(longest):
            yield _Piece("too long", window.offset, window.first(0))
            window.drop_line(end)


@dataclass(slots=True)
class _Window:
    """The part of a stream that is in memory: a buffer, used again and again.

    Attributes:
        stream: Where it is read from.
        usual: Bytes that the buffer holds unless a line needs more.
        offset: Where the buffer's first byte stands in the stream.
        filled: Bytes in the buffer.
        searched: Those of them known to hold no line end.
    """

    stream: Stream
    usual: int
    offset: int
    filled: int = 0
    searched: int = 0
    _buffer: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self._buffer = bytearray(self.usual)

    @property
    def is_full(self) -> bool:
        """Whether there is no room to read on."""
        return self.filled == len(self._buffer)

    def first(self, count: int) -> memoryview:
        """Return the first bytes, without a copy."""
        return memoryview(self._buffer)[:count]

    def fill(self) -> bool:
        """Read on, and return False at the end of the stream."""
        count = self.stream.readinto(memoryview(self._buffer)[self.filled :]) or 0
        self.filled += count
        return count > 0

    def whole_lines(self, end: int | None) -> int:
        """Return the length of the whole lines that begin before an offset of the stream."""
        if end is not None and self.offset + self.filled >= end:
            last = self._buffer.find(b"\n", max(end - 1 - self.offset, 0), self.filled)
            if last >= 0:
                return last + 1
        length = self._buffer.rfind(b"\n", self.searched, self.filled) + 1
        if not length:
            self.searched = self.filled
        return length

    def drop(self, count: int) -> None:
        """Let go of the first bytes, and of the room that a long line took."""
        kept = self._buffer[count : self.filled]
        self.offset += count
        self.filled = self.searched = len(kept)
        if len(kept) < self.usual < len(self._buffer):
            self._buffer = bytearray(self.usual)
        self._buffer[: len(kept)] = kept

    def grow(self, most: int) -> bool:
        """Make room, about twice as much as there is; return False if there is the most already."""
        if len(self._buffer) == most:
            return False
        size = 2 * len(self._buffer)
        if 2 * size > most:
            size = most
        larger = bytearray(size)
        larger[: self.filled] = self._buffer
        self._buffer = larger
        return True

    def drop_line(self, end: int | None) -> None:
        """Pass over the bytes up to a line's end, or to an offset of the stream if it is first."""
        self._buffer = bytearray(self.usual)
        while end is None or self.offset + self.filled < end:
            self.offset += self.filled
            self.filled = 0
            if not self.fill():
                return
            past = self._buffer.find(b"\n", 0, self.filled) + 1
            if past:
                self.drop(past)
                self.searched = 0
                return
        self.offset += self.filled
        self.filled = 0

    def seek_line(self, end: int | None) -> None:
        """Go to the first line that begins at the offset or behind it."""
        # A line begins at the offset if the byte before ends one.
        self.offset -= 1
        self.stream.seek(self.offset)
        self.drop_line(end)
