"""How far a watch has read, and what it has reported: two tables beside a baseline's own.

Statements on an open connection, as `smbrare.baseline.schema` has them for what was seen. The
tables are made by the first watch and stay out of exports, merges and the digest of what was seen.

A row of `followed` carries a checksum of its own, since a wrong offset would lose events. Rows that
are lost only have files read again, and ids in `given` that are lost or wrong only have findings
reported again.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import orjson
from msgspec import Struct
from msgspec.structs import astuple

from smbrare.errors import BaselineError

MOST_FILES = 10_000
"""Of how many files the place is kept: those that were read last."""

_FOLLOWED = """CREATE TABLE followed (
    identity TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    offset INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    head_bytes INTEGER NOT NULL,
    head TEXT NOT NULL,
    turn INTEGER NOT NULL,
    seal TEXT NOT NULL,
    CHECK (typeof(identity) = 'text' AND typeof(path) = 'text' AND typeof(head) = 'text'),
    CHECK (typeof(offset) = 'integer' AND offset >= 0 AND typeof(lines) = 'integer' AND lines >= 0),
    CHECK (typeof(head_bytes) = 'integer' AND head_bytes BETWEEN 0 AND offset),
    CHECK (typeof(turn) = 'integer' AND typeof(seal) = 'text')
) WITHOUT ROWID"""
_GIVEN = """CREATE TABLE given (
    id TEXT PRIMARY KEY,
    time INTEGER,
    CHECK (typeof(id) = 'text' AND typeof(time) IN ('integer', 'null'))
) WITHOUT ROWID"""
TABLES = (_FOLLOWED, _GIVEN)
"""The statements that make the tables."""


class Checkpoint(Struct, frozen=True):
    """How far one file was read.

    Attributes:
        identity: The file, whatever it is called: its device and inode.
        path: Its name when it was read.
        offset: Bytes from its start, always at the beginning of a line.
        lines: Lines before that.
        head_bytes: How many of its first bytes `head` is of, none of them unread.
        head: Their SHA-256: a file of the same identity that begins otherwise is another one.
    """

    identity: str
    path: str
    offset: int
    lines: int
    head_bytes: int
    head: str


def places(database: sqlite3.Connection, path: Path) -> list[Checkpoint]:
    """Return the place in every file that was followed, of an open baseline.

    Raises:
        BaselineError: If one is not as it was written.
    """
    found = []
    query = "SELECT identity, path, offset, lines, head_bytes, head, seal FROM followed"
    for *values, seal in database.execute(query):
        place = Checkpoint(*values)
        if _seal(place) != seal:
            raise BaselineError(f"{path} is damaged: the place in {place.path} was another")
        found.append(place)
    return found


def store(
    database: sqlite3.Connection, read: Iterable[Checkpoint], ended: Iterable[str] = ()
) -> None:
    """Keep how far files were read, and forget the files that were not read for longest.

    Args:
        database: The open file.
        read: The places that changed.
        ended: Identities of files that are followed no more.
    """
    database.executemany(
        "DELETE FROM followed WHERE identity = ?", ((identity,) for identity in ended)
    )
    (turn,) = database.execute("SELECT coalesce(max(turn), 0) + 1 FROM followed").fetchone()
    database.executemany(
        "INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((*astuple(place), turn, _seal(place)) for place in read),
    )
    database.execute(
        "DELETE FROM followed WHERE identity IN "
        "(SELECT identity FROM followed ORDER BY turn DESC, identity LIMIT -1 OFFSET ?)",
        (MOST_FILES,),
    )


def reported_before(database: sqlite3.Connection, ids: Iterable[str]) -> set[str]:
    """Return which findings of some, by id, were reported before."""
    query = "SELECT id FROM given WHERE id = ?"
    return {identifier for identifier in ids if database.execute(query, (identifier,)).fetchone()}


def record(database: sqlite3.Connection, identifier: str, time: int | None) -> None:
    """Record that a finding was reported.

    Args:
        database: The open file.
        identifier: The finding's id.
        time: Its time in microseconds since 1970 UTC, None if it has none.
    """
    database.execute("INSERT OR IGNORE INTO given VALUES (?, ?)", (identifier, time))


def prune(database: sqlite3.Connection, before: int) -> None:
    """Forget the findings before a time, in microseconds since 1970 UTC."""
    database.execute("DELETE FROM given WHERE time < ?", (before,))


def _seal(place: Checkpoint) -> str:
    return hashlib.sha256(orjson.dumps(astuple(place))).hexdigest()
