"""One record judged: counted, and turned into sightings where it matches the rule."""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from functools import partial as bind
from ipaddress import IPv4Address
from itertools import compress
from typing import Any, Literal, TypeAlias

from smbrare.detection.event_fields import LONGEST_HOST, MANY
from smbrare.detection.kept_events import KeptEvent, kept_event
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Told
from smbrare.detection.source_survey import FAILS, MARKS, ODD, every_mark, is_network
from smbrare.detection.survey import InputSurvey
from smbrare.detection.unread import (
    check_readable,
    may_hold_port,
    note_doubtful_time,
    note_undated,
    note_unjudged,
    suspect_other,
)
from smbrare.limits import too_many_digits
from smbrare.records import envelope
from smbrare.records.event import (
    Contents,
    Document,
    Mention,
    Origin,
    Reading,
    Record,
    Sample,
    Skipped,
    Suspect,
    Tally,
)
from smbrare.records.fields import LONGS, Address
from smbrare.records.json_text import encoded
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment
from smbrare.rule import predicate
from smbrare.rule.might_match import might_match
from smbrare.rule.networks import is_private
from smbrare.rule.port_sieve import names_client
from smbrare.sources import ecs, key_set
from smbrare.sources.alerts import without_alerts
from smbrare.sources.compiled import FieldNotes
from smbrare.sources.mapping import View

Outside: TypeAlias = Literal["alert", "unknown", "other"]
"""Why an event is not judged: an alert itself, of no known source, or no network event."""

_UNTOLD = frozenset({"unknown"})
"""ECS's word for the outcome of an event that does not tell."""


def judge_contents(
    contents: Contents, options: ReadOptions, survey: InputSurvey, partial: Partial
) -> None:
    """Judge what was read of an input: all that it holds, or what might match and a sample.

    Args:
        contents: What a reader gives.
        options: How to read it.
        survey: The counts of the input.
        partial: Where sightings and times are gathered.
    """
    survey.sampled = contents.sampled
    judge_it = judge_alone if contents.sampled else examine
    for item in contents.items:
        if isinstance(item, Tally):
            survey.lines += item.lines
            survey.records += item.records if contents.sampled else 0
        elif isinstance(item, Sample):
            for document in envelope.events(item.record.document):
                count(document, item.record.origin, options, survey, partial)
        elif isinstance(item, Mention):
            for document in envelope.events(item.record.document):
                _note_server(document, options, partial)
        else:
            for document in events_of(item, survey):
                judge_it(document, item.origin, options, survey, partial)


def count_contents(
    contents: Contents, options: ReadOptions, survey: InputSurvey, partial: Partial
) -> None:
    """Count what was read of an input, and the time covered: of all records, without judging."""
    for item in contents.items:
        if isinstance(item, Tally):
            survey.lines += item.lines
        elif not isinstance(item, Sample | Mention):
            for document in events_of(item, survey):
                view = admit(document, item.origin, options, survey)
                if not isinstance(view, str):
                    cover(view, survey, partial)
                    missed = next(predicate.failing(view), None)
                    if missed is not None:
                        note_unjudged(view, missed.field, item.origin, survey)


def events_of(item: Record | Skipped | Suspect, survey: InputSurvey) -> Iterable[Document]:
    """Return the events of a record, out of its envelope; what cannot be read is only counted."""
    if isinstance(item, Skipped):
        survey.skip(item)
        return ()
    if isinstance(item, Suspect):
        survey.suspect(item.origin)
        return ()
    if item.mended:
        survey.note_mended(item)
    return envelope.events(item.document)


def examine(
    document: Document,
    origin: Origin,
    options: ReadOptions,
    survey: InputSurvey,
    partial: Partial,
) -> None:
    """Count one event and, where it matches the rule, keep its sightings.

    Args:
        document: The event as the exporter wrote it, out of its envelope.
        origin: Where it stands.
        options: How to read it.
        survey: The counts of its input.
        partial: Where sightings and times are gathered.
    """
    view = admit(document, origin, options, survey)
    if not isinstance(view, str):
        cover(view, survey, partial)
        _judge(view, origin, survey, partial)
    elif view == "other" and names_client(encoded(document)):
        partial.servers.observe(document, options)


def judge_alone(
    document: Document, origin: Origin, options: ReadOptions, survey: InputSurvey, partial: Partial
) -> None:
    """Judge one event of an input whose records are counted by a sample.

    SMB to the internet is counted all the same, whatever else it lacks: so much is known exactly,
    and a source that no sampled record is of must not be overlooked.
    """
    keys = key_set(document)
    if keys.is_alert(document):
        survey.alerts += 1
        return
    view = keys.recognize(document, options)
    if view is None:
        _count_unknown(document, origin, survey)
    elif _judge(view, origin, survey, partial) or predicate.goes_to_internet(view):
        survey.source(view.source).observe(view)
        cover(view, survey, partial)
    elif not is_network(view) and names_client(encoded(document)):
        partial.servers.observe(document, options)


