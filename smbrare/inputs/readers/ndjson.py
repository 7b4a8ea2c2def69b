"""NDJSON: one JSON object a line. A bad line costs no other line."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from smbrare.limits import DEFAULT, MIB, TOO_DEEP, Limits, longer_than
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.json_text import BadJson, decode, nests_deeper
from smbrare.rule.port_sieve import may_match


def read(stream: BinaryIO, path: str, limits: Limits = DEFAULT) -> Iterator[Record | Skipped]:
    """Yield the records of an NDJSON stream, and what had to be skipped.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins.
        limits: The longest line to hold in memory, and how deep a record may nest.

    Raises:
        OSError, EOFError: If the stream fails; records before that were yielded.
    """
    offset = 0
    number = 0
    while line := stream.readline(limits.record_bytes + 1):
        number += 1
        origin = Origin(path, number, offset)
        offset += len(line)
        if len(line) > limits.record_bytes and not line.endswith(b"\n"):
            offset += _skip_line(stream)
            yield too_long(origin, limits)
        elif not is_blank(line):
            yield record(line, origin, limits)


def is_blank(line: bytes) -> bool:
    """Return whether a line holds nothing but white space, a byte order mark before it aside."""
    return not line.removeprefix(codecs.BOM_UTF8).strip()


def record(line: bytes, origin: Origin, limits: Limits = DEFAULT) -> Record | Skipped:
    """Return what a line that is not blank holds.

    Args:
        line: The line with its end, which only the last of an input may lack: a line without one
            that is no JSON was cut off. A byte order mark at its beginning, as files that were
            joined have in their midst, is passed over.
        origin: Where the line stands.
        limits: How deep it may nest.
    """
    try:
        document = decode(_blanked(line))
    except BadJson as error:
        if not line.endswith(b"\n"):
            return Skipped(origin, f"cut off: {error}", could_matter=True, ends_input=True)
        return Skipped(origin, str(error), could_matter=may_match(line) or _is_torn(line))
    if not isinstance(document, dict):
        return Skipped(origin, f"no object: {type(document).__name__}", may_match(line))
    if nests_deeper(line, document, limits.nesting):
        return Skipped(origin, TOO_DEEP, could_matter=may_match(line))
    return Record(origin, document)


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


def _skip_line(stream: BinaryIO) -> int:
    """Read on to the end of the line and return the bytes passed over."""
    skipped = 0
    while part := stream.readline(MIB):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
