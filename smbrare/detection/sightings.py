"""Sightings: events that match the rule, kept by destination and UTC hour.

What is kept merges by minimum, maximum, sum and union, so neither the order nor the split of the
input shows in it.
"""

import hashlib
from array import array
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from msgspec import Struct, field

from smbrare.records.event import Origin
from smbrare.records.times import HOUR


class Sighting(Struct, frozen=True, gc=False):
    """One destination of one event that matches the rule.

    Attributes:
        destination: The address on the internet, in canonical text.
        source: The private address that connected, in canonical text.
        host: The host key: host.name, else host.hostname, else host.id, in lower case.
        time: The time that is judged, in microseconds since 1970 UTC; None if the event has none
            that can be read.
        event_source: The source (exporter) of the event.
        ecs: The event's ECS fields by dotted name, as canonical JSON.
        inferred: ECS fields that the exporter left out and smbrare supplied.
        origin: Where the record stands.
        rank: Host, source address, source port and event id: which of several at a time is first.
        own_time: The event's own time where its event.ingested is judged, else None.
    """

    destination: str
    source: str
    host: str
    time: int | None
    event_source: str
    ecs: bytes
    inferred: tuple[str, ...]
    origin: Origin
    rank: tuple[str, str, int, str]
    own_time: int | None = None

    @property
    def event_time(self) -> int | None:
        """When it happened, by the event's own time."""
        return self.time if self.own_time is None else self.own_time

    @property
    def order(self) -> tuple[int, tuple[str, str, int, str], int, bytes, str, str, int]:
        """What decides which of several sightings stands for them: the least of these.

        Time, then host, source address, source port and event id, then content; only between
        copies of the same event does the place decide.
        """
        time = 0 if self.time is None else self.time
        origin = self.origin
        # A range of a file knows the offset of its lines, but not yet their number in the file.
        place = origin.number if origin.offset is None else origin.offset
        own_time = self.own_time or 0
        return (time, self.rank, own_time, self.ecs, self.event_source, origin.path, place)


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
        if other == self:
            return self
        return Told(
            self.outcomes | other.outcomes,
            self.ports | other.ports,
            min(self.host_name, other.host_name),
        )


class Contact(Struct, gc=False):
    """The sightings of one key.

    Attributes:
        earliest: The least sighting by `Sighting.order`.
        last: Time of the last one, in microseconds since 1970 UTC (0 where undated).
        events: How many records were sighted, duplicates included.
        told: What their events tell besides.
    """

    earliest: Sighting
    last: int
    events: int
    told: Told

    def absorb(self, other: "Contact") -> None:
        """Take in another contact of the same key."""
        if other.earliest.order < self.earliest.order:
            self.earliest = other.earliest
        self.count(other.last, other.events, other.told)

    def count(self, last: int, events: int, told: Told) -> None:
        """Take in sightings, the last of them at a time, of which none is the earliest."""
        self.last = max(self.last, last)
        self.events += events
        self.told = self.told.joined(told)


class Moments(Struct):
    """The time of every sighting with a digest of its event, in 16 bytes, by destination."""

    times: dict[str, "array[int]"] = field(default_factory=dict)
    digests: dict[str, "array[int]"] = field(default_factory=dict)

    def add(self, sighting: Sighting) -> None:
        """Take in one sighting; one without a time has no moment."""
        if sighting.time is None:
            return
        content = repr((sighting.rank, sighting.own_time)).encode() + sighting.ecs
        digest = hashlib.blake2b(content, digest_size=8).digest()
        times, digests = self._of(sighting.destination)
        times.append(sighting.time)
        digests.append(int.from_bytes(digest))

    def merge(self, other: "Moments") -> None:
        """Take in the moments of another part of the scan."""
        for destination in other.times:
            times, digests = self._of(destination)
            times.extend(other.times[destination])
            digests.extend(other.digests[destination])

    def _of(self, destination: str) -> tuple["array[int]", "array[int]"]:
        return (
            self.times.setdefault(destination, array("q")),
            self.digests.setdefault(destination, array("Q")),
        )

    def events(self, destination: str, start: int, end: int) -> int:
        """Count a destination's events between two times, both included; copies count once."""
        times = self.times.get(destination, ())
        digests = self.digests.get(destination, ())
        return len(
            {
                (time, digest)
                for time, digest in zip(times, digests, strict=True)
                if start <= time <= end
            }
        )


class Sightings(Struct):
    """All sightings of a scan, or of a part of one.

    Attributes:
        contacts: The sightings by destination, source address, host and UTC hour.
        moments: Each of them by itself, for a replay; None to do without.
    """

    contacts: dict[Key, Contact] = field(default_factory=dict)
    moments: Moments | None = None

    def repeats(
        self, destination: str, source: str, host: str, time: int | None, told: Told
    ) -> bool:
        """Count a sighting that is later than another of its key, and return whether it was one.

        Nothing else is kept of those, so they need not be made.
        """
        if time is None or self.moments is not None:
            return False
        known = self.contacts.get((destination, source, host, time // HOUR))
        if known is None or known.earliest.time is None or known.earliest.time >= time:
            return False
        known.count(time, 1, told)
        return True

    def add(self, sighting: Sighting, told: Told) -> None:
        """Take in one sighting."""
        time = sighting.time
        hour = None if time is None else time // HOUR
        contact = Contact(sighting, time or 0, 1, told)
        self._absorb((sighting.destination, sighting.source, sighting.host, hour), contact)
        if self.moments is not None:
            self.moments.add(sighting)

    def merge(self, other: "Sightings") -> None:
        """Take in the sightings of another part of the scan."""
        for key, contact in other.contacts.items():
            self._absorb(key, contact)
        if self.moments is not None and other.moments is not None:
            self.moments.merge(other.moments)

    def _absorb(self, key: Key, contact: Contact) -> None:
        known = self.contacts.get(key)
        if known is None:
            self.contacts[key] = contact
        else:
            known.absorb(contact)

    def clear(self) -> None:
        """Forget the contacts."""
        self.contacts.clear()

    def __len__(self) -> int:
        return sum(contact.events for contact in self.contacts.values())

    def destinations(self) -> set[str]:
        """Return every destination that was sighted, dated or not."""
        return {destination for destination, _, _, _ in self.contacts}

    def rows(self) -> Iterable[Row]:
        """Yield what a baseline keeps of these sightings; undated ones are no history."""
        for (destination, source, host, hour), contact in self.contacts.items():
            if hour is not None and contact.earliest.time is not None:
                yield Row(destination, source, host, hour, contact.earliest.time, contact.last)
