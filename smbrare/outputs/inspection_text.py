"""What an export holds and what the rule removes of it, for a person."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from smbrare.detection.survey import SourceSurvey
from smbrare.diagnostics.advice import advise, totals
from smbrare.diagnostics.funnel import funnel
from smbrare.diagnostics.inspection import Inspected, SourceDetails, Tally
from smbrare.outputs.grid import Cell, Column, lines
from smbrare.records.event import Origin
from smbrare.records.times import HOUR, format_time
from smbrare.rule import predicate
from smbrare.text import duration, visible

MOST_SHOWN = 20
"""Rows of a list; JSON has all."""

_MOST_HOSTS = 10
_BAR = 20
_KIB = 1024
_SECONDS = 3_600


class Screen(Struct, frozen=True):
    """What the text is laid out for.

    Attributes:
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
        block: The character that bars are drawn with, one that the terminal's encoding has.
    """

    width: int | None
    color: bool
    block: str


class _Section(Struct, frozen=True):
    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Cell]] = ()
    most: int = MOST_SHOWN
    note: str = ""


def render(inspected: Inspected, screen: Screen) -> Iterator[str]:
    """Yield the sections; those that have nothing to say are left out."""
    sections = (
        _inputs(inspected),
        _sources(inspected),
        _time(inspected),
        _hosts(inspected),
        _presence(inspected),
        _funnel(inspected, screen),
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
            yield from lines(section.columns, shown, screen.width, color=screen.color)
        if len(section.rows) > len(shown):
            yield f"and {len(section.rows) - len(shown):,} more: --format json has all\n"
        if section.note:
            yield visible(section.note) + "\n"


def _inputs(inspected: Inspected) -> _Section:
    columns = (
        Column("Path", folds=True),
        Column("Container", folds=True),
        Column("KiB", right=True),
        Column("Records", right=True),
        Column("Network events", right=True),
        Column("Skipped", right=True),
    )
    rows = [
        (
            survey.path,
            survey.container or "unknown",
            f"{survey.size / _KIB:,.1f}",
            f"{survey.records:,}",
            f"{survey.network:,}",
            f"{survey.skipped:,}" + (", cut" if survey.cut else ""),
        )
        for survey in inspected.report.inputs
    ]
    return _Section("INPUTS", columns, rows)


def _sources(inspected: Inspected) -> _Section:
    columns = (
        Column("Source"),
        Column("Records", right=True),
        Column("Network events", right=True),
        Column("Kinds of network events", folds=True),
    )
    rows = []
    for name, survey in sorted(_totals(inspected).items()):
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in survey.kinds.most_common())
        rows.append((name, f"{survey.records:,}", f"{survey.network:,}", kinds))
    return _Section("SOURCES", columns, rows)


def _totals(inspected: Inspected) -> dict[str, SourceSurvey]:
    return totals([survey.sources for survey in inspected.report.inputs])


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
    rows = [
        (format_time(start * HOUR), format_time(end * HOUR), duration((end - start) * _SECONDS))
        for start, end in sorted(longest)
    ]
    columns = (Column("No events from"), Column("to"), Column("for"))
    more = f"; the longest {len(longest)} of {len(gaps):,} gaps" if len(gaps) > len(longest) else ""
    return _Section("TIME", columns, rows, note=note + more)


def _hosts(inspected: Inspected) -> _Section:
    hosts = inspected.inspection.hosts
    ranked = sorted(hosts.items(), key=lambda item: (-item[1], item[0]))
    rows = [(name or "(no name)", f"{count:,}") for name, count in ranked]
    columns = (Column("Host", folds=True), Column("Network events", right=True))
    return _Section(f"HOSTS: {len(hosts):,}", columns, rows, most=_MOST_HOSTS)


def _presence(inspected: Inspected) -> _Section:
    surveys = {name: survey for name, survey in _totals(inspected).items() if survey.network}
    columns = (Column("Field"), *(Column(name, folds=True, right=True) for name in sorted(surveys)))
    rows = []
    for clause in predicate.CLAUSES:
        row: list[Cell] = [clause.field]
        for name, survey in sorted(surveys.items()):
            details = inspected.inspection.details.get(name, SourceDetails())
            share = _percent(survey.present[clause.field], survey.network)
            inferred = details.inferred[clause.field]
            row.append(
                f"{share} ({_percent(inferred, survey.network)} inferred)" if inferred else share
            )
        rows.append(row)
    title = "FIELDS OF THE RULE: share of network events that have them"
    return _Section(title, columns, rows if surveys else ())


def _percent(part: int, whole: int) -> str:
    """Return a share; only none and all are shown as 0 % and 100 %."""
    if part in {0, whole}:
        return "100 %" if part else "0 %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def _funnel(inspected: Inspected, screen: Screen) -> _Section:
    columns = (
        Column("Condition", folds=True),
        Column("Left", right=True),
        Column(""),
        Column("Removed", right=True),
        Column("For example", folds=True),
    )
    stages = funnel(inspected)
    rows: list[tuple[Cell, ...]] = [
        (
            f"{stage.name}: {stage.wants}" if stage.wants else stage.name,
            f"{stage.left:,}",
            (_bar(stage.left, stages[0].left, screen.block), "cyan"),
            f"{stage.removed.count:,}" if stage.removed.count else "",
            _place(stage.removed.example) + _holds(stage.removed),
        )
        for stage in stages
    ]
    left = stages[-1].left
    what = "event is a sighting" if left == 1 else "events are sightings"
    return _Section("FUNNEL", columns, rows, note=f"{left:,} {what}")


def _bar(part: int, whole: int, block: str) -> str:
    """Return a bar; any part at all is seen."""
    return block * max(round(_BAR * part / whole), 1) if part else ""


def _holds(removed: Tally) -> str:
    return f" ({removed.shown})" if removed.shown else ""


def _place(origin: Origin | None) -> str:
    if origin is None:
        return ""
    return str(origin) if origin.number else origin.path


def _near(inspected: Inspected) -> _Section:
    near = inspected.inspection.near
    columns = (
        Column("Clause"),
        Column("Destination"),
        Column("Holds", folds=True),
        Column("Events", right=True),
        Column("For example", folds=True),
    )
    ranked = sorted(near.items(), key=lambda item: (-item[1].count, item[0]))
    rows = [
        (key.field, key.destination, key.held, f"{tally.count:,}", _place(tally.example))
        for key, tally in ranked
    ]
    return _Section("ONE CLAUSE AWAY: to an SMB port on the internet", columns, rows)


def _malformed(inspected: Inspected) -> _Section:
    columns = (
        Column("Source"),
        Column("Field"),
        Column("Values", right=True),
        Column("One of them", folds=True),
        Column("Stands at", folds=True),
    )
    rows = [
        (source, name, f"{tally.count:,}", tally.shown, _place(tally.example))
        for (source, name), tally in sorted(inspected.inspection.malformed.items())
    ]
    return _Section("MALFORMED VALUES: to the rule they are not there", columns, rows)


def _advice(inspected: Inspected) -> _Section:
    columns = (Column("Source"), Column("Seen", folds=True), Column("What to do", folds=True))
    surveys = [survey.sources for survey in inspected.report.inputs]
    rows = [
        (advice.source, advice.seen, advice.change)
        for advice in advise(surveys, inspected.inspection.details)
    ]
    return _Section("WHAT TO CHANGE AT THE EXPORTER", columns, rows)
