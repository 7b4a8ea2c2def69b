"""Why an event is a sighting or none, and a finding or none: the answers of scan's own code."""

from msgspec.structs import replace

from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import Finding
from smbrare.detection.sightings import Sightings
from smbrare.diagnostics.explanation import (
    ClauseResult,
    Excluded,
    Explanation,
    Rarity,
    Standing,
    Verdict,
)
from smbrare.records.event import Document, Origin
from smbrare.records.fields import Address
from smbrare.records.json_text import encodable
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET, excluded_range
from smbrare.sources import is_alert, recognize
from smbrare.sources.mapping import View

_MOST_KEYS = 20


def explain_event(document: Document, settings: ReadOptions) -> Explanation:
    """Return what the sources and the rule's clauses say to one event.

    Args:
        document: The event, out of its envelope.
        settings: How to read it.
    """
    if is_alert(document):
        return Explanation(alert=True)
    view = recognize(document, settings)
    if view is None:
        return Explanation(keys=tuple(document)[:_MOST_KEYS])
    relaxed = recognize(document, replace(settings, literal=False)) if settings.literal else None
    time = view.time()
    moment = time.values[0] if time.values else None
    names = view.read("host.name").values + view.read("host.id").values
    return Explanation(
        source=view.source,
        kind=view.kind,
        identified_by=tuple(
            (path, encodable(value)) for path, value in view.identified_by().items()
        ),
        time=None if moment is None else moment.time,
        time_from=time.path,
        zone_assumed=moment is not None and moment.zone_assumed,
        host=names[0] if names else "",
        clauses=tuple(_result(clause, view, relaxed) for clause in predicate.CLAUSES),
    )


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
        verdict=verdict,
        values=reading.values,
        read_from=reading.path,
        inferred=reading.inferred,
        malformed=tuple(map(encodable, reading.malformed)),
        excluded=_excluded(reading.values) if clause.field == "destination.ip" else (),
        without_literal=without_literal,
    )


def _excluded(addresses: tuple[Address, ...]) -> tuple[Excluded, ...]:
    found = []
    for address in addresses:
        network = excluded_range(address)
        if network is not None:
            found.append(Excluded(str(address), str(network), NOT_INTERNET[network]))
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
        contact.earliest
        for key, contact in others.contacts.items()
        if key[0] == own.destination
        and contact.earliest.time == own.time
        and (not criteria.per_host or key[2] == own.host)
        and not known.excluded(key)
    ]
    least = min([own, *rivals], key=lambda sighting: sighting.order)
    return None if least.origin == own.origin else least.origin
