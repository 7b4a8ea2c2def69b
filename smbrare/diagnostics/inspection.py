"""What an export holds, and where each clause of the rule removes events.

Pure counters beside those of `survey`: they merge by sum, union, minimum and maximum, so neither
the order nor the split of the input shows in them.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

from msgspec import Struct, field

from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import Outside, admit
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey, Span
from smbrare.inputs.discovery import Input
from smbrare.records.event import Document, Origin, Skipped
from smbrare.records.json_text import encodable
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.scanning.reading import Progress, read_all
from smbrare.sources.mapping import (
    View,
)

NOTHING = "missing"
"""What an event holds of a field that it lacks."""

_LONGEST_SHOWN = 80
"""Characters of a value that are kept of an example."""


class Tally(Struct):
    """A count with an example.

    Attributes:
        count: How many there are.
        example: Where the first of them stands, by path and number.
        shown: What it holds.
    """

    count: int = 0
    example: Origin | None = None
    shown: str = ""

    def add(self, origin: Origin, shown: str = "") -> None:
        """Count one."""
        self.merge(Tally(1, origin, shown))

    def merge(self, other: "Tally") -> None:
        """Take in another part's tally."""
        self.count += other.count
        if other.example is not None and (
            self.example is None or _place(other.example) < _place(self.example)
        ):
            self.example, self.shown = other.example, other.shown


def _place(origin: Origin) -> tuple[str, int]:
    return origin.path, origin.number


class Near(NamedTuple):
    """What is told apart among the events one clause away.

    ``field`` is the field of the clause, ``held`` what it holds instead.
    """

    field: str
    destination: str
    held: str


class SourceDetails(Struct):
    """What `survey.SourceSurvey` does not count of a source's network events.

    Attributes:
        smb: Events to an SMB port, internal ones too.
        kernel: Events of PID 4, to any port.
        missing: Events with a port, so connections and no name lookups, that lack a field of the
            rule, by field; a malformed value is not missing.
        smb_missing: Those among them that go to an SMB port.
        inferred: Events with an inferred value, by field.
        undated: Events without a time that can be read.
        zone_assumed: Events whose time names no zone.
        nameless: Events that name no host.
    """

    smb: int = 0
    kernel: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    smb_missing: Counter[str] = field(default_factory=Counter)
    inferred: Counter[str] = field(default_factory=Counter)
    undated: int = 0
    zone_assumed: int = 0
    nameless: int = 0

    def merge(self, other: "SourceDetails") -> None:
        """Take in another part's counts."""
        self.smb += other.smb
        self.kernel += other.kernel
        self.missing.update(other.missing)
        self.smb_missing.update(other.smb_missing)
        self.inferred.update(other.inferred)
        self.undated += other.undated
        self.zone_assumed += other.zone_assumed
        self.nameless += other.nameless

    def observe(self, view: View) -> None:
        """Count one network event."""
        ports = view.read("destination.port").values
        smb = not predicate.SMB_PORTS.isdisjoint(ports)
        self.smb += smb
        self.kernel += predicate.KERNEL_PID in view.read("process.pid").values
        for clause in predicate.CLAUSES:
            reading = view.read(clause.field)
            if not reading.values and not reading.malformed:
                self.missing[clause.field] += bool(ports)
                self.smb_missing[clause.field] += smb
            if reading.inferred:
                self.inferred[clause.field] += 1
        times = view.time().values
        self.undated += not times
        self.zone_assumed += bool(times) and times[0].zone_assumed
        self.nameless += not (view.read("host.name").values or view.read("host.id").values)


