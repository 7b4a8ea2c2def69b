"""Kibana's schedule: which sightings a new-terms rule raises, in which run.

Facts, read from Kibana's sources (x-pack security_solution, detection_engine/rule_types) and from
Elasticsearch's documentation:

- A run at *now* reads the events of [now - lookback, now], both ends included, and looks for their
  terms in [now - history, now] (new_terms/create_new_terms_alert_type, utils/build_events_query).
  The time is the rule's timestamp override, or @timestamp in events without it.
- A term is new if the earliest event of that wider range lies after now - lookback, strictly; one
  at that very moment makes it known (new_terms/build_new_terms_aggregation).
- The alert stands on the oldest event of the term within the lookback.
- An alert's id is a hash of event, rule and term, so that the overlap of two runs raises it once:
  those that exist are taken out before max_signals cuts the list (filter_duplicate_alerts, and the
  persistence wrapper that calls it). A cut alert has another chance in the next run, as long as
  that still reads its event.
- The list is cut from its end. It comes from a terms aggregation over the lookback, and so has the
  terms with most events first and equals by term ascending, which for addresses is by their 16
  bytes. Beyond 10,000 destinations in one lookback Kibana goes by pages of addresses, and its later
  ES|QL execution promises no order at all: neither is emulated.

Elasticsearch keeps times to the millisecond, smbrare to the microsecond: an event within a
millisecond of a window's edge can fall on its other side.

Runs are taken to be punctual, at anchor + k * interval for every whole k, and events to be there
at their time.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, ip_address

from msgspec import Struct, field

from smbrare.detection.kept_events import KeptEvent

DocumentCount = Callable[[str, int, int], int]
"""How many events of a destination were read between two times, both included."""


class Schedule(Struct, frozen=True):
    """When a rule runs, and what each run reads; all times in microseconds.

    Attributes:
        interval: From one run to the next.
        lookback: How far back a run looks for events.
        history: How far back a run looks for earlier sightings; longer than the lookback.
        anchor: The time of any one run, since 1970 UTC.
        max_signals: How many alerts a run raises at most.

    Raises:
        ValueError: If no rule could run so.
    """

    interval: int
    lookback: int
    history: int
    anchor: int = 0
    max_signals: int = 100

    def __post_init__(self) -> None:
        if self.interval < 1 or self.lookback < 1 or self.max_signals < 1:
            raise ValueError("interval, lookback and max-signals have to be more than nothing")
        if self.history <= self.lookback:
            raise ValueError("the history has to be longer than the lookback")

    def first_run(self, time: int) -> int:
        """Return the time of the first run at or after a time."""
        return time + (self.anchor - time) % self.interval

    def last_run(self, time: int) -> int:
        """Return the time of the last run that reads an event as new.

        It lies strictly before ``time + lookback``, and before ``time`` itself where the interval
        is longer than the lookback and no run reads the event at all.
        """
        latest = time + self.lookback - 1
        return latest - (latest - self.anchor) % self.interval

    def can_raise(self, silence: int | None) -> bool:
        """Return whether some anchor raises a sighting.

        Args:
            silence: Microseconds since the last sighting of the destination; None for the first.
        """
        return silence is None or silence > self.history - (self.lookback - 1)

    def always_raises(self, silence: int | None) -> bool:
        """Return whether every anchor raises a sighting, whose silence is given as above."""
        slack = self.lookback - self.interval
        return slack >= 0 and (silence is None or silence > self.history - slack)


class Alert(Struct, frozen=True):
    """One alert of one run; all times in microseconds since 1970 UTC.

    Attributes:
        destination: The new term, in canonical text.
        time: The event's time.
        previous: The sighting of the destination before, if any.
        run: The run that raises it, the first that can and has room.
        start: Where that run's lookback starts; it ends at the run.
        phase_dependent: Whether another anchor would not have raised it. Its silence decides
            this; in which run max_signals cuts depends on the anchor too, and is not weighed.
        crowded: Whether that run had more to raise than max_signals allows.
    """

    destination: str
    time: int
    previous: int | None
    run: int
    start: int
    phase_dependent: bool
    crowded: bool


class Outcome(Struct, frozen=True):
    """What a schedule makes of some sightings.

    Attributes:
        schedule: The schedule.
        alerts: What its runs raise, by time and destination.
        cut: What max_signals kept every run from raising, with the last run that tried. From the
            end of the lookback on it is history: its destination stays silent.
        missed: Sightings, as destination and time, that other anchors would raise and this one
            does not.
    """

    schedule: Schedule
    alerts: tuple[Alert, ...]
    cut: tuple[Alert, ...]
    missed: tuple[tuple[str, int], ...]

    @property
    def crowded_runs(self) -> list[int]:
        """The times of the runs that max_signals cut, in order."""
        return sorted({alert.run for alert in (*self.alerts, *self.cut) if alert.crowded})


class _Candidate(Struct, frozen=True):
    """A sighting that at least one run finds new: every run from first to last does."""

    first: int
    last: int
    destination: str
    time: int
    previous: int | None


def run_schedule(
    times: Mapping[str, Iterable[int]], schedule: Schedule, documents: DocumentCount
) -> Outcome:
    """Return the alerts of every run of a schedule.

    The work grows with the sightings and not with the runs.

    Args:
        times: Every destination's sightings, in microseconds since 1970 UTC, in any order. The
            first and last of each UTC hour will do if the history is longer than the lookback by
            an hour or more: a sighting after so long a silence is the first of its hour.
        schedule: When the rule runs.
        documents: Asked where a run is crowded, for the order in which max_signals cuts.
    """
    candidates: list[_Candidate] = []
    missed: list[tuple[str, int]] = []
    for destination, given in times.items():
        for time, previous in _after_silence(given, schedule):
            candidate = _candidate(destination, time, previous, schedule)
            if candidate is None:
                missed.append((destination, time))
            else:
                candidates.append(candidate)
    alerts, cut = _settle(candidates, schedule, documents)
    return Outcome(schedule, _in_order(alerts), _in_order(cut), tuple(sorted(missed, key=_by_time)))


def _by_time(sighting: tuple[str, int]) -> tuple[int, str]:
    destination, time = sighting
    return time, destination


def _in_order(alerts: list[Alert]) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: (alert.time, alert.destination)))


def _after_silence(given: Iterable[int], schedule: Schedule) -> Iterator[tuple[int, int | None]]:
    """Yield the times that some anchor raises, each with the time before it."""
    previous: int | None = None
    for time in sorted(set(given)):
        if schedule.can_raise(None if previous is None else time - previous):
            yield time, previous
        previous = time


def _candidate(
    destination: str, time: int, previous: int | None, schedule: Schedule
) -> _Candidate | None:
    """Return the runs that find a sighting new, or None if there are none.

    A run later forgets more, so they are all from the first that forgot the previous sighting.
    """
    forgotten = time if previous is None else max(time, previous + schedule.history + 1)
    first, last = schedule.first_run(forgotten), schedule.last_run(time)
    return _Candidate(first, last, destination, time, previous) if first <= last else None


def _settle(
    candidates: list[_Candidate], schedule: Schedule, documents: DocumentCount
) -> tuple[list[Alert], list[Alert]]:
    """Let the runs raise the candidates, and return the alerts raised and those never raised."""
    coming = sorted(candidates, key=lambda candidate: candidate.first, reverse=True)
    waiting: list[_Candidate] = []
    raised: list[Alert] = []
    cut: list[Alert] = []
    run = 0
    while coming or waiting:
        run = run + schedule.interval if waiting else coming[-1].first
        while coming and coming[-1].first == run:
            waiting.append(coming.pop())
        crowded = len(waiting) > schedule.max_signals
        if crowded:
            waiting.sort(key=_rank(run, schedule, documents))
        turn, left = waiting[: schedule.max_signals], waiting[schedule.max_signals :]
        raised += [_alert(candidate, run, schedule, crowded=crowded) for candidate in turn]
        cut += [
            _alert(candidate, run, schedule, crowded=True)
            for candidate in left
            if candidate.last == run
        ]
        waiting = [candidate for candidate in left if candidate.last > run]
    return raised, cut


def _rank(
    run: int, schedule: Schedule, documents: DocumentCount
) -> Callable[[_Candidate], tuple[int, int]]:
    start = run - schedule.lookback

    def rank(candidate: _Candidate) -> tuple[int, int]:
        count = documents(candidate.destination, start, run)
        return -count, sixteen_bytes(candidate.destination)

    return rank


def sixteen_bytes(address: str) -> int:
    """Return what Elasticsearch sorts an address by: IPv4 as IPv4-mapped IPv6."""
    parsed = ip_address(address)
    number = int(parsed)
    return number | 0xFFFF << 32 if isinstance(parsed, IPv4Address) else number


def _alert(candidate: _Candidate, run: int, schedule: Schedule, *, crowded: bool) -> Alert:
    previous = candidate.previous
    silence = None if previous is None else candidate.time - previous
    return Alert(
        destination=candidate.destination,
        time=candidate.time,
        previous=previous,
        run=run,
        start=run - schedule.lookback,
        phase_dependent=not schedule.always_raises(silence),
        crowded=crowded,
    )


class Moments(Struct):
    """The time of every sighting with a digest of its event, in 16 bytes, by destination."""

    times: dict[str, "array[int]"] = field(default_factory=dict)
    digests: dict[str, "array[int]"] = field(default_factory=dict)

    def add(self, destination: str, time: int | None, event: KeptEvent) -> None:
        """Take in one sighting; one without a time has no moment."""
        if time is None:
            return
        content = repr((event.rank, event.own_time)).encode() + event.ecs
        digest = hashlib.blake2b(content, digest_size=8).digest()
        times, digests = self._of(destination)
        times.append(time)
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
