"""The inputs that the user means: files, folders, patterns, URLs and standard input, each once."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.errors import UsageError
from smbrare.inputs import remote
from smbrare.records.event import Origin, Skipped
from smbrare.text import name_from, name_text

STANDARD_INPUT = "-"

_PATTERN = frozenset("*?[")
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)

_Identity: TypeAlias = tuple[int, int]


class Input(Struct, frozen=True):
    """Something to read.

    Attributes:
        path: Its name as the user will know it, by `text.name_text`; ``-`` for standard input.
        named: Whether the user gave it by name or pattern, and not the folder that it lies in.
        size: Its size in bytes; None for a pipe, a device and standard input, and for an object
            whose server does not tell.
        location: Where it is read if ``path`` does not say: a URL, which may hold a secret, or a
            file from the root on.
    """

    path: str
    named: bool
    size: int | None
    location: str = ""

    def __repr__(self) -> str:
        """Return it without its location."""
        return f"Input({self.path!r})"

    @property
    def can_be_read_again(self) -> bool:
        """Whether it is a file, and so the same when it is read twice."""
        return self.size is not None and not self.is_remote

    @property
    def is_remote(self) -> bool:
        """Whether it is an object behind a URL."""
        return remote.is_remote(self.location)


def discover(paths: Sequence[str]) -> Iterator[Input | Skipped]:
    """Yield the inputs that paths mean, in the order given, and what cannot be read; URLs last.

    A folder gives every file below it, sorted by name; a pattern (``*``, ``?``, ``[…]``, ``**``)
    what it matches, unless a file has that very name. A file that is meant several times, by
    whatever name or link, is read once.

    In folders, links to files are followed and links to folders are not: the folder is read where
    it is, or named if that is elsewhere. Pipes and devices there are named and never opened; one
    that the user names is read.

    A URL means what `remote.discover` says, whatever files there are.

    Names are those of `text.name_text`, and may be given so too.

    Args:
        paths: What the user gave; ``-`` is standard input.

    Raises:
        UsageError: If the libraries for a URL are not installed.
    """
    for found in _discover(paths):
        if isinstance(found, Input):
            yield replace(found, path=name_text(found.path)) if not found.is_remote else found
        else:
            yield replace(found, origin=replace(found.origin, path=name_text(found.origin.path)))


def _discover(paths: Sequence[str]) -> Iterator[Input | Skipped]:
    urls = [given for given in paths if remote.is_remote(given)]
    matched = [path for given in paths if given not in urls for path in _matches(given)]
    named = {identity for path in matched if (identity := _file_identity(path)) is not None}
    seen: set[_Identity | str] = set()
    for path in matched:
        if path != STANDARD_INPUT:
            yield from _named(path, named, seen)
        elif path not in seen:
            seen.add(path)
            yield Input(path, named=True, size=None)
    for each in remote.discover(urls):
        if isinstance(each, Skipped):
            yield each
        else:
            yield Input(each.shown, each.named, each.size, each.url)


def anywhere(found: Input) -> Input:
    """Return an input so that a process in another folder, with the same files, finds it.

    Raises:
        UsageError: If only this process can read it.
    """
    if found.is_remote:
        return found
    if found.size is None:
        name = "standard input" if found.path == STANDARD_INPUT else found.path
        raise UsageError(f"{name} can be read by this machine alone, not by a cluster")
    return replace(found, location=os.path.abspath(name_from(found.path)))


def _matches(given: str) -> list[str]:
    """Return the paths that a path or pattern means."""
    if given == STANDARD_INPUT or os.path.lexists(given):
        return [given]
    if os.path.lexists(name_from(given)):
        return [name_from(given)]
    if _PATTERN.isdisjoint(given):
        return [given]
    pattern = Path(given)
    try:
        base = Path(pattern.anchor)
        found = sorted(base.glob(str(pattern.relative_to(pattern.anchor))))
    except (OSError, ValueError, NotImplementedError):
        found = []
    # A file that is named like standard input is a file all the same.
    names = (str(path) for path in found)
    return [f".{os.sep}{name}" if name == STANDARD_INPUT else name for name in names] or [given]


def _file_identity(path: str) -> _Identity | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _named(
    path: str, named: set[_Identity], seen: set[_Identity | str]
) -> Iterator[Input | Skipped]:
    """Yield what a path that the user gave stands for."""
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        yield _unreadable(path, error)
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _below(path, status, named, seen)
    elif stat.S_ISREG(status.st_mode):
        yield from _file(path, status, named, seen)
    elif stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
        yield Input(path, named=True, size=None)
    else:
        yield Skipped(Origin(path, 0), _kind(status), could_matter=True, ends_input=True)


def _file(
    path: str, status: os.stat_result, named: set[_Identity], seen: set[_Identity | str]
) -> Iterator[Input | Skipped]:
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return
    seen.add(identity)
    try:
        with open(path, "rb"):  # Only opening tells whether it may be read.
            pass
    except (OSError, ValueError) as error:
        yield _unreadable(path, error)
    else:
        yield Input(path, identity in named, status.st_size)


def _below(
    folder: str, at: os.stat_result, named: set[_Identity], seen: set[_Identity | str]
) -> Iterator[Input | Skipped]:
    """Yield the files below a folder, or say that there is none."""
    pending = [folder]
    # One that was read before has had its say.
    is_empty = (at.st_dev, at.st_ino) not in seen
    while pending:
        path = pending.pop()
        try:
            status = os.stat(path)
            if not stat.S_ISDIR(status.st_mode):
                is_empty = False
                yield from _entry(path, status, named, seen)
            elif path != folder and os.path.islink(path):
                is_empty = False
                yield from _linked_folder(path, folder)
            elif (identity := (status.st_dev, status.st_ino)) not in seen:
                seen.add(identity)
                names = sorted(os.listdir(path), reverse=True)
                pending.extend(os.path.join(path, name) for name in names)
        except (OSError, ValueError) as error:
            is_empty = False
            if os.path.islink(path) and not os.path.exists(path):
                yield Skipped(Origin(path, 0), "a link to nothing", could_matter=False)
            else:
                yield _unreadable(path, error)
    if is_empty:
        yield Skipped(Origin(folder, 0), "no file in this folder", could_matter=False)


def _entry(
    path: str, status: os.stat_result, named: set[_Identity], seen: set[_Identity | str]
) -> Iterator[Input | Skipped]:
    """Yield what a folder's entry that is no folder stands for."""
    if stat.S_ISREG(status.st_mode):
        yield from _file(path, status, named, seen)
    else:
        yield Skipped(Origin(path, 0), f"{_kind(status)}, not opened", could_matter=False)


def _linked_folder(path: str, folder: str) -> Iterator[Skipped]:
    """Name a link to a folder that is not read anyway because it lies below the given one."""
    root, target = os.path.realpath(folder), os.path.realpath(path)
    if target != root and not target.startswith(os.path.join(root, "")):
        reason = "a link to a folder elsewhere, not followed: name that folder to read it"
        yield Skipped(Origin(path, 0), reason, could_matter=True)


def _kind(status: os.stat_result) -> str:
    for is_kind, kind in _SPECIAL:
        if is_kind(status.st_mode):
            return kind
    return "no file"


def _unreadable(path: str, error: OSError | ValueError) -> Skipped:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Skipped(Origin(path, 0), reason, could_matter=True, ends_input=True)
