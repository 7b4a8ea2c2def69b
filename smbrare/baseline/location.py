"""Where baselines lie: a scan that uses none does without SQLite."""

import re
from pathlib import Path

import platformdirs

from smbrare.errors import BaselineError

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def state_directory() -> Path:
    """Return the directory of baselines with a bare name."""
    return Path(platformdirs.user_state_dir("smbrare", appauthor=False))


def locate(name: str) -> Path:
    """Return the file of a baseline: a bare name lies in the user's state directory.

    Args:
        name: Letters, digits, ``-`` and ``_`` for a name; anything else is a path.

    Raises:
        BaselineError: If no file can have that path.
    """
    if "\0" in name or not name:
        raise BaselineError(f"{name!r} is neither a name nor a path")
    return state_directory() / f"{name}.db" if _NAME.fullmatch(name) else Path(name)
