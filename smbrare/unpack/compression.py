"""Compressed streams: gzip, bzip2, xz and zstd, each to its real end.

All four consist of members or frames that may follow one another, padded with zero bytes. The
libraries share one interface, so one loop reads them all.
"""

import re
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

from msgspec import Struct

from smbrare.limits import KIB, MIB
from smbrare.unpack.streams import BLOCK_BYTES, Budget, Damaged, Stream

# A library that finds damage keeps back what it had not given yet: small steps lose little.
_OUTPUT_BYTES = 64 * KIB

_LONGEST_MAGIC = 10
_XZ_MEMORY = 256 * MIB


class Decompressor(Protocol):
    """What the libraries' decompressors of one member have in common."""

    @property
    def eof(self) -> bool:
        """Whether the member is complete."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without more going in."""

    @property
    def unused_data(self) -> bytes:
        """What followed the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes of what the data decompresses to."""


class Codec(Struct, frozen=True):
    """A library at work.

    Attributes:
        new: Makes the decompressor of one member.
        errors: What it raises for damaged data.
    """

    new: Callable[[], Decompressor]
    errors: tuple[type[Exception], ...]


class Compression(Struct, frozen=True):
    """A compressed format.

    Attributes:
        name: Its name, for the user.
        magic: Matches the first bytes of a member.
        load: Imports the library.
    """

    name: str
    magic: re.Pattern[bytes]
    load: Callable[[], Codec]


def _gzip() -> Codec:
    from isal import igzip_lib  # noqa: PLC0415

    def new() -> Decompressor:
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

    # Its stub says that the class is an instance.
    return Codec(new, (igzip_lib.IsalError,))  # type: ignore[arg-type]


def _bzip2() -> Codec:
    import bz2  # noqa: PLC0415

    return Codec(bz2.BZ2Decompressor, (OSError, ValueError))


def _xz() -> Codec:
    import lzma  # noqa: PLC0415

    def new() -> Decompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    return Codec(new, (lzma.LZMAError,))


def _zstd() -> Codec:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return Codec(zstd.ZstdDecompressor, (zstd.ZstdError,))


COMPRESSIONS = (
    Compression("gzip", re.compile(rb"\x1f\x8b\x08"), _gzip),
    # The mark of a first block, or of a file without one, follows the level.
    Compression(
        "bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)", re.DOTALL), _bzip2
    ),
    Compression("xz", re.compile(rb"\xfd7zXZ\0"), _xz),
    # A frame, or one that carries no data.
    Compression("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL), _zstd),
)


def recognize(head: bytes) -> Compression | None:
    """Return the compression that a stream's first bytes show, or None."""
    for compression in COMPRESSIONS:
        if compression.magic.match(head):
            return compression
    return None


def decompressed(stream: Stream, compression: Compression, budget: Budget) -> Iterator[bytes]:
    """Yield what a compressed stream holds, over all of its members.

    Raises:
        Damaged: If it is corrupt, cut off, followed by something else, or larger than the budget
            allows; what came before was yielded.
    """
    codec = compression.load()
    data = stream.read(BLOCK_BYTES)
    while data:
        left = yield from _member(stream, data, codec, compression.name, budget)
        data = _after_padding(stream, left)
        if data and not compression.magic.match(data):
            raise Damaged(f"something else follows the {compression.name} data")


def _member(
    stream: Stream, data: bytes, codec: Codec, name: str, budget: Budget
) -> Generator[bytes, None, bytes]:
    """Yield what one member holds; return what was read beyond it."""
    engine = codec.new()
    while True:
        try:
            output = engine.decompress(data, _OUTPUT_BYTES)
        except codec.errors as error:
            raise Damaged(f"damaged {name} data: {error}") from None
        budget.give(len(output))
        yield output
        if engine.eof:
            return engine.unused_data
        data = stream.read(BLOCK_BYTES) if engine.needs_input else b""
        if engine.needs_input and not data:
            raise Damaged(f"the {name} data is cut off")


def _after_padding(stream: Stream, data: bytes) -> bytes:
    """Return the first bytes that are not padding, enough to know a member by; empty at the end."""
    while not (data := data.lstrip(b"\0")):
        data = stream.read(BLOCK_BYTES)
        if not data:
            return b""
    if len(data) < _LONGEST_MAGIC:
        data += stream.read(BLOCK_BYTES)
    return data
