"""Counts what an export holds, and how many events each clause of the rule removes.

Its counters stand beside those of `survey`. The order of the input does not show in them.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice, pairwise
from typing import NamedTuple

from msgspec import Struct, field

from smbrare.detection.criteria import Criteria
from smbrare.detection.examine import Outside, admit, events_of
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey, Span
from smbrare.detection.unread import note_doubtful_time, note_undated, note_unjudged
from smbrare.diagnostics.looks import UnknownForm, look_of_file, look_of_record
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.records.event import Contents, Document, Origin, Record, Skipped, Suspect
from smbrare.records.json_text import encodable, encoded
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.rule.port_sieve import names_client
from smbrare.scanning.reading import Progress, read_inputs
from smbrare.sources.mapping import View

NOTHING = "missing"
"""What an event holds of a field that it lacks."""

_LONGEST_SHOWN = 80
"""Characters of a value that are kept of an example."""


class ExampleCount(Struct):
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
        self.count += 1
        self.illustrate(origin, shown)

    def illustrate(self, origin: Origin, shown: str) -> None:
        """Keep an example if it stands before the one so far."""
        if self.example is None or _order(origin) < _order(self.example):
            self.example, self.shown = origin, shown


def _order(origin: Origin) -> tuple[str, int]:
    return origin.path, origin.number


class Near(NamedTuple):
    """What is counted apart among the near misses.

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
        columns: The vendor's names of what is missing, by field of the rule.
        inferred: Events with an inferred value, by field.
        undated: Events without a time that can be read.
        zone_assumed: Events whose time names no zone.
        nameless: Events that name no host.
    """

    smb: int = 0
    kernel: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    smb_missing: Counter[str] = field(default_factory=Counter)
    columns: dict[str, set[str]] = field(default_factory=dict)
    inferred: Counter[str] = field(default_factory=Counter)
    undated: int = 0
    zone_assumed: int = 0
    nameless: int = 0

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
                if ports:
                    self.columns.setdefault(clause.field, set()).update(
                        _columns(view, clause.field)
                    )
            if reading.inferred:
                self.inferred[clause.field] += 1
        times = view.time().values
        self.undated += not times
        self.zone_assumed += bool(times) and times[0].zone_assumed
        self.nameless += not view.host()


def _columns(view: View, field: str) -> list[str]:
    """Return the raw field that would best fill an ECS field; nothing if none would."""
    rules = [rule for rule in view.table.get(field, ()) if rule.path]
    rules = [rule for rule in rules if rule.when is None or rule.when(view.document)]
    return [rule.path for rule in sorted(rules, key=lambda rule: bool(rule.inferred))[:1]]


class Inspection(Struct):
    """Everything that ``inspect`` shows besides the surveys of the inputs.

    Attributes:
        outside: Events that are not judged, by reason.
        looks: Records and files of no known source or format, by what they look like.
        removed: Events by the first clause that they fail, in the rule's order.
        sightings: Events that fail none.
        near: Events to an SMB port on the internet that fail one clause alone.
        malformed: Values that a field's type did not accept, by source and field.
        hosts: Network events by host.
        details: More counts by source.
        span: The time that the network events cover.
        clients: Other events that name a client of SMB or WebDAV, or NTLM's log.
    """

    outside: dict[Outside, ExampleCount] = field(default_factory=dict)
    looks: dict[UnknownForm, ExampleCount] = field(default_factory=dict)
    removed: dict[str, ExampleCount] = field(default_factory=dict)
    sightings: ExampleCount = field(default_factory=ExampleCount)
    near: dict[Near, ExampleCount] = field(default_factory=dict)
    malformed: dict[tuple[str, str], ExampleCount] = field(default_factory=dict)
    hosts: Counter[str] = field(default_factory=Counter)
    details: dict[str, SourceDetails] = field(default_factory=dict)
    span: Span = field(default_factory=Span)
    clients: int = 0

    def note_outside(self, reason: Outside, document: Document, origin: Origin) -> None:
        """Count an event that is not judged."""
        self.outside.setdefault(reason, ExampleCount()).add(origin)
        if reason == "unknown":
            self.note_look(look_of_record(document), origin)
        elif reason == "other":
            self.clients += names_client(encoded(document))

    def note_look(self, look: UnknownForm | None, origin: Origin) -> None:
        """Count what looks like a form that is known, and not read."""
        if look is not None:
            self.looks.setdefault(look, ExampleCount()).add(origin)

    def gaps(self) -> list[tuple[int, int]]:
        """Return the hours without network events between the first and the last.

        Returns:
            Pairs of the first hour of a gap and the hour after its last, in UTC hours since 1970,
            in order.
        """
        hours = sorted(self.span.hours)
        return [(before + 1, after) for before, after in pairwise(hours) if after > before + 1]

    def hosts_by_count(self) -> list[tuple[str, int]]:
        """Return each host and its network events, most events first."""
        return sorted(self.hosts.items(), key=lambda item: (-item[1], item[0]))

    def near_by_count(self) -> list[tuple[Near, ExampleCount]]:
        """Return the near misses, most events first."""
        return sorted(self.near.items(), key=lambda item: (-item[1].count, item[0]))

    def near_by_clause(self) -> dict[str, int]:
        """Return how many events are near misses, by the field of the clause that they fail."""
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


def observe(
    document: Document,
    origin: Origin,
    options: ReadOptions,
    survey: InputSurvey,
    inspection: Inspection,
) -> None:
    """Count one event: what it is, and which clauses it fails.

    Args:
        document: The event as the exporter wrote it, out of its envelope.
        origin: Where it stands.
        options: How to read it.
        survey: The counts of its input.
        inspection: Where everything else is gathered.
    """
    view = admit(document, origin, options, survey)
    if isinstance(view, str):
        inspection.note_outside(view, document, origin)
        return
    times = view.time().values
    if times:
        inspection.span.add(times[0])
        note_doubtful_time(view, times[0], survey)
    inspection.hosts[view.host()] += 1
    inspection.details.setdefault(view.source, SourceDetails()).observe(view)
    for clause in predicate.CLAUSES:
        for value in view.read(clause.field).malformed:
            tally = inspection.malformed.setdefault((view.source, clause.field), ExampleCount())
            tally.add(origin, str(encodable(value))[:_LONGEST_SHOWN])
    missed = list(islice(predicate.failing(view), 2))
    if not missed:
        inspection.sightings.add(origin)
        if not times:
            note_undated(view, origin, survey)
        return
    note_unjudged(view, missed[0].field, origin, survey)
    inspection.removed.setdefault(missed[0].field, ExampleCount()).add(
        origin, _held_text(view, missed[0])
    )
    obstacle = predicate.sole_obstacle(missed)
    if obstacle is not None:
        for address in dict.fromkeys(view.read("destination.ip").values):
            near = Near(obstacle.field, str(address), _held_text(view, obstacle))
            inspection.near.setdefault(near, ExampleCount()).add(origin)


def _held_text(view: View, clause: predicate.Clause) -> str:
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

    def handle(contents: Contents, survey: InputSurvey) -> None:
        for item in contents.items:
            if isinstance(item, Record | Skipped | Suspect):
                for document in events_of(item, survey):
                    observe(document, item.origin, options, survey, inspection)

    surveys = read_inputs(inputs, ReaderOptions(options.limits), progress, handle)
    for survey in surveys:
        if not survey.container:
            inspection.note_look(look_of_file(survey.path), Origin(survey.path, 0))
    report = Report(
        options=options,
        criteria=criteria,
        judged=(),
        inputs=tuple(sorted(surveys, key=lambda survey: survey.path)),
        sightings=inspection.sightings.count,
        near_misses=inspection.near_by_clause(),
        span=inspection.span,
    )
    return Inspected(report, inspection)
