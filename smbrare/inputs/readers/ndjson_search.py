"""NDJSON read for a few texts: of all lines only those that hold one of them are decoded."""

from collections.abc import Iterator, Sequence

import stringzilla
from ahocorasick_rs import BytesAhoCorasick

from smbrare.inputs.readers.blocks import BLOCK_BYTES, Stream, pieces
from smbrare.inputs.readers.ndjson import record
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Origin, Record

_LOWER = bytes(range(256)).lower()


def read_with(
    stream: Stream,
    path: str,
    texts: Sequence[bytes],
    limits: Limits = DEFAULT,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Record]:
    """Yield the records of the lines that hold any of some texts, whatever the case of letters.

    Lines that hold no JSON object, or are too long, are passed over: who reads an input for the
    first time tells.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins.
        texts: What to look for, in lower case; at least one, none of them empty.
        limits: The longest line to hold in memory, and how deep a record may nest.
        block_bytes: Bytes to search at a time.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    # Texts that begin alike are found by that byte, which is faster than all of them at once.
    finders = [
        BytesAhoCorasick([text for text in texts if text[0] == first])
        for first in {text[0] for text in texts}
    ]
    number = 1
    for piece in pieces(stream, 0, None, limits.record_bytes + 1, block_bytes):
        if piece.kind == "too long":
            number += 1
            continue
        block = stringzilla.Str(piece.text)
        counted = 0
        for first, past in _lines_with(piece.text, block, finders):
            number += block.count(b"\n", counted, first)
            counted = first
            origin = Origin(path, number, piece.offset + first)
            found = record(bytes(piece.text[first:past]), origin, limits)
            if isinstance(found, Record):
                yield found
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
