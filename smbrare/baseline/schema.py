"""What a baseline's SQLite file holds, and how to tell that it still holds it.

Statements on an open connection; `smbrare.baseline.store` decides when to run them.

Each commit seals the file. The seal covers the settings, the covered hours and the digests of the
buckets of rows, and so all that was seen; and SQLite's counter of changes to the file. While the
counter is as sealed, nobody else has written, and only those buckets are checked that are read.
Where it differs, by another program or a copy that was restored in part, all is checked at once.
"""

import hashlib
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from smbrare.baseline import buckets, checkpoints
from smbrare.baseline.buckets import Buckets
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError

APPLICATION_ID = 0x534D4252
"""``SMBR``: marks the SQLite file as a baseline of smbrare."""

SCHEMA_VERSION = 3
"""Of the files that this version writes."""

_OLD_VERSIONS = (1, 2)
"""Without buckets, sealed by a digest of all rows; 2 has the tables of `checkpoints`. Such a file
is checked whole whenever it is read, and becomes one of today when it is written to."""

# https://www.sqlite.org/fileformat2.html, section 1.3: the formats for writing and reading, the
# file change counter, user_version and application_id.
_HEADER = struct.Struct(">16s2xBB4xI32xI4xI28x")
_MAGIC = b"SQLite format 3\0"
_ROLLBACK = 1
_MOST_CHANGES = 2**32

_HOURS = "BETWEEN -17259888 AND 70389527"
"""Years 1 to 9999 in hours since 1970, as the program's times are."""

_SETTING = """CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    CHECK (typeof(name) = 'text' AND typeof(value) = 'text')
) WITHOUT ROWID"""
_COVERED = f"""CREATE TABLE covered (
    hour INTEGER PRIMARY KEY,
    sampled INTEGER NOT NULL,
    CHECK (typeof(hour) = 'integer' AND hour {_HOURS} AND sampled IN (0, 1))
) WITHOUT ROWID"""
_FIRST_SCHEMA = (_SETTING, buckets.SIGHTING, _COVERED)
_SCHEMA = (*_FIRST_SCHEMA, buckets.BUCKET, *checkpoints.TABLES)
_SCHEMAS = {1: _FIRST_SCHEMA, 2: (*_FIRST_SCHEMA, *checkpoints.TABLES), SCHEMA_VERSION: _SCHEMA}
"""The checks are for damaged and planted files: what passes them cannot break a calculation."""

_CHECKED_ALWAYS = ("setting", "covered", "bucket")
"""The tables that are small, and read whole at each opening."""

_ADD_HOUR = """
INSERT INTO covered VALUES (?, ?)
ON CONFLICT DO UPDATE SET sampled = min(sampled, excluded.sampled)
"""
_SETTINGS = """
SELECT name, value FROM setting WHERE name NOT IN ('digest', 'changes', 'seal') ORDER BY name
"""
_COVERED_HOURS = "SELECT hour, sampled FROM covered ORDER BY hour"


def prepare(database: sqlite3.Connection, path: Path, settings: Mapping[str, str]) -> None:
    """Make an empty file a baseline that has learnt nothing, and has to be sealed."""
    for statement in _SCHEMA:
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    database.executemany("INSERT INTO setting VALUES (?, ?)", settings.items())
    rebuild(database, path)


def upgrade(database: sqlite3.Connection, path: Path) -> None:
    """Make a file of an old version, checked in this transaction, one that has to be sealed."""
    for statement in set(_SCHEMA) - set(_SCHEMAS[version(database)]):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    database.execute("DELETE FROM setting WHERE name = 'digest'")
    rebuild(database, path)


def rebuild(database: sqlite3.Connection, path: Path) -> None:
    """Cut all rows into buckets anew; they have to be checked before."""
    Buckets(database, path, one=True).rebuild()


def add(
    database: sqlite3.Connection, path: Path, rows: Iterable[Row], hours: Mapping[int, bool]
) -> None:
    """Add sightings by the hour, and covered hours with whether only a sample was read.

    Raises:
        BaselineError: If what is added to is not what was written.
    """
    Buckets(database, path).add(rows)
    database.executemany(_ADD_HOUR, ((hour, int(hours[hour])) for hour in hours))


def seal(database: sqlite3.Connection, changes: int) -> None:
    """Seal what the file holds now.

    Args:
        database: The open file, in the transaction that is about to be committed.
        changes: What SQLite's counter was when the transaction began. The commit adds 1: once,
            since the page that holds it stays in use, and is written with the commit alone.
    """
    after = str((changes + 1) % _MOST_CHANGES)
    database.execute("INSERT OR REPLACE INTO setting VALUES ('changes', ?)", (after,))
    database.execute("INSERT OR REPLACE INTO setting VALUES ('seal', ?)", (_seal(database, after),))


def _seal(database: sqlite3.Connection, changes: str) -> str:
    sealed = (
        changes,
        database.execute(_SETTINGS).fetchall(),
        database.execute(_COVERED_HOURS).fetchall(),
        buckets.stored_buckets(database),
    )
    return hashlib.sha256(orjson.dumps(sealed)).hexdigest()


def rows(database: sqlite3.Connection, path: Path, destinations: Iterable[str]) -> Iterable[Row]:
    """Return the rows of some destinations in the order of their keys, each checked."""
    return Buckets(database, path, one=is_old(database)).rows(destinations)


