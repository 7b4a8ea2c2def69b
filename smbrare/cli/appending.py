"""Findings added to the end of a file one by one, each safe on the disk before the next."""

import io
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson

from smbrare.errors import OutputError, reason_of
from smbrare.watch.tails import read_at

_TIME = re.compile(rb'(?<=^{"@timestamp":")[^"]*')
_BEGINS = (b'{"@timestamp":"","event":{"kind":"alert"', b'{"event":{"kind":"alert"')
"""How a finding begins, with a time and without; the time itself is left out."""


def check(path: Path, tell: Callable[[str], None]) -> None:
    """Make sure that lines can be added to a file, and that a finding at its end is whole.

    A finding that lacks only the end of its line gets it. One that a crash cut off is taken off.

    Args:
        path: The file; it is made if it is not there.
        tell: Called with a line for the user where the end of the file was changed.

    Raises:
        OutputError: If it cannot be written, or ends in something that is no part of a finding.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a directory")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is not a directory")
    try:
        if path.exists() and stat.S_ISREG(path.stat().st_mode):
            _mend(path, tell)
        elif not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666))
            _sync_folder(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason_of(error)}") from None


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
        raise OutputError(f"{path} cannot be written: {reason_of(error)}") from None


def _mend(path: Path, tell: Callable[[str], None]) -> None:
    with path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        start = _last_line(file, end)
        left = read_at(file, start, end - start)
        if not left:
            return
        if _is_finding(left):
            file.seek(end)
            file.write(b"\n")
            tell(f"{path}: its last line lacked its end, which was added")
        elif not _is_json(left) and _begins_finding(left) and _is_behind_finding(file, start):
            file.truncate(start)
            tell(f"{path}: its last line was a finding cut off, and was taken off")
        else:
            raise OutputError(
                f"{path} does not end with a complete line, and is not a file of findings"
            )
        os.fsync(file.fileno())


def _is_behind_finding(file: io.FileIO, start: int) -> bool:
    """Return whether the line before one is a finding, or there is none."""
    if not start:
        return True
    before = _last_line(file, start - 1)
    return _is_finding(read_at(file, before, start - before))


def _is_finding(line: bytes) -> bool:
    if not _is_json(line):
        return False
    document = orjson.loads(line)
    own = document.get("smbrare") if isinstance(document, dict) else None
    return isinstance(own, dict) and "id" in own


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _begins_finding(left: bytes) -> bool:
    """Return whether a line may be the beginning of a finding, however short it is."""
    left = _TIME.sub(b"", left, count=1)
    return any(left.startswith(begin) or begin.startswith(left) for begin in _BEGINS)


def _last_line(file: io.FileIO, end: int) -> int:
    """Return where what follows the last line end of a file begins."""
    block = 65_536
    while end > 0:
        start = max(0, end - block)
        at = read_at(file, start, end - start).rfind(b"\n")
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
