"""NDJSON: one JSON object a line, read whole, or at nearly the speed of reading.

Of a large input only lines that could match the rule are decoded, and a sample of the others.
Every line is counted all the same, and every line that is no JSON object in one piece is noticed
and read. What stays unseen, behind the first `CHECKED_BYTES`, is a line in braces that is broken
inside and holds no port of the rule.
"""

import codecs
import io
from collections.abc import Generator, Iterator, Sequence

import stringzilla
from ahocorasick_rs import BytesAhoCorasick
from msgspec.structs import replace

from smbrare.inputs.readers.blocks import BLOCK_BYTES, ByteStream, LineBlock, line_blocks
from smbrare.inputs.readers.reader import EVERY, NeedsDecoding, ReaderOptions
from smbrare.limits import DEFAULT, MIB, TOO_DEEP, Limits, longer_than
from smbrare.records.event import Contents, Item, Mention, Origin, Record, Sample, Skipped, Tally
from smbrare.records.json_mending import mend
from smbrare.records.json_text import BadJson, broken_lines, decode, nests_deeper, without_frame
from smbrare.rule.port_sieve import BlockScan, may_match_wide, scan_block

CHECKED_BYTES = 32 * MIB
"""Bytes of a large input, from its start, in which every line is checked for being JSON."""

_LOWER = bytes(range(256)).lower()


def read(stream: ByteStream, path: str, options: ReaderOptions) -> Contents:
    """Return what a stream of NDJSON holds, as a `Reader` does."""
    if options.texts:
        return Contents(read_with(stream, path, options))
    head = b""
    if options.sample_every:
        head = stream.read(options.sampled_from)
        options = options.for_beginning(head)
    return Contents(read_range(stream, path, options, head=head), bool(options.sample_every))


def read_range(
    stream: ByteStream,
    path: str,
    options: ReaderOptions,
    start: int = 0,
    end: int | None = None,
    *,
    head: bytes = b"",
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Item]:
    """Yield what a range holds in its order, and behind each block its samples and its tally.

    That is its records, or those that could match the rule or name a client, and what was skipped.
    A line belongs to the range in which it begins, so ranges that together cover a file give each
    of its lines once, and may be read at the same time. Numbers of lines count from the range's
    first line: `event.shift` adds the lines of the ranges before it, which their tallies tell.

    Args:
        stream: Decompressed UTF-8 bytes, at their start; seekable unless ``start`` is 0.
        path: The input's name, for the records' origins.
        options: How to read.
        start: First byte of the range.
        end: The byte past the range; None for the end of the stream.
        head: What was read from the stream before, and comes first.
        block_bytes: Bytes to read at a time.

    Raises:
        OSError, EOFError: If the stream fails; what was complete before that was yielded.
    """
    before = 0
    limits, every = options.limits, options.sample_every
    last: tuple[bytes, Origin] | None = None
    longest = limits.record_bytes + 1
    for block in line_blocks(stream, start, end, longest, block_bytes, head=head):
        if block.kind != "lines":
            tally = yield from _alone(block, Origin(path, before + 1, block.offset), limits)
        elif every == EVERY:
            tally = yield from _each(block, path, before, limits)
        else:
            tally = yield from _candidates(block, path, before, options)
            yield from _samples(block, path, options)
            last = _last_line(block, path)
        yield tally
        before += tally.lines
    if last is not None and end is None:
        yield from _sample(*last, limits)


def _alone(block: LineBlock, origin: Origin, limits: Limits) -> Generator[Item, None, Tally]:
    """Yield what a line holds that stands in no block of whole lines, and return its tally."""
    if block.kind == "too long":
        yield too_long(origin, limits)
        return Tally(1, 0, 1)
    line = bytes(block.text)
    if is_blank(line):
        return Tally(1, 1)
    items = records(line, origin, limits)
    yield from items
    return Tally(1, 0, sum(isinstance(item, Skipped) for item in items), len(items) - 1)


