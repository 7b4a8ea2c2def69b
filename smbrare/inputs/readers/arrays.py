"""JSON documents by the fastest way that gives the same: arrays of objects as lines, else tokens.

What the lines leave of an array goes on as a document, and its elements are counted on.
"""

import io
from collections.abc import Iterator
from typing import TypeAlias

from msgspec.structs import replace

from smbrare.inputs.json_tokens import Readable
from smbrare.inputs.readers import document
from smbrare.inputs.readers.array_lines import WINDOW_BYTES, ArrayLines
from smbrare.inputs.readers.ndjson import record
from smbrare.inputs.readers.ndjson_blocks import Sample, Tally, Undecided, read_blocks
from smbrare.inputs.unpack.streams import Layer
from smbrare.limits import DEFAULT, Limits
from smbrare.records import envelope
from smbrare.records.event import Origin, Record, Skipped

Sifted: TypeAlias = Record | Skipped | Sample | Tally


def read(
    stream: Readable, path: str, limits: Limits = DEFAULT, *, window_bytes: int = WINDOW_BYTES
) -> Iterator[Record | Skipped]:
    """Yield the records of a JSON stream, and what had to be skipped.

    They are those of `document.read`. Only numbers of an array's elements may be of another type,
    as `jsontext.decode` gives them.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins, which count elements.
        limits: The longest element to hold in memory, and how deep it may nest.
        window_bytes: Bytes to look at together.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    array = ArrayLines(stream, limits, window_bytes)
    number = 0
    for block in array.blocks():
        for line in block.split(b"\n")[:-1]:
            number += 1
            yield from _element(line, Origin(path, number), limits)
    if not array.complete:
        yield from document.read(array.rest(), path, limits, before=number)


def read_sifted(
    stream: Readable,
    path: str,
    limits: Limits = DEFAULT,
    *,
    sample_every: int,
    undecided: Undecided,
    window_bytes: int = WINDOW_BYTES,
) -> Iterator[Sifted]:
    """Yield the same, but of an array's elements only those that could match, and a sample.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins, which count elements.
        limits: The longest element to hold in memory, and how deep it may nest.
        sample_every: Bytes of the elements between sampled records; see `read_blocks`.
        undecided: Which elements are to be decoded; see `read_blocks`.
        window_bytes: Bytes to look at together.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    array = ArrayLines(stream, limits, window_bytes)
    lines = Layer(array.blocks())
    for item in read_blocks(
        lines, path, limits=limits, sample_every=sample_every, undecided=undecided
    ):
        # Where a line stands is not where its element stands.
        if isinstance(item, Record | Skipped):
            yield replace(item, origin=replace(item.origin, offset=None))
        else:
            yield item
    if not array.complete:
        yield from _all_sampled(document.read(array.rest(), path, limits, before=array.elements))


def _element(line: bytes, origin: Origin, limits: Limits) -> Iterator[Record | Skipped]:
    item = record(line, origin, limits)
    if isinstance(item, Skipped):
        # Rare, and told in the words of documents.
        alone = io.BytesIO(b"[" + line + b"]")
        yield from document.read(alone, origin.path, limits, before=origin.number - 1)
        return
    for event in envelope.events(item.document):
        yield Record(origin, event)


def _all_sampled(items: Iterator[Record | Skipped]) -> Iterator[Sifted]:
    """Yield records that are all counted, each element once."""
    number = 0
    for item in items:
        if item.origin.number != number:
            number = item.origin.number
            yield Tally(1, 0, isinstance(item, Skipped))
        yield item
        if isinstance(item, Record):
            yield Sample(item)
