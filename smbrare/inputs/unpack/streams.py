"""Layers of bytes: each reads from the one below, ends where it fails, and says why.

A layer that raised would take with it what a buffer above had already gathered. So it ends like a
file that is complete, every good record before the damage is read, and whoever read it asks
`Layer.trouble` afterwards.
"""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from msgspec import Struct

from smbrare.limits import KIB, MIB, Limits, size_text

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 64 * KIB
"""How much of a stream is looked at to recognize it; a pipe is read that far before the first
record comes out."""

BLOCK_BYTES = 64 * KIB

_SPOOLED_IN_MEMORY = 32 * MIB
_UTF_8_MARK = codecs.BOM_UTF8
_UTF_16 = {
    # With its mark, or by printable ASCII characters beside NULs, as no other text begins.
    "utf-16-le": re.compile(rb"(?P<mark>\xff\xfe)|(?:[\t\n\r\x1e -~]\0){4}"),
    "utf-16-be": re.compile(rb"(?P<mark>\xfe\xff)|(?:\0[\t\n\r\x1e -~]){4}"),
}

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_DEV_TOOLS = re.compile(rb"\s*# (?:GET|POST|PUT|HEAD) [^\n]*\n")
"""How the answers of several requests begin in Kibana's Dev Tools."""
_COMMENTS = re.compile(rb"(?m)^ *#!? [^\n]*")


class Damaged(Exception):  # noqa: N818 - says what the stream is
    """A stream that cannot be read on; the message says why, for the user."""


class Budget(Struct):
    """What one input may still expand to, over all of its layers and members.

    Attributes:
        limits: The bounds.
        taken: Bytes read from the input itself so far, or its size where that is known.
        given: Bytes that layers and members gave so far.
        members: Members of archives so far, of those inside one another too.
    """

    limits: Limits
    taken: int = 0
    given: int = 0
    members: int = 0

    def give_member(self) -> None:
        """Count a member of an archive.

        Raises:
            Damaged: If there are more than the limits allow.
        """
        self.members += 1
        if self.members > self.limits.archive_members:
            most = self.limits.archive_members
            raise Damaged(f"more than {most} members (limit archive-members)")

    def give(self, size: int) -> None:
        """Count bytes that a layer gives.

        Raises:
            Damaged: If the input has become larger than the limits allow.
        """
        self.given += size
        if self.given > self.limits.decompressed_bytes:
            most = size_text(self.limits.decompressed_bytes)
            raise Damaged(f"unpacks to more than {most} (limit decompressed-bytes)")
        if (
            self.given > self.limits.expansion_free_bytes
            and self.given > self.limits.expansion * self.taken
        ):
            raise Damaged(
                f"unpacks to more than {self.limits.expansion} times its size (limit expansion)"
            )


