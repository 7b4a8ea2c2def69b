"""A raw stream over an object that is fetched a range at a time."""

import io
import time
from collections.abc import Callable
from typing import IO, Any

from smbrare.limits import KIB, MIB

FIRST_BYTES = 256 * KIB
"""What is fetched at first, and after a jump: enough to recognize an input, or to find a zip's end
without reading the rest."""

MOST_BYTES = 8 * MIB
"""What is fetched at a time of an object that is read on: a request costs tens of milliseconds."""

GROWTH = 4
"""How many times as much each fetch asks for as the one before."""

_FIRST_PAUSE = 0.2


class ReadAhead(io.RawIOBase):
    """The bytes of an object, in requests that grow as it is read on.

    It holds one answer, at most `MOST_BYTES` or what one call asks for, and no copy on disk.
    """

    def __init__(
        self, file: IO[bytes], size: int | None, explain: Callable[[Exception], str], tries: int = 1
    ) -> None:
        """Take a file that does not buffer.

        Args:
            file: Where each read is a request.
            size: Its bytes; None where they are not known, so that an early end goes unseen.
            explain: Gives an error of the library in words that may be shown.
            tries: How often to ask, where the library asks but once; the file can seek then.
        """
        super().__init__()
        self._file = file
        self._size = size
        self._explain = explain
        self._tries = tries
        self._seekable = file.seekable()
        self._next = FIRST_BYTES
        self._position = 0
        self._left = memoryview(b"")

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer.

        Raises:
            OSError: If the object cannot be read on, whatever the library raised.
        """
        target = memoryview(buffer).cast("B")
        if not target:
            return 0
        if not self._left:
            self._left = memoryview(self._fetch(max(self._next, len(target))))
            self._next = min(self._next * GROWTH, MOST_BYTES)
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        self._position += count
        return count

    def _fetch(self, count: int) -> bytes:
        if self._size is not None and self._position >= self._size:
            return b""
        for tried in range(1, self._tries + 1):
            try:
                answer = self._file.read(count)
                break
            except Exception as error:  # every library raises errors of its own
                if tried == self._tries:
                    raise OSError(self._explain(error)) from error
                time.sleep(_FIRST_PAUSE * 2**tried)
        if not answer and self._size is not None:
            raise OSError(f"ended after {self._position} of {self._size} bytes")
        return answer

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move, without a request.

        Raises:
            OSError: If the object can only be read from its start.
        """
        if not self._seekable or self._size is None:
            raise io.UnsupportedOperation("the server gives no part of an object")
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset != self._position:
            self._position = base + offset
            self._left = memoryview(b"")
            self._next = FIRST_BYTES
            self._file.seek(self._position)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether parts of the object can be asked for."""
        return self._seekable and self._size is not None

    def close(self) -> None:
        """Let go of the object."""
        if not self.closed:
            self._left = memoryview(b"")
            self._file.close()
        super().close()
