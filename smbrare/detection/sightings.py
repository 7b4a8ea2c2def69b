"""Sightings: events that match the rule, counted by destination and UTC hour.

What is kept merges by minimum, maximum, sum and union, so neither the order nor the split of the
input shows in it. Logs may hold nothing but sightings, so they are columns, not objects.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import groupby
from typing import NamedTuple, TypeAlias

from msgspec import Struct, field

from smbrare.detection.kept_events import KeptEvent, KeptEvents, Numbered, Sighting
from smbrare.detection.schedule import Moments
from smbrare.records.fields import Address
from smbrare.records.read_options import Grain
from smbrare.records.times import HOUR

_V6 = 1 << 128
_BITS = 32
_LOW = (1 << _BITS) - 1
_MIDDLE = 1 << (_BITS - 1)
"""The number of the hour in which 1970 began; 0 is that of what has no time."""

_NO = ("", "")
"""The pair with the number 0, of grains that hold all of a destination's."""

_FEW_DEAD = 4_096
"""Events kept without need before they are thrown out, where they are most of them."""


class Row(NamedTuple):
    """What a baseline keeps: one destination, source address, host and UTC hour.

    ``hour`` counts hours, ``first`` and ``last`` microseconds since 1970 UTC.
    """

    destination: str
    source: str
    host: str
    hour: int
    first: int
    last: int


Key: TypeAlias = tuple[str, str, str, int | None]
"""Destination, source address, host and UTC hour; the hour of undated sightings is None."""


class Told(NamedTuple):
    """What the events of sightings tell besides, added up.

    Attributes:
        outcomes: The values of event.outcome.
        ports: The SMB ports.
        host_name: The host's name as the exporter spells it, least by spelling.
    """

    outcomes: frozenset[str]
    ports: frozenset[int]
    host_name: str

    def joined(self, other: "Told") -> "Told":
        """Return what both tell."""
        return Told(
            self.outcomes | other.outcomes,
            self.ports | other.ports,
            min(self.host_name, other.host_name),
        )


class Contact(NamedTuple):
    """The sightings of one destination, source address, host and UTC hour.

    Attributes:
        key: These four.
        first: Time of the first one, in microseconds since 1970 UTC; None where undated.
        last: Time of the last one (0 where undated).
        events: How many records were sighted, duplicates included.
        told: What their events tell besides.
        number: The key in the columns.
    """

    key: Key
    first: int | None
    last: int
    events: int
    told: Told
    number: int


