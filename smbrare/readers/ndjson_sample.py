"""A sample of an NDJSON file: what it holds, told by some of its lines."""

from collections.abc import Iterator
from io import BufferedIOBase, RawIOBase
from typing import TypeAlias

from smbrare.event import Origin, Record
from smbrare.limits import KIB, MIB
from smbrare.readers.ndjson import record

Stream: TypeAlias = BufferedIOBase | RawIOBase

_READ_BYTES = 16 * KIB
_SEARCHED_BYTES = MIB


def sample(stream: Stream, path: str, size: int, count: int) -> Iterator[Record]:
    """Yield about a number of whole records: the first, the last, and evenly spread ones.

    The same file gives the same records however often it is asked. What cannot be decoded is left
    out, and so is a line that does not end within a MiB of where it was looked for.

    Args:
        stream: Seekable UTF-8 bytes.
        path: The input's name, for the records' origins; their numbers are 0, for unknown.
        size: Length of the stream in bytes.
        count: Records wanted; of a file with fewer lines each is given once.

    Raises:
        OSError: If the stream fails.
    """
    reached = -1
    for near in [*(size * part // count for part in range(count)), _last_line(stream, size)]:
        start, line = _line_from(stream, near)
        if start <= reached or not line.strip():
            continue
        reached = start
        item = record(line, Origin(path, 0, start))
        if isinstance(item, Record):
            yield item


def _last_line(stream: Stream, size: int) -> int:
    """Return where the last line begins, or somewhere in it if it is long."""
    tail = min(size, _READ_BYTES)
    stream.seek(size - tail)
    text = stream.read(tail).rstrip()
    return size - tail + text.rfind(b"\n") + 1


def _line_from(stream: Stream, near: int) -> tuple[int, bytes]:
    """Return the first line that begins at an offset or behind it, and where; empty if none."""
    before = max(near - 1, 0)
    stream.seek(before)
    text = b""
    begin = 0
    while len(text) < _SEARCHED_BYTES and (more := stream.read(max(len(text), _READ_BYTES))):
        text += more
        begin = text.find(b"\n") + 1 if near else 0
        if (begin or not near) and (past := text.find(b"\n", begin) + 1):
            return before + begin, text[begin:past]
    # The last line needs no end.
    is_last = len(text) < _SEARCHED_BYTES and (begin or not near)
    return before + begin, text[begin:] if is_last else b""
