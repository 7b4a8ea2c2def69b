"""What an export contains and what the rule removes of it, for a person."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from smbrare.detection.source_survey import SourceSurvey
from smbrare.detection.survey import InputSurvey, totals
from smbrare.diagnostics.advice import Advice, advise
from smbrare.diagnostics.funnel import FunnelStage, funnel
from smbrare.diagnostics.inspection import ExampleCount, Inspected, SourceDetails
from smbrare.limits import KIB
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Styled, lines
from smbrare.outputs.verdict import says_all
from smbrare.records.event import Origin
from smbrare.records.times import HOUR, HOUR_SECONDS, format_time
from smbrare.rule import predicate
from smbrare.text import duration, visible

MOST_SHOWN = 20
"""Rows of a list; JSON has all."""

_MOST_HOSTS = 10
_BAR = 20


class _Section(Struct, frozen=True):
    title: str
    columns: Sequence[Column[Any]] = ()
    rows: Sequence[Any] = ()
    most: int = MOST_SHOWN
    note: str = ""


def render(inspected: Inspected, options: RenderOptions) -> Iterator[str]:
    """Yield the sections; empty ones are omitted."""
    sections = (
        _inputs(inspected),
        _sources(inspected),
        _time(inspected),
        _hosts(inspected),
        _presence(inspected),
        _funnel(inspected, "\u2588" if options.has("\u2588") else "#"),
        _near(inspected),
        _malformed(inspected),
        _advice(inspected),
    )
    separator = ""
    for section in sections:
        if not section.rows and not section.note:
            continue
        yield separator + visible(section.title) + "\n"
        separator = "\n"
        shown = section.rows[: section.most]
        if shown:
            yield from lines(section.columns, shown, options)
        if len(section.rows) > len(shown):
            yield f"and {len(section.rows) - len(shown):,} more: --format json has all\n"
        if section.note:
            yield visible(section.note) + "\n"


def _inputs(inspected: Inspected) -> _Section:
    columns = (
        Column[InputSurvey]("Path", lambda survey: survey.path, folds=True),
        Column[InputSurvey]("Container", lambda survey: survey.container or "unknown", folds=True),
        Column[InputSurvey]("KiB", lambda survey: f"{survey.size / KIB:,.1f}", right=True),
        Column[InputSurvey]("Records", lambda survey: f"{survey.records:,}", right=True),
        Column[InputSurvey]("Network events", lambda survey: f"{survey.network:,}", right=True),
        Column[InputSurvey](
            "Skipped",
            lambda survey: f"{survey.skipped:,}" + (", cut" if survey.cut else ""),
            right=True,
        ),
    )
    return _Section("INPUTS", columns, inspected.report.inputs)


def _totals(inspected: Inspected) -> list[tuple[str, SourceSurvey]]:
    return sorted(totals(inspected.report.inputs).items())


def _sources(inspected: Inspected) -> _Section:
    columns = (
        Column[Any]("Source", lambda row: row[0]),
        Column[Any]("Records", lambda row: f"{row[1].records:,}", right=True),
        Column[Any]("Network events", lambda row: f"{row[1].network:,}", right=True),
        Column[Any](
            "Kinds of network events",
            lambda row: ", ".join(f"{n:,} {kind}" for kind, n in row[1].kinds.most_common()),
            folds=True,
        ),
    )
    return _Section("SOURCES", columns, _totals(inspected))


def _time(inspected: Inspected) -> _Section:
    span, gaps = inspected.inspection.span, inspected.inspection.gaps()
    if span.first is None or span.last is None:
        return _Section("")
    hours = span.last // HOUR - span.first // HOUR + 1
    note = (
        f"{format_time(span.first)} to {format_time(span.last)}, "
        f"network events in {len(span.hours):,} of {hours:,} hours"
    )
    longest = sorted(gaps, key=lambda gap: (gap[0] - gap[1], gap[0]))[:_MOST_HOSTS]
    columns = (
        Column[tuple[int, int]]("No events from", lambda gap: format_time(gap[0] * HOUR)),
        Column[tuple[int, int]]("to", lambda gap: format_time(gap[1] * HOUR)),
        Column[tuple[int, int]]("for", lambda gap: duration((gap[1] - gap[0]) * HOUR_SECONDS)),
    )
    more = f"; the longest {len(longest)} of {len(gaps):,} gaps" if len(gaps) > len(longest) else ""
    return _Section("TIME", columns, sorted(longest), note=note + more)


def _hosts(inspected: Inspected) -> _Section:
    columns = (
        Column[tuple[str, int]]("Host", lambda host: host[0] or "(no name)", folds=True),
        Column[tuple[str, int]]("Network events", lambda host: f"{host[1]:,}", right=True),
    )
    ranked = inspected.inspection.hosts_by_count()
    return _Section(f"HOSTS: {len(ranked):,}", columns, ranked, most=_MOST_HOSTS)


def _presence(inspected: Inspected) -> _Section:
    surveys = [(name, survey) for name, survey in _totals(inspected) if survey.connections]
    columns = [Column[str]("Field", lambda field: field)]
    columns += [_shares(name, survey, inspected) for name, survey in surveys]
    fields = [clause.field for clause in predicate.CLAUSES]
    title = "FIELDS OF THE RULE: share of connections that have them"
    return _Section(title, columns, fields if surveys else ())


def _shares(name: str, survey: SourceSurvey, inspected: Inspected) -> Column[str]:
    """Return the column of a source: how often each field is there, or inferred."""
    details = inspected.inspection.details.get(name, SourceDetails())

    def share(field: str) -> str:
        there = _percent(survey.present[field], survey.connections)
        inferred = details.inferred[field]
        return f"{there} ({_percent(inferred, survey.connections)} inferred)" if inferred else there

    return Column(name, share, folds=True, right=True)


def _percent(part: int, whole: int) -> str:
    """Return a share; only none and all are shown as 0 % and 100 %."""
    if part in {0, whole}:
        return "100 %" if part else "0 %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def _funnel(inspected: Inspected, block: str) -> _Section:
    if says_all(inspected.report):
        return _Section("FUNNEL")
    stages = funnel(inspected)
    every, left = stages[0].left, stages[-1].left
    columns = (
        Column[FunnelStage](
            "Condition",
            lambda stage: f"{stage.name}: {stage.wants}" if stage.wants else stage.name,
            folds=True,
        ),
        Column[FunnelStage]("Left", lambda stage: f"{stage.left:,}", right=True),
        Column[FunnelStage]("", lambda stage: Styled(_bar(stage.left, every, block), "cyan")),
        Column[FunnelStage](
            "Removed",
            lambda stage: f"{stage.removed.count:,}" if stage.removed.count else "",
            right=True,
        ),
        Column[FunnelStage](
            "For example",
            lambda stage: _place(stage.removed.example) + _value(stage.removed),
            folds=True,
        ),
    )
    what = "event matches" if left == 1 else "events match"
    return _Section("FUNNEL", columns, stages, note=f"{left:,} {what}")


def _bar(part: int, whole: int, block: str) -> str:
    """Return a bar; any part at all is seen."""
    return block * max(round(_BAR * part / whole), 1) if part else ""


def _value(removed: ExampleCount) -> str:
    return f" ({removed.shown})" if removed.shown else ""


def _place(origin: Origin | None) -> str:
    if origin is None:
        return ""
    return str(origin) if origin.number else origin.path


def _near(inspected: Inspected) -> _Section:
    columns = (
        Column[Any]("Condition", lambda row: row[0].field),
        Column[Any]("Destination", lambda row: row[0].destination),
        Column[Any]("Value", lambda row: row[0].held, folds=True),
        Column[Any]("Events", lambda row: f"{row[1].count:,}", right=True),
        Column[Any]("For example", lambda row: _place(row[1].example), folds=True),
    )
    title = "NEAR MISSES: to an SMB port on the internet, one condition short"
    return _Section(title, columns, inspected.inspection.near_by_count())


def _malformed(inspected: Inspected) -> _Section:
    columns = (
        Column[Any]("Source", lambda row: row[0][0]),
        Column[Any]("Field", lambda row: row[0][1]),
        Column[Any]("Values", lambda row: f"{row[1].count:,}", right=True),
        Column[Any]("One of them", lambda row: row[1].shown, folds=True),
        Column[Any]("Record", lambda row: _place(row[1].example), folds=True),
    )
    malformed = sorted(inspected.inspection.malformed.items())
    return _Section("MALFORMED VALUES: to the rule, missing", columns, malformed)


def _advice(inspected: Inspected) -> _Section:
    columns = (
        Column[Advice]("Source", lambda advice: advice.source),
        Column[Advice]("Seen", lambda advice: advice.seen, folds=True),
        Column[Advice]("What to do", lambda advice: advice.change, folds=True),
    )
    rows = list(advise(inspected))
    return _Section("WHAT TO CHANGE AT THE EXPORTER", columns, rows)
