"""Some lines of a file to what the judgement needs of them."""

import io
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from smbrare.detection.destination_sieve import undecided
from smbrare.detection.examine import examine
from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.readers import ndjson
from smbrare.inputs.readers.ndjson_blocks import Sample, Tally, read_blocks
from smbrare.limits import KIB
from smbrare.records.event import Record, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import take_sifted
from smbrare.scanning.planning import LARGE_BYTES, empty
from smbrare.scanning.reading import events_of
from smbrare.watch.tails import Chunk

_SAMPLE_EVERY = 256 * KIB
"""Bytes between the records of sifted lines that are decoded to count them."""


def read(chunk: Chunk, options: ReadOptions) -> tuple[InputSurvey, Partial]:
    """Return the counts of some lines, and their sightings.

    Where a file has gained as much as a large file holds, its lines are sifted, as those of a
    large file are; otherwise each is decoded.
    """
    survey = InputSurvey(chunk.path, "ndjson", chunk.named, size=len(chunk.text))
    partial = empty(options)
    stream = io.BytesIO(chunk.text)
    if chunk.waiting >= LARGE_BYTES and not options.decodes_all:
        sifted = read_blocks(
            stream,
            chunk.path,
            limits=options.limits,
            sample_every=_SAMPLE_EVERY,
            undecided=undecided,
        )
        take_sifted(_placed(sifted, chunk), survey, options, partial)
        return survey, partial
    for item in _placed(ndjson.read(stream, chunk.path, options.limits), chunk):
        if isinstance(item, Record | Skipped):
            for document, origin in events_of(item, survey):
                examine(document, origin, options, survey, partial)
    return survey, partial


def _placed(
    items: Iterable[Record | Skipped | Sample | Tally], chunk: Chunk
) -> Iterator[Record | Skipped | Sample | Tally]:
    """Yield what was read of a chunk, each where it stands in its file."""
    for item in items:
        if isinstance(item, Record | Skipped):
            origin = item.origin
            number, offset = origin.number + chunk.lines, (origin.offset or 0) + chunk.offset
            yield replace(item, origin=replace(origin, number=number, offset=offset))
        else:
            yield item
