"""Where baselines lie: a scan that uses none does without SQLite."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs

from smbrare.errors import BaselineError, UsageError
from smbrare.text import nearest

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_NAME = 200  # What SQLite and a commit put behind it has room, too.


def user_folder(find: Callable[..., str]) -> Path:
    """Return the user's own folder that a function of `platformdirs` finds: an absolute path.

    Raises:
        UsageError: If there is none: no home is set, and the system knows none.
    """
    with suppress(RuntimeError, KeyError, OSError):
        folder = Path(find("smbrare", appauthor=False))
        if folder.is_absolute():
            return folder
    raise UsageError("no home directory is known: set HOME to an absolute path, or give a path")


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone.

    Source: XDG Base Directory Specification 0.8, where it says how to write a file.

    Raises:
        OSError: If one cannot be made.
    """
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def state_directory() -> Path:
    """Return the directory of baselines with a bare name.

    Raises:
        UsageError: If there is none.
    """
    return user_folder(platformdirs.user_state_dir)


def similar(path: Path) -> str:
    """Return the baseline that a missing one may be a slip of, as the user gives it; else empty."""
    with suppress(OSError, UsageError):
        names = [each.stem for each in path.parent.iterdir() if each.suffix == path.suffix]
        if near := nearest(path.stem, names):
            is_named = path.parent == state_directory() and _NAME.fullmatch(near)
            return near if is_named else str(path.with_name(near + path.suffix))
    return ""


def lock_of(path: Path) -> Path:
    """Return the file by whose lock a watch has a baseline to itself."""
    return path.parent / f".{path.name}.watch"


def beside(path: Path) -> tuple[Path, ...]:
    """Return the file of a baseline, and those that are made next to it."""
    return path, path.parent / f"{path.name}-journal", lock_of(path)


def locate(name: str) -> Path:
    """Return the file of a baseline: a bare name lies in the user's state directory.

    Args:
        name: Letters, digits, ``-`` and ``_`` for a name; anything else is a path.

    Raises:
        BaselineError: If no file can have that path.
        UsageError: If it is a name, and the user has no directory for it.
    """
    if "\0" in name or not name:
        raise BaselineError(f"{name!r} is neither a name nor a path")
    if _NAME.fullmatch(name) and len(name) > _LONGEST_NAME:
        raise BaselineError(f"{name} is longer than {_LONGEST_NAME} characters")
    return state_directory() / f"{name}.db" if _NAME.fullmatch(name) else Path(name)
