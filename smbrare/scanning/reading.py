"""Inputs read to their end: what each holds is handed on, all trouble counted where it stands."""

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from smbrare.detection.survey import InputSurvey
from smbrare.inputs import containers, remote
from smbrare.inputs.containers import Part
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.records.event import Contents, Origin, Skipped
from smbrare.sources import column_names
from smbrare.text import name_from

Progress: TypeAlias = Callable[[int], None]
"""Called with the number of bytes that were read since the last call."""

HandlePart: TypeAlias = Callable[[Contents, InputSurvey], None]
"""Called with what each part of an input holds, and its counts."""


def silent(_count: int) -> None:
    """Tell no progress."""


def read_inputs(
    inputs: Iterable[Input | Skipped],
    options: ReaderOptions,
    progress: Progress,
    handle: HandlePart,
    *,
    ahead: bool = False,
) -> list[InputSurvey]:
    """Read every input once and return the counts of each, in the order read.

    Trouble with an input or a record is counted in its survey and never stops the others.

    Args:
        inputs: What was discovered for the user's paths.
        options: How to read.
        progress: Called as bytes are read.
        handle: Called with each part.
        ahead: Whether to unpack quickly, so that more may be lost before damage.
    """
    surveys: list[InputSurvey] = []
    for found in inputs:
        if isinstance(found, Skipped):
            survey = InputSurvey(found.origin.path)
            survey.skip(found)
            surveys.append(survey)
        else:
            _read_input(found, options, progress, handle, surveys, ahead=ahead)
    return surveys


def _read_input(
    found: Input,
    options: ReaderOptions,
    progress: Progress,
    handle: HandlePart,
    surveys: list[InputSurvey],
    *,
    ahead: bool,
) -> None:
    survey = InputSurvey(found.path, named=found.named)
    left = sys.maxsize if found.size is None else found.size
    try:
        with parts(found, options.limits, progress, ahead=ahead) as (counted, each):
            for part in each:
                survey = InputSurvey(part.path, part.container, found.named, part.is_junk)
                surveys.append(survey)
                handle(part.read(options), survey)
                # A zip or EVTX is read at its ends and again: no more counts than the file has.
                survey.size = min(counted.taken(), left)
                left -= survey.size
            counted.check_length(found)
    except (OSError, MemoryError) as error:
        survey.skip(unreadable(survey.path, survey.records, error))
        if not any(known is survey for known in surveys):
            surveys.append(survey)


def unreadable(path: str, number: int, error: OSError | MemoryError) -> Skipped:
    """Return the rest of an input that the system failed to read, as something skipped.

    Args:
        path: The input, or the part of it that was being read.
        number: How many records were read before; 0 for none.
        error: What the system said.
    """
    said = "out of memory" if isinstance(error, MemoryError) else error.strerror
    reason = said or str(error)
    return Skipped(Origin(path, number), reason, could_matter=True, ends_input=True)


def check_length(found: Input, stream: io.RawIOBase) -> None:
    """Make sure that a file which was read still has the bytes that it had when it was found.

    An object behind a URL tells by itself if it ends early.

    Raises:
        OSError: If it has fewer, so that some may never have been read.
    """
    if found.size is None or found.is_remote:
        return
    if os.fstat(stream.fileno()).st_size < found.size:
        raise OSError("it became shorter while it was read")


@contextmanager
def parts(
    found: Input, limits: Limits, progress: Progress, *, ahead: bool = False
) -> Iterator[tuple["CountedReader", Iterator[Part]]]:
    """Open an input and give its parts, with the reader that counts the bytes taken.

    Args:
        found: The input.
        limits: What is too large to read.
        progress: Called as bytes are read.
        ahead: Whether to unpack quickly, so that more may be lost before damage.

    Raises:
        OSError: If the input cannot be opened; later, if it cannot be read on.
    """
    with open_raw(found) as stream:
        counted = CountedReader(stream, progress)
        yield (
            counted,
            containers.parts(
                io.BufferedReader(counted),
                found.path,
                limits,
                ahead=ahead,
                may_be_endless=_is_device(found, stream),
                columns=column_names,
            ),
        )


def _is_device(found: Input, stream: io.RawIOBase) -> bool:
    """Return whether an input is a device, such as /dev/zero, which may give bytes for ever."""
    if found.is_remote or found.path == "-":
        return False
    return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)


def open_raw(found: Input) -> io.RawIOBase:
    """Open an input without a buffer.

    Raises:
        OSError: If it cannot be opened.
    """
    if found.is_remote:
        return remote.open_object(found.location)
    if found.path == "-":
        # Not closed with the input: the interpreter owns it.
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    return Path(found.location or name_from(found.path)).open("rb", buffering=0)


class CountedReader(io.RawIOBase):
    """A raw stream that reports how many bytes were read from it."""

    def __init__(self, stream: io.RawIOBase, progress: Progress) -> None:
        super().__init__()
        self._stream = stream
        self._progress = progress
        self._taken = 0

    def readinto(self, buffer: Any, /) -> int | None:
        """Read into a buffer, and report it."""
        count: int | None = self._stream.readinto(buffer)
        if count:
            self._taken += count
            self._progress(count)
        return count

    def check_length(self, found: Input) -> None:
        """Make sure that the file below did not lose bytes, as the function of that name does."""
        check_length(found, self._stream)

    def taken(self) -> int:
        """Return the bytes read since the last call."""
        taken, self._taken = self._taken, 0
        return taken

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether the stream below can seek."""
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move in the stream below."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the stream below."""
        return self._stream.tell()
