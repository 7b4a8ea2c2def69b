"""NDJSON at nearly the speed of reading: only lines that could match the rule are decoded.

Every line is counted, and every line that is no JSON object in one piece is noticed and read as
`ndjson.read` reads it. What stays unseen is a line in braces that is broken inside and holds no
port of the rule.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import stringzilla
from msgspec import Struct

from smbrare.inputs.readers.blocks import BLOCK_BYTES, Piece, Stream, pieces
from smbrare.inputs.readers.ndjson import is_blank, record, too_long
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Origin, Record, Skipped
from smbrare.rule.port_sieve import Sifted, scan_block

Undecided: TypeAlias = Callable[[Sequence[memoryview]], Iterable[int]]
"""Tells which of some lines are to be decoded, by their place in the sequence."""

_EVENLY = 512
"""How many records are sampled at one distance before it doubles."""


class Sample(Struct, frozen=True):
    """A record that was decoded only to tell what its input holds; it may come as a `Record` too.

    Attributes:
        record: The record.
    """

    record: Record


class Tally(Struct, frozen=True):
    """What a stretch of an input held, decoded or not; tallies of stretches add up.

    Attributes:
        lines: All of its lines, blank and skipped ones too.
        blank: Lines that hold nothing but white space, and are no records.
        skipped: Lines that were yielded as skipped, and are no records either.
    """

    lines: int
    blank: int
    skipped: int = 0

    @property
    def records(self) -> int:
        """How many of the lines are records."""
        return self.lines - self.blank - self.skipped


def read_blocks(
    stream: Stream,
    path: str,
    start: int = 0,
    end: int | None = None,
    limits: Limits = DEFAULT,
    *,
    sample_every: int = 0,
    undecided: Undecided = lambda lines: range(len(lines)),
    block_bytes: int = BLOCK_BYTES,
    head: bytes = b"",
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
        limits: The longest line to hold in memory, and how deep a record may nest.
        sample_every: Bytes of the stream between sampled records, which are the first one, those
            that lie at every multiple of this number, and the last; 0 for no sample. Behind 512 of
            them the distance doubles, and again where the stream does: its length may be unknown.
            Neither ranges nor blocks change which they are, if the last range begins before the
            last line.
        undecided: Asked which of the lines in braces that the sieve leaves are to be decoded: all
            but those that are certainly well-formed and certainly no match.
        block_bytes: Bytes to sift at a time.
        head: What was read from the stream before, and comes first.

    Yields:
        Records and skipped lines in the order of the file, and behind those of each block its
        samples and its tally, so that the count is right as far as a stream could be read.

    Raises:
        OSError, EOFError: If the stream fails; what was complete before that was yielded.
    """
    before = 0
    last: tuple[bytes, Origin] | None = None
    for piece in pieces(stream, start, end, limits.record_bytes + 1, block_bytes, head=head):
        if piece.kind == "lines":
            sifted = scan_block(piece.text)
            skipped = 0
            for number, first, past in _to_decode(piece.text, sifted, undecided):
                origin = Origin(path, before + number, piece.offset + first)
                item = record(bytes(piece.text[first:past]), origin, limits)
                skipped += isinstance(item, Skipped)
                yield item
            if sample_every:
                yield from _samples(piece, path, sample_every, limits)
                last = _last_line(piece, path)
            tally = Tally(sifted.lines, sifted.blank, skipped)
        else:
            alone = _alone(piece, Origin(path, before + 1, piece.offset), limits)
            if alone is not None:
                yield alone
            tally = Tally(1, alone is None, isinstance(alone, Skipped))
        yield tally
        before += tally.lines
    if last is not None and end is None:
        yield from _sample(*last, limits)


def read_lines(
    stream: Stream, path: str, start: int = 0, end: int | None = None, limits: Limits = DEFAULT
) -> Iterator[Record | Skipped | Tally]:
    """Yield all records of a range, what was skipped, and tallies.

    Args:
        stream: Decompressed UTF-8 bytes, at their start; seekable unless ``start`` is 0.
        path: The input's name, for the records' origins; their numbers are as in `read_blocks`.
        start: First byte of the range.
        end: The byte past the range; None for the end of the stream.
        limits: The longest line to hold in memory, and how deep a record may nest.

    Raises:
        OSError, EOFError: If the stream fails; what was complete before that was yielded.
    """
    number = 0
    for piece in pieces(stream, start, end, limits.record_bytes + 1):
        before, blank, offset = number, 0, piece.offset
        skipped = 0
        if piece.kind == "lines":
            for line in io.BytesIO(piece.text):
                number += 1
                if is_blank(line):
                    blank += 1
                else:
                    item = record(line, Origin(path, number, offset), limits)
                    skipped += isinstance(item, Skipped)
                    yield item
                offset += len(line)
        else:
            number += 1
            alone = _alone(piece, Origin(path, number, offset), limits)
            blank, skipped = int(alone is None), int(isinstance(alone, Skipped))
            if alone is not None:
                yield alone
        yield Tally(number - before, blank, skipped)


def _alone(piece: Piece, origin: Origin, limits: Limits) -> Record | Skipped | None:
    """Return what a line holds that is no part of a block, None where it is blank."""
    if piece.kind == "too long":
        return too_long(origin, limits)
    rest = bytes(piece.text)
    return None if is_blank(rest) else record(rest, origin, limits)


def _to_decode(
    block: memoryview, sifted: Sifted, undecided: Undecided
) -> Iterator[tuple[int, int, int]]:
    """Yield the lines of a block that are worth decoding: number, first byte, byte past the end."""
    odd = set(sifted.odd)
    spans = [span for span in sifted.candidates if span not in odd] if odd else sifted.candidates
    if not spans and not odd:
        return
    kept = [spans[place] for place in undecided([block[first:past] for first, past in spans])]
    text = stringzilla.Str(block)
    number = counted = 0
    for first, past in sorted([*kept, *odd]) if odd else kept:
        number += text.count(b"\n", counted, first)
        counted = first
        yield number + 1, first, past


def _samples(piece: Piece, path: str, every: int, limits: Limits) -> Iterator[Sample]:
    """Yield the records of a block of whole lines that are to be sampled."""
    past = 0
    for mark in marks(piece.offset, piece.offset + len(piece.text), every):
        at = mark - piece.offset
        if at >= past:
            text = stringzilla.Str(piece.text)
            first = text.rfind(b"\n", 0, at) + 1
            past = text.find(b"\n", at) + 1 or len(piece.text)
            origin = Origin(path, 0, piece.offset + first)
            yield from _sample(bytes(piece.text[first:past]), origin, limits)


def marks(first: int, past: int, every: int) -> Iterator[int]:
    """Yield the places between two bytes of a stream, the second past the end, to be sampled at.

    Args:
        first: The first byte.
        past: The byte past the end.
        every: As ``sample_every`` of `read_blocks`.
    """
    for mark in range(-(-first // every) * every, past, every):
        if not mark % (every << (mark // (_EVENLY * every)).bit_length()):
            yield mark


def _last_line(piece: Piece, path: str) -> tuple[bytes, Origin]:
    """Return the last line of a block, and where it stands."""
    first = stringzilla.Str(piece.text).rfind(b"\n", 0, len(piece.text) - 1) + 1
    return bytes(piece.text[first:]), Origin(path, 0, piece.offset + first)


def _sample(line: bytes, origin: Origin, limits: Limits) -> Iterator[Sample]:
    item = None if is_blank(line) else record(line, origin, limits)
    if isinstance(item, Record):
        yield Sample(item)
