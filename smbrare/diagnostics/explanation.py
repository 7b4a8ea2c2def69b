"""Explains why an event is, or isn't, a match and a finding, by asking the code that scan asks."""

from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Query
from smbrare.detection.finding import Finding, History
from smbrare.detection.sightings import Sightings
from smbrare.detection.source_survey import is_network
from smbrare.records.event import Document, Origin, Reading
from smbrare.records.fields import Address
from smbrare.records.json_text import encodable
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET, excluded_range
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.event_kinds import NETWORK, NO_CONNECTIONS, OTHER
from smbrare.sources.mapping import View

Verdict: TypeAlias = Literal["PASS", "INFERRED", "FAIL", "MISSING"]
"""How a clause ended; INFERRED is a pass that rests on a value the exporter left out."""

Standing: TypeAlias = Literal["new", "known", "seen", "excluded", "undated"]
"""Whether a sighting is a finding: ``new`` and ``undated`` are, ``known`` was suppressed by the
baseline alone, ``seen`` by the same input."""


class ExcludedAddress(Struct, frozen=True):
    """An address that is not the internet to the rule.

    Attributes:
        address: The address.
        network: The range of the rule that holds it.
        name: The range's name in IANA's registries.
    """

    address: str
    network: str
    name: str


class FieldChange(Struct, frozen=True):
    """A change of one field that satisfies its clause.

    Attributes:
        field: The ECS field.
        read_from: The raw field that it is read from, where there is one.
        now: What it holds.
        to: What it would have to hold, as JSON values; for addresses an example.
    """

    field: str
    read_from: str
    now: tuple[Any, ...]
    to: tuple[str | int, ...]


class ClauseResult(Struct, frozen=True):
    """What one clause said to an event.

    Attributes:
        field: The ECS field.
        wants: What it has to hold, for people.
        example: A value that satisfies the clause.
        verdict: How the clause ended.
        values: What the field holds, typed.
        read_from: The raw field it was read from; empty for what the format implies.
        inferred: What an inferred value rests on; empty otherwise.
        malformed: Values that the field's type did not accept; to the rule they are not there.
        excluded: For destination.ip, the addresses that are not the internet.
        without_literal: What ``--literal`` kept from being inferred, if it did.
    """

    field: str
    wants: str
    example: str | int
    verdict: Verdict
    values: tuple[Any, ...]
    read_from: str
    inferred: str
    malformed: tuple[Any, ...]
    excluded: tuple[ExcludedAddress, ...] = ()
    without_literal: Reading | None = None

    @property
    def fails(self) -> bool:
        """Whether the event does not satisfy it."""
        return self.verdict in {"FAIL", "MISSING"}

    def change(self) -> FieldChange:
        """Return the smallest change of the field that satisfies the clause."""
        excluded = {entry.address for entry in self.excluded}
        # An address on the internet beside an excluded one: taking that one out is enough.
        left = tuple(str(value) for value in self.values if str(value) not in excluded)
        keep = left if excluded and left else (self.example,)
        return FieldChange(self.field, self.read_from, self.values, keep)


class Rarity(Struct, frozen=True):
    """Whether a sighting is a finding.

    Attributes:
        destination: The address on the internet.
        standing: The answer.
        previous: A sighting of it before, in microseconds since 1970 UTC: the last of an earlier
            hour, or one within the hour.
        history: How much of the history was known.
        reason: Why it is excluded, if it is.
        stands: Where the event is that the finding is reported on, if it is another of the same
            moment.
        queries: The DNS queries of the input that the destination answered.
    """

    destination: str
    standing: Standing
    previous: int | None
    history: History
    reason: str = ""
    stands: Origin | None = None
    queries: tuple[Query, ...] = ()


class Explanation(Struct, frozen=True):
    """One event explained.

    Attributes:
        source: The source that recognized it; empty if none did.
        kind: What kind of record it is, for people.
        not_connection: What it is instead of a connection, in words; empty for a connection.
        alert: Whether it is an alert or a finding itself, and so skipped.
        layers: The keys of the record inside of which it was found; none if it is the record.
        identified_by: The fields by which its source recognized it, with their raw values.
        time: The time it is judged by, in microseconds since 1970 UTC; None if it has none that
            can be read.
        own_time: The event's own time, where it has one, else the same.
        time_from: The raw field of the time.
        zone_assumed: Whether the time names no zone.
        host: The host's name, or its id.
        clauses: The answer of each clause, in the rule's order.
        rarity: For a sighting, an answer for each of its destinations.
        keys: The first field names of a record that no source recognized.
        finding: For a sighting, itself as a finding: what its host did around it, and the grade.
    """

    source: str = ""
    kind: str = ""
    not_connection: str = ""
    alert: bool = False
    layers: tuple[str, ...] = ()
    identified_by: tuple[tuple[str, Any], ...] = ()
    time: int | None = None
    own_time: int | None = None
    time_from: str = ""
    zone_assumed: bool = False
    host: str = ""
    clauses: tuple[ClauseResult, ...] = ()
    rarity: tuple[Rarity, ...] = ()
    keys: tuple[str, ...] = ()
    finding: Finding | None = None

    @property
    def judged(self) -> bool:
        """Whether the rule was asked at all."""
        return bool(self.clauses)

    @property
    def failing(self) -> tuple[ClauseResult, ...]:
        """The clauses that the event does not satisfy."""
        return tuple(clause for clause in self.clauses if clause.fails)

    @property
    def sighting(self) -> bool:
        """Whether the event matches the whole rule."""
        return self.judged and not self.failing

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """The smallest change that makes it a sighting: one of each failing clause's field."""
        return tuple(clause.change() for clause in self.failing)


