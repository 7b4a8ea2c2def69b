"""Members of zip archives, read where they stand, and what else lies in the file.

`zipfile` reads the list of members. They are unpacked here, because a member has to end where the
list says, and bytes that no member accounts for may be evidence that was not read.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

from smbrare.inputs.unpack import compression
from smbrare.inputs.unpack.archives import Member
from smbrare.inputs.unpack.compression import Codec
from smbrare.inputs.unpack.streams import BLOCK_BYTES, Budget, Damaged, Stream, blocks
from smbrare.inputs.unpack.zip_names import ENTRY, ENTRY_MAGIC, open_zip
from smbrare.limits import KIB, size_text
from smbrare.text import name_text

_MEMBER_MAGIC = b"PK\x03\x04"
_MEMBER = struct.Struct("<4s22x2H")  # Its magic; lengths of its name and of its extra fields.
_END_MAGIC = b"PK\x05\x06"
_END = struct.Struct("<4s16xH")  # Its magic; length of the archive's comment.
_END_64_MAGIC = b"PK\x06\x06"
_END_64 = struct.Struct("<4sQ")  # Its magic; length of what follows.
_LOCATOR_MAGIC = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_DESCRIPTOR_MAGIC = b"PK\x07\x08"
_DESCRIPTORS = (struct.Struct("<3L"), struct.Struct("<L2Q"))  # Checksum, size packed and unpacked.
_BEGINNINGS = (_MEMBER_MAGIC, _END_MAGIC, b"PK\x07\x08", b"PK00")
_SPANNING = _BEGINNINGS[2:]
"""What may stand before the first member: the zip was to be split into several files."""

_ENCRYPTED = 0x1
_LZMA_ENDS_BY_MARK = 0x2
_HAS_DESCRIPTOR = 0x8
_STORED, _LZMA = 0, 14
_LZMA_HEADER = struct.Struct("<2xH5s")  # Length of the properties, and these.

_OUTPUT_BYTES = 16 * KIB
"""Unpacked at a time: so much may be lost before damage."""

_MOST_NAMED = 3

# What zipfile raises for a list of members that is damaged or needs what it does not have.
_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class _FileRange:
    """A part of a file as a file of its own, that `zipfile` may read.

    A list of members that would fill the memory is refused: `zipfile` reads it at once and before
    anything else can be asked of it.

    Attributes:
        start: Where it begins in the file.
        size: Its length.
    """

    def __init__(self, file: IO[bytes], start: int, end: int, longest: int) -> None:
        self.start = start
        self.size = end - start
        self._file = file
        self._longest = longest
        self._position = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence, self.size)
        if position < 0:
            raise OSError("before the beginning")
        self._position = position
        return position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self._position)
        size = left if size < 0 else min(size, left)
        if size > self._longest:
            raise zipfile.BadZipFile(
                f"its list of members is longer than {size_text(self._longest)} "
                "(limit archive-directory-bytes)"
            )
        data = self.at(self._position, size)
        self._position += len(data)
        return data

    def at(self, place: int, size: int) -> bytes:
        """Return so many bytes from a place on, fewer only at the end; none where none are."""
        if not 0 <= place < self.size:
            return b""
        self._file.seek(self.start + place)
        return self._file.read(min(size, self.size - place))

    def between(self, start: int, end: int) -> Iterator[bytes]:
        """Yield what stands between two places, in blocks."""
        while start < end and (block := self.at(start, min(BLOCK_BYTES, end - start))):
            start += len(block)
            yield block

    def inside(self, start: int, end: int) -> "_FileRange":
        return _FileRange(self._file, self.start + start, self.start + end, self._longest)


def zip_members(file: IO[bytes], below: Stream, budget: Budget) -> Iterator[Member]:
    """Yield the files of a zip; one that cannot be read is an empty stream with its trouble.

    Zips that were joined are all read. A folder that has content counts as a file.

    Args:
        file: The archive, readable at any place.
        below: The stream that it was recognized on.
        budget: What the input may expand to.

    Raises:
        Damaged: If its list of members is damaged or too long; or, once all members were yielded,
            if there are bytes that none of them accounts for, zeros aside.
    """
    limits = budget.limits
    whole = _FileRange(file, 0, file.seek(0, io.SEEK_END), limits.archive_directory_bytes)
    unread, lost = [whole], []
    while unread:
        extent = unread.pop()
        if extent is not whole:
            budget.give_member()
        try:
            archive = open_zip(cast("IO[bytes]", extent))
        except _ERRORS as error:
            if extent is whole:
                raise Damaged(f"damaged zip: {error}") from None
            lost.append(extent)
            continue
        covered = [(archive.start_dir, _end_of_list(extent, archive))]
        for info in archive.infolist():
            budget.give_member()
            start, end = _place(extent, info)
            covered.append((info.header_offset, end))
            stream = Stream(_member(extent, info, start, budget), below)
            is_folder = info.filename.endswith("/")
            if not is_folder or (info.compress_size and (stream.head or stream.trouble)):
                yield Member(name_text(info.filename), stream)
        for gap in _gaps(extent, covered):
            (unread if gap.at(0, len(_MEMBER_MAGIC)) in _BEGINNINGS else lost).append(gap)
    if lost:
        raise Damaged(_not_read(lost))


def _place(extent: _FileRange, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where a member's content begins, and where all that belongs to it ends.

    Both are where its header should stand, if none stands there.
    """
    header = extent.at(info.header_offset, _MEMBER.size)
    if len(header) < _MEMBER.size or not header.startswith(_MEMBER_MAGIC):
        return info.header_offset, info.header_offset
    _, name, extra = _MEMBER.unpack(header)
    start = info.header_offset + _MEMBER.size + name + extra
    end = start + info.compress_size
    if info.flag_bits & _HAS_DESCRIPTOR:
        end += _descriptor_bytes(extent, info, end)
    return start, end


