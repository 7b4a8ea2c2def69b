"""The baseline: which destinations were seen, by the UTC hour, in a SQLite file.

Rows merge by minimum and maximum and covered hours by union, so the file holds the same whatever
the order, overlap or number of the scans that wrote it. A scan reads at its start and writes once,
in one transaction, after its output was written.
"""

import hashlib
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import platformdirs

from smbrare import rule
from smbrare.errors import BaselineError
from smbrare.sightings import Row

APPLICATION_ID = 0x534D4252
"""``SMBR``: marks the SQLite file as a baseline of smbrare."""

SCHEMA_VERSION = 1
LOCK_SECONDS = 60.0
"""How long to wait for another scan that writes to the same baseline."""

_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sighting (
    destination TEXT NOT NULL,
    source TEXT NOT NULL,
    host TEXT NOT NULL,
    hour INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (destination, source, host, hour)
) WITHOUT ROWID;
CREATE TABLE covered (hour INTEGER PRIMARY KEY, sampled INTEGER NOT NULL) WITHOUT ROWID;
"""
_ADD_SIGHTING = """
INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)
"""
_ADD_HOUR = """
INSERT INTO covered VALUES (?, ?)
ON CONFLICT DO UPDATE SET sampled = min(sampled, excluded.sampled)
"""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MOST_PARAMETERS = 500


def locate(name: str) -> Path:
    """Return the file of a baseline: a bare name lies in the user's state directory.

    Args:
        name: Letters, digits, ``-`` and ``_`` for a name; anything else is a path.
    """
    if _NAME.fullmatch(name):
        return Path(platformdirs.user_state_dir("smbrare", appauthor=False), f"{name}.db")
    return Path(name)


class Baseline:
    """One baseline file, checked when it is opened; it need not exist before the first commit.

    Attributes:
        path: The file.
        settings: What it was kept with, and has to go on with: rule, time field, literal mode.
    """

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self.path = path
        self.settings = {"rule": rule.RULE_ID, **settings}
        if path.exists():
            with self._reading() as database:
                _check(database, path, self.settings)

    def rows(self, destinations: Iterable[str] | None = None) -> Iterator[Row]:
        """Yield the rows of some destinations, or of all, in the order of their keys.

        Raises:
            BaselineError: If the file cannot be read.
        """
        if not self.path.exists():
            return
        with self._reading() as database:
            select = "SELECT destination, source, host, hour, first, last FROM sighting"
            if destinations is None:
                yield from map(Row._make, database.execute(f"{select} ORDER BY 1, 2, 3, 4"))
                return
            wanted = sorted(destinations)
            for start in range(0, len(wanted), _MOST_PARAMETERS):
                some = wanted[start : start + _MOST_PARAMETERS]
                marks = ", ".join("?" * len(some))
                query = f"{select} WHERE destination IN ({marks}) ORDER BY 1, 2, 3, 4"
                yield from map(Row._make, database.execute(query, some))

    def covered(self) -> dict[int, bool]:
        """Return the UTC hours that network events were read of, and whether from a sample.

        Raises:
            BaselineError: If the file cannot be read.
        """
        if not self.path.exists():
            return {}
        with self._reading() as database:
            return {
                hour: bool(sampled)
                for hour, sampled in database.execute("SELECT hour, sampled FROM covered")
            }

    def commit(self, rows: Iterable[Row], hours: Mapping[int, bool]) -> None:
        """Add rows and covered hours in one transaction.

        Args:
            rows: Sightings by the hour.
            hours: Covered UTC hours, each with whether only a sample was read.

        Raises:
            BaselineError: If the file cannot be written; it is unchanged then.
        """
        with _explained(self.path):
            if not self.path.exists():
                _create(self.path, self.settings)
            with closing(
                sqlite3.connect(self.path, LOCK_SECONDS, isolation_level=None)
            ) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN IMMEDIATE")
                _check(database, self.path, self.settings)
                database.executemany(_ADD_SIGHTING, rows)
                database.executemany(_ADD_HOUR, ((hour, int(hours[hour])) for hour in hours))
                _set(database, {"digest": digest(database)})
                database.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # mode=ro: reading must neither create a file nor need the right to write one.
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        with (
            _explained(self.path),
            closing(sqlite3.connect(uri, LOCK_SECONDS, uri=True)) as database,
        ):
            yield database


def digest(database: sqlite3.Connection) -> str:
    """Return the SHA-256 of everything that a baseline has learnt, row by row in key order."""
    state = hashlib.sha256()
    for query in (
        "SELECT destination, source, host, hour, first, last FROM sighting ORDER BY 1, 2, 3, 4",
        "SELECT hour, sampled FROM covered ORDER BY 1",
    ):
        for row in database.execute(query):
            state.update(repr(row).encode())
    return state.hexdigest()


def _create(path: Path, settings: Mapping[str, str]) -> None:
    """Create an empty baseline at once or not at all, so that no half-made one is ever found."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as database:
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _set(database, {**settings, "digest": digest(database)})
        # A link fails where another scan was first; replacing would lose what that one wrote.
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _set(database: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    database.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", settings.items())


def _check(database: sqlite3.Connection, path: Path, settings: Mapping[str, str]) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise BaselineError(f"{path} is no baseline of smbrare")
    if version != SCHEMA_VERSION:
        raise BaselineError(
            f"{path} has schema version {version}; this smbrare reads version {SCHEMA_VERSION}"
        )
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise BaselineError(f"{path} is damaged: {verdict}")
    kept = dict(database.execute("SELECT name, value FROM setting"))
    for name, value in settings.items():
        if kept.get(name) != value:
            raise BaselineError(
                f"{path} was kept with {name} {kept.get(name)!r}, this run has {value!r}"
            )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ones for the user."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise BaselineError(f"{path} cannot be used: {error}") from None
    except sqlite3.DatabaseError as error:
        raise BaselineError(f"{path} is no baseline, or damaged: {error}") from None
    except OSError as error:
        raise BaselineError(f"{path} cannot be used: {error.strerror}") from None
