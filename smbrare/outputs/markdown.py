"""``markdown``: a text for a ticket (CommonMark with GitHub's tables).

All text out of a log stands in code spans and code blocks, where no renderer sees a link, a
mention, an image or HTML.
"""

from collections.abc import Iterator

from smbrare.detection.finding import Finding, reason
from smbrare.detection.report import Report
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.pivots import pivots
from smbrare.outputs.triage import triage
from smbrare.outputs.wording import (
    domain_text,
    history_text,
    host_text,
    ingested_text,
    more_hosts_text,
    notes,
    outcome_text,
    queries_text,
    time_text,
    values,
)
from smbrare.records.times import format_time, seconds
from smbrare.rule import predicate
from smbrare.text import code_block, code_span, counted, duration

_MOST_INPUTS = 20
_COLUMNS = (
    "Time (UTC)",
    "Destination",
    "Domain",
    "Host",
    "Source",
    "Outcome",
    "Events",
    "History known",
)


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield a heading, what was read, a table of the findings, and a section for each."""
    shown = options.findings_of(report)
    yield f"# Rare SMB connections to the internet: {counted(len(shown), 'finding')}\n\n"
    yield from _scope(report)
    if not shown:
        yield "\nNothing to show.\n"
        return
    yield "\n## Findings\n\n"
    yield from _table(shown)
    for number, finding in enumerate(shown, start=1):
        yield from _section(number, finding)


def _scope(report: Report) -> Iterator[str]:
    criteria, span = report.criteria, report.span
    history = (
        "of all time" if criteria.history is None else f"of {duration(seconds(criteria.history))}"
    )
    key = "destination and host" if criteria.per_host else "destination"
    yield (
        f"Rule: [{predicate.RULE_NAME}]({predicate.RULE_URL}), `{predicate.RULE_ID}`, new by {key} "
        f"in a history {history}.\n\n"
    )
    if span.first is not None and span.last is not None:
        yield (
            f"- Events from {format_time(span.first)} to {format_time(span.last)}, "
            f"in {len(span.hours):,} hours\n"
        )
    network = sum(survey.network for survey in report.inputs)
    yield f"- {network:,} network events, {report.sightings:,} of them match the rule\n"
    held, excluded = len(report.suppressed), len(report.excluded)
    baseline = "a baseline (none was named)"
    if criteria.baseline is not None:
        baseline = f"baseline {code_span(criteria.baseline)}"
    yield f"- Held back: {held:,} by {baseline}, {excluded:,} by exclusions\n"
    for survey in report.inputs[:_MOST_INPUTS]:
        left = f", {survey.skipped:,} skipped" if survey.skipped else ""
        cut = ", not read to its end" if survey.cut else ""
        yield f"- Read {code_span(survey.path)}: {survey.records:,} records{left}{cut}\n"
    if len(report.inputs) > _MOST_INPUTS:
        yield f"- Read {len(report.inputs) - _MOST_INPUTS:,} more inputs\n"
    for survey, source, why in report.unjudged():
        named = f"{survey.path} ({source})" if source else survey.path
        yield f"- **Not judged**: {code_span(named)} {code_span(why)}\n"


def _table(shown: list[Finding]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |\n"
    yield "|---|---|---|---|---|---|---:|---|\n"
    for finding in shown:
        cells = (
            time_text(finding.sighting.event_time),
            code_span(finding.sighting.destination),
            code_span(domain_text(finding)),
            code_span(host_text(finding)),
            code_span(finding.sighting.source),
            outcome_text(finding),
            f"{finding.events:,}",
            history_text(finding.history),
        )
        yield f"| {' | '.join(cells)} |\n"


def _section(number: int, finding: Finding) -> Iterator[str]:
    sighting = finding.sighting
    yield f"\n## {number}. {sighting.destination}, {time_text(sighting.event_time)}\n\n"
    yield f"{reason(finding)}.\n\n"
    for name, text in _facts(finding):
        if text:
            yield f"- {name}: {text}\n"
    for title, steps in triage(finding).sections:
        yield f"\n{title}:\n\n"
        yield from (f"1. {step.say(code_span)}\n" for step in steps)
    for pivot in pivots(finding):
        yield f"\n{pivot.title} ({pivot.language})\n\n{code_block(pivot.text)}\n"


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    sighting, last = finding.sighting, finding.last
    ports = ", ".join(map(str, finding.ports))
    yield "Domain", code_span(", ".join(values(finding, "destination.domain")))
    yield "DNS events name it", "; ".join(map(code_span, queries_text(finding)))
    yield "From", f"{code_span(sighting.source)} on {code_span(host_text(finding))}"
    if finding.host_count > 1:
        hosts = ", ".join(map(code_span, finding.hosts))
        yield "All hosts", hosts + more_hosts_text(finding)
    yield "Ports", ports
    yield "Outcome", outcome_text(finding)
    if last is not None and sighting.event_time is not None:
        yield "First", format_time(sighting.event_time)
        yield "Ingested", ingested_text(finding)
        yield "Last", format_time(last)
    yield "Events", f"{finding.events:,}"
    yield "History known", history_text(finding.history)
    yield "Notes", ", ".join(map(code_span, notes(finding)))
    yield "Record", f"{code_span(str(sighting.origin))}, source {code_span(sighting.event_source)}"
    yield "Finding", f"`{finding.id}`"
