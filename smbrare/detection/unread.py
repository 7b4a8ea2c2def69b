"""Events whose own fields cannot be read, or whose time may be read wrongly, counted."""

from smbrare.detection.source_survey import Unread
from smbrare.detection.survey import InputSurvey, OddTimes, TimeOddity
from smbrare.records.event import Document, Origin, Skipped
from smbrare.records.fields import ORDINARY, is_ordinary
from smbrare.records.json_text import encoded
from smbrare.records.paths import leaves
from smbrare.records.times import YEAR_2000, Moment
from smbrare.rule.might_match import has_address, might_match
from smbrare.rule.port_sieve import may_match
from smbrare.rule.predicate import CLAUSES
from smbrare.sources.event_kinds import CONNECTION, CONNECTS
from smbrare.sources.mapping import ANY_ORIGIN, View

FIELDS = frozenset({"destination.port", "destination.ip", "source.ip", "process.pid"})
"""What every connection has."""

_BROKEN = 3
"""From how many unreadable fields on it is the layout that is broken, not a value."""
_LONGEST_SHOWN = 60
"""Characters of a raw value that is reported."""


def check_readable(view: View, field: str, origin: Origin, survey: InputSurvey) -> bool:
    """Count an event that fails the rule only because its connection cannot be read.

    Args:
        view: The event.
        field: The field of the first clause that it fails; one that has a value is readable.
        origin: Where it stands.
        survey: The counts of its input.

    Returns:
        Whether it is one that might have matched.
    """
    if field not in FIELDS or view.read(field).values:
        return False
    kind = view.event_kind()
    if kind not in CONNECTS:
        return False
    readings = {name: view.read(name) for name in FIELDS}
    unreadable = {
        name
        for name, reading in readings.items()
        if not reading.values and (reading.malformed or kind == CONNECTION)
    }
    if not unreadable or not _might_have_matched(view, unreadable):
        return False
    is_malformed = any(readings[name].malformed for name in unreadable)
    missing = () if is_malformed else tuple(sorted(unreadable))
    reason = f"connection{_host(view)}: {_wrong(view, unreadable)}"
    skipped = Skipped(origin, reason, could_matter=True)
    survey.source(view.source).note_unread(Unread(missing, skipped))
    return True


def may_hold_port(document: Document) -> bool:
    """Return whether the port sieve keeps a document."""
    return may_match(encoded(document))


def _might_have_matched(view: View, unreadable: set[str]) -> bool:
    """Return whether a connection might match the rule, if its unreadable values were known."""
    if len(unreadable) < _BROKEN:
        return all(
            clause.holds(view.read(clause.field).values) or _may_hold(view, clause.field)
            for clause in CLAUSES
            if clause.field not in unreadable
        )
    # Values that stand under other names are looked for in the raw text.
    text = _raw_text(view, unreadable)
    return might_match(text) or not has_address(text)


def _may_hold(view: View, name: str) -> bool:
    """Return whether a field that the rule compares with a word says nothing against it."""
    return name in ORDINARY and not is_ordinary(name, view.read(name).values)


def _raw_text(view: View, unreadable: set[str]) -> bytes:
    """Return the part of a record where the exporter keeps the values, as text."""
    paths = {rule.path for name in unreadable for rule in view.table.get(name, ()) if rule.path}
    parents = {path.rpartition(".")[0] for path in paths}
    if parents == {""}:
        return encoded(view.document)
    # Beside an object that holds the values, what lies at the top is a text with all of them.
    places = sorted(parents - {""} | {path for path in paths if "." not in path})
    return encoded([value for place in places for value in leaves(view.document, place)])


def _host(view: View) -> str:
    names = view.read("host.name").values + view.read("host.id").values
    return f" of host {names[0]}" if names else ""


def _wrong(view: View, unreadable: set[str]) -> str:
    """Return what is wrong with the fields of a connection, in words."""
    said = []
    for clause in CLAUSES:
        if clause.field in unreadable:
            malformed = view.read(clause.field).malformed
            shown = f'"{str(malformed[0])[:_LONGEST_SHOWN]}"' if malformed else "missing"
            said.append(f"{clause.field} is {shown}")
    return ", ".join(said)


def note_unjudged(view: View, field: str, origin: Origin, survey: InputSurvey) -> bool:
    """Count an event that fails a clause as unread, or suspect it, where it might match.

    Returns:
        Whether it is unread: see `check_readable`.
    """
    if check_readable(view, field, origin, survey):
        return True
    suspect_other(view, origin, survey)
    return False


def suspect_other(view: View, origin: Origin, survey: InputSurvey) -> None:
    """Suspect a document of no known source that has ECS fields, but no connection in them."""
    if view.source != ANY_ORIGIN or view.known_kind or view.read("destination.ip").values:
        return
    if "network" in view.read("event.category").values and view.event_kind() not in CONNECTS:
        return
    if might_match(encoded(view.document)):
        survey.suspect(origin)


def note_doubtful_time(view: View, moment: Moment, survey: InputSurvey) -> None:
    """Count a network event in its input if its time may be read wrongly."""
    if moment.time < YEAR_2000 or moment.order_assumed:
        kind: TimeOddity = "early" if moment.time < YEAR_2000 else "ambiguous"
        survey.note_odd_time(kind, OddTimes(1, *_raw_time(view), moment.time))


def note_undated(view: View, origin: Origin, survey: InputSurvey) -> None:
    """Count a match without a time in its input."""
    survey.note_odd_time("undated", OddTimes(1, *_raw_time(view), origin=origin))


def _raw_time(view: View) -> tuple[str, str]:
    """Return the raw field of an event's time and its value, both empty if it has none."""
    reading = view.time()
    raw = reading.malformed or leaves(view.document, reading.path) if reading.path else ()
    return (reading.path, str(raw[0])[:_LONGEST_SHOWN]) if raw else ("", "")