def _each(block: LineBlock, path: str, before: int, limits: Limits) -> Generator[Item, None, Tally]:
    """Yield what each line of a block holds, and return their tally."""
    number, offset, blank, skipped, more = before, block.offset, 0, 0, 0
    for line in io.BytesIO(block.text):
        number += 1
        if is_blank(line):
            blank += 1
        else:
            items = records(line, Origin(path, number, offset), limits)
            if len(items) != 1 or isinstance(items[0], Skipped):
                skipped += sum(isinstance(item, Skipped) for item in items)
                more += len(items) - 1
            yield from items
        offset += len(line)
    return Tally(number - before, blank, skipped, more)


def _candidates(
    block: LineBlock, path: str, before: int, options: ReaderOptions
) -> Generator[Item, None, Tally]:
    """Yield what the lines of a block hold that are wanted, and return the tally of all."""
    scanned = scan_block(block.text)
    if block.offset < CHECKED_BYTES:
        broken = {
            (first, past)
            for first, past in broken_lines(block.text, scanned.lines - scanned.blank)
            if not is_blank(bytes(block.text[first:past]))
        }
        scanned = replace(scanned, odd=[*broken.union(scanned.odd)])
    skipped = more = 0
    decoded = set()
    for number, first, past in _to_decode(block.text, scanned, options.needs_decoding):
        origin = Origin(path, before + number, block.offset + first)
        items = records(bytes(block.text[first:past]), origin, options.limits)
        skipped += sum(isinstance(item, Skipped) for item in items)
        more += len(items) - 1
        decoded.add((first, past))
        yield from items
    for first, past in set(scanned.mentions) - decoded:
        alone = _sample(bytes(block.text[first:past]), Origin(path, 0), options.limits)
        yield from (Mention(sample.record) for sample in alone)
    return Tally(scanned.lines, scanned.blank, skipped, more)


def _to_decode(
    block: memoryview, scanned: BlockScan, needs_decoding: NeedsDecoding
) -> Iterator[tuple[int, int, int]]:
    """Yield the lines of a block that are worth decoding: number, first byte, byte past the end."""
    odd = set(scanned.odd)
    spans = [span for span in scanned.candidates if span not in odd] if odd else scanned.candidates
    if not spans and not odd:
        return
    kept = [spans[place] for place in needs_decoding([block[first:past] for first, past in spans])]
    text = stringzilla.Str(block)
    number = counted = 0
    for first, past in sorted([*kept, *odd]) if odd else kept:
        number += text.count(b"\n", counted, first)
        counted = first
        yield number + 1, first, past


def _samples(block: LineBlock, path: str, options: ReaderOptions) -> Iterator[Sample]:
    """Yield the records of a block of whole lines that are to be sampled."""
    past = 0
    for mark in options.sample_places(block.offset, block.offset + len(block.text)):
        at = mark - block.offset
        if at >= past:
            text = stringzilla.Str(block.text)
            first = text.rfind(b"\n", 0, at) + 1
            past = text.find(b"\n", at) + 1 or len(block.text)
            origin = Origin(path, 0, block.offset + first)
            yield from _sample(bytes(block.text[first:past]), origin, options.limits)


def _last_line(block: LineBlock, path: str) -> tuple[bytes, Origin]:
    """Return the last line of a block, and where it stands."""
    first = stringzilla.Str(block.text).rfind(b"\n", 0, len(block.text) - 1) + 1
    return bytes(block.text[first:]), Origin(path, 0, block.offset + first)


def _sample(line: bytes, origin: Origin, limits: Limits) -> Iterator[Sample]:
    for item in () if is_blank(line) else records(line, origin, limits):
        if isinstance(item, Record):
            yield Sample(item)


