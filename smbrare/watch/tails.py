"""Reads what one growing file has gained, in complete lines.

A file is its device and inode, and begins with the bytes that were read before. The last line waits
for its end. A file that was truncated, or made anew in its place, is read from its start.
"""

import hashlib
import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.baseline.checkpoints import Checkpoint
from smbrare.inputs import containers
from smbrare.inputs.readers.ndjson import too_long
from smbrare.inputs.unpack.streams import is_utf_16
from smbrare.limits import KIB, MIB, Limits
from smbrare.records.event import Origin, Skipped
from smbrare.sources import column_names
from smbrare.text import name_from, name_text

CHUNK_BYTES = 4 * MIB
"""Read of a file at a time."""

HEAD_BYTES = KIB
"""By how many of its first bytes a file is known again."""

RECOGNIZED = "ndjson"
"""What is followed."""

_UNKNOWN = "no log that is known"

Note: TypeAlias = Callable[[str], None]
"""Called with what was noticed of a file that is no trouble, for the user."""


class Tail(Struct):
    """One file and how far it was read.

    Attributes:
        identity: Its device and inode.
        path: Its name, or the last that it had where the paths that are watched led to it.
        named: Whether the user gave that name, and not the folder that it lies in.
        file: The open file, if it is open.
        offset: Bytes read, to the beginning of a line.
        lines: Lines before that.
        first: The first of the bytes that were read, at most `HEAD_BYTES`.
        kind: What it holds: ``ndjson``, empty while that is not seen, otherwise what it is instead.
        passed: Bytes behind the offset that belong to a line that is too long.
        status: Size and time of change when it was last read to its end.
        modified: When it was changed, in nanoseconds.
        gone: Whether no path that is watched leads to it any more.
        resumed: A place that was kept, until it is compared with the file.
        quiet: Since when, in seconds of a clock of the caller's, it is gone and gains nothing.
        gained: Whether anything of it was read.
        failed: Whether the last attempt to read it failed.
    """

    identity: str
    path: str
    named: bool
    file: io.FileIO | None = None
    offset: int = 0
    lines: int = 0
    first: bytes = b""
    kind: str = ""
    passed: int = 0
    status: tuple[int, int] = (-1, 0)
    modified: int = 0
    gone: bool = False
    resumed: Checkpoint | None = None
    quiet: float | None = None
    gained: bool = False
    failed: bool = False

    def place(self) -> Checkpoint:
        """Return how far it was read."""
        path = full_name(self.path)
        if self.resumed is not None:
            return replace(self.resumed, identity=self.identity, path=path)
        head = _digest(self.first)
        return Checkpoint(self.identity, path, self.offset, self.lines, len(self.first), head)

    def resume(self, place: Checkpoint) -> None:
        """Go on at a place, unless the file turns out to begin otherwise."""
        self.offset, self.lines, self.resumed = place.offset, place.lines, place
        self.kind = RECOGNIZED if place.offset else ""

    def continues(self, place: Checkpoint) -> bool:
        """Return whether its name leads to a file that begins as the one of a place."""
        with suppress(OSError), Path(name_from(self.path)).open("rb", buffering=0) as file:
            return begins_as(file, place)
        return False

    def read(self, limits: Limits, note: Note) -> "NewLines | Skipped | None":
        """Return the next lines as they are read now; None where there are none yet.

        Returns:
            Something skipped for a line that is too long, and for a file that is not followed.

        Raises:
            OSError: If the file cannot be opened or read.
        """
        file = self._open()
        if file is None or self.kind not in {"", RECOGNIZED}:
            return None
        status = os.fstat(file.fileno())
        if status.st_size < self.offset:
            self._restart(note)
        while True:
            start = self.offset + self.passed
            text = read_at(file, start, CHUNK_BYTES)
            # What was just read is only of this file if it still begins as it did.
            if not self._begins_as_before(file):
                self._restart(note)
                continue
            item = self._next(file, text, limits) if text else None
            if item is not None and self.kind == RECOGNIZED:
                return item
            if item is not None or self.offset + self.passed == start:
                self.status = (status.st_size, status.st_mtime_ns)
                return item

    def rest(self, limits: Limits) -> "NewLines | None":
        """Return what follows the last complete line of a file that ended.

        Raises:
            OSError: If it cannot be read.
        """
        if self.file is None or self.kind != RECOGNIZED or self.passed:
            return None
        text = read_at(self.file, self.offset, limits.record_bytes)
        return self._take(text) if text.strip() else None

    def close(self) -> None:
        """Close the file, if it is open."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def _open(self) -> io.FileIO | None:
        """Return the file, opened again by its name if it was closed; None if that is another."""
        if self.file is None and not self.gone:
            file = Path(name_from(self.path)).open("rb", buffering=0)  # noqa: SIM115 - it stays open
            if identity_of(os.fstat(file.fileno())) != self.identity:
                file.close()
                return None
            self.file = file
        return self.file

    def _begins_as_before(self, file: io.FileIO) -> bool:
        place = self.resumed
        if place is None:
            return read_at(file, 0, len(self.first)) == self.first
        if not begins_as(file, place):
            return False
        self.first, self.resumed = read_at(file, 0, place.head_bytes), None
        return True

    def _restart(self, note: Note) -> None:
        """Begin at the start: it is another file, or what was read of it is gone."""
        self.offset = self.lines = self.passed = 0
        self.first, self.kind, self.resumed = b"", "", None
        note(f"{self.path}: truncated or replaced, read from its start")

    def _next(self, file: io.FileIO, text: bytes, limits: Limits) -> "NewLines | Skipped | None":
        """Return the complete lines of a text that was read behind what was read before."""
        if self.passed:
            end = text.find(b"\n") + 1
            self.passed += end or len(text)
            if end:
                self.offset, self.lines, self.passed = self.offset + self.passed, self.lines + 1, 0
            return None
        if not self.kind:
            self.kind = _kind(text)
            if self.kind != RECOGNIZED:
                return self._refuse(text)
        if b"\n" not in text and len(text) == CHUNK_BYTES:
            text = read_at(file, self.offset, limits.record_bytes + 1)
        end = text.rfind(b"\n") + 1
        if end:
            return self._take(text[:end])
        if len(text) > limits.record_bytes:
            self.passed = len(text)
            return too_long(Origin(self.path, self.lines + 1, self.offset), limits)
        return None

    def _take(self, text: bytes) -> "NewLines":
        """Return complete lines, or the last line of a file that ended, as read."""
        size = 0 if self.file is None else os.fstat(self.file.fileno()).st_size
        waiting = max(size - self.offset, len(text))
        lines = NewLines(self.path, self.named, self.offset, self.lines, text, waiting)
        if len(self.first) == self.offset < HEAD_BYTES:
            self.first += text[: HEAD_BYTES - self.offset]
        self.offset += len(text)
        self.lines += text.count(b"\n")
        self.gained, self.quiet = True, None
        return lines

    def _refuse(self, text: bytes) -> Skipped | None:
        """Return why the file is not followed; one that is still short may turn out otherwise."""
        kind = self.kind
        if not kind:
            return None
        if len(text) < CHUNK_BYTES and kind in {"json", _UNKNOWN}:
            self.kind = ""
        return not_followed(self.path, kind, could_matter=self.named or kind != _UNKNOWN)


class NewLines(Struct, frozen=True):
    """Complete lines that one file gained.

    Attributes:
        path: The file's name.
        named: Whether the user gave that name.
        offset: Where the first line begins in the file.
        lines: Lines of the file before it.
        text: The lines; only in a file that ended may the last of them lack its end.
        waiting: Bytes that the file held from the offset on.
    """

    path: str
    named: bool
    offset: int
    lines: int
    text: bytes
    waiting: int


def begins_as(file: io.FileIO, place: Checkpoint) -> bool:
    """Return whether a file has the first bytes that were read of the one of a place."""
    return _digest(read_at(file, 0, place.head_bytes)) == place.head


def _digest(first: bytes) -> str:
    return hashlib.sha256(first).hexdigest()


def full_name(path: str) -> str:
    """Return the one name of a file that all spellings of its path have in common."""
    file = Path(name_from(path))
    with suppress(OSError):  # As where the working directory was removed.
        file = file.parent.resolve() / file.name
    return name_text(str(file))


def identity_of(status: os.stat_result) -> str:
    """Return what a file is known by, whatever its name."""
    return f"{status.st_dev}:{status.st_ino}"


def inode(identity: str) -> str:
    """Return the part of an identity that stays when a device gets another number."""
    return identity.partition(":")[2]


def read_at(file: io.FileIO, offset: int, count: int) -> bytes:
    """Return so many bytes from an offset on, fewer only at the end of the file."""
    file.seek(offset)
    pieces = []
    while count and (piece := file.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _kind(text: bytes) -> str:
    """Return what a file is by its beginning, empty where no complete line is seen yet."""
    if is_utf_16(text):
        return "UTF-16 text"
    whole = text[: text.rfind(b"\n") + 1]
    if not whole and text.lstrip()[:1] in {b"", b"{"}:
        return ""
    part = next(containers.parts(io.BytesIO(whole or text), "", columns=column_names), None)
    if part is None or part.container == containers.EMPTY:
        return ""
    return part.container or _UNKNOWN


def not_followed(path: str, what: str, *, could_matter: bool) -> Skipped:
    """Return what stands for a file that is not followed."""
    reason = f"{what}, not followed: only NDJSON is; scan it"
    return Skipped(Origin(path, 0), reason, could_matter=could_matter, ends_input=could_matter)
