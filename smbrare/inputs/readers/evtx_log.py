"""EVTX, the binary log of Windows, through the evtx library.

Of a large file the records are searched as lines of NDJSON, and only some of them decoded.
"""

import io
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import IO, Any

from msgspec import Struct

from smbrare.inputs.readers import ndjson
from smbrare.inputs.readers.reader import NeedsDecoding, ReaderOptions, without_offset
from smbrare.inputs.unpack.streams import HEAD_BYTES, Layer
from smbrare.limits import KIB, MIB, TOO_DEEP, Limits, longer_than
from smbrare.records.event import Contents, Item, Mention, Origin, Record, Sample, Skipped, Tally
from smbrare.records.json_text import BadJson, decode, nests_deeper
from smbrare.rule.port_sieve import scan_block

_MAGIC = b"ElfFile\0"
_HEADER_BYTES = 4096
_CHUNK_BYTES = 65_536
_CHUNK_MAGIC = b"ElfChnk\0"
_CHUNK_HEAD = struct.Struct("<8sQQ")  # The magic, and the numbers of the first and last record.
_SHORTEST_RECORD = 28
_CHUNK_COUNT = struct.Struct("<H")
_CHUNK_COUNT_AT = 42
_FLAGS_AT = 120
_DIRTY = 0x1
_MOST_NAMED = 3

_BATCH_CHARACTERS = MIB // 2
"""Text to sift at a time."""

_SKIPPED_CHARACTERS = KIB
"""What a record that was skipped counts for: a damaged file may hold nothing else."""


def recognizes(head: bytes, whole: bool) -> bool:  # noqa: FBT001 - as `Reader` asks
    """Return whether a stream's first bytes are those of an EVTX file, whole or not."""
    del whole
    return head.startswith(_MAGIC)


class Text(Struct, frozen=True, gc=False):
    """A record as the library gives it: where it stands, and its JSON, one object."""

    origin: Origin
    json: str


def read(file: IO[bytes], path: str, options: ReaderOptions) -> Contents:
    """Return what an EVTX file holds, as a `Reader` does: its records as JSON documents.

    Origins count records in the order of the file, damaged ones too; the distance of samples counts
    bytes of JSON. The file, readable at any place, stays open.
    """
    if options.texts:
        lines = Layer(
            b"".join(_line(item) or b"\n" for item in batch)
            for batch in _batches(texts(file, path))
        )
        found = ndjson.read_with(lines, path, options)
        return Contents(without_offset(found))
    if options.sample_every and file.seek(0, io.SEEK_END) >= options.sampled_from:
        file.seek(0)
        options = options.with_seed(file.read(HEAD_BYTES))
        return Contents(_candidates(file, path, options), sampled=True)
    return Contents(_record(item, options.limits) for item in texts(file, path))