class Inspection(Struct):
    """Everything that ``inspect`` shows besides the surveys of the inputs.

    Attributes:
        outside: Events that are not judged, by reason.
        removed: Events by the first clause that they fail, in the rule's order.
        sightings: Events that fail none.
        near: Events to an SMB port on the internet that fail one clause alone.
        malformed: Values that a field's type did not accept, by source and field.
        hosts: Network events by host.
        details: More counts by source.
        span: The time that the network events cover.
    """

    outside: dict[Outside, Tally] = field(default_factory=dict)
    removed: dict[str, Tally] = field(default_factory=dict)
    sightings: Tally = field(default_factory=Tally)
    near: dict[Near, Tally] = field(default_factory=dict)
    malformed: dict[tuple[str, str], Tally] = field(default_factory=dict)
    hosts: Counter[str] = field(default_factory=Counter)
    details: dict[str, SourceDetails] = field(default_factory=dict)
    span: Span = field(default_factory=Span)

    def merge(self, other: "Inspection") -> None:
        """Take in another part."""
        _merge_tallies(self.outside, other.outside)
        _merge_tallies(self.removed, other.removed)
        self.sightings.merge(other.sightings)
        _merge_tallies(self.near, other.near)
        _merge_tallies(self.malformed, other.malformed)
        self.hosts.update(other.hosts)
        for source, details in other.details.items():
            self.details.setdefault(source, SourceDetails()).merge(details)
        self.span.merge(other.span)

    def gaps(self) -> list[tuple[int, int]]:
        """Return the hours without network events between the first and the last.

        Returns:
            Pairs of the first hour of a gap and the hour after its last, in UTC hours since 1970,
            in order.
        """
        hours = sorted(self.span.hours)
        return [(before + 1, after) for before, after in pairwise(hours) if after > before + 1]

    def near_by_clause(self) -> dict[str, int]:
        """Return how many events are one clause away, by the field of the clause."""
        counts: Counter[str] = Counter()
        for near, tally in self.near.items():
            counts[near.field] += tally.count
        return dict(sorted(counts.items()))


class Inspected(Struct, frozen=True):
    """What ``inspect`` shows.

    Attributes:
        report: The inputs as a scan counts them, without findings; it decides the exit code.
        inspection: Everything else.
    """

    report: Report
    inspection: Inspection


_Key = TypeVar("_Key")


def _merge_tallies(into: dict[_Key, Tally], tallies: dict[_Key, Tally]) -> None:
    for key, tally in tallies.items():
        into.setdefault(key, Tally()).merge(tally)


def observe(
    document: Document,
    origin: Origin,
    settings: ReadOptions,
    survey: InputSurvey,
    inspection: Inspection,
) -> None:
    """Count one event: what it is, and which clauses it fails.

    Args:
        document: The event as the exporter wrote it, out of its envelope.
        origin: Where it stands.
        settings: How to read it.
        survey: The counts of its input.
        inspection: Where everything else is gathered.
    """
    view = admit(document, settings, survey)
    if isinstance(view, str):
        inspection.outside.setdefault(view, Tally()).add(origin)
        return
    times = view.time().values
    if times:
        inspection.span.add(times[0])
    host = next(iter(view.read("host.name").values + view.read("host.id").values), "")
    inspection.hosts[host] += 1
    inspection.details.setdefault(view.source, SourceDetails()).observe(view)
    for clause in predicate.CLAUSES:
        for value in view.read(clause.field).malformed:
            tally = inspection.malformed.setdefault((view.source, clause.field), Tally())
            tally.add(origin, str(encodable(value))[:_LONGEST_SHOWN])
    missed = list(islice(predicate.failing(view), 2))
    if not missed:
        inspection.sightings.add(origin)
        return
    inspection.removed.setdefault(missed[0].field, Tally()).add(origin, _held(view, missed[0]))
    obstacle = predicate.sole_obstacle(missed)
    if obstacle is not None:
        for address in dict.fromkeys(view.read("destination.ip").values):
            near = Near(obstacle.field, str(address), _held(view, obstacle))
            inspection.near.setdefault(near, Tally()).add(origin)


def _held(view: View, clause: predicate.Clause) -> str:
    reading = view.read(clause.field)
    if not reading.values and reading.malformed:
        return f"malformed {encodable(reading.malformed[0])}"[:_LONGEST_SHOWN]
    return ", ".join(map(str, reading.values))[:_LONGEST_SHOWN] or NOTHING


def inspect(
    inputs: Iterable[Input | Skipped],
    options: ReadOptions,
    criteria: Criteria,
    progress: Progress,
) -> Inspected:
    """Return what the inputs hold, and what the rule's clauses remove.

    Args:
        inputs: What was discovered for the user's paths.
        options: How to read.
        criteria: What decides the exit code.
        progress: Called as bytes are read.
    """
    inspection = Inspection()

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        observe(document, origin, options, survey, inspection)

    surveys = read_all(inputs, options.limits, progress, take)
    report = Report(
        options=options,
        criteria=criteria,
        judged=(),
        inputs=tuple(sorted(surveys, key=lambda survey: survey.path)),
        sightings=inspection.sightings.count,
        one_clause_away=inspection.near_by_clause(),
        span=inspection.span,
    )
    return Inspected(report, inspection)