_MOST_KEYS = 20
_ENDS = {"destination.ip", "destination.port", "source.ip"}
"""Fields of the two ends of a connection; an event with none of them is of another kind."""


def explain_event(document: Document, options: ReadOptions) -> Explanation:
    """Return what the sources and the rule's clauses say about one event, out of its envelope."""
    if is_alert(document):
        return Explanation(alert=True)
    view = recognize(document, options)
    if view is None:
        return Explanation(keys=tuple(document)[:_MOST_KEYS])
    relaxed = recognize(document, replace(options, literal=False)) if options.literal else None
    time = view.time()
    moment = time.values[0] if time.values else None
    own = view.read("@timestamp").values or time.values
    clauses = tuple(_result(clause, view, relaxed) for clause in predicate.CLAUSES)
    return Explanation(
        source=view.source,
        kind=view.kind,
        not_connection=_not_connection(view, clauses),
        layers=view.layers,
        identified_by=tuple(
            (path, encodable(value)) for path, value in view.identified_by().items()
        ),
        time=None if moment is None else moment.time,
        own_time=own[0].time if own else None,
        time_from=time.path,
        zone_assumed=moment is not None and moment.zone_assumed,
        host=view.host(),
        clauses=clauses,
    )


def _not_connection(view: View, clauses: tuple[ClauseResult, ...]) -> str:
    kind = view.event_kind()
    has_end = any(each.values or each.malformed for each in clauses if each.field in _ENDS)
    if kind == NETWORK and not has_end and not is_network(view):
        kind = OTHER
    return NO_CONNECTIONS.get(kind, "")


def _result(clause: predicate.Clause, view: View, relaxed: View | None) -> ClauseResult:
    reading = view.read(clause.field)
    verdict: Verdict
    if clause.holds(reading.values):
        verdict = "INFERRED" if reading.inferred else "PASS"
    else:
        verdict = "FAIL" if reading.values else "MISSING"
    without_literal = None
    if verdict == "MISSING" and relaxed is not None and relaxed.read(clause.field).inferred:
        without_literal = relaxed.read(clause.field)
    return ClauseResult(
        field=clause.field,
        wants=clause.wants,
        example=clause.example,
        verdict=verdict,
        values=reading.values,
        read_from=reading.path,
        inferred=reading.inferred,
        malformed=tuple(map(encodable, reading.malformed)),
        excluded=_find_excluded(reading.values) if clause.field == "destination.ip" else (),
        without_literal=without_literal,
    )


def _find_excluded(addresses: tuple[Address, ...]) -> tuple[ExcludedAddress, ...]:
    found = []
    for address in addresses:
        network = excluded_range(address)
        if network is not None:
            found.append(ExcludedAddress(str(address), str(network), NOT_INTERNET[network]))
    return tuple(found)


def judge_rarity(
    own: Sightings, others: Sightings, known: rarity.Known, criteria: Criteria
) -> tuple[Rarity, ...]:
    """Return whether the sightings of one event are findings, one answer for each destination.

    The same judgement as a scan's, asked about this event alone with all else as its history.

    Args:
        own: The event's own sightings.
        others: The sightings of the rest of the input, the event's own among them or not.
        known: The baseline's rows, and the hours that are known.
        criteria: How to judge.
    """
    in_input = list(others.rows())
    everything = replace(known, rows=[*in_input, *known.rows])
    input_alone = replace(known, rows=in_input)
    held_by_input = {
        (finding.sighting.destination, finding.sighting.host)
        for finding in rarity.judge(own, input_alone, criteria)
        if finding.status == "known"
    }
    answers = []
    for finding in rarity.judge(own, everything, criteria):
        sighting = finding.sighting
        standing: Standing = finding.status
        if sighting.time is None and standing == "new":
            standing = "undated"
        elif standing == "known" and (sighting.destination, sighting.host) in held_by_input:
            standing = "seen"
        answers.append(
            Rarity(
                destination=sighting.destination,
                standing=standing,
                previous=finding.previous,
                history=finding.history,
                reason=finding.reason,
                stands=_stands(finding, others, known, criteria) if standing == "new" else None,
            )
        )
    return tuple(answers)


def _stands(
    finding: Finding, others: Sightings, known: rarity.Known, criteria: Criteria
) -> Origin | None:
    """Return the event of the same moment that a scan reports instead, if there is one."""
    own = finding.sighting
    rivals = [
        others.least([contact]).event
        for contact in others.contacts()
        if contact.key[0] == own.destination
        and contact.first == own.time
        and (not criteria.per_host or contact.key[2] == own.host)
        and not known.excluded(contact.key)
    ]
    least = min([own.event, *rivals], key=lambda event: event.order)
    return None if least.origin == own.event.origin else least.origin