def _note_server(document: Document, options: ReadOptions, partial: Partial) -> None:
    """Take in the server that an event names, unless it is judged itself, or of no source."""
    keys = key_set(document)
    view = None if keys.is_alert(document) else keys.recognize(document, options)
    if view is not None and not is_network(view):
        partial.servers.observe(document, options)


def count(
    document: Document, origin: Origin, options: ReadOptions, survey: InputSurvey, partial: Partial
) -> None:
    """Count one sampled event of an input, for its sources, their fields and the time covered."""
    keys = key_set(document)
    view = None if keys.is_alert(document) else keys.recognize(document, options)
    if view is not None and survey.source(view.source).observe(view):
        cover(view, survey, partial)
        # One whose text holds a port is judged beside, sampled or not.
        if not view.read("destination.port").values and not may_hold_port(document):
            check_readable(view, "destination.port", origin, survey)


def cover(view: View, survey: InputSurvey, partial: Partial) -> None:
    """Note the time that a network event covers, and the addresses of names that it tells."""
    if partial.resolutions.wanted:
        partial.resolutions.observe(view)
    times = view.time().values
    if times:
        partial.span.add(times[0], sampled=survey.sampled)
        note_doubtful_time(view, times[0], survey)
    # A sample of the DNS events would tell some names and not others, as chance has it.
    if ecs.NAME in view.table and not survey.sampled and view.read(ecs.NAME).values:
        partial.answers.observe(view, times[0].time if times else None)


def _judge(view: View, origin: Origin, survey: InputSurvey, partial: Partial) -> bool:
    """Keep the sightings of an event, and return whether it matches, or may but for one clause."""
    marks = view.noted(MARKS)
    every = every_mark(marks)
    if not every & FAILS:
        times = view.time().values
        if not times:
            note_undated(view, origin, survey)
        _sight(view, times[0] if times else None, origin, partial)
        return True
    missed = predicate.obstacles(compress(predicate.CLAUSES, map(FAILS.__and__, marks)))
    if every & ODD:  # As whatever cannot be read is.
        if missed[0].field in LONGS and view.too_long(missed[0].field):
            reason = too_many_digits(view.options.limits.number_digits)
            survey.skip(Skipped(origin, reason, could_matter=True))
        elif note_unjudged(view, missed[0].field, origin, survey):
            return True
    clause = predicate.sole_obstacle(missed)
    if clause is not None:
        partial.near_misses[clause.field] += 1
    return clause is not None


def admit(
    document: Document, origin: Origin, options: ReadOptions, survey: InputSurvey
) -> View | Outside:
    """Count one event in its input, and return it as the rule sees it if it is to be judged.

    Returns:
        What keeps it from being judged otherwise.
    """
    survey.records += 1
    keys = key_set(document)
    if keys.is_alert(document):
        survey.alerts += 1
        return "alert"
    view = keys.recognize(document, options)
    if view is None:
        _count_unknown(document, origin, survey)
        return "unknown"
    if survey.source(view.source).observe(view):
        return view
    suspect_other(view, origin, survey)
    return "other"


def _count_unknown(document: Document, origin: Origin, survey: InputSurvey) -> None:
    """Count a record of no known source, and whether it might be a match all the same."""
    survey.unknown += 1
    if might_match(encoded(document)):
        rest, alerts = without_alerts(document)
        survey.alerts += alerts
        if not alerts or might_match(encoded(rest)):
            survey.suspect(origin)


def _sight(view: View, moment: Moment | None, origin: Origin, partial: Partial) -> None:
    source, destinations, name, outcomes, ports = view.noted(_SIGHTED)
    name = name or view.host()
    if len(destinations) > MANY:
        name = name[:LONGEST_HOST]
    host = name.lower()
    told = Told(outcomes, ports, name)
    make: Callable[[], KeptEvent] = bind(kept_event, view, (host, source), origin)
    time = None if moment is None else moment.time
    if len(destinations) > 1:
        make = cache(make)
    for destination in destinations:
        partial.sightings.add(destination, (source, host), time, told, make)


def _sighted(name: str, reading: Reading) -> Any:
    """Return what a sighting keeps of a field: worked out once for each raw value."""
    values = reading.values
    if name == "destination.ip":
        return tuple(dict.fromkeys(values))
    if name == "source.ip":
        return _private(values)
    if name == "event.outcome":
        return frozenset(values) or _UNTOLD
    if name == "destination.port":
        return frozenset(values) & predicate.SMB_PORTS
    return str(values[0]) if values else ""


_SIGHTED = FieldNotes(
    ("source.ip", "destination.ip", "host.name", "event.outcome", "destination.port"), _sighted
)


def _private(addresses: tuple[Address, ...]) -> str:
    """Return the private address that connected, of several the least by its text."""
    return min((_text(int(each)) for each in addresses if is_private(each)), default="")


@lru_cache(maxsize=8_192)
def _text(address: int) -> str:
    """Return the text of an IPv4 address: no other is private to the rule."""
    return str(IPv4Address(address))