class Layer(io.RawIOBase):
    """The bytes that an iterator of blocks gives, as a stream."""

    def __init__(self, blocks: Iterable[bytes | memoryview], below: "Layer | None" = None) -> None:
        super().__init__()
        self._blocks = iter(blocks)
        self._below = below
        self._left = memoryview(b"")
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the stream ended before its end, for the user; empty if it did not.

        The deepest layer that failed is the cause of what failed above it.
        """
        below = self._below.trouble if self._below is not None else ""
        return below or self._trouble

    def readable(self) -> bool:
        """Return True: a layer is there to be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer and return the bytes read: fewer than it holds only at the end."""
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target):
            if not self._left and not self._advance():
                break
            taken = min(len(self._left), len(target) - filled)
            target[filled : filled + taken] = self._left[:taken]
            self._left = self._left[taken:]
            filled += taken
        return filled

    def _advance(self) -> bool:
        """Take the next block that is not empty; return whether there was one."""
        try:
            for block in self._blocks:
                if block:
                    self._left = memoryview(block)
                    return True
        except Damaged as damage:
            self._trouble = str(damage)
        except OSError as error:
            self._trouble = f"cannot be read: {error.strerror or error}"
        return False


class Stream(io.BufferedReader):
    """A layer with a buffer whose ``peek`` shows the first `HEAD_BYTES` or all there is."""

    def __init__(self, blocks: Iterable[bytes | memoryview], below: "Stream | None" = None) -> None:
        self.layer: Layer = Layer(blocks, below.layer if below is not None else None)
        super().__init__(self.layer, HEAD_BYTES)

    @property
    def head(self) -> bytes:
        """The first bytes of a stream that nothing was read from yet."""
        return self.peek(HEAD_BYTES)

    @property
    def trouble(self) -> str:
        """Why the stream ended before its end, for the user; empty if it did not."""
        return self.layer.trouble


def blocks(stream: BinaryIO, budget: Budget | None = None) -> Iterator[bytes]:
    """Yield what a stream holds from where it stands, counting it as taken from the input.

    Raises:
        OSError: If the stream fails.
    """
    # One read at a time: a read that goes on into a failure loses what it had.
    read = getattr(stream, "read1", stream.read)
    while block := read(BLOCK_BYTES):
        if budget is not None:
            budget.taken += len(block)
        yield block


def as_utf_8(stream: Stream) -> Stream:
    """Return a text stream as UTF-8 without a byte order mark.

    UTF-16 is known by its mark, or by how it begins. The mark of UTF-8 becomes as many blanks,
    which every text format passes over, so that offsets stay those of the input.
    """
    head = stream.head
    if head.startswith(_UTF_8_MARK):
        return Stream(_blank_mark(stream), stream)
    for encoding, beginning in _UTF_16.items():
        if found := beginning.match(head):
            return Stream(_transcoded(stream, encoding, len(found["mark"] or b"")), stream)
    return stream


def is_utf_16(head: bytes) -> bool:
    """Return whether a text is UTF-16, by its first bytes."""
    return any(beginning.match(head) for beginning in _UTF_16.values())


def _blank_mark(stream: Stream) -> Iterator[bytes]:
    stream.read(len(_UTF_8_MARK))
    yield b" " * len(_UTF_8_MARK)
    yield from blocks(stream)


def _transcoded(stream: Stream, encoding: str, mark_bytes: int) -> Iterator[bytes]:
    stream.read(mark_bytes)
    # Half a surrogate pair must not hide the record that it stands in.
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks(stream):
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def as_read(text: Stream, head: bytes) -> Iterator[bytes]:
    """Yield what `as_utf_8` returned in the encoding that it had, by the first bytes of its stream.

    What stands in UTF-16 as its mark says need not be: a shell may append in another encoding.
    """
    encoding = next((name for name, beginning in _UTF_16.items() if beginning.match(head)), "")
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for block in blocks(text):
        yield decoder.decode(block).encode(encoding, "replace") if encoding else block


def spool(stream: Stream, limits: Limits) -> IO[bytes]:
    """Copy what is left of a stream to where it can be read at any place.

    The copy lies in memory, above 32 MiB in a temporary file without a name.

    Raises:
        Damaged: If it is larger than ``limits.spool_bytes``, or cannot be written.
    """
    import tempfile  # noqa: PLC0415 - few inputs need a copy

    copy = cast("IO[bytes]", tempfile.SpooledTemporaryFile(_SPOOLED_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        for block in blocks(stream):
            size += len(block)
            if size > limits.spool_bytes:
                most = size_text(limits.spool_bytes)
                raise Damaged(f"a copy longer than {most} (limit spool-bytes)")  # noqa: TRY301
            copy.write(block)
        copy.seek(0)
    except OSError as error:
        copy.close()
        raise Damaged(f"no room for a temporary copy: {error.strerror or error}") from None
    except Damaged:
        copy.close()
        raise
    return copy


def frame_around(head: bytes) -> str:
    """Return what a program printed around JSON, by the first bytes of a text; empty for nothing.

    That is ``http`` for the headers of an answer, ``console`` for comments between answers.
    """
    if _headers(head):
        return "http"
    return "console" if _DEV_TOOLS.match(head) else ""


def without_frame(stream: Stream) -> Iterator[bytes]:
    """Yield a text with blanks for what `frame_around` found.

    No JSON minds blanks, and offsets and lines stay those of the input.
    """
    if headers := _headers(stream.head):
        yield _blank(stream.read(headers))
        yield from blocks(stream)
        return
    rest = b""
    for block in blocks(stream):
        text = rest + block
        past = text.rfind(b"\n") + 1
        rest = text[past:]
        yield _COMMENTS.sub(lambda comment: _blank(comment[0]), text[:past])
    yield _COMMENTS.sub(lambda comment: _blank(comment[0]), rest)


def _headers(head: bytes) -> int:
    """Return the length of the headers that ``curl -i`` prints, those of redirects too."""
    at = end = len(head) - len(head.lstrip())
    while head.startswith(b"HTTP/", at) and (blank := _BLANK_LINE.search(head, at)):
        at = end = blank.end()
    return end if head[:end].strip() else 0


def _blank(text: bytes) -> bytes:
    return re.sub(rb"[^\r\n]", b" ", text)
