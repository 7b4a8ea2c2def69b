"""Writes zips byte by byte, so that tests may have them say what is not so."""

import struct
import zlib
from dataclasses import dataclass

DESCRIPTORS = {
    "with a mark": (b"PK\x07\x08", "<3L"),
    "without a mark": (b"", "<3L"),
    "of zip64": (b"PK\x07\x08", "<L2Q"),
    "of zip64 without a mark": (b"", "<L2Q"),
}
"""What data descriptors begin with, and their fields: checksum, size packed, size unpacked."""


@dataclass(frozen=True)
class Written:
    """A member.

    Attributes:
        name: Its name.
        content: What it holds.
        claimed: What the list of members says of it, if that is something else.
        descriptor: The kind of its data descriptor, if it has one.
        stored: Whether it is not packed.
        behind: What stands between the end of its data and the end of the room for them.
        listed: Whether it is in the list of members.
    """

    name: str
    content: bytes
    claimed: bytes | None = None
    descriptor: str = ""
    stored: bool = False
    behind: bytes = b""
    listed: bool = True

    def data(self) -> bytes:
        """Return the packed bytes."""
        if self.stored:
            return self.content + self.behind
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(self.content) + packer.flush() + self.behind

    def fields(self, *, sizes: bool) -> bytes:
        """Return what its header and its entry in the list have in common."""
        claimed = self.content if self.claimed is None else self.claimed
        known = (zlib.crc32(claimed), len(self.data()), len(claimed)) if sizes else (0, 0, 0)
        flags = 0x8 if self.descriptor else 0
        method = 0 if self.stored else 8
        return struct.pack("<5H3LH", 20, flags, method, 0, 33, *known, len(self.name.encode()))

    def local(self) -> bytes:
        """Return its header, its data and its descriptor."""
        header = (
            b"PK\x03\x04" + self.fields(sizes=not self.descriptor) + bytes(2) + self.name.encode()
        )
        if not self.descriptor:
            return header + self.data()
        mark, fields = DESCRIPTORS[self.descriptor]
        sizes = (zlib.crc32(self.content), len(self.data()), len(self.content))
        return header + self.data() + mark + struct.pack(fields, *sizes)

    def entry(self, offset: int) -> bytes:
        """Return its entry in the list of members."""
        rest = struct.pack("<4H2L", 0, 0, 0, 0, 0, offset)
        return (
            b"PK\x01\x02"
            + struct.pack("<H", 20)
            + self.fields(sizes=True)
            + rest
            + self.name.encode()
        )


def zip_file(*members: Written, before: bytes = b"", comment: bytes = b"") -> bytes:
    """Return a zip of members, whose places in the list count what stands before the first."""
    content, entries = before, []
    for member in members:
        if member.listed:
            entries.append(member.entry(len(content)))
        content += member.local()
    listed = b"".join(entries)
    count, size, place = len(entries), len(listed), len(content)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, place, len(comment))
    return content + listed + end + comment
