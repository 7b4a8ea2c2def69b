"""The baseline: which destinations were seen, by the UTC hour, in a SQLite file.

Rows merge by minimum and maximum and covered hours by union, so the file holds the same whatever
the order, overlap or number of the scans that wrote it. A scan reads at its start and writes once,
in one transaction, after its output was written.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from smbrare.baseline import buckets, checkpoints, schema
from smbrare.baseline.connection import begin, connected, explained
from smbrare.baseline.location import make_private, similar, state_directory
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError, UsageError
from smbrare.records.times import HOUR
from smbrare.rule import predicate

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def _nothing() -> None:
    """Do nothing."""


class Baseline:
    """One baseline file, checked when it is opened, and its rows when they are read.

    Attributes:
        path: The file.
        settings: What it is kept with: rule, time field, literal mode.
    """

    def __init__(self, path: Path, settings: Mapping[str, str] | None = None) -> None:
        """Open a baseline.

        Args:
            path: The file; it need not exist before the first commit if settings are given.
            settings: What it has to be kept with; None for whatever it is.

        Raises:
            BaselineError: If there is something else, something damaged, or a baseline that is
                kept with other settings.
        """
        self.path = path
        self._checked: tuple[int, int] | None = None
        with explained(path):
            self._existed = _exists(path)
        self.settings = {} if settings is None else {"rule": predicate.RULE_ID, **settings}
        if self._existed:
            with self.reading() as database:
                kept = schema.settings(database)
            self.settings = self.settings or kept
            _compare(path, kept, self.settings)
        elif settings is None:
            near = similar(path)
            raise BaselineError(f"{path} does not exist" + (near and f"; did you mean {near}?"))

    def rows(
        self, destinations: Iterable[str] | None = None, since: int | None = None
    ) -> Iterator[Row]:
        """Return the rows of some destinations, or of all, in the order of their keys.

        Args:
            destinations: Which; None for all, which are all checked before this returns.
            since: Where given, of the rows before this UTC hour only the last of each
                destination, source address and host.

        Raises:
            BaselineError: If the file cannot be read, or they are not what was written.
        """
        rows = self._rows(destinations, since)
        first = [] if destinations is not None else list(islice(rows, 1))
        return chain(first, rows)

    def _rows(self, destinations: Iterable[str] | None, since: int | None) -> Iterator[Row]:
        if not self._existed:
            return
        with self.reading(whole=destinations is None) as database:
            found: Iterable[Row]
            if destinations is None:
                found = buckets.all_rows(database)
            else:
                found = schema.rows(database, self.path, destinations)
            yield from found if since is None else buckets.rows_since(found, since)

    def covered(self) -> dict[int, bool]:
        """Return the UTC hours that network events were read of, and whether from a sample.

        Raises:
            BaselineError: If the file cannot be read.
        """
        if not self._existed:
            return {}
        with self.reading() as database:
            return schema.covered_hours(database)

    def verify(self) -> tuple[int, str]:
        """Look through the whole file.

        Returns:
            The version of its schema, and the digest of what was seen.

        Raises:
            BaselineError: If anything in it is not as it was written.
        """
        with self.reading() as database:
            schema.check_whole(database, self.path, thorough=True)
            return schema.version(database), schema.digest(database)

    def check_writable(self) -> None:
        """Make sure before a long scan that its sightings can be added after it.

        Raises:
            BaselineError: If the file or its directory cannot be written to.
        """
        with explained(self.path):
            _make_state_directory(self.path)
        # SQLite keeps its journal beside the file.
        places = [self.path.parent, self.path] if self._existed else [self.path.parent]
        for place in places:
            if not os.access(place, os.W_OK):
                missing = "does not exist" if not place.exists() else "cannot be written to"
                raise BaselineError(f"{place} {missing}")

    def commit(
        self,
        rows: Iterable[Row],
        hours: Mapping[int, bool],
        *,
        last_step: Callable[[], None] = _nothing,
    ) -> None:
        """Add rows and covered hours in one transaction.

        Args:
            rows: Sightings by the hour.
            hours: Covered UTC hours, each with whether only a sample was read.
            last_step: Called when all is ready and only the commit itself is left.

        Raises:
            BaselineError: If the file cannot be written; it is unchanged then.
        """
        with explained(self.path):
            if self._existed or _exists(self.path):
                self._update(rows, hours, last_step)
            else:
                self._create(rows, hours, last_step)
        self._existed = True

    def prune(self, before: int) -> tuple[int, int]:
        """Forget what was last seen before a time, and give back the room.

        Args:
            before: Microseconds since 1970 UTC. A row stays if its last sighting is not before.

        Returns:
            How many rows and how many covered hours were forgotten.

        Raises:
            BaselineError: If the file cannot be written; it is unchanged then.
        """
        with self.writing(whole=True) as database:
            rows = database.execute("DELETE FROM sighting WHERE last < ?", (before,)).rowcount
            hours = database.execute(
                "DELETE FROM covered WHERE hour < ?", (before // HOUR,)
            ).rowcount
            checkpoints.prune(database, before)
            schema.rebuild(database, self.path)
        # What is left is right without it, if another process is faster.
        with suppress(sqlite3.OperationalError):
            self._vacuum()
        return rows, hours

    def _vacuum(self) -> None:
        """Give back free room, and seal what is left: it moves the counter of changes on."""
        with connected(self.path) as (database, _):
            database.execute("VACUUM")
        with self.writing():
            pass

    def _update(
        self, rows: Iterable[Row], hours: Mapping[int, bool], last_step: Callable[[], None]
    ) -> None:
        with self.writing(last_step=last_step) as database:
            schema.add(database, self.path, rows, hours)

    def _create(
        self, rows: Iterable[Row], hours: Mapping[int, bool], last_step: Callable[[], None]
    ) -> None:
        """Create the file with its content at once, so that no half-made one is ever found."""
        _make_state_directory(self.path)
        # Named before it exists: a signal must not come between making it and knowing its name.
        made = self.path.parent / f".{self.path.name[:100]}.{os.urandom(6).hex()}"
        try:
            os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(made, isolation_level=None)) as database:
                # No second file that an error could leave behind.
                database.execute("PRAGMA journal_mode = MEMORY")
                # Small pages have little unused room, which is all that no digest covers.
                database.execute("PRAGMA page_size = 1024")
                database.execute("BEGIN")
                schema.prepare(database, made, self.settings)
                schema.add(database, made, rows, hours)
                schema.seal(database, changes=0)
                database.execute("COMMIT")
                last_step()
                if not _publish(made, self.path):
                    # Another scan created it meanwhile: nothing of either may be lost.
                    found, known = buckets.all_rows(database), schema.covered_hours(database)
                    self._update(found, known, _nothing)
        finally:
            made.unlink(missing_ok=True)

    @contextmanager
    def reading(self, *, whole: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction that sees one state of the file.

        Args:
            whole: Whether all rows are going to be read.

        Raises:
            BaselineError: If it cannot be read, or is damaged.
        """
        with explained(self.path), connected(self.path) as (database, file):
            begin(database, "BEGIN", "SELECT 1 FROM sqlite_master")
            self._check(database, file, whole=whole)
            yield database

    @contextmanager
    def writing(
        self, *, whole: bool = False, last_step: Callable[[], None] = _nothing
    ) -> Iterator[sqlite3.Connection]:
        """Give a connection in an exclusive transaction that is sealed and committed at the end.

        A file of an old version becomes one of today with it. What raises undoes it all.

        Args:
            whole: Whether all rows are going to be read.
            last_step: Called when all is ready and only the commit itself is left.

        Raises:
            BaselineError: If it cannot be written, or is damaged.
        """
        with explained(self.path), connected(self.path) as (database, file):
            # Exclusive from the start, so that the commit itself has nobody to wait for.
            begin(database, "PRAGMA synchronous = FULL", "BEGIN EXCLUSIVE")
            self._check(database, file, whole=whole)
            _compare(self.path, schema.settings(database), self.settings)
            if schema.is_old(database):
                schema.upgrade(database, self.path)
            yield database
            schema.seal(database, schema.change_count(file))
            last_step()
            database.execute("COMMIT")

    def _check(self, database: sqlite3.Connection, file: BinaryIO, *, whole: bool) -> None:
        """Check a file in a transaction, unless all of it was checked in this state before."""
        state = os.fstat(file.fileno()).st_ino, schema.change_count(file)
        if state != self._checked and schema.check(database, self.path, state[1], whole=whole):
            self._checked = state


def _exists(path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise BaselineError(f"{path} is a link to nothing") from None
        return False
    if not stat.S_ISREG(found.st_mode):
        raise BaselineError(f"{path} is no file")
    if not found.st_size:
        raise BaselineError(f"{path} is empty, and no baseline")
    return True


def _make_state_directory(path: Path) -> None:
    with suppress(UsageError):
        if path.parent == state_directory():
            make_private(path.parent)


def _publish(made: Path, path: Path) -> bool:
    """Give a file its name, and return whether it was still free."""
    try:
        # A link fails where another scan was first; renaming would lose what that one wrote.
        os.link(made, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links, as on memory sticks.
        if path.exists():
            return False
        made.rename(path)
    return True


def _compare(path: Path, kept: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if kept.get(name) != value:
            raise BaselineError(
                f"{path} was kept with {name} {kept.get(name)!r}, this run has {value!r}"
            )
