"""The records of an EVTX file as lines of NDJSON, of which only some have to be decoded."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import IO

from smbrare.inputs.readers import evtx_log
from smbrare.inputs.readers.arrays import Sifted
from smbrare.inputs.readers.evtx_log import Text
from smbrare.inputs.readers.ndjson_blocks import Sample, Tally, Undecided, marks
from smbrare.inputs.unpack.streams import Layer
from smbrare.limits import DEFAULT, KIB, MIB, Limits
from smbrare.records.event import Record, Skipped
from smbrare.rule.port_sieve import scan_block

_BATCH_CHARACTERS = MIB // 2
"""Text to sift at a time."""

_SKIPPED_CHARACTERS = KIB
"""What a record that was skipped counts for: a damaged file may hold nothing else."""


def read_sifted(
    file: IO[bytes],
    path: str,
    limits: Limits = DEFAULT,
    *,
    sample_every: int,
    undecided: Undecided,
) -> Iterator[Sifted]:
    """Yield what `evtx_log.read` does, in its order, but only records that could match; a sample.

    Args:
        file: The file, readable at any place; it stays open.
        path: The input's name, for the records' origins.
        limits: The longest record to decode, and how deep it may nest.
        sample_every: Bytes of JSON between sampled records; see `read_blocks`.
        undecided: Which records are to be decoded; see `read_blocks`.

    Raises:
        OSError: If the stream fails; what was complete before that was yielded.
    """
    offset = 0
    last: Text | None = None
    for batch in _batches(evtx_log.texts(file, path)):
        lines = [_line(item) for item in batch]
        starts = [*accumulate(map(len, lines), initial=offset)]
        sampled = {
            bisect_right(starts, mark) - 1 for mark in marks(offset, starts[-1], sample_every)
        }
        wanted = _wanted(lines, undecided) | {
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


def as_lines(file: IO[bytes], path: str) -> Layer:
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


def _wanted(lines: list[bytes], undecided: Undecided) -> set[int]:
    """Return the places of the lines that are worth decoding."""
    places = {start: place for place, start in enumerate(accumulate(map(len, lines), initial=0))}
    sifted = scan_block(b"".join(lines))
    odd = {places[first] for first, _ in sifted.odd}
    candidates = [places[first] for first, _ in sifted.candidates if places[first] not in odd]
    kept = undecided([memoryview(lines[place]) for place in candidates])
    return odd | {candidates[place] for place in kept}