def _descriptor_bytes(extent: _FileRange, info: zipfile.ZipInfo, place: int) -> int:
    """Return the length of a member's data descriptor, of which there are four kinds."""
    sizes = (info.CRC, info.compress_size, info.file_size)
    found = extent.at(place, len(_DESCRIPTOR_MAGIC) + _DESCRIPTORS[-1].size)
    magic = len(_DESCRIPTOR_MAGIC) if found.startswith(_DESCRIPTOR_MAGIC) else 0
    for kind in _DESCRIPTORS:
        content = found[magic : magic + kind.size]
        if len(content) == kind.size and kind.unpack(content) == sizes:
            return magic + kind.size
    return 0


def _end_of_list(extent: _FileRange, archive: zipfile.ZipFile) -> int:
    """Return where the list of members ends, with all that belongs to it and may follow."""
    place = archive.start_dir
    while len(entry := extent.at(place, ENTRY.size)) == ENTRY.size:
        magic, *lengths = ENTRY.unpack(entry)
        if magic != ENTRY_MAGIC:
            break
        place += ENTRY.size + sum(lengths)
    end_64 = extent.at(place, _END_64.size)
    if end_64.startswith(_END_64_MAGIC) and len(end_64) == _END_64.size:
        place += _END_64.size + _END_64.unpack(end_64)[1]
    if extent.at(place, len(_LOCATOR_MAGIC)) == _LOCATOR_MAGIC:
        place += _LOCATOR_BYTES
    end = extent.at(place, _END.size)
    if end.startswith(_END_MAGIC) and len(end) == _END.size:
        place += _END.size + _END.unpack(end)[1]
    return place


def _gaps(extent: _FileRange, covered: list[tuple[int, int]]) -> Iterator[_FileRange]:
    """Yield what stands between the places that are covered, padding with zeros aside."""
    reached = 0
    for start, end in [*sorted(covered), (extent.size, extent.size)]:
        if (first := _first_byte(extent, reached, start)) < start:
            gap = extent.inside(first, start)
            if gap.size > len(_MEMBER_MAGIC) or gap.at(0, gap.size) not in _SPANNING:
                yield gap
        reached = max(reached, end)


