"""NDJSON read for a few texts: of all lines only those that hold one of them are decoded."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ahocorasick_rs import BytesAhoCorasick

from smbrare.event import Origin, Record
from smbrare.limits import DEFAULT, MIB, Limits
from smbrare.readers.ndjson import record


def read_with(
    stream: BinaryIO,
    path: str,
    texts: Sequence[bytes],
    limits: Limits = DEFAULT,
    *,
    block_bytes: int = MIB,
) -> Iterator[Record]:
    """Yield the records of the lines that hold any of some texts, whatever the case of letters.

    Lines that hold no JSON object are passed over: who reads an input for the first time tells.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins.
        texts: What to look for, in lower case; at least one, none of them empty.
        limits: The longest line to hold in memory; longer ones are passed over.
        block_bytes: Bytes to read at a time.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    finder = BytesAhoCorasick(list(texts))
    number, offset = 0, 0
    for block in _whole_lines(stream, limits, block_bytes):
        if isinstance(block, int):
            number, offset = number + 1, offset + block
            continue
        counted = 0
        for start, end in _lines_with(block, finder):
            number += block.count(b"\n", counted, start)
            counted = start
            origin = Origin(path, number + 1, offset + start)
            found = record(block[start:end], origin, limits)
            if isinstance(found, Record):
                yield found
        number += block.count(b"\n", counted)
        offset += len(block)


def _lines_with(block: bytes, finder: BytesAhoCorasick) -> Iterator[tuple[int, int]]:
    """Yield where the lines that hold a text begin and end in a block of whole lines."""
    end = 0
    for _, hit, _ in finder.find_matches_as_indexes(block.lower()):
        if hit >= end:
            start = block.rfind(b"\n", 0, hit) + 1
            end = block.find(b"\n", hit) + 1 or len(block)
            yield start, end


def _whole_lines(stream: BinaryIO, limits: Limits, block_bytes: int) -> Iterator[bytes | int]:
    """Yield a stream in blocks of whole lines, and the length of each line that is too long."""
    rest = bytearray()
    while block := stream.read(block_bytes):
        cut = block.rfind(b"\n") + 1
        rest += block[:cut] or block
        if cut:
            yield bytes(rest)
            rest = bytearray(block[cut:])
        elif len(rest) > limits.record_bytes:
            length = len(rest)
            while part := stream.readline(block_bytes):
                length += len(part)
                if part.endswith(b"\n"):
                    break
            yield length
            rest.clear()
    if rest:
        yield bytes(rest)
