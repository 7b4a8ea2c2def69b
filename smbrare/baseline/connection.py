"""Connections to the SQLite file of a baseline: made, waited for, and their errors explained."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from smbrare.baseline import schema
from smbrare.baseline.location import lock_of
from smbrare.errors import BaselineError

LOCK_SECONDS = 60.0
"""How long to wait for another scan that writes to the same baseline."""

_ONE_WAIT = 0.2
"""Seconds that SQLite waits at a time: in between, Ctrl-C is heard."""

_READ_ONLY = "what an interrupted scan left has to be undone first, and the file is read-only"
_REASONS = {
    "SQLITE_BUSY": "another process has been using it for too long",
    "SQLITE_READONLY_ROLLBACK": _READ_ONLY,
    "SQLITE_READONLY_CANTINIT": _READ_ONLY,
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ones for the user.

    Raises:
        BaselineError: In the place of each.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        reason = _REASONS.get(getattr(error, "sqlite_errorname", ""), str(error))
        raise BaselineError(f"{path} cannot be used: {reason}") from None
    except sqlite3.DatabaseError as error:
        raise BaselineError(f"{path} is no baseline, or damaged: {error}") from None
    except UnicodeDecodeError:
        # Python decodes SQLite's message, which may quote what is damaged.
        raise BaselineError(f"{path} is damaged: it holds text that is none") from None
    except OSError as error:
        raise BaselineError(f"{path} cannot be used: {error.strerror}") from None


@contextmanager
def connected(path: Path) -> Iterator[tuple[sqlite3.Connection, BinaryIO]]:
    """Open a file that is there, without a transaction, for SQLite and for reading its bytes.

    Raises:
        BaselineError: If it is no baseline of this version by its header.
    """
    # Closed after SQLite is: a process that closes a file gives up all its locks of it.
    with path.open("rb", buffering=0) as file:
        schema.check_header(file, path)
        # Never creates a file. SQLite reads one that is read-only all the same, and undoes what a
        # killed scan left half done where it may write.
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(
            sqlite3.connect(uri, timeout=_ONE_WAIT, isolation_level=None, uri=True)
        ) as database:
            yield database, file


def begin(database: sqlite3.Connection, *statements: str) -> None:
    """Run what opens a transaction, waiting for other processes."""
    end = time.monotonic() + LOCK_SECONDS
    for statement in statements:
        while True:
            try:
                database.execute(statement)
                break
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > end:
                    raise


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep another watch from a baseline for as long as this process is one, or lives.

    SQLite's lock on an empty file beside the baseline ends with the process. The file stays: were
    it removed, one process could hold the old file and another the new one.

    Raises:
        BaselineError: If another watch has it, or the file cannot be made.
    """
    with ExitStack() as stack:
        with explained(path):
            lock = lock_of(path.resolve())
            os.close(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(lock, timeout=0, isolation_level=None)
            stack.enter_context(closing(database))
            try:
                database.execute("PRAGMA journal_mode = MEMORY")  # No second file.
                database.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                raise BaselineError(f"{path} is in use by another watch") from None
        yield