def _first_byte(extent: _FileRange, start: int, end: int) -> int:
    """Return where the first byte stands that is not zero; the end, if there is none."""
    for block in extent.between(start, end):
        if content := block.lstrip(b"\0"):
            return start + len(block) - len(content)
        start += len(block)
    return max(start, end)


def _not_read(lost: list[_FileRange]) -> str:
    """Return what is told of bytes that no member accounts for."""
    lost.sort(key=lambda extent: extent.start)
    named = ", ".join(map(_described, lost[:_MOST_NAMED]))
    more = len(lost) - _MOST_NAMED
    return f"not in the zip's list of members, so not read: {named}" + (
        f" and {more} more" if more > 0 else ""
    )


def _described(extent: _FileRange) -> str:
    header = extent.at(0, _MEMBER.size)
    place = f"{extent.size} bytes from byte {extent.start} on"
    if not header.startswith(_MEMBER_MAGIC) or len(header) < _MEMBER.size:
        return place
    name = extent.at(_MEMBER.size, _MEMBER.unpack(header)[1])
    return f"{name.decode('utf-8', 'replace')} ({place})"


def _member(
    extent: _FileRange, info: zipfile.ZipInfo, start: int, budget: Budget
) -> Iterator[bytes]:
    """Yield what a member holds.

    Raises:
        Damaged: If it is encrypted or damaged, or does not end where the list says; what came
            before was yielded.
    """
    if start == info.header_offset:
        raise Damaged("damaged zip member: it is not where the list of members says")
    if info.flag_bits & _ENCRYPTED:
        raise Damaged("encrypted: unpack it first")
    packed = Stream(extent.between(start, start + info.compress_size))
    size = checksum = 0
    for block in _unpacked(packed, info, budget):
        size += len(block)
        checksum = zlib.crc32(block, checksum)
        yield block
    if packed.read(1):
        raise Damaged("damaged zip member: something follows the end of its data")
    if size != info.file_size:
        listed = f"{info.file_size} in the list of members"
        raise Damaged(f"damaged zip member: {size} bytes, {listed}")
    if checksum != info.CRC:
        raise Damaged("damaged zip member: its checksum is wrong")


def _unpacked(packed: Stream, info: zipfile.ZipInfo, budget: Budget) -> Iterator[bytes]:
    """Yield what a member's data holds, to the end of the data or of what it is packed in."""
    if info.compress_type == _STORED or not info.compress_size:
        for block in blocks(packed):
            budget.give(len(block))
            yield block
        return
    if info.compress_type not in _CODECS:
        method = f"compression method {info.compress_type} of zip"
        raise Damaged(f"{method} is not read here: unpack it first")
    name, load = _CODECS[info.compress_type]
    engines = compression.Engines(name, load(), budget, _OUTPUT_BYTES)
    before = _lzma_header(packed, info) if info.compress_type == _LZMA else b""
    if (yield from compression.member(packed, before + packed.read(BLOCK_BYTES), engines)):
        raise Damaged("damaged zip member: something follows the end of its data")


def _lzma_header(packed: Stream, info: zipfile.ZipInfo) -> bytes:
    """Return how LZMA data begins outside of a zip: its properties and its length, if known."""
    header = packed.read(_LZMA_HEADER.size)
    if len(header) < _LZMA_HEADER.size:
        raise Damaged("the lzma data is cut off")
    _, properties = _LZMA_HEADER.unpack(header)
    ends_by_mark = info.flag_bits & _LZMA_ENDS_BY_MARK
    return bytes(properties) + (b"\xff" * 8 if ends_by_mark else struct.pack("<Q", info.file_size))


_LOAD = {known.name: known.load for known in compression.COMPRESSIONS}
_CODECS: dict[int, tuple[str, Callable[[], Codec]]] = {
    8: ("deflate", compression.deflate),
    12: ("bzip2", _LOAD["bzip2"]),
    _LZMA: ("lzma", compression.lzma_alone),
    93: ("zstd", _LOAD["zstd"]),
}
"""What members are packed with, by zip's numbers."""
