"""Finds the files to follow, as they are made, renamed and removed.

A renamed file is read to its end, and the one that took its name from its start.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.baseline.checkpoints import Checkpoint
from smbrare.inputs.discovery import Input, discover
from smbrare.records.event import Origin, Skipped
from smbrare.text import name_from, name_text
from smbrare.watch.tails import (
    RECOGNIZED,
    Tail,
    begins_as,
    full_name,
    identity_of,
    inode,
    not_followed,
)

_MOST_OPEN = 256


def most_open() -> int:
    """Return how many files to keep open: a quarter of those that the system allows, at most."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - only POSIX has it

        return min(_MOST_OPEN, max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4, 1))
    return _MOST_OPEN


# Elsewhere an open file can be neither renamed nor removed, so none is kept open.
_KEEPS_OPEN = os.name == "posix"


class Following(Struct):
    """The files that are followed.

    Attributes:
        paths: What the user gave: files, folders and patterns.
        places: How far files were read before, by identity, until they are met.
        own: Files that are no logs, whichever have these names by now: the run's own.
        tails: The files that were met, by identity.
        renumbered: Where files go on whose device got another number, by their earlier identity.
    """

    paths: Sequence[str]
    places: dict[str, Checkpoint]
    own: Sequence[Path] = ()
    tails: dict[str, Tail] = field(default_factory=dict)
    renumbered: dict[str, Checkpoint] = field(default_factory=dict)
    _ignored: frozenset[str] = frozenset()

    def refresh(self) -> Iterator[Skipped]:
        """Find the files that there are now, and yield what cannot be followed."""
        self._ignored = frozenset(identity_of(path.stat()) for path in self.own if path.exists())
        present: dict[str, str] = {}
        before = set(self.tails)
        for found in discover(self.paths):
            if isinstance(found, Skipped):
                yield found
            elif found.size is None:
                yield not_followed(found.path, "a pipe or a device", could_matter=True)
            elif (identity := self._meet(found)) is not None:
                present[identity] = found.path
        self._renumber(present, before)
        for identity, tail in self.tails.items():
            if identity not in present and not tail.gone and tail.file is None:
                # It was closed, and has perhaps only another name now.
                tail.file = _open_renamed(tail.place())
            tail.gone = identity not in present
            if not tail.gone:
                tail.quiet = None
        yield from self._look_for_moved(present)

    def changed(self) -> list[Tail]:
        """Return the files that may hold more than was read, the oldest change first."""
        found = [tail for tail in self.tails.values() if tail.gone or _has_changed(tail)]
        return sorted(found, key=lambda tail: (tail.modified, tail.path))

    def forget(self, tail: Tail) -> None:
        """Stop following a file."""
        tail.close()
        self.tails.pop(tail.identity, None)

    def close_idle(self) -> None:
        """Close the files that were not changed for longest, so that only some are kept open."""
        kept = [tail for tail in self.tails.values() if tail.file is not None and not tail.gone]
        kept.sort(key=lambda tail: tail.modified)
        for tail in kept[: max(len(kept) - most_open(), 0) if _KEEPS_OPEN else None]:
            tail.close()

    def _meet(self, found: Input) -> str | None:
        """Note that a path leads to a file, and return the file's identity."""
        try:
            status = Path(name_from(found.path)).stat()
        except OSError:
            return None  # Removed since it was listed.
        identity = identity_of(status)
        if identity in self._ignored:
            return None
        tail = self.tails.get(identity)
        if tail is None:
            tail = self.tails[identity] = self._begin(identity, found.path)
        tail.path, tail.named, tail.modified = found.path, found.named, status.st_mtime_ns
        if (status.st_size, status.st_mtime_ns) != tail.status:
            tail.status = (-1, 0)
        return identity

    def _begin(self, identity: str, path: str) -> Tail:
        """Return a file that is met first, with its place if it has one."""
        tail = Tail(identity, path, named=True)
        if place := self.places.pop(identity, None):
            tail.resume(place)
        return tail

    def _renumber(self, present: Mapping[str, str], before: set[str]) -> None:
        """Go on in the files whose device got another number, as by a mount."""
        gone = [self.tails[identity].place() for identity in before.difference(present)]
        places = {(inode(place.identity), place.path): place for place in self.places.values()}
        places |= {(inode(place.identity), place.path): place for place in gone}
        if not places:
            return
        for identity in set(present).difference(before):
            tail = self.tails[identity]
            place = places.get((inode(identity), full_name(tail.path)))
            if tail.resumed is None and place is not None and tail.continues(place):
                tail.resume(place)
                self.places.pop(place.identity, None)
                self.renumbered[place.identity] = replace(place, identity=identity)
                if earlier := self.tails.get(place.identity):
                    self.forget(earlier)

    def _look_for_moved(self, present: dict[str, str]) -> Iterator[Skipped]:
        """Look in its folder for each file that lost its name to another while nobody watched."""
        named = set(present.values()).intersection(map(name_text, self.paths))
        taken = {full_name(path): path for path in named}
        for place in [place for place in self.places.values() if place.path in taken]:
            del self.places[place.identity]
            path = taken[place.path]
            file = _open_renamed(place)
            if file is None:
                reason = "replaced while nobody watched: what followed this line may be unread"
                yield Skipped(Origin(path, place.lines), reason, could_matter=True, ends_input=True)
            # Without a file too: it is gone then, and forgotten like any other.
            tail = Tail(place.identity, path, named=True, file=file, gone=True)
            tail.resume(place)
            self.tails[place.identity] = tail


def _open_renamed(place: Checkpoint) -> io.FileIO | None:
    """Return a file that was renamed within its folder, open; None if it is not there."""
    with suppress(OSError):
        for path in sorted(Path(name_from(place.path)).parent.iterdir()):
            if path.is_file() and str(path.stat().st_ino) == inode(place.identity):
                file = path.open("rb", buffering=0)
                if begins_as(file, place):
                    return file
                file.close()
    return None


def _has_changed(tail: Tail) -> bool:
    return tail.status[0] < 0 and tail.kind in {"", RECOGNIZED}
