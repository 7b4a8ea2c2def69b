"""Results to stdout or to a file; a file is replaced whole or not at all."""

import os
import re
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from smbrare.cli import interruption
from smbrare.errors import ClosedPipeError, OutputError, reason_of
from smbrare.text import visible

_MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux says what is mounted."""


def check(path: Path, read: Iterable[str | Path] = ()) -> None:
    """Make sure before a long scan that an output file can be written after it.

    Args:
        path: The file.
        read: Files that the run reads, which the output must not replace.

    Raises:
        OutputError: If its folder is missing or cannot be written to, or if it is one of those.
    """
    for other in read:
        if _is_same(path, other):
            raise OutputError(f"{path} is read by this run; the output would replace it")
    try:
        target = _target(path)
        if path.is_dir():
            raise OutputError(f"{path} is a directory")
        if not target.parent.is_dir():
            raise OutputError(f"{target.parent} is not a directory")
        needed = target if _stays(target) else target.parent
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error
        raise OutputError(f"{path} cannot be written: {reason}") from None
    if not os.access(needed, os.W_OK):
        raise OutputError(f"{needed} cannot be written to")


def _target(path: Path) -> Path:
    """Return what is replaced: what a link points to, and not the link.

    Raises:
        OutputError: If the link points to itself.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.is_symlink():
        raise OutputError(f"{path} is a loop of links")
    return target


def _is_same(path: Path, other: str | Path) -> bool:
    """Return whether two paths lead to one file, or would if it were there."""
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # As where the working directory was removed.
            return os.path.realpath(path) == os.path.realpath(other)
        return False


def _stays(path: Path) -> bool:
    """Return whether what is there is written where it is, since no file can take its place."""
    if not path.exists() or not path.is_file():
        return path.exists()
    folder, me = path.parent.stat(), os.geteuid() if hasattr(os, "geteuid") else 0
    is_others = folder.st_mode & stat.S_ISVTX and me not in {0, folder.st_uid, path.stat().st_uid}
    return bool(is_others) or _is_mounted(path)


def _is_mounted(path: Path) -> bool:
    """Return whether something is mounted on a file, as a container's is from outside."""
    try:
        mounts = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return os.path.ismount(path)
    name = os.fsencode(path.resolve())
    name = re.sub(rb"[ \t\n\\]", lambda odd: b"\\%03o" % odd[0][0], name)
    return any(mount.split(b" ")[4] == name for mount in mounts)


def write(texts: Iterable[str], path: Path | None, encoding: str = "utf-8") -> None:
    """Write results to stdout, or to a file as UTF-8.

    Args:
        texts: The results.
        path: The file, or None for stdout.
        encoding: What stdout is written in.

    Raises:
        OutputError: If the file or stdout cannot be written.
        ClosedPipeError: If stdout was closed.
    """
    if path is None:
        _write_stdout(texts, encoding)
        return
    path = _target(path)
    if _stays(path):
        _write_through(texts, path)
    else:
        _replace(texts, path)


def tell(lines: Iterable[str]) -> None:
    """Write lines to stderr. That nobody reads them changes nothing."""
    try:
        for line in lines:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        # The interpreter flushes stderr once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def warn(lines: Iterable[str]) -> None:
    """Write warnings to stderr, whether or not the user asked for quiet."""
    tell(visible(f"WARNING  {line}") for line in lines)


def _write_stdout(texts: Iterable[str], encoding: str) -> None:
    binary = sys.stdout.buffer
    try:
        for text in texts:
            binary.write(text.encode(encoding, "backslashreplace"))
        binary.flush()
    except BrokenPipeError:
        raise ClosedPipeError from None
    except OSError as error:
        raise OutputError(f"stdout cannot be written: {reason_of(error)}") from None


def _write_through(texts: Iterable[str], path: Path) -> None:
    """Write to a device, a pipe or a file that must not be replaced by another."""
    texts = list(texts)  # A file that is there is emptied as late as can be.
    try:
        with path.open("wb") as file:
            for text in texts:
                file.write(text.encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason_of(error)}") from None


def _replace(texts: Iterable[str], path: Path) -> None:
    # Named before it exists, so that a signal at any moment knows what to remove.
    made = path.parent / f".{path.name[:50]}.{os.urandom(6).hex()}"
    try:
        with interruption.undoing(made.unlink):
            with made.open("xb") as file:
                _keep_rights(path, file.fileno())
                for text in texts:
                    file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                made.chmod(path.stat().st_mode)
            made.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {reason_of(error)}") from None
    finally:
        with suppress(OSError):
            made.unlink()


def _keep_rights(path: Path, file: int) -> None:
    """Give the file that takes another's place the same rights, as far as the system lets."""
    with suppress(OSError, AttributeError):
        status = path.stat()
        os.fchmod(file, stat.S_IMODE(status.st_mode))
        os.fchown(file, status.st_uid, status.st_gid)
