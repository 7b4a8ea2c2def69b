"""Opens the list of members of a zip, also where a name in it is not the UTF-8 that it says."""

import struct
import zipfile
from typing import IO, cast

ENTRY_MAGIC = b"PK\x01\x02"
ENTRY = struct.Struct("<4s24x3H12x")
"""An entry of the list: its magic; lengths of its name, its extra fields and its comment."""

_UTF_8_FLAG_AT, _UTF_8_FLAG = 9, 0x08


class _NamesAsBytes:
    """A file for `zipfile` in which no entry of the list says that its name is UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seekable, self.seek, self.tell = file.seekable, file.seek, file.tell
        self._read = file.read

    def read(self, size: int = -1) -> bytes:
        data = bytearray(self._read(size))
        place = 0
        while data.startswith(ENTRY_MAGIC, place) and len(data) >= place + ENTRY.size:
            data[place + _UTF_8_FLAG_AT] &= ~_UTF_8_FLAG
            place += ENTRY.size + sum(ENTRY.unpack_from(data, place)[1:])
        return bytes(data)


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Return the list of members of a zip, bytes in names that are not UTF-8 as surrogates.

    Raises:
        What `zipfile` does of a damaged list.
    """
    try:
        return zipfile.ZipFile(file)
    except UnicodeDecodeError:
        archive = zipfile.ZipFile(cast("IO[bytes]", _NamesAsBytes(file)))
    for info in archive.infolist():
        # Without the flag each byte of a name is a character of code page 437.
        info.filename = info.filename.encode("cp437").decode("utf-8", "surrogateescape")
    return archive
