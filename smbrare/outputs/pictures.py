"""Where everything stands in the pictures of a report, in percent of their width."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from smbrare.detection.finding import Finding
from smbrare.detection.rank import GRADES, Grade, grade
from smbrare.detection.report import Report
from smbrare.records.times import DAY, HOUR, format_time

MOST_LANES = 25
"""Findings with a lane of their own in the timeline, the highest ranks."""

_MOST_TICKS = 6
_STEPS = (*(hours * HOUR for hours in (1, 2, 3, 6, 12, 24, 48)), 7 * DAY)


class Others(NamedTuple):
    """Findings of one grade that share a lane: how many, where, and their matching events."""

    grade: Grade
    findings: int
    places: list[float]
    events: int


class Pictures:
    """What the pictures show, from one look at all matching events.

    Attributes:
        cells: Matching events by host and destination, of destinations that were found.
        hosts: The name of each of these hosts.
    """

    def __init__(self, report: Report, ranked: Sequence[Finding]) -> None:
        self._ranked = ranked
        found = {finding.sighting.destination for finding in ranked}
        self._times: dict[str, list[int]] = defaultdict(list)
        self.cells: Counter[tuple[str, str]] = Counter()
        names: dict[str, str] = {}
        for contact in report.traffic.contacts():
            destination, source, host, _ = contact.key
            if destination in found:
                key, name = host or source, contact.told.host_name or source
                names[key] = min(names.get(key, name), name)
                self.cells[key, destination] += contact.events
                if contact.first is not None:
                    self._times[destination].append(contact.first)
        self.hosts = names
        dated = [time for times in self._times.values() for time in times]
        self.start, self.end = (min(dated), max(dated)) if dated else (0, 0)
        if dated and report.span.first is not None:
            history = report.criteria.history or 0
            self.start = max(min(report.span.first, self.start), self.start - history)

    def place(self, time: int) -> float:
        """Return where a time stands, in percent of the width."""
        if self.start == self.end:
            return 50.0
        return round(1 + 98 * (time - self.start) / (self.end - self.start), 1)

    def contacts(self, finding: Finding) -> tuple[float | None, tuple[float, ...]]:
        """Return where the first contact of a finding is, and where the later ones are."""
        first, last = finding.sighting.time, finding.last
        if first is None:
            return None, ()
        times = self._times[finding.sighting.destination]
        later = {self.place(time) for time in times if first < time <= (last or first)}
        # The last may lie in the hour of another contact, which stands for both.
        later |= {self.place(last)} if last is not None and last > first else set()
        return self.place(first), tuple(sorted(later - {self.place(first)}))

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield the places on the axis of time, and what is written there."""
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= _MOST_TICKS), 0)
        step = step or -(-span // _MOST_TICKS // DAY) * DAY
        for time in range(-(-self.start // step) * step, self.end + 1, step):
            text = format_time(time)
            yield self.place(time), text[:10] if step >= DAY else text[5:16].replace("T", " ")

    def lanes(self) -> tuple[list[tuple[int, Finding]], list[Others]]:
        """Return the highest ranks with a time, and the others by grade; none for one alone."""
        ranked = enumerate(self._ranked, 1)
        dated = [(rank, each) for rank, each in ranked if each.sighting.time is not None]
        by_grade: dict[Grade, list[Finding]] = {one: [] for one in GRADES}
        for _, finding in dated[MOST_LANES:]:
            by_grade[grade(finding)].append(finding)
        others = [
            Others(
                one,
                len(each),
                sorted({self.place(finding.sighting.time or 0) for finding in each}),
                sum(finding.events for finding in each),
            )
            for one, each in by_grade.items()
            if each
        ]
        return (dated[:MOST_LANES], others) if len(dated) > 1 else ([], [])

    def columns(self) -> dict[str, tuple[int, Grade]]:
        """Return the rank and grade of each destination's worst finding, in their order."""
        columns: dict[str, tuple[int, Grade]] = {}
        for rank, finding in enumerate(self._ranked, 1):
            columns.setdefault(finding.sighting.destination, (rank, grade(finding)))
        return columns

    def rows(self) -> list[tuple[str, int]]:
        """Return the key of each host and how many destinations it contacted, the worst first."""
        columns = self.columns()
        reach: dict[str, list[int]] = defaultdict(list)
        for host, destination in self.cells:
            reach[host].append(columns[destination][0])
        hosts = sorted(reach, key=lambda host: (min(reach[host]), -len(reach[host]), host))
        return [(host, len(reach[host])) for host in hosts]
