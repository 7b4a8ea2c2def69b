"""Finds the files to follow, as they are made, renamed and removed.

A renamed file is read to its end, and the one that took its name from its start.
"""

import io
import os
from collections.abc import Iterator, Sequence
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
    digest,
    full_name,
    identity_of,
    not_followed,
    read_at,
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
        renumbered: The earlier identities of files whose device got another number.
    """

    paths: Sequence[str]
    places: dict[str, Checkpoint]
    own: Sequence[Path] = ()
    tails: dict[str, Tail] = field(default_factory=dict)
    renumbered: list[str] = field(default_factory=list)
    _ignored: frozenset[str] = frozenset()

    def refresh(self) -> Iterator[Skipped]:
        """Find the files that there are now, and yield what cannot be followed."""
        self._ignored = frozenset(identity_of(path.stat()) for path in self.own if path.exists())
        present: dict[str, str] = {}
        for found in discover(self.paths):
            if isinstance(found, Skipped):
                yield found
            elif found.size is None:
                yield not_followed(found.path, "a pipe or a device", could_matter=True)
            elif (identity := self._meet(found)) is not None:
                present[identity] = found.path
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
        place = self.places.pop(identity, None) or self._renumbered(identity, path)
        if place is not None:
            tail.offset, tail.lines, tail.resumed = place.offset, place.lines, place
            tail.kind = RECOGNIZED if place.offset else ""
        return tail

    def _renumbered(self, identity: str, path: str) -> Checkpoint | None:
        """Return the place of a file whose device got another number, as after a mount."""
        _, _, inode = identity.partition(":")
        for place in self.places.values():
            if place.identity.partition(":")[2] == inode and place.path == full_name(path):
                self.renumbered.append(place.identity)
                return replace(self.places.pop(place.identity), identity=identity)
        return None

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
            self.tails[place.identity] = Tail(
                place.identity,
                path,
                named=True,
                file=file,
                offset=place.offset,
                lines=place.lines,
                kind=RECOGNIZED,
                gone=True,
                resumed=place,
            )


def _open_renamed(place: Checkpoint) -> io.FileIO | None:
    """Return a file that was renamed within its folder, open; None if it is not there."""
    with suppress(OSError):
        for path in sorted(Path(name_from(place.path)).parent.iterdir()):
            if path.is_file() and identity_of(path.stat()) == place.identity:
                file = path.open("rb", buffering=0)
                if digest(read_at(file, 0, place.head_bytes)) == place.head:
                    return file
                file.close()
    return None


def _has_changed(tail: Tail) -> bool:
    return tail.status[0] < 0 and tail.kind in {"", RECOGNIZED}
