"""Compressed streams: gzip, bzip2, xz and zstd, each to its real end.

All four consist of members or frames that may follow one another, padded with zero bytes. The
libraries share one interface, so one loop reads them all.
"""

import re
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial as bind
from typing import Protocol

from msgspec import Struct

from smbrare.inputs.unpack.streams import BLOCK_BYTES, HEAD_BYTES, Budget, Damaged, Stream
from smbrare.limits import KIB, MIB

# A library that finds damage keeps back what it had not given yet: small steps lose little.
_OUTPUT_BYTES = 64 * KIB
_OUTPUT_BYTES_AHEAD = MIB
"""Each step costs the thread that unpacks a wait for the interpreter."""

AHEAD_BYTES = HEAD_BYTES
"""Compressed bytes from which on a thread unpacks: fewer take less time than it takes to start."""

_BLOCKS_AHEAD = 3
_SECONDS_TO_SWITCH = 1e-5

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


def _isal(form: str) -> Codec:
    from isal import igzip_lib  # noqa: PLC0415

    def new() -> Decompressor:
        return igzip_lib.IgzipDecompressor(flag=getattr(igzip_lib, form))

    # Its stub says that the class is an instance.
    return Codec(new, (igzip_lib.IsalError,))  # type: ignore[arg-type]


def _bzip2() -> Codec:
    import bz2  # noqa: PLC0415

    return Codec(bz2.BZ2Decompressor, (OSError, ValueError))


def _lzma(form: str) -> Codec:
    import lzma  # noqa: PLC0415

    def new() -> Decompressor:
        return lzma.LZMADecompressor(getattr(lzma, form), memlimit=_XZ_MEMORY)

    return Codec(new, (lzma.LZMAError,))


def _zstd() -> Codec:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return Codec(zstd.ZstdDecompressor, (zstd.ZstdError,))


def deflate() -> Codec:
    """Return the codec of deflated data without the header and the checksum of gzip."""
    return _isal("DECOMP_DEFLATE")


def lzma_alone() -> Codec:
    """Return the codec of LZMA data that begins with its properties and its length."""
    return _lzma("FORMAT_ALONE")


COMPRESSIONS = (
    Compression("gzip", re.compile(rb"\x1f\x8b\x08"), bind(_isal, "DECOMP_GZIP")),
    # The mark of a first block, or of a file without one, follows the level.
    Compression(
        "bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)", re.DOTALL), _bzip2
    ),
    Compression("xz", re.compile(rb"\xfd7zXZ\0"), bind(_lzma, "FORMAT_XZ")),
    # A frame, or one that carries no data.
    Compression("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL), _zstd),
)


def recognize(head: bytes) -> Compression | None:
    """Return the compression that a stream's first bytes show, or None."""
    for compression in COMPRESSIONS:
        if compression.magic.match(head):
            return compression
    return None


def is_packed(container: str) -> bool:
    """Return whether one of a container's layers is compressed by a format of this module."""
    return any(compression.name in container.split() for compression in COMPRESSIONS)


def decompressed(
    stream: Stream, compression: Compression, budget: Budget, *, ahead: bool = False
) -> Generator[bytes]:
    """Yield what a compressed stream holds, over all of its members.

    Args:
        stream: The compressed bytes, of which none was read yet.
        compression: What they are compressed with.
        budget: What they may expand to.
        ahead: Whether to unpack a stream of some length in a thread while what it gave is worked
            on, in large steps, of which more is lost before damage.

    Raises:
        Damaged: If it is corrupt, cut off, followed by something else, or larger than the budget
            allows; what came before was yielded.
    """
    if not ahead or len(stream.head) < AHEAD_BYTES:
        return _members(stream, compression, budget, _OUTPUT_BYTES)
    return _in_thread(_members(stream, compression, budget, _OUTPUT_BYTES_AHEAD))


def _in_thread(blocks: Iterator[bytes]) -> Generator[bytes]:
    """Yield the same, each of which is made in a thread while the one before is worked on."""
    # Most inputs are not compressed, and do without it.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    # The thread seldom wants the interpreter, but waits for it each time it has unpacked a little.
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    try:
        with ThreadPoolExecutor(1) as thread:
            coming = deque(thread.submit(next, blocks, None) for _ in range(_BLOCKS_AHEAD))
            while (block := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, blocks, None))
                yield block
    finally:
        sys.setswitchinterval(usual)


def _members(
    stream: Stream, compression: Compression, budget: Budget, step: int
) -> Generator[bytes]:
    engines = Engines(compression.name, compression.load(), budget, step)
    data = stream.read(BLOCK_BYTES)
    while data:
        left = yield from member(stream, data, engines)
        data = _after_padding(stream, left)
        if data and not compression.magic.match(data):
            raise Damaged(f"something else follows the {compression.name} data")


class Engines(Struct, frozen=True):
    """How the members of a stream are decompressed."""

    name: str
    codec: Codec
    budget: Budget
    step: int


def member(stream: Stream, data: bytes, engines: Engines) -> Generator[bytes, None, bytes]:
    """Yield what one member holds; return what was read beyond it.

    Args:
        stream: What is left of the compressed bytes.
        data: The first of them.
        engines: What unpacks them.

    Raises:
        Damaged: If it is corrupt or cut off, or the budget is spent.
    """
    engine = engines.codec.new()
    while True:
        try:
            output = engine.decompress(data, engines.step)
        except engines.codec.errors as error:
            raise Damaged(f"damaged {engines.name} data: {error}") from None
        engines.budget.give(len(output))
        yield output
        if engine.eof:
            return engine.unused_data
        data = stream.read(BLOCK_BYTES) if engine.needs_input else b""
        if engine.needs_input and not data:
            raise Damaged(f"the {engines.name} data is cut off")


def _after_padding(stream: Stream, data: bytes) -> bytes:
    """Return the first bytes that are not padding, enough to know a member by; empty at the end."""
    while not (data := data.lstrip(b"\0")):
        data = stream.read(BLOCK_BYTES)
        if not data:
            return b""
    if len(data) < _LONGEST_MAGIC:
        data += stream.read(BLOCK_BYTES)
    return data
