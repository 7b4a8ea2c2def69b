"""The rows of a baseline, in buckets with a digest each: some can be checked without the others.

A bucket holds the rows from its first key up to that of the next bucket, at most 256. Its digest
covers them in their order, so it misses none that was changed, lost, doubled or moved. It is not a
sum over rows, which could be kept up to date without reading the bucket: so few rows are read fast,
and nothing can cancel out. A bucket may begin at any key, so a busy destination has several.

Rows come from the very walk that was hashed and are never looked up by key: damage to a row of
another bucket can lead a search in the tree astray where that row is one of its signposts.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from math import ceil
from pathlib import Path
from typing import TypeAlias

import orjson

from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from smbrare.records.times import HOUR

MOST_ROWS = 256
"""Rows of a bucket at most: for one row so many are read, and all buckets at each opening."""

_BATCH = 10_000
"""Rows that are added at a time."""

_RowKey: TypeAlias = tuple[str, str, str, int]
_DIGEST_BYTES = 16
_CACHE_KIB = 16 * 1024
_LEAST_HOUR = -(2**63)
_LEAST: _RowKey = ("", "", "", _LEAST_HOUR)

# Years 1 to 9999 in microseconds since 1970, as the program's times are.
_TIMES = "BETWEEN -62135596800000000 AND 253402300799999999"
_CHECKS = (
    "typeof(destination) = 'text' AND typeof(source) = 'text' AND typeof(host) = 'text'",
    "typeof(hour) = 'integer' AND typeof(first) = 'integer' AND typeof(last) = 'integer'",
    f"first {_TIMES} AND last {_TIMES} AND first <= last",
    f"hour * {HOUR} <= first AND last < (hour + 1) * {HOUR}",
)
_CHECKED = ",\n    ".join(f"CHECK ({check})" for check in _CHECKS)
SIGHTING = f"""CREATE TABLE sighting (
    destination TEXT NOT NULL,
    source TEXT NOT NULL,
    host TEXT NOT NULL,
    hour INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (destination, source, host, hour),
    {_CHECKED}
) WITHOUT ROWID"""
"""The statement that makes the table of rows."""

BUCKET = """CREATE TABLE bucket (
    destination TEXT NOT NULL,
    source TEXT NOT NULL,
    host TEXT NOT NULL,
    hour INTEGER NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (destination, source, host, hour),
    CHECK (typeof(destination) = 'text' AND typeof(source) = 'text' AND typeof(host) = 'text'),
    CHECK (typeof(hour) = 'integer' AND typeof(digest) = 'text')
) WITHOUT ROWID"""
"""The statement that makes the table of buckets: the key that each begins with, and its digest."""

ADD = """
INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)
"""
"""The statement that adds a row, or merges it into that of its key."""

_KEY = "(destination, source, host, hour)"
_IN_ORDER = "ORDER BY 1, 2, 3, 4"
_SELECT = "SELECT destination, source, host, hour, first, last FROM sighting"
_COUNT = "SELECT count(*) FROM sighting"
_BUCKETS = "SELECT destination, source, host, hour, digest FROM bucket ORDER BY 1, 2, 3, 4"


def all_rows(database: sqlite3.Connection) -> Iterator[Row]:
    """Yield every row in the order of the keys, unchecked."""
    yield from map(Row._make, database.execute(f"{_SELECT} {_IN_ORDER}"))


def stored_buckets(database: sqlite3.Connection) -> list[tuple[str, str, str, int, str]]:
    """Return the key that each bucket begins with and its digest, in the order of the keys."""
    return database.execute(_BUCKETS).fetchall()


class Buckets:
    """The buckets of an open file."""

    def __init__(self, database: sqlite3.Connection, path: Path, *, one: bool = False) -> None:
        """Read where the buckets begin.

        Args:
            database: The open file, in a transaction in which its seal was checked.
            path: Its path, for messages.
            one: Whether to take all rows for one bucket without a digest: those of a file without
                buckets, which has to be checked by other means.

        Raises:
            BaselineError: If a row could lie in none of them.
        """
        self._database = database
        self._path = path
        found = [] if one else stored_buckets(database)
        self._starts = [_LEAST] if one else [each[:4] for each in found]
        self._digests: list[str | None] = [None] if one else [each[4] for each in found]
        if self._starts[:1] != [_LEAST]:
            raise self._damaged()

    def rows(self, destinations: Iterable[str]) -> Iterator[Row]:
        """Yield the rows of some destinations in the order of the keys, each bucket checked first.

        Raises:
            BaselineError: If they are not what was written.
        """
        wanted = frozenset(destinations)
        for number in sorted({number for each in wanted for number in self._numbers(each)}):
            # Whoever planted the file may have sealed what no calculation expects.
            where, parameters = self._range(number)
            unsound = f"SELECT EXISTS ({_SELECT} {where} AND NOT ({' AND '.join(_CHECKS)}))"
            if self._database.execute(unsound, parameters).fetchone() != (0,):
                raise self._damaged()
            yield from self._read(number, wanted)

    def check(self) -> None:
        """Compare every row with the digest of its bucket.

        Raises:
            BaselineError: If they are not what was written.
        """
        for number in range(len(self._starts)):
            self._read(number)

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows to a file whose seal is renewed in the same transaction.

        Raises:
            BaselineError: If a bucket that is added to is not what was written.
        """
        changed: set[int] = set()
        each = iter(rows)
        while batch := list(islice(each, _BATCH)):
            numbers = {bisect_right(self._starts, row[:4]) - 1 for row in batch}
            for number in numbers - changed:
                self._read(number)
            changed |= numbers
            self._database.executemany(ADD, batch)
        self._write(changed)

    def rebuild(self) -> None:
        """Cut all rows, which have to be checked already, into buckets anew."""
        self._database.execute("DELETE FROM bucket")
        self._starts, self._digests = [_LEAST], [None]
        self._write([0])

    def _numbers(self, destination: str) -> range:
        first = bisect_right(self._starts, (destination, "", "", _LEAST_HOUR)) - 1
        return range(first, bisect_left(self._starts, (f"{destination}\0", "", "", _LEAST_HOUR)))

    def _range(self, number: int) -> tuple[str, _RowKey | tuple[str | int, ...]]:
        start, *after = self._starts[number : number + 2]
        if not after:
            return f"WHERE {_KEY} >= (?, ?, ?, ?)", start
        return f"WHERE {_KEY} >= (?, ?, ?, ?) AND {_KEY} < (?, ?, ?, ?)", (*start, *after[0])

    def _read(self, number: int, wanted: Collection[str] = ()) -> list[Row]:
        """Check a bucket, and return its rows of some destinations."""
        where, parameters = self._range(number)
        state = blake2b(digest_size=_DIGEST_BYTES)
        found = []
        try:
            for row in self._database.execute(f"{_SELECT} {where} {_IN_ORDER}", parameters):
                state.update(orjson.dumps(row))
                if row[0] in wanted:
                    found.append(Row._make(row))
        except orjson.JSONEncodeError:
            raise self._damaged() from None
        if self._digests[number] not in {None, state.hexdigest()}:
            raise self._damaged()
        return found

    def _write(self, numbers: Iterable[int]) -> None:
        """Store the digests of buckets that changed, and cut those that became too large."""
        for number in numbers:
            where, parameters = self._range(number)
            (count,) = self._database.execute(f"{_COUNT} {where}", parameters).fetchone()
            size = max(ceil(count / max(ceil(count / MOST_ROWS), 1)), 1)
            cursor = self._database.execute(f"{_SELECT} {where} {_IN_ORDER}", parameters)
            start, pieces = self._starts[number], []
            rows = cursor.fetchmany(size)
            while True:
                data = b"".join(map(orjson.dumps, rows))
                digest = blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
                pieces.append((*start, digest))
                rows = cursor.fetchmany(size)
                if not rows:
                    break
                start = rows[0][:4]
            self._database.executemany(
                "INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?, ?)", pieces
            )

    def _damaged(self) -> BaselineError:
        return BaselineError(f"{self._path} is damaged: what it holds is not what was written")


def rows_since(rows: Iterable[Row], since: int) -> Iterator[Row]:
    """Yield the rows from an hour on, and of those before it the last of each key without the hour.

    Args:
        rows: In the order of their keys.
        since: The UTC hour, counted from 1970.
    """
    before: Row | None = None
    for row in rows:
        if before is not None and (row.hour >= since or row[:3] != before[:3]):
            yield before
        before = row if row.hour < since else None
        if before is None:
            yield row
    if before is not None:
        yield before


class CollectedRows:
    """Rows, merged by their keys, in a file that has no name and goes with the process.

    SQLite makes it in the system's folder for temporary files when its memory is used up.
    """

    def __init__(self) -> None:
        """Begin without rows."""
        # https://www.sqlite.org/inmemorydb.html, section 3: temporary databases.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute(SIGHTING)
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows.

        Raises:
            BaselineError: If there is no room for them.
        """
        with _explained():
            self._database.executemany(ADD, rows)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in the order of their keys.

        Raises:
            BaselineError: If they cannot be read.
        """
        with _explained():
            yield from all_rows(self._database)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise BaselineError(f"cannot keep what is learnt in a temporary file: {error}") from None
