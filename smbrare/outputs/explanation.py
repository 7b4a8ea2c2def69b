"""An explanation as text for a person, and as JSON."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict

from smbrare.detection.finding import MOST_NAMES, query_fields
from smbrare.detection.report import settings_document
from smbrare.diagnostics.explain import Explained
from smbrare.diagnostics.explanation import ClauseResult, Explanation, FieldChange, Rarity
from smbrare.outputs import host_context
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Styled, lines
from smbrare.outputs.json_values import json_text, place_value, time_value
from smbrare.outputs.verdict import unreadable_text
from smbrare.outputs.wording import history_text, query_text
from smbrare.records.event import Skipped
from smbrare.records.fields import Address
from smbrare.records.times import MICROSECONDS, format_time
from smbrare.rule import predicate
from smbrare.rule.networks import PRIVATE
from smbrare.text import duration, visible

_LONGEST_VALUE = 80
_STYLES = {"PASS": "green", "INFERRED": "yellow", "FAIL": "red", "MISSING": "red"}


def render_text(explained: Explained, options: RenderOptions) -> Iterator[str]:
    """Yield the lines for a person."""
    origin = explained.origin
    yield _line(str(origin) if origin.number else origin.path)
    if explained.skipped is not None:
        yield from _skip_lines(explained.skipped)
    for number, event in enumerate(explained.events, start=1):
        if len(explained.events) > 1:
            yield f"\nevent {number} of {len(explained.events)} in this record\n"
        yield from _event_lines(event, explained, options)


def _skip_lines(skipped: Skipped) -> Iterator[str]:
    if not skipped.origin.number:
        yield _line(unreadable_text(skipped.origin.path, skipped.reason))
        return
    yield _line(f"skipped: {skipped.reason}")
    if skipped.ends_input:
        yield "Reading stopped there: whatever follows it is unknown.\n"
    elif skipped.could_matter:
        yield "It might have matched the rule: it may contain an SMB port, or have lost it.\n"
    else:
        yield "It cannot have matched the rule: it contains no SMB port.\n"


def _event_lines(event: Explanation, explained: Explained, options: RenderOptions) -> Iterator[str]:
    if event.alert:
        yield "skipped: an alert or a finding, which repeats the event it was raised on\n"
        return
    if not event.judged:
        yield "not evaluated: of no known source\n"
        yield _line(f"its fields: {', '.join(event.keys) or 'none'}")
        return
    yield "\n"
    yield _line(f"source         {event.source} ({event.kind})")
    if event.layers:
        yield _line(f"inside         {' > '.join(event.layers)}")
    for path, value in event.identified_by:
        yield _line(f"identified by  {path} = {_short(value)}")
    yield _line(f"time           {_time_text(event)}")
    yield visible(f"host           {event.host or 'missing'}") + "\n\n"
    yield from lines(_columns(event), event.clauses, options)
    yield "\n"
    yield from _verdict_lines(event, explained)
    if event.finding is not None:
        yield from host_context.lines(event.finding, options)


def _time_text(event: Explanation) -> str:
    if event.time is None:
        return "none that can be read"
    zone = ", which names no zone" if event.zone_assumed else ""
    return f"{format_time(event.time)} (from {event.time_from}{zone})"


def _columns(event: Explanation) -> tuple[Column[ClauseResult], ...]:
    return (
        Column("Condition", lambda clause: clause.field),
        Column("Verdict", lambda clause: Styled(clause.verdict, _STYLES[clause.verdict])),
        Column("Value", _values_text, folds=True),
        Column("Wanted", lambda clause: clause.wants, folds=True),
        Column("Read from", lambda clause: _read_from(clause, event), folds=True),
    )


def _values_text(clause: ClauseResult) -> str:
    ranges = {entry.address: f" in {entry.network} ({entry.name})" for entry in clause.excluded}
    values = [f"{_short(value)}{ranges.get(str(value), '')}" for value in clause.values]
    return ", ".join([*values, *(f"malformed: {_short(value)}" for value in clause.malformed)])


def _read_from(clause: ClauseResult, event: Explanation) -> str:
    if (reading := clause.without_literal) is not None:
        return f"--literal: not inferred from {reading.inferred}"
    if clause.inferred:
        return f"inferred from {clause.inferred}"
    if clause.values or clause.malformed:
        return clause.read_from or f"implied by {event.kind}"
    return ""


def _verdict_lines(event: Explanation, explained: Explained) -> Iterator[str]:
    if event.sighting:
        yield f"A match: all {len(event.clauses)} conditions hold.\n"
        inferred = [clause.field for clause in event.clauses if clause.verdict == "INFERRED"]
        if inferred:
            names = ", ".join(inferred)
            yield f"It rests on inferred fields ({names}): with --literal it is not a match.\n"
        for answer in event.rarity:
            yield from _rarity_lines(answer, event, explained)
        return
    if event.not_connection:
        yield f"No match: this is {event.not_connection}, not a connection.\n"
        return
    count = len(event.failing)
    yield f"No match: {count} of {len(event.clauses)} conditions failed. It would match if:\n"
    wide = max(len(change.field) for change in event.changes)
    for change in event.changes:
        yield _line(f"  {change.field:{wide}}  {_change_text(change)}")
    if any(clause.without_literal for clause in event.failing):
        yield "  or without --literal, which infers no fields\n"


def _change_text(change: FieldChange) -> str:
    to = ", ".join(map(str, change.to))
    if not change.now:
        return f"{to}, where nothing can be read now"
    gone = [value for value in change.now if str(value) not in change.to]
    if len(gone) < len(change.now):
        return f"{to} alone, without {', '.join(map(str, gone))}"
    now = ", ".join(map(str, change.now))
    if change.field == "destination.ip":
        return f"an address on the internet, such as {to}, instead of {now}"
    if change.field == "source.ip":
        return f"an address in {', '.join(map(str, PRIVATE))}, such as {to}, instead of {now}"
    return f"{to} instead of {now}"


def _rarity_lines(answer: Rarity, event: Explanation, explained: Explained) -> Iterator[str]:
    yield "\n"
    yield _line(f"{answer.destination} {_standing(answer, event)}")
    known = history_text(answer.history, at_least="at least ")
    yield _line(f"history known: {known}, from {_history_source(explained)}")
    for query in answer.queries[:MOST_NAMES]:
        yield _line(f"DNS events name it: {query_text(query)}")
    if answer.stands is not None:
        yield _line(f"A scan reports it on another event of that moment: {answer.stands}")


def _standing(answer: Rarity, event: Explanation) -> str:
    wanted = answer.history.wanted
    span = "before" if wanted is None else f"in the {duration(wanted)} before"
    when = ""
    if answer.previous is not None and event.time is not None:
        ago = duration((event.time - answer.previous) // MICROSECONDS)
        when = f"{format_time(answer.previous)}, {ago} before"
    match answer.standing:
        case "new":
            last = f"; the last was at {when}" if when else ""
            return f"is a finding: it was not seen {span}{last}"
        case "known":
            return f"is not a finding: the baseline has seen it at {when}"
        case "seen":
            return f"is not a finding: these inputs have it at {when}"
        case "excluded":
            return f"is not a finding: excluded, {answer.reason}"
        case "undated":
            return "is a finding without a time: what was before it is unknown"


def _history_source(explained: Explained) -> str:
    name = explained.criteria.baseline
    cut = ", which could not be read to its end" if explained.rest_cut else ""
    one = explained.inputs == 1
    read = f"this file only{cut}" if one else f"{explained.inputs:,} inputs{cut}"
    if name is None:
        return f"{read}{' (add others to compare with them)' if one else ''}; no baseline given"
    state = "" if explained.baseline_exists else ", which does not exist yet"
    return f"{read} and baseline {name}{state}"


def _line(text: str) -> str:
    return visible(text) + "\n"


def _short(value: Any) -> str:
    plain = isinstance(value, str | Address)
    text = str(value) if plain else json_text(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def render_json(explained: Explained, _: RenderOptions) -> Iterator[str]:
    """Yield one document."""
    origin, skipped = explained.origin, explained.skipped
    document = {
        "rule": {"uuid": predicate.RULE_ID, "name": predicate.RULE_NAME},
        "record": {"path": origin.path, "number": origin.number, "offset": origin.offset},
        "exit_code": explained.exit_code,
        "skipped": None
        if skipped is None
        else {
            "reason": skipped.reason,
            "could_matter": skipped.could_matter,
            "ends_input": skipped.ends_input,
        },
        "setup": {
            **settings_document(explained.options, explained.criteria),
            "baseline_exists": explained.baseline_exists,
            "input_read_to_end": not explained.rest_cut,
        },
        "events": [_event_document(event) for event in explained.events],
    }
    yield json_text(document, indent=True) + "\n"


def _event_document(event: Explanation) -> dict[str, Any]:
    if not event.judged:
        return {"evaluated": False, "alert": event.alert, "fields": event.keys}
    return {
        "evaluated": True,
        "match": event.sighting,
        "source": event.source,
        "kind": event.kind,
        "layers": event.layers,
        "identified_by": [{"field": path, "value": value} for path, value in event.identified_by],
        "time": time_value(event.time),
        "time_read_from": event.time_from,
        "zone_assumed": event.zone_assumed,
        "host": event.host,
        "conditions": [_clause_document(clause) for clause in event.clauses],
        "changes": [asdict(change) for change in event.changes],
        "rarity": [_rarity_document(answer) for answer in event.rarity],
        "exposure": None if event.finding is None else host_context.exposure(event.finding),
        "host_context": None
        if event.finding is None or event.finding.host_context is None
        else host_context.document(event.finding.host_context),
    }


def _clause_document(clause: ClauseResult) -> dict[str, Any]:
    document: dict[str, Any] = {
        "field": clause.field,
        "wanted": clause.wants,
        "verdict": clause.verdict,
        "values": clause.values,
        "read_from": clause.read_from,
        "inferred_from": clause.inferred,
        "malformed": clause.malformed,
    }
    if clause.excluded:
        document["excluded"] = [
            {"address": entry.address, "range": entry.network, "name": entry.name}
            for entry in clause.excluded
        ]
    if clause.without_literal is not None:
        document["without_literal"] = {
            "values": clause.without_literal.values,
            "inferred_from": clause.without_literal.inferred,
        }
    return document


def _rarity_document(answer: Rarity) -> dict[str, Any]:
    return {
        "destination": answer.destination,
        "standing": answer.standing,
        "previous_seen": time_value(answer.previous),
        "history_known_seconds": answer.history.known,
        "history_sampled": answer.history.sampled,
        "exclusion": answer.reason,
        "dns_queries": [query_fields(query) for query in answer.queries[:MOST_NAMES]],
        "reported_on": place_value(answer.stands),
    }