def read_with(
    stream: ByteStream, path: str, options: ReaderOptions, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Record]:
    """Yield the records of the lines that hold any of the texts that are wanted.

    Lines that hold no JSON object, or are too long, are skipped: who reads an input for the
    first time tells. The arguments are those of `read_range`.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    texts, limits = options.texts, options.limits
    # Texts that begin alike are found by that byte, which is faster than all of them at once.
    finders = [
        BytesAhoCorasick([text for text in texts if text[0] == first])
        for first in {text[0] for text in texts}
    ]
    number = 1
    for piece in line_blocks(stream, 0, None, limits.record_bytes + 1, block_bytes):
        if piece.kind == "too long":
            number += 1
            continue
        block = stringzilla.Str(piece.text)
        counted = 0
        for first, past in _lines_with(piece.text, block, finders):
            number += block.count(b"\n", counted, first)
            counted = first
            origin = Origin(path, number, piece.offset + first)
            found = records(bytes(piece.text[first:past]), origin, limits)
            yield from (item for item in found if isinstance(item, Record))
        number += block.count(b"\n", counted)


def _lines_with(
    text: memoryview, block: stringzilla.Str, finders: Sequence[BytesAhoCorasick]
) -> Iterator[tuple[int, int]]:
    """Yield where the lines that hold a text begin and end in a block of lines."""
    lowered = stringzilla.translate(text, _LOWER)
    past = 0
    for hit in sorted(
        hit for finder in finders for _, hit, _ in finder.find_matches_as_indexes(lowered)
    ):
        if hit >= past:
            first = block.rfind(b"\n", past, hit) + 1 or past
            past = block.find(b"\n", hit) + 1 or len(text)
            yield first, past


def is_blank(line: bytes) -> bool:
    """Return whether a line holds nothing but white space, a byte order mark before it aside."""
    return not line.removeprefix(codecs.BOM_UTF8).strip()


def records(line: bytes, origin: Origin, limits: Limits = DEFAULT) -> list[Record | Skipped]:
    """Return what a line that is not blank holds: one record, unless files were joined in it.

    Args:
        line: The line with its end, which only the last of an input may lack: a line without one
            that is no JSON was cut off. A byte order mark at its beginning, as files that were
            joined have in their midst, is skipped.
        origin: Where the line stands.
        limits: How deep it may nest.
    """
    try:
        document = decode(_blanked(line))
    except BadJson as error:
        if (inner := without_frame(line)) is not None:
            return records(inner, origin, limits)
        return _mended(line, origin, limits, error)
    if not isinstance(document, dict):
        return [Skipped(origin, f"no object: {type(document).__name__}", may_match_wide(line))]
    if nests_deeper(line, document, limits.nesting):
        return [Skipped(origin, TOO_DEEP, could_matter=may_match_wide(line))]
    return [Record(origin, document)]


def _mended(line: bytes, origin: Origin, limits: Limits, error: BadJson) -> list[Record | Skipped]:
    try:
        found = mend(_blanked(line))
    except BadJson:
        return [_unreadable(line, line, origin, str(error))]
    if any(nests_deeper(line, document, limits.nesting) for document in found.objects):
        return [Skipped(origin, TOO_DEEP, could_matter=may_match_wide(line))]
    rest = [_unreadable(found.rest.encode(), line, origin, str(error))] if found.rest else []
    return [*(Record(origin, document, found.flaw) for document in found.objects), *rest]


def _unreadable(text: bytes, line: bytes, origin: Origin, reason: str) -> Skipped:
    """Return what stands for a line, or the rest of one, that is no JSON."""
    if not line.endswith(b"\n"):
        return Skipped(origin, f"cut off: {reason}", could_matter=True, ends_input=True)
    return Skipped(origin, reason, could_matter=may_match_wide(text) or _is_torn(text))


def _blanked(line: bytes) -> bytes:
    """Return a line with blanks for a byte order mark, as `streams.as_utf_8` has them."""
    mark = codecs.BOM_UTF8
    return line.replace(mark, b" " * len(mark), 1) if line.startswith(mark) else line


def _is_torn(line: bytes) -> bool:
    """Return whether a line is a piece of an object whose rest may have held the port."""
    text = line.removeprefix(codecs.BOM_UTF8).strip()
    return text.startswith(b"{") != text.endswith(b"}")


def too_long(origin: Origin, limits: Limits) -> Skipped:
    """Return what stands for a line that is longer than the limits allow."""
    return Skipped(origin, longer_than(limits), could_matter=True)