class Sightings(Struct):
    """All sightings of a scan, or of a part of one.

    Attributes:
        grain: Of which sightings the events are kept.
        moments: Each sighting by itself, for a replay; None to do without.
        index: The row of each contact in the next four columns, by its number: the address, the
            number of the pair, and the hour.
        first: Time of its first sighting, in microseconds since 1970 UTC, 0 where undated.
        last: Time of its last one.
        events: How many records were sighted.
        told: The number of what they tell.
        pairs: Source address and host.
        tolds: What events tell.
        slots: Where the least event of each grain is kept.
        kept: The events.
    """

    grain: Grain = Grain()
    moments: Moments | None = None
    index: dict[int, int] = field(default_factory=dict)
    first: "array[int]" = field(default_factory=lambda: array("q"))
    last: "array[int]" = field(default_factory=lambda: array("q"))
    events: "array[int]" = field(default_factory=lambda: array("Q"))
    told: "array[int]" = field(default_factory=lambda: array("I"))
    pairs: Numbered[tuple[str, str]] = field(default_factory=lambda: Numbered([_NO], {_NO: 0}))
    tolds: Numbered[Told] = field(default_factory=Numbered)
    slots: dict[int, int] = field(default_factory=dict)
    kept: KeptEvents = field(default_factory=KeptEvents)

    def add(
        self,
        destination: Address,
        pair: tuple[str, str],
        time: int | None,
        told: Told,
        event: Callable[[], KeptEvent],
    ) -> None:
        """Take in one sighting.

        Args:
            destination: The address on the internet.
            pair: The private address that connected, in canonical text, and the host key.
            time: The time that is judged, in microseconds since 1970 UTC, if there is one.
            told: What its event tells besides.
            event: Makes what a finding would show of its event; called if it might be shown.
        """
        pair_id = self.pairs.number(pair)
        told_id = self.tolds.number(told)
        hour = 0 if time is None else time // HOUR + _MIDDLE
        number = (_code(destination) << _BITS | pair_id) << _BITS | hour
        row, at = self.index.get(number), time or 0
        if row is not None and at > self.first[row]:
            # Of a busy destination all but the first sighting of an hour are only counted.
            self._count(row, at, 1, told_id)
        else:
            self._absorb(number, at, at, 1, told_id)
            self._keep(number, pair[1], time, event)
        if self.moments is not None:
            self.moments.add(str(destination), time, event())

    def merge(self, other: "Sightings") -> None:
        """Take in the sightings of another part of the scan."""
        pairs = [*map(self.pairs.number, other.pairs.values)]
        tolds = [*map(self.tolds.number, other.tolds.values)]
        for number, row in other.index.items():
            pair_id = number >> _BITS & _LOW
            self._absorb(
                number + (pairs[pair_id] - pair_id << _BITS),
                other.first[row],
                other.last[row],
                other.events[row],
                tolds[other.told[row]],
            )
        moved = self.kept.extend(other.kept)
        for grain, slot in other.slots.items():
            pair_id = grain >> 2 * _BITS & _LOW
            its_grain = grain + (pairs[pair_id] - pair_id << 2 * _BITS)
            known = self.slots.get(its_grain)
            if known is None or self.kept.is_less(moved + slot, known):
                self.slots[its_grain] = moved + slot
        self._throw_out()
        if self.moments is not None and other.moments is not None:
            self.moments.merge(other.moments)

    def _absorb(self, number: int, first: int, last: int, events: int, told_id: int) -> None:
        row = self.index.setdefault(number, len(self.index))
        if row == len(self.first):
            self.first.append(first)
            self.last.append(last)
            self.events.append(events)
            self.told.append(told_id)
        else:
            self.first[row] = min(self.first[row], first)
            self._count(row, last, events, told_id)

    def _count(self, row: int, last: int, events: int, told_id: int) -> None:
        self.events[row] += events
        self.last[row] = max(self.last[row], last)
        if told_id != (known_id := self.told[row]):
            told = self.tolds.values[known_id].joined(self.tolds.values[told_id])
            self.told[row] = self.tolds.number(told)

    def _keep(
        self, number: int, host: str, time: int | None, make: Callable[[], KeptEvent]
    ) -> None:
        """Keep the event of a sighting, if it is the least of its grain so far."""
        if self.grain.by == "nothing":
            return
        grain = self._grain(number, host)
        known = self.slots.get(grain)
        after = -1 if known is None else (time or 0) - self.kept.times[known]
        if after > 0:
            return
        event = make()
        if known is None or after < 0 or event.order < self.kept.event(known).order:
            self.slots[grain] = self.kept.add(event, time)
            self._throw_out()

    def _grain(self, number: int, host: str) -> int:
        """Return the number of the grain that a contact lies in."""
        grain, hour = self.grain, (number & _LOW) - _MIDDLE
        part = number >> _BITS
        if grain.by == "destination":
            part &= ~_LOW
        elif grain.by == "host":
            part = part & ~_LOW | self.pairs.number(("", host))
        if hour == -_MIDDLE:
            return part << 2 * _BITS
        since = hour // grain.hours if grain.hours else 0
        return (part << _BITS | bisect_right(grain.edges, hour)) << _BITS | since + _MIDDLE

    def _throw_out(self) -> None:
        """Forget the events that are not the least of any grain, if they are most of those kept."""
        if len(self.kept) > 2 * len(self.slots) + _FEW_DEAD:
            living = sorted(set(self.slots.values()))
            slots = {slot: at for at, slot in enumerate(living)}
            self.kept = self.kept.only(living)
            self.slots = {grain: slots[slot] for grain, slot in self.slots.items()}

    def __len__(self) -> int:
        return sum(self.events)

    def destinations(self) -> set[str]:
        """Return every destination that was sighted, dated or not."""
        return {_text(code) for code in {number >> 2 * _BITS for number in self.index}}

    def contacts(self) -> Iterator[Contact]:
        """Yield the sightings by destination, source address, host and UTC hour."""
        return map(self._contact, self.index)

    def of(self, destinations: Iterable[str]) -> dict[str, list[Contact]]:
        """Return the contacts of some destinations, by these in canonical text."""
        codes = {_code(ip_address(destination)): destination for destination in destinations}
        found: dict[str, list[Contact]] = {destination: [] for destination in codes.values()}
        for number in self.index if codes else ():
            if (destination := codes.get(number >> 2 * _BITS)) is not None:
                found[destination].append(self._contact(number))
        return found

    def by_destination(self) -> Iterator[list[Contact]]:
        """Yield the contacts of each destination."""
        for _, numbers in groupby(sorted(self.index), key=lambda number: number >> 2 * _BITS):
            yield [*map(self._contact, numbers)]

    def _contact(self, number: int) -> Contact:
        row, hour = self.index[number], (number & _LOW) - _MIDDLE
        dated = hour != -_MIDDLE
        pair = self.pairs.values[number >> _BITS & _LOW]
        return Contact(
            (_text(number >> 2 * _BITS), *pair, hour if dated else None),
            self.first[row] if dated else None,
            self.last[row],
            self.events[row],
            self.tolds.values[self.told[row]],
            number,
        )

    def rows(self) -> Iterable[Row]:
        """Yield what a baseline keeps of these sightings; undated ones are no history."""
        for (destination, source, host, hour), first, last, *_ in self.contacts():
            if hour is not None and first is not None:
                yield Row(destination, source, host, hour, first, last)

    def least(self, contacts: Sequence[Contact]) -> Sighting:
        """Return the sighting that stands for contacts: the first, or the least of several.

        Args:
            contacts: Those that are judged together, at least one.

        Raises:
            ValueError: If its event was not kept, because the grain is coarser than what is judged.
        """
        time = min(contact.first or 0 for contact in contacts)
        rivals = [contact for contact in contacts if (contact.first or 0) == time]
        slots = [*{self.slots[self._grain(rival.number, rival.key[2])] for rival in rivals}]
        if any(self.kept.times[slot] != time for slot in slots):
            raise ValueError("the events were kept for another question")
        slot = min(slots, key=lambda slot: self.kept.event(slot).order) if slots[1:] else slots[0]
        destination, source, host, _ = rivals[0].key
        if len(rivals) > 1:
            host, source, *_ = self.kept.event(slot).rank
        return Sighting(destination, source, host, rivals[0].first, self.kept, slot)


def _code(address: Address) -> int:
    number = int(address)
    return number if address.version == 4 else number | _V6  # noqa: PLR2004


@lru_cache(maxsize=8_192)
def _text(code: int) -> str:
    return str(IPv6Address(code ^ _V6) if code & _V6 else IPv4Address(code))
