"""The records of an EVTX file as lines of NDJSON, of which only some have to be decoded."""

import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import IO

from smbrare.inputs.readers import evtx_log, ndjson
from smbrare.inputs.readers.evtx_log import Text
from smbrare.inputs.readers.reader import NeedsDecoding, ReaderOptions, without_offset
from smbrare.inputs.unpack.streams import HEAD_BYTES, Layer
from smbrare.limits import KIB, MIB
from smbrare.records.event import Contents, Item, Record, Sample, Skipped, Tally
from smbrare.rule.port_sieve import scan_block

_BATCH_CHARACTERS = MIB // 2
"""Text to sift at a time."""

_SKIPPED_CHARACTERS = KIB
"""What a record that was skipped counts for: a damaged file may hold nothing else."""


def read(file: IO[bytes], path: str, options: ReaderOptions) -> Contents:
    """Return what an EVTX file holds, as `evtx_log.read` gives it.

    Args:
        file: The file, readable at any place; it stays open.
        path: The input's name, for the records' origins, which count records.
        options: How to read; its distance counts bytes of JSON.

    Raises:
        OSError: If the file fails; later, when the items are read, behind those before.
    """
    if options.texts:
        found = ndjson.read_with(_as_lines(file, path), path, options.texts, options.limits)
        return Contents(without_offset(found))
    if options.sample_every and file.seek(0, io.SEEK_END) >= options.sampled_from:
        file.seek(0)
        options = options.with_seed(file.read(HEAD_BYTES))
        return Contents(_candidates(file, path, options), sampled=True)
    return Contents(evtx_log.read(file, path, options.limits))


def _candidates(file: IO[bytes], path: str, options: ReaderOptions) -> Iterator[Item]:
    """Yield the records that might match, in their order, what was skipped, and a sample."""
    limits = options.limits
    offset = 0
    last: Text | None = None
    for batch in _batches(evtx_log.texts(file, path)):
        lines = [_line(item) for item in batch]
        starts = [*accumulate(map(len, lines), initial=offset)]
        sampled = {
            bisect_right(starts, mark) - 1 for mark in options.sample_places(offset, starts[-1])
        }
        wanted = _wanted(lines, options.needs_decoding) | {
            place for place, line in enumerate(lines) if len(line) > limits.record_bytes + 1
        }
        lost = {place for place, line in enumerate(lines) if not line}
        skipped = 0
        for place in sorted(wanted | sampled | lost):
            item = batch[place]
            found = item if isinstance(item, Skipped) else evtx_log.record(item, limits)
            skipped += place in wanted and isinstance(found, Skipped)
            if place not in sampled or place in wanted:
                yield found
            if place in sampled and isinstance(found, Record):
                yield Sample(found)
        yield Tally(len(batch) - len(lost), 0, skipped)
        offset = starts[-1]
        last = next((item for item in reversed(batch) if isinstance(item, Text)), last)
    if last is not None and isinstance(found := evtx_log.record(last, limits), Record):
        yield Sample(found)


def _as_lines(file: IO[bytes], path: str) -> Layer:
    """Return the records of an EVTX file as a stream of lines, a blank one for what was skipped.

    Args:
        file: The file, readable at any place; it stays open.
        path: The input's name.
    """
    return Layer(
        b"".join(_line(item) or b"\n" for item in batch)
        for batch in _batches(evtx_log.texts(file, path))
    )


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


def _wanted(lines: list[bytes], needs_decoding: NeedsDecoding) -> set[int]:
    """Return the places of the lines that are worth decoding."""
    places = {start: place for place, start in enumerate(accumulate(map(len, lines), initial=0))}
    scanned = scan_block(b"".join(lines))
    odd = {places[first] for first, _ in scanned.odd}
    candidates = [places[first] for first, _ in scanned.candidates if places[first] not in odd]
    kept = needs_decoding([memoryview(lines[place]) for place in candidates])
    return odd | {candidates[place] for place in kept}