def covered_hours(database: sqlite3.Connection) -> dict[int, bool]:
    """Return the covered UTC hours in order, each with whether it is known from a sample only."""
    return {hour: bool(sampled) for hour, sampled in database.execute(_COVERED_HOURS)}


def settings(database: sqlite3.Connection) -> dict[str, str]:
    """Return what the baseline is kept with."""
    return dict(database.execute(_SETTINGS))


def digest(database: sqlite3.Connection) -> str:
    """Return the SHA-256 of what was seen and the settings, row by row in the order of keys."""
    state = hashlib.sha256()
    for found in (
        database.execute(_SETTINGS),
        buckets.all_rows(database),
        database.execute(_COVERED_HOURS),
    ):
        for row in found:
            state.update(orjson.dumps(tuple(row)))
        state.update(b"\n")
    return state.hexdigest()


def version(database: sqlite3.Connection) -> int:
    """Return the version of the file's schema."""
    (found,) = database.execute("PRAGMA user_version").fetchone()
    return int(found)


def is_old(database: sqlite3.Connection) -> bool:
    """Return whether a file is of a version that is no longer written."""
    return version(database) in _OLD_VERSIONS


def check_header(file: BinaryIO, path: Path) -> None:
    """Make sure that a file is a baseline of this schema, without SQLite.

    SQLite would write to what another program left in the midst of a transaction.

    Raises:
        BaselineError: If it is anything else.
        OSError: If it cannot be read.
    """
    head = _head(file)
    if head.lstrip().startswith(b"{"):
        raise BaselineError(
            f"{path} is no baseline of smbrare; if it is an export of one, make a baseline of it: "
            "smbrare baseline merge EXPORT --output BASELINE"
        )
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise BaselineError(f"{path} is no baseline of smbrare, or a damaged one")
    _, write_format, read_format, _, schema_version, application = _HEADER.unpack(head)
    if application != APPLICATION_ID:
        raise BaselineError(f"{path} is no baseline of smbrare")
    if schema_version not in _SCHEMAS:
        raise BaselineError(
            f"{path} has schema version {schema_version}; "
            f"this smbrare reads versions 1 to {SCHEMA_VERSION}"
        )
    if (write_format, read_format) != (_ROLLBACK, _ROLLBACK):
        raise BaselineError(f"{path} is damaged: it is not in the form that smbrare writes")


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_HEADER.size)


def change_count(file: BinaryIO) -> int:
    """Return SQLite's counter of changes to a file; 0 for an empty one.

    Args:
        file: The file, unbuffered; the counter stands still while a transaction has locked it.
    """
    head = _head(file)
    return _HEADER.unpack(head)[3] if len(head) == _HEADER.size else 0


def check(database: sqlite3.Connection, path: Path, changes: int, *, whole: bool = False) -> bool:
    """Make sure that a file holds what was written to it, as far as `rows` does not.

    Args:
        database: The open file, in a transaction.
        path: Its path, for messages.
        changes: SQLite's counter of changes to it.
        whole: Whether all rows are going to be read, and not only those of some destinations.

    Returns:
        Whether it made sure of all that the file holds.

    Raises:
        BaselineError: If it holds anything else.
        sqlite3.DatabaseError: Likewise, where SQLite notices.
    """
    _check_shape(database, path)
    if whole or _setting(database, "changes") != str(changes):
        check_whole(database, path)
        return True
    for table in _CHECKED_ALWAYS:
        _ask_sqlite(database, path, f"quick_check('{table}')")
    _check_seal(database, path)
    return False


def check_whole(database: sqlite3.Connection, path: Path, *, thorough: bool = False) -> None:
    """Make sure that all that a file holds is what was written to it.

    Args:
        database: The open file, in a transaction that began with `check`.
        path: Its path, for messages.
        thorough: Whether to look for what cannot change an answer as well.

    Raises:
        BaselineError: If it holds anything else.
        sqlite3.DatabaseError: Likewise, where SQLite notices.
    """
    _ask_sqlite(database, path, "integrity_check(1)" if thorough else "quick_check(1)")
    if not is_old(database):
        _check_seal(database, path)
        Buckets(database, path).check()
    elif _setting(database, "digest") != digest(database):
        raise _damaged(path)
    if version(database) != 1:
        checkpoints.places(database, path)


def _check_seal(database: sqlite3.Connection, path: Path) -> None:
    if _setting(database, "seal") != _seal(database, _setting(database, "changes")):
        raise _damaged(path)


def _damaged(path: Path) -> BaselineError:
    return BaselineError(f"{path} is damaged: what it holds is not what was written")


def _setting(database: sqlite3.Connection, name: str) -> str:
    found = database.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return "" if found is None else str(found[0])


def _ask_sqlite(database: sqlite3.Connection, path: Path, pragma: str) -> None:
    (verdict,) = database.execute(f"PRAGMA {pragma}").fetchone()
    if verdict != "ok":
        raise BaselineError(f"{path} is damaged: {verdict}")


def _check_shape(database: sqlite3.Connection, path: Path) -> None:
    """Make sure of the tables before any is read: a planted view could run anything.

    Raises:
        BaselineError: If they are not those of a baseline.
    """
    statements = {text for (text,) in database.execute("SELECT sql FROM sqlite_master")}
    if statements != set(_SCHEMAS.get(version(database), ())):
        raise BaselineError(f"{path} is damaged: its tables are not those of a baseline")
    (size,) = database.execute("PRAGMA page_size").fetchone()
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    if size * pages != path.stat().st_size:
        raise BaselineError(f"{path} is damaged: it is not as long as it says")
