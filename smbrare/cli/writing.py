"""Results to stdout or to a file; a file is replaced whole or not at all."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from smbrare.cli import interruption
from smbrare.errors import ClosedPipeError, OutputError
from smbrare.text import visible


def check(path: Path, read: Iterable[str | Path] = ()) -> None:
    """Make sure before a long scan that an output file can be written after it.

    Args:
        path: The file.
        read: Files that the run reads, which the output must not replace.

    Raises:
        OutputError: If its folder is missing or cannot be written to, or if it is one of those.
    """
    for other in read:
        with suppress(OSError):
            if path.samefile(other):
                raise OutputError(f"{path} is read by this run; the output would replace it")
    if path.is_dir():
        raise OutputError(f"{path} is a directory")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no directory")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path.parent} cannot be written to")


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
    elif path.exists() and not path.is_file():
        _write_through(texts, path)
    else:
        # What a link points to is replaced, not the link.
        _replace(texts, path.resolve() if path.is_symlink() else path)


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
    tell(visible(f"smbrare: {line}") for line in lines)


def _write_stdout(texts: Iterable[str], encoding: str) -> None:
    binary = sys.stdout.buffer
    try:
        for text in texts:
            binary.write(text.encode(encoding, "backslashreplace"))
        binary.flush()
    except BrokenPipeError:
        raise ClosedPipeError from None
    except OSError as error:
        raise OutputError(f"stdout cannot be written: {error.strerror}") from None


def _write_through(texts: Iterable[str], path: Path) -> None:
    """Write to a device or a pipe, which must not be replaced by a file."""
    try:
        with path.open("wb") as file:
            for text in texts:
                file.write(text.encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def _replace(texts: Iterable[str], path: Path) -> None:
    # Named before it exists, so that a signal at any moment knows what to remove.
    made = path.parent / f".{path.name[:100]}.{os.urandom(6).hex()}"
    try:
        with interruption.undoing(made.unlink):
            with made.open("xb") as file:
                for text in texts:
                    file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                made.chmod(path.stat().st_mode)
            made.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            made.unlink()
