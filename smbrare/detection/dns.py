"""Which names resolved to which addresses, told by the DNS events of a scan.

A name that stands in a connection's own record may be a reverse name, which whoever holds the
address chooses. Only an answer to a query ties a name to an address.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

from msgspec import Struct, field

from smbrare.records.event import EventFields
from smbrare.records.fields import Malformed, ip
from smbrare.rule.networks import excluded_range
from smbrare.sources.ecs import ANSWERS, NAME

MOST_ANSWERS = 50_000
"""Triples of address, name and asking host that are kept, some 20 MB of them."""

_LONGEST_NAME = 255
"""Source: RFC 1035, section 2.3.4."""

_TYPE = re.compile(r"type: *[0-9]+ *")
"""What Sysmon and SentinelOne write before an answer that is no address, and before a name."""


def resolved(event: EventFields) -> Iterator[tuple[str, str]]:
    """Yield each name of a DNS event, in lower case, with each address that it resolved to.

    Answers that are names are aliases on the way to the address.
    """
    for name in event.read(NAME).values:
        asked = _TYPE.sub("", name, count=1).strip().rstrip(".").lower()
        for text in event.read(ANSWERS).values:
            for answer in text.split(";"):
                try:
                    yield asked, str(ip(answer.strip()))
                except Malformed:
                    continue


def is_named(name: str, pattern: str) -> bool:
    """Return whether a name is a pattern's: the same, or below ``x`` for ``*.x``.

    Args:
        name: A name in lower case, without a dot at its end.
        pattern: Likewise, with ``*.`` before it for every name below.
    """
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


class Resolutions(Struct):
    """What the DNS events of a scan, or of a part of one, say about some names.

    Attributes:
        wanted: Patterns of the names to keep, as `is_named` takes them.
        addresses: The addresses of each of these names, in canonical text.
    """

    wanted: frozenset[str] = frozenset()
    addresses: dict[str, set[str]] = field(default_factory=dict)

    def observe(self, event: EventFields) -> None:
        """Take in an event."""
        for name, address in resolved(event):
            if any(is_named(name, pattern) for pattern in self.wanted):
                self.addresses.setdefault(name, set()).add(address)

    def merge(self, other: "Resolutions") -> None:
        """Take in what another part says."""
        for name, found in other.addresses.items():
            self.addresses.setdefault(name, set()).update(found)

    def of(self, patterns: Iterable[str]) -> frozenset[str]:
        """Return the addresses of all names that any of the patterns names."""
        asked = tuple(patterns)
        return frozenset(
            address
            for name, found in self.addresses.items()
            if any(is_named(name, pattern) for pattern in asked)
            for address in found
        )


class Query(NamedTuple):
    """A name that a host asked for, and that led to the address in question.

    Attributes:
        name: The name, in lower case.
        host: Who asked, as the event spells it; empty where it does not tell.
        first: When it was first asked, in microseconds since 1970 UTC; None if no event tells.
        last: When it was last asked, likewise.
    """

    name: str
    host: str
    first: int | None
    last: int | None


_Times: TypeAlias = tuple[int | None, int | None]


class Answers(Struct):
    """Which names led to which addresses on the internet, who asked, and when.

    What is kept merges by union, minimum and maximum. Whether it was too much depends on the
    whole alone, and then nothing is kept: part of it would depend on the order of the input.

    Attributes:
        times: The first and last time by address, name and host.
        wanted: The only addresses to keep, in canonical text; None for all.
        names: Names of which every address is kept, in lower case.
        overflowed: Whether there was more to keep than `MOST_ANSWERS`.
    """

    times: dict[tuple[str, str, str], _Times] = field(default_factory=dict)
    wanted: frozenset[str] | None = None
    names: frozenset[str] = frozenset()
    overflowed: bool = False

    def observe(self, event: EventFields, time: int | None) -> None:
        """Take in an event of a time in microseconds since 1970 UTC."""
        host = ""
        for name, address in resolved(event):
            if self.overflowed or not name or len(name) > _LONGEST_NAME:
                continue
            if self._keeps(address, name):
                host = host or _asker(event)
                self._add((address, name, host), (time, time))

    def merge(self, other: "Answers") -> None:
        """Take in what another part of the inputs says."""
        if other.overflowed:
            self._overflow()
        for key, times in other.times.items():
            self._add(key, times)

    def of(self, address: str, host: str) -> tuple[Query, ...]:
        """Return the queries that an address answered, a host's own first, then by time.

        Args:
            address: The address in canonical text.
            host: The host's key (its name in lower case).
        """
        return self.by_address([(address, host)]).get((address, host), ())

    def by_address(
        self, asked: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[Query, ...]]:
        """Return `of` for many pairs of address and host key, leaving out those without any."""
        found: dict[str, list[Query]] = {}
        pairs = set(asked)
        wanted = {address for address, _ in pairs}
        for (address, name, asker), (first, last) in self.times.items():
            if address in wanted:
                found.setdefault(address, []).append(Query(name, asker, first, last))
        return {
            (address, host): tuple(sorted(found[address], key=lambda query: _order(query, host)))
            for address, host in pairs
            if address in found
        }

    def addresses_of(self, names: Collection[str]) -> dict[str, set[str]]:
        """Return the addresses on the internet that some names led to, without those of none."""
        found: dict[str, set[str]] = {}
        for address, name, _ in self.times:
            if name in names and self._is_public(address):
                found.setdefault(name, set()).add(address)
        return found

    def _keeps(self, address: str, name: str) -> bool:
        if self.wanted is not None and name not in self.names:
            return address in self.wanted
        return self._is_public(address)

    @staticmethod
    def _is_public(address: str) -> bool:
        return excluded_range(ip_address(address)) is None

    def _add(self, key: tuple[str, str, str], times: _Times) -> None:
        if self.overflowed:
            return
        first, last = self.times.get(key, (None, None))
        self.times[key] = (_least(first, times[0]), _most(last, times[1]))
        if len(self.times) > MOST_ANSWERS:
            self._overflow()

    def _overflow(self) -> None:
        self.overflowed = True
        self.times.clear()


def _asker(event: EventFields) -> str:
    for name in ("host.name", "host.id"):
        for value in event.read(name).values:
            return str(value)
    return ""


def _order(query: Query, host: str) -> tuple[bool, bool, int, str, str]:
    return (
        query.host.lower() != host,
        query.first is None,
        query.first or 0,
        query.name,
        query.host,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
