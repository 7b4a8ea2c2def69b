"""What a baseline's SQLite file holds, and how to tell that it still holds it.

Statements on an open connection; `smbrare.baseline.store` decides when to run them.
"""

import hashlib
import sqlite3
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from smbrare.baseline import checkpoints
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR

APPLICATION_ID = 0x534D4252
"""``SMBR``: marks the SQLite file as a baseline of smbrare."""

SCHEMA_VERSION = 1
"""Of a baseline that holds what was seen, and nothing else."""

WATCH_VERSION = 2
"""Of one that a watch has kept its place in: the same, with the tables of `checkpoints`."""

# https://www.sqlite.org/fileformat2.html, section 1.3: the formats for writing and reading,
# user_version and application_id.
_HEADER = struct.Struct(">16s2xBB40xI4xI28x")
_MAGIC = b"SQLite format 3\0"
_ROLLBACK = 1

# Years 1 to 9999 in microseconds and hours since 1970, as the program's times are.
_TIMES = "BETWEEN -62135596800000000 AND 253402300799999999"
_HOURS = "BETWEEN -17259888 AND 70389527"

_SETTING = """CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    CHECK (typeof(name) = 'text' AND typeof(value) = 'text')
) WITHOUT ROWID"""
_SIGHTING = f"""CREATE TABLE sighting (
    destination TEXT NOT NULL,
    source TEXT NOT NULL,
    host TEXT NOT NULL,
    hour INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (destination, source, host, hour),
    CHECK (typeof(destination) = 'text' AND typeof(source) = 'text' AND typeof(host) = 'text'),
    CHECK (typeof(hour) = 'integer' AND typeof(first) = 'integer' AND typeof(last) = 'integer'),
    CHECK (first {_TIMES} AND last {_TIMES} AND first <= last),
    CHECK (hour * {HOUR} <= first AND last < (hour + 1) * {HOUR})
) WITHOUT ROWID"""
_COVERED = f"""CREATE TABLE covered (
    hour INTEGER PRIMARY KEY,
    sampled INTEGER NOT NULL,
    CHECK (typeof(hour) = 'integer' AND hour {_HOURS} AND sampled IN (0, 1))
) WITHOUT ROWID"""
_SCHEMA = (_SETTING, _SIGHTING, _COVERED)
"""The checks are for damaged and planted files: what passes them cannot break a calculation."""

_ADD_SIGHTING = """
INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)
"""
_ADD_HOUR = """
INSERT INTO covered VALUES (?, ?)
ON CONFLICT DO UPDATE SET sampled = min(sampled, excluded.sampled)
"""
_ROWS = "SELECT destination, source, host, hour, first, last FROM sighting"
# https://www.sqlite.org/lang_select.html#bareagg: with max(), the other columns are of its row.
_LAST_ROWS = "SELECT destination, source, host, max(hour), first, last FROM sighting"
_IN_ORDER = "ORDER BY 1, 2, 3, 4"
_MOST_PARAMETERS = 500