def texts(stream: IO[bytes], path: str) -> Iterator[Text | Skipped]:
    """Yield the records of an EVTX file as the library gives them, and what had to be skipped.

    Reading goes on behind a damaged record or chunk (64 KiB of records), which the reason names by
    the number it has in the file. Chunks that Windows reserved and never wrote hold nothing and
    are skipped. One that is empty between written ones was lost: the numbers of the records
    around it say how many.

    The library drops a last chunk that is cut off; here the records in it are read as far as they
    go, and the rest is skipped.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        yield _incomplete(Origin(path, 1), "cut off in its header")
        return
    chunks, rest = divmod(size - _HEADER_BYTES, _CHUNK_BYTES)
    written = _written(stream, chunks)
    missing = sum(len(chunk.records or ()) for chunk in written)
    stream.seek(0)
    number = 0
    for item in _parsed(stream, path, 1):
        number = item.origin.number
        missing -= 1
        yield item
    if missing > 0:
        number += 1
        yield Skipped(Origin(path, number), f"{missing} records not found", could_matter=True)
    (promised,) = _CHUNK_COUNT.unpack_from(header, _CHUNK_COUNT_AT)
    stream.seek(_HEADER_BYTES + chunks * _CHUNK_BYTES)
    tail = stream.read(rest)
    if tail.strip(b"\0"):
        last = io.BytesIO(header + tail.ljust(_CHUNK_BYTES, b"\0"))
        for item in _parsed(last, path, number + 1):
            number = item.origin.number
            yield item
    reasons = [f"cut off in chunk {chunks}"] if tail.strip(b"\0") or chunks < promised else []
    lost = list(_lost(written, dirty=bool(header[_FLAGS_AT] & _DIRTY)))
    if len(written) < promised and not lost and not reasons:
        lost = [f"{promised - len(written)} of {promised} chunks"]
    if lost:
        more = [f"{len(lost) - _MOST_NAMED} more"] if len(lost) > _MOST_NAMED else []
        reasons.append(f"lost: {', '.join([*lost[:_MOST_NAMED], *more])}")
    if reasons:
        yield _incomplete(Origin(path, number + 1), "; ".join(reasons))


class _WrittenChunk(Struct, frozen=True):
    """A chunk that is not empty: its place in the file, and its records by number, if it says."""

    place: int
    records: range | None


def _written(stream: IO[bytes], chunks: int) -> list[_WrittenChunk]:
    """Return the chunks that are not empty, in the order of the file.

    What they say they hold is asked because the library takes a record whose beginning was
    overwritten for the end of its chunk.
    """
    written = []
    for place in range(chunks):
        stream.seek(_HEADER_BYTES + place * _CHUNK_BYTES)
        head = stream.read(_CHUNK_HEAD.size)
        if head.strip(b"\0"):
            written.append(_WrittenChunk(place, _numbers(head)))
    return written


def _numbers(head: bytes) -> range | None:
    """Return the numbers of a chunk's records, None where its header is damaged."""
    if len(head) < _CHUNK_HEAD.size or not head.startswith(_CHUNK_MAGIC):
        return None
    _, first, last = _CHUNK_HEAD.unpack(head)
    if not 0 <= last - first < _CHUNK_BYTES // _SHORTEST_RECORD:
        return None
    return range(first, last + 1)


def _lost(written: list[_WrittenChunk], *, dirty: bool) -> Iterator[str]:
    """Yield what was lost between chunks: others, that are empty, or records, by their numbers.

    A full log goes on at its start, over its oldest records. A copy of a log in use (dirty) may
    hold chunks of several such rounds, and nothing was lost between the numbers of two of them.
    """
    if written and written[0].place:
        # The empty ones before it follow the last, or begin the log.
        follows_last = _passed_over(written[-1], written[0]) == 0
        numbers = written[-1].records if follows_last else range(1, 1)
        written = [_WrittenChunk(-1, numbers), *written]
    for before, chunk in pairwise(written):
        empty = chunk.place - before.place - 1
        count = _passed_over(before, chunk)
        if (empty and count != 0) or (not dirty and count is not None and count > 0):
            yield _described(before, chunk)


def _passed_over(before: _WrittenChunk, chunk: _WrittenChunk) -> int | None:
    """Return how many numbers of records are missing between two chunks; None if unknown."""
    if before.records is None or chunk.records is None:
        return None
    return chunk.records.start - before.records.stop


def _described(before: _WrittenChunk, chunk: _WrittenChunk) -> str:
    """Return what is missing between two chunks."""
    first, last = before.place + 1, chunk.place - 1
    chunks = f"chunk {first}" if first == last else f"chunks {first} to {last}"
    if before.records is None or chunk.records is None:
        return chunks
    if before.records.stop >= chunk.records.start:
        return chunks
    records = f"records {before.records.stop} to {chunk.records.start - 1}"
    return f"{chunks} with {records}" if first <= last else records


def _incomplete(origin: Origin, reason: str) -> Skipped:
    return Skipped(origin, reason, could_matter=True, ends_input=True)


