"""Findings added to the end of a file one by one, each safe on the disk before the next."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from smbrare.errors import OutputError

_BEGINS = (b'{"@timestamp":', b'{"event":')
"""How a finding begins, with a time and without."""


def check(path: Path) -> None:
    """Make sure that lines can be added to a file, and take off a line that a crash cut off.

    Raises:
        OutputError: If it cannot be written, or ends in something that is no part of a finding.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a directory")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no directory")
    try:
        if path.exists() and stat.S_ISREG(path.stat().st_mode):
            _mend(path)
        elif not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666))
            _sync_folder(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def append(path: Path, line: str) -> None:
    """Add a line to a file; it is on the disk when this returns.

    The file is opened anew each time, so that it may be renamed or removed meanwhile.

    Raises:
        OutputError: If it cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _mend(path: Path) -> None:
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        start = _last_line(file.fileno(), end)
        file.seek(start)
        left = file.read(max(map(len, _BEGINS)))
        if not left:
            return
        if not any(left.startswith(begin) or begin.startswith(left) for begin in _BEGINS):
            raise OutputError(f"{path} does not end with a whole line, and is no file of findings")
        file.truncate(start)
        file.flush()
        os.fsync(file.fileno())


def _last_line(handle: int, end: int) -> int:
    """Return where what follows the last line end of a file begins."""
    block = 65_536
    while end > 0:
        start = max(0, end - block)
        os.lseek(handle, start, os.SEEK_SET)
        at = os.read(handle, end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _sync_folder(path: Path) -> None:
    """Make the name of a new file safe too, where the system can."""
    with suppress(OSError):
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
