"""JSON documents by the fastest way that gives the same: arrays of objects as lines, else tokens.

What the lines leave of an array goes on as a document, and its elements are counted on.
"""

import io
from collections.abc import Iterator
from itertools import chain

from smbrare.inputs.readers import document, ndjson
from smbrare.inputs.readers.array_lines import ArrayLines, begins_array
from smbrare.inputs.readers.ndjson_line import record
from smbrare.inputs.readers.reader import ReaderOptions, without_offset
from smbrare.inputs.unpack.streams import Layer, Stream, blocks
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Contents, Item, Origin, Record, Sample, Skipped, Tally


def read(stream: Stream, path: str, options: ReaderOptions) -> Contents:
    """Return what a JSON stream holds.

    It is what `document.read` gives. Only numbers of an array's elements may be of another type,
    as `json_text.decode` gives them. Of a large array only the elements may be decoded that might
    match; what is no array of objects is always read whole.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins, which count elements.
        options: How to read.

    Raises:
        OSError: If the stream fails; later, when the items are read, behind those before.
    """
    if not begins_array(stream.head):
        return Contents(document.read(stream, path, options.limits))
    if options.texts:
        return Contents(elements(ArrayLines(stream, options.limits), path, options))
    if options.sample_every:
        head = stream.read(options.sampled_from)
        if len(head) < options.sampled_from:
            options = options.every()
        stream = Stream(chain([head], blocks(stream)), stream)
    array = ArrayLines(stream, options.limits)
    return Contents(elements(array, path, options), bool(options.sample_every))


def elements(array: ArrayLines, path: str, options: ReaderOptions) -> Iterator[Item]:
    """Yield what the elements of an array hold, and then what is no line of it."""
    limits = options.limits
    lines = Layer(array.blocks())
    if options.texts:
        yield from without_offset(ndjson.read_with(lines, path, options.texts, limits))
    elif options.sample_every:
        yield from without_offset(ndjson.read_range(lines, path, options))
    else:
        yield from _each(array, path, limits)
    if not array.complete:
        rest = document.read(array.rest(), path, limits, before=array.elements)
        yield from _all_sampled(rest) if options.sample_every else rest


def _each(array: ArrayLines, path: str, limits: Limits) -> Iterator[Item]:
    number = 0
    for block in array.blocks():
        for line in block.split(b"\n")[:-1]:
            number += 1
            item = record(line, Origin(path, number), limits)
            if isinstance(item, Record):
                for event in envelope.events(item.document):
                    yield Record(item.origin, event)
            else:
                # Rare, and told in the words of documents.
                alone = io.BytesIO(b"[" + line + b"]")
                yield from document.read(alone, path, limits, before=number - 1)


def _all_sampled(items: Iterator[Record | Skipped]) -> Iterator[Item]:
    """Yield records that are all counted, each element once."""
    number = 0
    for item in items:
        if item.origin.number != number:
            number = item.origin.number
            yield Tally(1, 0, isinstance(item, Skipped))
        yield item
        if isinstance(item, Record):
            yield Sample(item)
