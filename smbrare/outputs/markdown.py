"""``markdown``: a ticket for each finding (CommonMark with GitHub's tables and check boxes).

All text out of a log stands in code spans, where no renderer sees a link, a mention, an image or
HTML.
"""

from collections.abc import Iterator

from smbrare.detection.finding import Finding
from smbrare.detection.rank import grade, rank
from smbrare.detection.report import Report
from smbrare.outputs import also_seen
from smbrare.outputs.evidence import evidence, explain_command, nearest, why
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.pivots import pivots
from smbrare.outputs.triage import MEANINGS, MOST_STEPS, do_first, triage
from smbrare.outputs.verdict import incomplete_inputs, says_all, verdict
from smbrare.outputs.warning_lines import unjudged_lines
from smbrare.outputs.wording import (
    GRADE_MARKS,
    account_text,
    domain_text,
    full_history_text,
    history_text,
    host_text,
    ingested_text,
    network_text,
    notes,
    time_text,
)
from smbrare.rule import predicate
from smbrare.text import MOST_NAMED, code_span, counted, some

_MOST_EVENTS = 5


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield what was found and what to do first, what was read, and a ticket for each finding."""
    ranked = sorted(options.findings_of(report), key=rank)
    headline, *more = verdict(report, code_span)
    if says_all(report):  # It names what could not be read.
        headline = code_span(headline)
    meaning = MEANINGS[grade(ranked[0])] if ranked else ""
    yield f"# {headline}\n\n{' '.join(filter(None, [*more, meaning]))}\n\n"
    for number, item in enumerate(do_first(ranked), start=1):
        links = ", ".join(map(str, item.ranks))
        yield f"{number}. {item.step.say(code_span)} ({links})\n"
    yield from _scope(report)
    for number, finding in enumerate(ranked, start=1):
        yield from (_paragraph if options.brief else _ticket)(number, finding)
    yield from also_seen.markdown(report)


def _scope(report: Report) -> Iterator[str]:
    criteria, span, inputs = report.criteria, report.span, report.inputs
    named = some([code_span(survey.path) for survey in inputs])
    records = counted(sum(survey.records for survey in inputs), "record")
    network = counted(sum(survey.network for survey in inputs), "network event")
    yield f"\n- Read: {named}: {records}, {network}, {report.sightings:,} of them match the rule\n"
    if span.first is not None and span.last is not None:
        yield f"- Events from {time_text(span.first)} to {time_text(span.last)} UTC\n"
    baseline = "none given" if criteria.baseline is None else code_span(criteria.baseline)
    known, excluded = len(report.suppressed), len(report.excluded)
    yield f"- Baseline: {baseline}; suppressed: {known:,} known, {excluded:,} excluded\n"
    key = "destination and host" if criteria.per_host else "destination"
    yield (
        f"- Rule: [{predicate.RULE_NAME}]({predicate.RULE_URL}), new by {key} in a history of "
        f"{full_history_text(criteria.history)}\n"
    )
    if incomplete := [code_span(survey.path) for survey in incomplete_inputs(report)]:
        yield f"- **Not fully evaluated**: {some(incomplete)}\n"
    for line in unjudged_lines(report):
        yield f"- {code_span(line.text)}\n"


def _grade(finding: Finding) -> str:
    return GRADE_MARKS[grade(finding)][1].capitalize()


def _who(finding: Finding) -> str:
    who, on = account_text(finding), host_text(finding) or finding.sighting.source
    return f"{code_span(who)} on {code_span(on)}" if who else code_span(on)


def _time(finding: Finding) -> str:
    time = finding.sighting.event_time
    return "undated" if time is None else f"{time_text(time)} UTC"


def _ticket(number: int, finding: Finding) -> Iterator[str]:
    """Yield the ticket of a finding, at most 25 lines."""
    first, *others = triage(finding)[:MOST_STEPS]
    yield (
        f"\n## {number}. {_grade(finding)}: {_who(finding)} to "
        f"{code_span(finding.sighting.destination)}, {_time(finding)}\n\n"
        f"**{first.say(code_span)}**\n\n| | |\n|---|---|\n"
    )
    for name, text in _facts(finding):
        if text:
            yield f"| {name} | {text} |\n"
    yield "\n"
    events, more = nearest(evidence(finding), _MOST_EVENTS)
    for event in events:
        by = code_span(event.user) if event.user else ""
        what = f"**{event.what}**" if event.decides else event.what
        yield f"- `{event.offset(finding)}` {what} {code_span(event.detail)} {by}".rstrip() + "\n"
    yield f"- {more}\n\n" if more else "\n"
    for step in others:
        yield f"- [ ] {step.say(code_span)}\n"
    yield f"- [ ] Other hosts? Kibana: {code_span(pivots(finding)[0].text)}\n"


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    sighting = finding.sighting
    yield "Evidence", " ".join(step.say(code_span) for step in why(finding))
    ports = "/".join(map(str, finding.ports))
    where = [f"port {ports}", *map(code_span, (domain_text(finding), network_text(finding.extra)))]
    yield "Destination", ", ".join(filter(None, [code_span(sighting.destination), *where]))
    yield "Source", f"{code_span(sighting.source)} ({sighting.event_source})"
    if finding.host_count > 1:
        more = finding.host_count - MOST_NAMED
        hosts = ", ".join(map(code_span, finding.hosts[:MOST_NAMED]))
        yield "Hosts", hosts + (f" and {more:,} more" if more > 0 else "")
    last = "" if finding.last in {None, sighting.time} else f" to {time_text(finding.last)}"
    ingested = ingested_text(finding)
    when = f"{time_text(sighting.event_time)}{last}, {counted(finding.events, 'event')}"
    when += f"; ingested {ingested}" if ingested else ""
    yield "When", f"{when}; history {history_text(finding.history)}"
    yield "Notes", ", ".join(map(code_span, notes(finding)))
    yield "Record", f"{code_span(explain_command(finding))}, finding `{finding.id}`"


def _paragraph(number: int, finding: Finding) -> Iterator[str]:
    """Yield a finding as one paragraph."""
    about = ", ".join(
        code_span(text) for text in (domain_text(finding), network_text(finding.extra)) if text
    )
    first = triage(finding)[0].say(code_span)
    yield (
        f"\n**{number}. {_grade(finding)}**: {_who(finding)} to "
        f"{code_span(finding.sighting.destination)}{f' ({about})' if about else ''}, "
        f"{_time(finding)}, {counted(finding.events, 'event')}, history "
        f"{history_text(finding.history)}. {first} Record: "
        f"{code_span(str(finding.sighting.origin))}.\n"
    )
