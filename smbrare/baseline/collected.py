"""Rows on their way into a baseline: more than fit into memory, gathered in any order."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from smbrare.baseline import buckets
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError

_CACHE_KIB = 16 * 1024


class CollectedRows:
    """Rows, merged by their keys, in a file that has no name and goes with the process.

    SQLite makes it in the system's folder for temporary files when its memory is used up.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        # https://www.sqlite.org/inmemorydb.html, section 3: temporary databases.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute(buckets.SIGHTING)
        self._database.execute("BEGIN")

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows.

        Raises:
            BaselineError: If there is no room for them.
        """
        with _explained():
            self._database.executemany(buckets.ADD, rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in the order of their keys.

        Raises:
            BaselineError: If they cannot be read.
        """
        with _explained():
            yield from buckets.all_rows(self._database)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise BaselineError(f"cannot keep what is learnt in a temporary file: {error}") from None