def _parsed(stream: IO[bytes], path: str, number: int) -> Iterator[Text | Skipped]:
    """Yield what the library finds in a file of whole chunks, numbered from a number on."""
    import evtx  # noqa: PLC0415

    try:
        # One thread: the workers are processes, and so is the order of records the file's.
        records = evtx.PyEvtxParser(stream, number_of_threads=1).records_json()
    except (OSError, RuntimeError) as error:
        reason = f"damaged EVTX: {error}"
        yield Skipped(Origin(path, number), reason, could_matter=True, ends_input=True)
        return
    while True:
        origin = Origin(path, number)
        try:
            found: Any = next(records)
        except StopIteration:
            return
        except RuntimeError as error:
            yield Skipped(origin, str(error), could_matter=True)
        else:
            yield Text(origin, found["data"])
        number += 1


def _record(item: Text | Skipped, limits: Limits) -> Record | Skipped:
    """Return what a record holds, decoded."""
    if isinstance(item, Skipped):
        return item
    text, origin = item.json.encode(), item.origin
    if len(text) > limits.record_bytes:
        return Skipped(origin, longer_than(limits), could_matter=True)
    try:
        document = decode(text)
    except BadJson as bad:
        return Skipped(origin, str(bad), could_matter=True)
    if not isinstance(document, dict):
        return Skipped(origin, f"no object: {type(document).__name__}", could_matter=True)
    if nests_deeper(text, document, limits.nesting):
        return Skipped(origin, TOO_DEEP, could_matter=True)
    return Record(origin, document)


def _candidates(file: IO[bytes], path: str, options: ReaderOptions) -> Iterator[Item]:
    """Yield the records that might match, in their order, what was skipped, and a sample."""
    limits = options.limits
    offset = 0
    last: Text | None = None
    for batch in _batches(texts(file, path)):
        lines = [_line(item) for item in batch]
        starts = [*accumulate(map(len, lines), initial=offset)]
        sampled = {
            bisect_right(starts, mark) - 1 for mark in options.sample_places(offset, starts[-1])
        }
        wanted, mentions = _wanted(lines, options.needs_decoding)
        wanted |= {place for place, line in enumerate(lines) if len(line) > limits.record_bytes + 1}
        lost = {place for place, line in enumerate(lines) if not line}
        skipped = 0
        for place in sorted(wanted | sampled | lost | mentions):
            found = _record(batch[place], limits)
            skipped += place in wanted and isinstance(found, Skipped)
            if place in wanted or place in lost:
                yield found
            elif place in mentions and isinstance(found, Record):
                yield Mention(found)
            if place in sampled and isinstance(found, Record):
                yield Sample(found)
        yield Tally(len(batch) - len(lost), 0, skipped)
        offset = starts[-1]
        last = next((item for item in reversed(batch) if isinstance(item, Text)), last)
    if last is not None and isinstance(found := _record(last, limits), Record):
        yield Sample(found)


def _batches(items: Iterable[Text | Skipped]) -> Iterator[list[Text | Skipped]]:
    batch: list[Text | Skipped] = []
    size = 0
    failure: OSError | None = None
    try:
        for item in items:
            batch.append(item)
            size += len(item.json) if isinstance(item, Text) else _SKIPPED_CHARACTERS
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    except OSError as error:
        failure = error
    yield batch
    if failure is not None:
        raise failure


def _line(item: Text | Skipped) -> bytes:
    """Return a record's JSON as a line; nothing for one that was skipped."""
    if isinstance(item, Skipped):
        return b""
    # Between two values a line end is as good as a blank, and inside of one there is none.
    return item.json.replace("\n", " ").encode() + b"\n"


def _wanted(lines: list[bytes], needs_decoding: NeedsDecoding) -> tuple[set[int], set[int]]:
    """Return the places of the lines that are worth decoding, and of those that name a client."""
    places = {start: place for place, start in enumerate(accumulate(map(len, lines), initial=0))}
    scanned = scan_block(b"".join(lines))
    odd = {places[first] for first, _ in scanned.odd}
    candidates = [places[first] for first, _ in scanned.candidates if places[first] not in odd]
    kept = needs_decoding([memoryview(lines[place]) for place in candidates])
    mentions = {places[first] for first, _ in scanned.mentions}
    return odd | {candidates[place] for place in kept}, mentions
