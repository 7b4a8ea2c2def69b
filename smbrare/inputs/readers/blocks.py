"""The lines of a stream, or of a range of it, in blocks of whole lines."""

from collections.abc import Iterator
from io import BufferedIOBase, RawIOBase
from mmap import PAGESIZE, mmap
from typing import Literal, TypeAlias

import stringzilla
from msgspec import Struct

from smbrare.limits import KIB, MIB

ByteStream: TypeAlias = BufferedIOBase | RawIOBase

_Chunk: TypeAlias = tuple[mmap, int]
"""A buffer, and how many bytes were read into it behind the room at its front."""

BLOCK_BYTES = MIB
"""What stays in a processor's cache while it is searched several times, and gives a bearable list
of hits where the digits are everywhere."""

_ROOM_BYTES = 64 * KIB


class LineBlock(Struct, frozen=True):
    """Some bytes of a range.

    Attributes:
        kind: ``lines`` for whole lines, ``rest`` for a last line without an end, ``too long`` for
            a line that was skipped.
        offset: Bytes from the start of the stream.
        text: The bytes, until another block is given.
    """

    kind: Literal["lines", "rest", "too long"]
    offset: int
    text: memoryview


def line_blocks(
    stream: ByteStream,
    start: int,
    end: int | None,
    longest: int,
    block_bytes: int = BLOCK_BYTES,
    *,
    head: bytes = b"",
) -> Iterator[LineBlock]:
    """Yield the lines that begin in a range of a stream.

    Args:
        stream: Bytes, at their start; seekable unless ``start`` is 0.
        start: First byte of the range.
        end: The byte past the range; None for the end of the stream.
        longest: The most bytes that a line may have, its end counted.
        block_bytes: Bytes of a block; a line that is longer is a block of its own.
        head: What was read from the stream before, and comes first.

    Raises:
        OSError, EOFError: If the stream fails; what was complete before that was yielded.
    """
    # A line begins at the offset if the byte before ends one.
    position = max(start - 1, 0)
    if position:
        stream.seek(position)
    # As far into a page as in the file: otherwise some processors copy at a quarter of their speed.
    room = min(block_bytes, _ROOM_BYTES) + position % PAGESIZE
    until = None if end is None else end - position
    window = _Window(_chunks(stream, room, block_bytes, until), room, position, head)
    if start:
        window.drop_line(end)
    while end is None or window.offset < end:
        # What a buffer holds is one block, with what was left of the one before.
        whole = window.whole_lines(min(room + block_bytes, longest), end)
        if whole > longest or (not whole and len(window.text) >= longest):
            yield LineBlock("too long", window.offset, window.text[:0])
            window.drop_line(end)
        elif whole:
            yield LineBlock("lines", window.offset, window.text[:whole])
            window.drop(whole)
        elif not window.read_on():
            if window.text:
                yield LineBlock("rest", window.offset, window.text)
            return


def _chunks(stream: ByteStream, room: int, size: int, until: int | None) -> Iterator[_Chunk]:
    """Yield what a stream holds.

    Args:
        stream: What to read.
        room: Bytes to leave free at the front of the buffer.
        size: Bytes to read at a time, into the same buffer.
        until: Bytes behind which only so much is read at a time as one line may need.
    """
    # Mapped memory begins at a page, as a file does in the system's cache.
    buffer = mmap(-1, room + size)
    while True:
        target = memoryview(buffer)[room:]
        if until is not None:
            target = target[: until if until > 0 else room]
        count = stream.readinto(target) or 0
        if not count:
            return
        if until is not None:
            until -= count
        yield buffer, count


class _Window:
    """The part of a stream that is in memory and was not given yet.

    Attributes:
        offset: Where its first byte stands in the stream.
        text: Its bytes.
    """

    def __init__(self, chunks: Iterator[_Chunk], room: int, offset: int, head: bytes) -> None:
        self._chunks = chunks
        self._room = room
        self.offset = offset
        self.text = memoryview(head)
        self._searched = 0

    def whole_lines(self, most: int, end: int | None) -> int:
        """Return the length of the first whole lines; of one alone if it is longer than asked.

        Args:
            most: The bytes that lines may have together.
            end: An offset of the stream, before which each is to begin.
        """
        text = stringzilla.Str(self.text)
        length = min(most, len(text))
        if end is not None and self.offset + length >= end:
            last: int = text.find(b"\n", max(end - 1 - self.offset, 0), length)
            if last >= 0:
                return last + 1
        past: int = text.rfind(b"\n", min(self._searched, length), length) + 1
        if not past:
            past = text.find(b"\n", max(self._searched, length)) + 1
        if not past:
            self._searched = len(text)
        return past

    def read_on(self) -> bool:
        """Read on, and return False at the end of the stream."""
        if len(self.text) > self._room:
            return self._double()
        # The buffer that it stands in may be the one to be filled next.
        rest = bytes(self.text)
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        buffer, count = chunk
        first = self._room - len(rest)
        self.text = memoryview(buffer)[first : self._room + count]
        self.text[: len(rest)] = rest
        return True

    def _double(self) -> bool:
        """Read on in a long line, about as much as there is of it: its bytes are copied."""
        text = bytearray(self.text)
        before = len(text)
        for buffer, count in self._chunks:
            text += memoryview(buffer)[self._room : self._room + count]
            if len(text) >= 2 * before:
                break
        self.text = memoryview(text)
        return len(text) > before

    def drop(self, count: int) -> None:
        """Let go of the first bytes."""
        self.text = self.text[count:]
        self.offset += count
        self._searched = 0

    def drop_line(self, end: int | None) -> None:
        """Pass over the bytes up to a line's end, or to an offset of the stream if it is first."""
        while not (past := stringzilla.Str(self.text).find(b"\n") + 1):
            self.drop(len(self.text))
            if (end is not None and self.offset >= end) or not self.read_on():
                return
        self.drop(past)
