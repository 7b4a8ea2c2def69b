"""What a baseline has seen of each destination, out of its rows."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import groupby, islice
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from smbrare.detection.sightings import Row
from smbrare.rule.networks import Network, is_in_any

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline

_LOOKED_UP_TOGETHER = 10_000


class Seen(Struct, frozen=True):
    """One destination.

    Attributes:
        destination: The address.
        first: The first sighting, in microseconds since 1970 UTC.
        last: The last one.
        hours: In how many UTC hours it was sighted.
        hosts: The host keys, sorted; an event without a host gives none.
        sources: The source addresses, sorted as text.
        is_new: Whether a baseline that learns it did not hold it before.
    """

    destination: str
    first: int
    last: int
    hours: int
    hosts: tuple[str, ...]
    sources: tuple[str, ...]
    is_new: bool = False


class SeenDestinations(Struct, frozen=True):
    """Destinations to list.

    Attributes:
        seen: The destinations.
        are_learnt: Whether a baseline learns them, and it matters which are new to it.
    """

    seen: Iterable[Seen]
    are_learnt: bool = False


class Filter(Struct, frozen=True):
    """Which rows to look at; what is empty or None asks for nothing.

    Attributes:
        destinations: Ranges, any of which the destination lies in.
        hosts: Patterns in lower case, any of which the host fits.
        since: A time in microseconds since 1970 UTC; the last sighting of the hour is not before.
        until: Likewise; the first sighting of the hour is before it.
    """

    destinations: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    def keeps(self, row: Row) -> bool:
        """Return whether a row is asked for."""
        if self.since is not None and row.last < self.since:
            return False
        if self.until is not None and row.first >= self.until:
            return False
        if self.hosts and not any(fnmatchcase(row.host, pattern) for pattern in self.hosts):
            return False
        return is_in_any(row.destination, self.destinations)


def by_destination(rows: Iterable[Row]) -> Iterator[Seen]:
    """Yield what was seen of each destination.

    Args:
        rows: Sorted by destination.
    """
    for destination, group in groupby(rows, key=lambda row: row.destination):
        own = list(group)
        yield Seen(
            destination=destination,
            first=min(row.first for row in own),
            last=max(row.last for row in own),
            hours=len({row.hour for row in own}),
            hosts=tuple(sorted({row.host for row in own if row.host})),
            sources=tuple(sorted({row.source for row in own})),
        )


def with_news(seen: Iterable[Seen], baseline: "Baseline") -> Iterator[Seen]:
    """Yield destinations with whether they are new to a baseline.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    each = iter(seen)
    while some := list(islice(each, _LOOKED_UP_TOGETHER)):
        known = {row.destination for row in baseline.rows(one.destination for one in some)}
        yield from (replace(one, is_new=one.destination not in known) for one in some)
