"""Exclusions: sightings that do not count, each for a reason and perhaps for a time.

As with an exception of Elastic's, an excluded sighting neither alerts nor counts as seen. All
conditions of an exclusion have to hold; of several values for one condition, any.
"""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from msgspec import Struct

from smbrare.detection.dns import Resolutions
from smbrare.detection.sightings import Key
from smbrare.records.times import HOUR, format_time
from smbrare.rule.networks import Network, is_in_any

_REMEMBERED = 65_536


class Exclusion(Struct, frozen=True):
    """One rule of the user's; at least one of its first four conditions is given.

    Attributes:
        reason: Why it is there.
        destination: Ranges of addresses on the internet.
        source: Ranges of private addresses.
        host: Patterns of host keys in lower case, as the shell's ``*``, ``?`` and ``[]``.
        domain: Names that a DNS event of the scan resolved to the destination; ``*.x`` for every
            name below x.
        start: The first UTC hour of event time that it is for, counted since 1970, if limited.
        until: The hour before which it ends, if it does.
        expires: The hour from which it has to be given anew, if it has.
    """

    reason: str
    destination: tuple[Network, ...] = ()
    source: tuple[Network, ...] = ()
    host: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    start: int | None = None
    until: int | None = None
    expires: int | None = None

    def covers(self, hour: int | None) -> bool:
        """Return whether it is for an hour; what has no time, only one without limits covers."""
        ends = [end for end in (self.until, self.expires) if end is not None]
        if hour is None:
            return self.start is None and not ends
        return (self.start is None or self.start <= hour) and all(hour < end for end in ends)

    def __str__(self) -> str:
        """Return the reason and what it is for, in one line."""
        parts = [
            f"{name} {', '.join(values)}"
            for name, values in (
                ("destination", [*map(range_text, self.destination)]),
                ("source", [*map(range_text, self.source)]),
                ("host", self.host),
                ("domain", self.domain),
            )
            if values
        ]
        parts += [
            f"{name} {format_time(hour * HOUR)}"
            for name, hour in (
                ("from", self.start),
                ("until", self.until),
                ("expires", self.expires),
            )
            if hour is not None
        ]
        return f"{self.reason} ({', '.join(parts)})"


def range_text(network: Network) -> str:
    """Return a range in words; one of a single address as the address."""
    return str(network.network_address if network.num_addresses == 1 else network)


def wanted_names(exclusions: Iterable[Exclusion]) -> frozenset[str]:
    """Return the patterns of the names whose addresses exclusions ask for."""
    return frozenset(pattern for exclusion in exclusions for pattern in exclusion.domain)


def because(
    exclusions: Sequence[Exclusion], resolutions: Resolutions | None = None
) -> Callable[[Key], str]:
    """Return what tells why sightings of a key do not count: the first exclusion that holds.

    Args:
        exclusions: In the order that decides.
        resolutions: What DNS events said; without it no domain is known.

    Returns:
        A function from a key to the text of an exclusion, empty where none holds.
    """
    if not exclusions:
        return lambda _: ""
    texts = [str(exclusion) for exclusion in exclusions]
    resolved = [
        frozenset() if resolutions is None else resolutions.of(exclusion.domain)
        for exclusion in exclusions
    ]

    # A set of exclusions is a number with a bit for each: keys are many, addresses few.
    @lru_cache(_REMEMBERED)
    def by_destination(text: str) -> int:
        return _bits(
            is_in_any(text, exclusion.destination) and (not exclusion.domain or text in addresses)
            for exclusion, addresses in zip(exclusions, resolved, strict=True)
        )

    @lru_cache(_REMEMBERED)
    def by_source(text: str) -> int:
        return _bits(is_in_any(text, exclusion.source) for exclusion in exclusions)

    @lru_cache(_REMEMBERED)
    def by_host(text: str) -> int:
        return _bits(
            not exclusion.host or any(fnmatchcase(text, pattern) for pattern in exclusion.host)
            for exclusion in exclusions
        )

    def tell(key: Key) -> str:
        destination, source, host, hour = key
        left = by_destination(destination) & by_source(source) & by_host(host)
        while left:
            at = (left & -left).bit_length() - 1
            if exclusions[at].covers(hour):
                return texts[at]
            left &= left - 1
        return ""

    return tell


def _bits(holds: Iterable[bool]) -> int:
    return sum(1 << at for at, it_does in enumerate(holds) if it_does)
