"""What a host's other events prove about the connections of a finding, and how they are joined.

An event proves something only if it is of the finding's host and names its destination: by
address, or by a name that this host's own DNS queries resolved to that address and to no other.
What shares only host and time is kept as weaker evidence, which never raises a grade.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct, field

from smbrare.detection.host_context import REACH, SESSION, Nearest, is_near, same_host
from smbrare.sources.activities.activity import Activity, Shown

Basis: TypeAlias = Literal["address", "name", "host and time", "short host name"]

MOST_NAMES = 10_000
"""How many names a host may resolve in a day: beyond that, none of its names is used."""

MOST_EVENTS = 1_000
"""How many events are kept of each basis and of what they show, so that no flood hides others."""

MOST_WEAK = 20
"""How many of the events that prove nothing are reported, the nearest in time."""

TOO_MANY_NAMES = f"its host resolved more than {MOST_NAMES:,} names: none was joined by its name"

TOO_MANY_EVENTS = f"more than {MOST_EVENTS:,} events may show what was sent: only those were read"

_KINDS = frozenset({"smb", "ntlm", "credentials", "webdav", "file"})
_SHOWN: tuple[Shown, ...] = ("authentication", "connection", "attempt", "")
_SEVERAL = ""
"""Stands for the addresses of a name that has more than one."""


class JoinedEvent(Struct, frozen=True):
    """An event of a finding's host, and what joins it to the finding.

    Attributes:
        activity: The event.
        joined: What joins it; ``short host name`` comes second, where only the first part of the
            host's name is the same.
    """

    activity: Activity
    joined: tuple[Basis, ...]

    @property
    def proves(self) -> bool:
        """Whether it is certainly of the finding's host and destination."""
        return self.joined[0] != "host and time"


class EvidenceCollector(Struct):
    """Gathers what is evidence for one finding, in any order of the events.

    Attributes:
        host: The host's key (its name in lower case).
        time: The finding's time, in microseconds since 1970 UTC.
        destination: The finding's destination.
        last: When the host connected last, if it did so more than once; in microseconds too.
        overflowed: Whether its host resolved more than `MOST_NAMES` names.
    """

    host: str
    time: int
    destination: str
    last: int | None = None
    overflowed: bool = False
    _kept: dict[tuple[Basis, Shown], Nearest] = field(default_factory=dict)
    _names: dict[tuple[str, bool], str] = field(default_factory=dict)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Why something may be missing."""
        is_cut = any(
            kept.omitted and shows and basis != "host and time"
            for (basis, shows), kept in self._kept.items()
        )
        return (TOO_MANY_NAMES,) * self.overflowed + (TOO_MANY_EVENTS,) * is_cut

    def observe(self, activity: Activity) -> None:
        """Take in an event; one of another host, time or address is ignored."""
        address = activity.address
        if activity.kind not in _KINDS and not (activity.kind == "process" and address):
            return
        if address not in {self.destination, ""} or not self._is_near(activity):
            return
        if same_host(activity.host, self.host):
            named: Basis = "name" if activity.server else "host and time"
            key = ("address" if address else named, activity.shows)
            self._kept.setdefault(key, Nearest(self.time, MOST_EVENTS)).add(activity)

    def resolve(self, query: Activity, answers: Iterable[tuple[str, str]]) -> None:
        """Take in the names and addresses of a DNS query."""
        if not -SESSION <= query.time - self.time <= self._length + REACH:
            return
        if self.overflowed or not same_host(query.host, self.host):
            return
        is_exact = query.host.lower() == self.host
        for name, address in answers:
            known = self._names.setdefault((name, is_exact), address)
            if known != address:
                self._names[name, is_exact] = _SEVERAL
        if len(self._names) > MOST_NAMES:
            self.overflowed = True
            self._names.clear()

    def result(self, *, is_ambiguous: bool) -> tuple[JoinedEvent, ...]:
        """Return the evidence: what proves most first, then the nearest in time.

        Args:
            is_ambiguous: Whether the first part of the host's name is another host's too, so that
                what names only that proves nothing.
        """
        found = []
        for activity in (each for kept in self._kept.values() for each in kept.kept):
            address, is_short = self._destination_of(activity, with_short=not is_ambiguous)
            is_short = is_short or activity.host.lower() != self.host
            basis: Basis = "name" if address == self.destination else "host and time"
            if activity.address:
                basis = "address"
            if is_short and is_ambiguous:
                basis = "host and time"
            if address in {self.destination, _SEVERAL, None}:
                short: tuple[Basis, ...] = ("short host name",) if is_short else ()
                found.append(JoinedEvent(activity, (basis, *short)))
        found.sort(key=self._order)
        weak = [each for each in found if not each.proves][:MOST_WEAK]
        return (*(each for each in found if each.proves), *weak)

    @property
    def _length(self) -> int:
        return 0 if self.last is None else self.last - self.time

    def _is_near(self, activity: Activity) -> bool:
        return is_near(activity, self.time) or (
            0 <= activity.time - self.time <= self._length + REACH
        )

    def _destination_of(self, activity: Activity, *, with_short: bool) -> tuple[str | None, bool]:
        """Return the address that an event names, and whether only a short host name says so.

        None where it is unknown, `_SEVERAL` where its server's name has more than one.
        """
        if activity.address:
            return activity.address, False
        name = activity.server.rstrip(".").lower()
        exact = self._names.get((name, True))
        short = self._names.get((name, False)) if with_short else None
        if exact is None or short is None or exact == short:
            return (short, short is not None) if exact is None else (exact, False)
        return _SEVERAL, False

    def _order(self, event: JoinedEvent) -> tuple[bool, int, int, tuple[int | str, ...]]:
        activity = event.activity
        return (*_strength(event), abs(activity.time - self.time), activity.content)


def merge_evidence(
    first: Iterable[JoinedEvent], others: Iterable[JoinedEvent]
) -> tuple[JoinedEvent, ...]:
    """Return the evidence of a finding: that of its first connection, and what others prove."""
    found = {each.activity.content: each for each in first}
    for each in others:
        if each.proves:
            found.setdefault(each.activity.content, each)
    return tuple(sorted(found.values(), key=_strength))


def _strength(event: JoinedEvent) -> tuple[bool, int]:
    """Return what puts first what proves most."""
    return (not event.proves, _SHOWN.index(event.activity.shows))


def proofs(evidence: Iterable[JoinedEvent]) -> list[Activity]:
    """Return the events that show credentials sent to the destination, in time."""
    shown = [each.activity for each in evidence if each.proves]
    return sorted(
        (activity for activity in shown if activity.shows == "authentication"),
        key=lambda activity: activity.content,
    )


def accounts(evidence: Iterable[JoinedEvent]) -> tuple[Activity, ...]:
    """Return the events that show whose credentials were sent, the first of each account."""
    first: dict[str, Activity] = {}
    for activity in proofs(evidence):
        if activity.user:
            first.setdefault(activity.user.lower(), activity)
    return tuple(first.values())
