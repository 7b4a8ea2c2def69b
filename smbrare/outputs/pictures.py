"""Where everything stands in the pictures of a report, in percent of their width."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.detection.rank import GRADES, Grade, grade
from smbrare.detection.report import Report
from smbrare.records.times import DAY_SECONDS, HOUR, MICROSECONDS, format_time
from smbrare.text import visible

MOST_LANES = 25
"""Findings with a lane of their own in the timeline, the highest ranks."""

MOST_COLUMNS, MOST_HOSTS = 80, 40
"""Destinations and hosts in the matrix; more of them could not be read."""

_MOST_TICKS = 6
_DAY = DAY_SECONDS * MICROSECONDS
_STEPS = (*(hours * HOUR for hours in (1, 2, 3, 6, 12, 24, 48)), 7 * _DAY)


class Lane(Struct, frozen=True):
    """A line of the timeline.

    Attributes:
        grade: The grade of what it shows.
        findings: The finding's rank, or how many findings it shows together.
        name: The destination; empty where it shows several.
        first: Where first contacts are, to the tenth of a percent.
        later: Where later contacts are.
        events: The matching events of all.
    """

    grade: Grade
    findings: int
    name: str
    first: tuple[float, ...]
    later: tuple[float, ...]
    events: int


class Matrix(Struct, frozen=True):
    """Which host contacted which destination.

    Attributes:
        columns: The rank of each destination's first finding, its grade and its address.
        rows: Each host's name, its dots (place, radius in pixels, grade, text), and how many
            destinations it contacted.
        omitted: How many destinations and hosts are not drawn.
    """

    columns: tuple[tuple[int, Grade, str], ...]
    rows: tuple[tuple[str, tuple[tuple[float, float, Grade, str], ...], int], ...]
    omitted: tuple[int, int]


class Pictures:
    """What the pictures show, from one look at all matching events.

    Attributes:
        hosts: The names of the hosts that contacted a destination that was found.
    """

    def __init__(self, report: Report, ranked: Sequence[Finding]) -> None:
        self._ranked = ranked
        found = {finding.sighting.destination for finding in ranked}
        self._times: dict[str, list[int]] = defaultdict(list)
        self._cells: Counter[tuple[str, str]] = Counter()
        names: dict[str, str] = {}
        for (destination, source, host, _), contact in report.traffic.contacts.items():
            if destination in found:
                key = host or source
                names[key] = contact.told.host_name or names.get(key, source)
                self._cells[key, destination] += contact.events
                if contact.earliest.time is not None:
                    self._times[destination].append(contact.earliest.time)
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
        step = step or -(-span // _MOST_TICKS // _DAY) * _DAY
        for time in range(-(-self.start // step) * step, self.end + 1, step):
            text = format_time(time)
            yield self.place(time), text[:10] if step >= _DAY else text[5:16].replace("T", " ")

    def timeline(self) -> list[Lane]:
        """Return a lane for each of the highest ranks, and one a grade for the others."""
        ranked = enumerate(self._ranked, 1)
        dated = [(rank, each) for rank, each in ranked if each.sighting.time is not None]
        lanes = [
            self._lane(grade(finding), rank, finding.sighting.destination, [finding])
            for rank, finding in dated[:MOST_LANES]
        ]
        others: dict[Grade, list[Finding]] = {one: [] for one in GRADES}
        for _, finding in dated[MOST_LANES:]:
            others[grade(finding)].append(finding)
        lanes += [
            self._lane(one, len(findings), "", findings)
            for one, findings in others.items()
            if findings
        ]
        return lanes if len(lanes) > 1 else []

    def _lane(self, one: Grade, number: int, name: str, findings: list[Finding]) -> Lane:
        contacts = [self.contacts(finding) for finding in findings]
        first = {at for at, _ in contacts if at is not None}
        later = {at for _, each in contacts for at in each} - first
        events = sum(finding.events for finding in findings)
        return Lane(one, number, name, tuple(sorted(first)), tuple(sorted(later)), events)

    def matrix(self) -> Matrix | None:
        """Return who contacted what, the worst first; None with fewer than two hosts."""
        ranks: dict[str, tuple[int, Grade]] = {}
        for rank, finding in enumerate(self._ranked, 1):
            ranks.setdefault(finding.sighting.destination, (rank, grade(finding)))
        columns = list(ranks)[:MOST_COLUMNS]
        reach: dict[str, set[str]] = defaultdict(set)
        for host, destination in self._cells:
            reach[host].add(destination)
        best = {host: min(ranks[one][0] for one in reach[host]) for host in reach}
        hosts = sorted(reach, key=lambda host: (best[host], -len(reach[host]), host))
        if len(hosts) < 2:  # noqa: PLR2004 - a picture of one row shows nothing
            return None
        return Matrix(
            tuple((*ranks[one], one) for one in columns),
            tuple(
                (self.hosts[host], tuple(self._dots(host, columns, ranks)), len(reach[host]))
                for host in hosts[:MOST_HOSTS]
            ),
            (max(len(ranks) - MOST_COLUMNS, 0), max(len(hosts) - MOST_HOSTS, 0)),
        )

    def _dots(
        self, host: str, columns: list[str], ranks: dict[str, tuple[int, Grade]]
    ) -> Iterator[tuple[float, float, Grade, str]]:
        largest = max(self._cells.values())
        for number, destination in enumerate(columns):
            if events := self._cells.get((host, destination), 0):
                at = round(100 * (number + 0.5) / len(columns), 1)
                radius = round(2 + 5 * (events / largest) ** 0.5, 1)
                text = f"{visible(self.hosts[host])}, {destination}: {events:,} events"
                yield at, radius, ranks[destination][1], text