def prepare(database: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    """Make an empty file a baseline that has learnt nothing."""
    for statement in _SCHEMA:
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    database.executemany("INSERT INTO setting VALUES (?, ?)", settings.items())
    seal(database)


def add(database: sqlite3.Connection, rows: Iterable[Row], hours: Mapping[int, bool]) -> None:
    """Add sightings by the hour, and covered hours with whether only a sample was read."""
    database.executemany(_ADD_SIGHTING, rows)
    database.executemany(_ADD_HOUR, ((hour, int(hours[hour])) for hour in hours))


def seal(database: sqlite3.Connection) -> None:
    """Store the digest of what the file holds now."""
    database.execute("INSERT OR REPLACE INTO setting VALUES ('digest', ?)", (digest(database),))


def rows(
    database: sqlite3.Connection,
    destinations: Iterable[str] | None = None,
    since: int | None = None,
) -> Iterator[Row]:
    """Yield the rows of some destinations, or of all, in the order of their keys.

    Args:
        database: The open file.
        destinations: Which; None for all.
        since: Where given, of the rows before this UTC hour only the last of each destination,
            source address and host.
    """
    if destinations is None:
        yield from map(Row._make, database.execute(f"{_ROWS} {_IN_ORDER}"))
        return
    wanted = sorted(destinations)
    for start in range(0, len(wanted), _MOST_PARAMETERS):
        some = wanted[start : start + _MOST_PARAMETERS]
        marks = ", ".join("?" * len(some))
        among = f"WHERE destination IN ({marks})"
        if since is None:
            found = database.execute(f"{_ROWS} {among} {_IN_ORDER}", some)
        else:
            before = f"{_LAST_ROWS} {among} AND hour < ? GROUP BY 1, 2, 3"
            query = f"{_ROWS} {among} AND hour >= ? UNION ALL {before} {_IN_ORDER}"
            found = database.execute(query, (*some, since, *some, since))
        yield from map(Row._make, found)


def covered_hours(database: sqlite3.Connection) -> dict[int, bool]:
    """Return the covered UTC hours in order, each with whether it is known from a sample only."""
    query = "SELECT hour, sampled FROM covered ORDER BY hour"
    return {hour: bool(sampled) for hour, sampled in database.execute(query)}


def settings(database: sqlite3.Connection) -> dict[str, str]:
    """Return what the baseline is kept with, and its digest as ``digest``."""
    return dict(database.execute("SELECT name, value FROM setting ORDER BY name"))


def digest(database: sqlite3.Connection) -> str:
    """Return the SHA-256 of everything that the file holds, row by row in the order of keys."""
    state = hashlib.sha256()
    for query in (
        "SELECT name, value FROM setting WHERE name <> 'digest' ORDER BY name",
        f"{_ROWS} {_IN_ORDER}",
        "SELECT hour, sampled FROM covered ORDER BY hour",
    ):
        for row in database.execute(query):
            state.update(orjson.dumps(row))
        state.update(b"\n")
    return state.hexdigest()


def version(database: sqlite3.Connection) -> int:
    """Return the version of the file's schema."""
    (found,) = database.execute("PRAGMA user_version").fetchone()
    return int(found)


def watched(database: sqlite3.Connection) -> bool:
    """Return whether a watch has kept its place in the file."""
    return version(database) == WATCH_VERSION


def prepare_watch(database: sqlite3.Connection) -> None:
    """Make room for the place of a watch, where there is none yet."""
    checkpoints.prepare(database)
    database.execute(f"PRAGMA user_version = {WATCH_VERSION}")


def check_header(path: Path) -> None:
    """Make sure that a file is a baseline of this schema, without SQLite.

    SQLite would write to what another program left in the midst of a transaction.

    Raises:
        BaselineError: If it is anything else.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
    if head.lstrip().startswith(b"{"):
        raise BaselineError(
            f"{path} is no baseline of smbrare; if it is an export of one, make a baseline of it: "
            "smbrare baseline merge EXPORT --output BASELINE"
        )
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise BaselineError(f"{path} is no baseline of smbrare, or a damaged one")
    _, write_format, read_format, schema_version, application = _HEADER.unpack(head)
    if application != APPLICATION_ID:
        raise BaselineError(f"{path} is no baseline of smbrare")
    if schema_version not in {SCHEMA_VERSION, WATCH_VERSION}:
        raise BaselineError(
            f"{path} has schema version {schema_version}; "
            f"this smbrare reads versions {SCHEMA_VERSION} and {WATCH_VERSION}"
        )
    if (write_format, read_format) != (_ROLLBACK, _ROLLBACK):
        raise BaselineError(f"{path} is damaged: it is not in the form that smbrare writes")


def check(database: sqlite3.Connection, path: Path, *, thorough: bool = False) -> dict[str, str]:
    """Return the settings of a file that holds what was written to it.

    Args:
        database: The open file, in a transaction.
        path: Its path, for messages.
        thorough: Whether to look for what cannot change an answer as well.

    Raises:
        BaselineError: If it holds anything else.
        sqlite3.DatabaseError: Likewise, where SQLite notices.
    """
    check_shape(database, path)
    test = "integrity_check" if thorough else "quick_check"
    (verdict,) = database.execute(f"PRAGMA {test}(1)").fetchone()
    if verdict != "ok":
        raise BaselineError(f"{path} is damaged: {verdict}")
    kept = settings(database)
    if kept.get("digest") != digest(database):
        raise BaselineError(f"{path} is damaged: what it holds is not what was written")
    if watched(database):
        checkpoints.places(database, path)
    return kept


def check_shape(database: sqlite3.Connection, path: Path) -> None:
    """Make sure of the tables before any is read: a planted view could run anything.

    Raises:
        BaselineError: If they are not those of a baseline.
    """
    statements = {text for (text,) in database.execute("SELECT sql FROM sqlite_master")}
    tables = (*_SCHEMA, *checkpoints.TABLES) if watched(database) else _SCHEMA
    if statements != set(tables):
        raise BaselineError(f"{path} is damaged: its tables are not those of a baseline")
    (size,) = database.execute("PRAGMA page_size").fetchone()
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    if size * pages != path.stat().st_size:
        raise BaselineError(f"{path} is damaged: it is not as long as it says")


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


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there, without a transaction.

    Raises:
        BaselineError: If it is no baseline of this version by its header.
    """
    check_header(path)
    # Never creates a file. SQLite reads one that is read-only all the same, and undoes what a
    # killed scan left half done where it may write.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, _ONE_WAIT, isolation_level=None, uri=True)


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
