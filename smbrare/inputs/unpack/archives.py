"""Members of archives, and those of tar; nothing is ever written to disk."""

import tarfile
from collections.abc import Iterator
from typing import IO, cast

from msgspec import Struct

from smbrare.inputs.unpack.streams import BLOCK_BYTES, Budget, Damaged, Stream
from smbrare.limits import MIB
from smbrare.text import name_text

_TAR_BLOCK = 512
_TAR_READ = 20 * _TAR_BLOCK
_TAR_HEADER_BYTES = 1 * MIB

# RecursionError: it reads a chain of headers by calling itself.
_TAR_ERRORS = (tarfile.TarError, OverflowError, RecursionError, ValueError)


class Member(Struct, frozen=True):
    """A file in an archive.

    Attributes:
        name: Its path in the archive, as written there; by `text.name_text`.
        stream: What it holds.
    """

    name: str
    stream: Stream


def tar_members(stream: Stream, budget: Budget) -> Iterator[Member]:
    """Yield the files of a tar, in order; each must be read before the next is asked for.

    Links, folders and devices hold nothing of their own.

    Raises:
        Damaged: If it is damaged, or stops without its end mark; what came before was yielded.
    """
    source = _TarSource(stream)
    try:
        file = cast("IO[bytes]", source)  # Reading in one direction needs nothing but read.
        with tarfile.open(fileobj=file, mode="r|", bufsize=_TAR_READ) as archive:
            for info in _headers(archive, source):
                budget.give_member()
                if info.isreg() or info.type not in tarfile.SUPPORTED_TYPES:
                    member = Stream(_tar_member(archive, info, source, budget), stream)
                    yield Member(name_text(info.name), member)
                    while member.read(BLOCK_BYTES):
                        pass
            source.check_end(archive.offset)
    except _TAR_ERRORS as error:
        raise Damaged(f"damaged tar: {error}") from None


class _TarSource:
    """A tar's stream, that knows where reading ended and refuses endless headers.

    `tarfile` takes a damaged header for the end of the archive, and reads the long form of a
    header into memory whatever its size.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._recent = b""
        self._position = 0
        self.in_header = True
        self._header_bytes = 0

    def start_header(self) -> None:
        self.in_header = True
        self._header_bytes = 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        self._recent = (self._recent + data)[-2 * _TAR_READ :]
        if self.in_header:
            self._header_bytes += len(data)
            if self._header_bytes > _TAR_HEADER_BYTES:
                raise Damaged("damaged tar: a header that does not end")
        return data

    def recent(self, offset: int) -> bytes:
        """Return what was read from an offset on; empty if that is too long ago."""
        start = offset - (self._position - len(self._recent))
        return self._recent[start:] if start >= 0 else b""

    def check_end(self, offset: int) -> None:
        """Check that an empty block stands at an offset, and nothing but such blocks behind it.

        Raises:
            Damaged: If not.
        """
        rest = self.recent(offset)
        if rest[:_TAR_BLOCK] != bytes(_TAR_BLOCK):
            raise Damaged("the tar is cut off or damaged: no end mark follows its last member")
        while not rest.strip(b"\0"):
            rest = self._stream.read(BLOCK_BYTES)
            if not rest:
                return
        raise Damaged("something else follows the end of the tar")


def _headers(archive: tarfile.TarFile, source: _TarSource) -> Iterator[tarfile.TarInfo]:
    source.start_header()
    while (info := archive.next()) is not None:
        source.in_header = False
        yield info
        # It would keep every header of the archive (the attribute is missing in the stubs).
        archive.members.clear()  # type: ignore[attr-defined]
        source.start_header()


def _tar_member(
    archive: tarfile.TarFile, info: tarfile.TarInfo, source: _TarSource, budget: Budget
) -> Iterator[bytes]:
    given = 0
    try:
        file = archive.extractfile(info)
        while file is not None and (block := file.read(_TAR_READ)):
            budget.give(len(block))
            given += len(block)
            yield block
    except _TAR_ERRORS as error:
        if not info.issparse():  # tarfile keeps back a block that is cut short.
            yield source.recent(info.offset_data + given)[: max(0, info.size - given)]
        raise Damaged(f"damaged tar member: {error}") from None
