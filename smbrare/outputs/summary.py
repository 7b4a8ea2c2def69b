"""The words of the summary on stderr: what was read, found and suppressed."""

from collections import Counter
from collections.abc import Iterator

from smbrare.detection.report import Report
from smbrare.detection.schedule import Outcome
from smbrare.detection.source_survey import SourceSurvey
from smbrare.detection.survey import InputSurvey, totals
from smbrare.inputs import json_tokens
from smbrare.limits import MIB
from smbrare.records.times import format_time, seconds
from smbrare.text import MOST_NAMED, counted, duration, human_size, some, visible

_LONG_BYTES = 32 * MIB
_MANY = 5
"""From how many findings on a cold start is said to be one."""


def summary_lines(report: Report, seconds: float, baseline_note: str) -> list[str]:
    """Return the lines of the summary.

    Args:
        report: What the scan gave.
        seconds: How long it took.
        baseline_note: What became of the baseline.
    """
    lines = [
        *_read(report, seconds),
        f"sightings   {report.sightings:,}",
        *_findings(report),
        f"left out    {_skipped_counts(report)}",
        f"held back   {_suppressed_counts(report)}",
        *_cold_start(report),
        *_known_destinations(report),
        *_exclusions(report),
        *_enrichment(report),
        *_names(report),
        *_oddities(report.inputs),
        f"history     {baseline_note}",
    ]
    return list(map(visible, lines))


def reading_lines(report: Report, seconds: float) -> list[str]:
    """Return the lines that say what was read, and how long it took."""
    return list(map(visible, _read(report, seconds)))


def detail_lines(report: Report) -> list[str]:
    """Return what ``-v`` adds: a line for each input, and exclusions that kept nothing back."""
    return [*map(visible, _inputs(report.inputs)), *map(visible, _idle_exclusions(report))]


def _read(report: Report, seconds: float) -> Iterator[str]:
    inputs, span = report.inputs, report.span
    records = counted(sum(survey.records for survey in inputs), "record")
    size = human_size(sum(survey.size for survey in inputs))
    yield f"read        {counted(len(inputs), 'input')}, {records}, {size} in {seconds:.1f} s"
    from_sample = {name for survey in inputs if survey.sampled for name in survey.sources}
    for name, source in sorted(totals(inputs).items()):
        kinds = [f"{number:,} {kind}" for kind, number in source.kinds.most_common(MOST_NAMED)]
        yield (
            f"source      {name}: {'of the sample ' if name in from_sample else ''}"
            f"{counted(source.records, 'record')}, {counted(source.network, 'network event')}"
            + (f" ({', '.join(kinds)})" if kinds else "")
            + _connections(source)
        )
    if sampled := sum(survey.sampled for survey in inputs):
        yield (
            f"sampled     {counted(sampled, 'input')}: totals are estimates, and a corrupted line, "
            "a port such as 4.45e2 and a connection without a readable port can be missed; "
            "--thorough parses everything"
        )
    if span.first is not None and span.last is not None:
        hours = counted(len(span.hours), "hour")
        times = f"{format_time(span.first)} to {format_time(span.last)}"
        yield f"span        {times}, network events in {hours}"


def _connections(source: SourceSurvey) -> str:
    """Return how many of a source's network events are connections, if that is not plain."""
    if source.connections == source.network:
        return ""
    return f", {counted(source.connections, 'connection')}"


def _inputs(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    for survey in inputs:
        kind = survey.container or ("an archiver's litter" if survey.is_junk else "")
        kind = kind or ("of no known format" if _is_unknown(survey) else "")
        yield (
            f"input       {survey.path}{f' ({kind})' if kind else ''}: {human_size(survey.size)}, "
            f"{counted(survey.records, 'record')}, {counted(survey.network, 'network event')}"
        )


def _findings(report: Report) -> Iterator[str]:
    findings = report.findings
    dated = [finding for finding in findings if finding.sighting.time is not None]
    full = sum(finding.history.complete for finding in dated)
    parts = []
    if dated and report.criteria.history is not None:
        parts.append(f"{full:,} with full history, {len(dated) - full:,} without")
    if inferred := sum(bool(finding.sighting.inferred) for finding in findings):
        parts.append(f"{inferred:,} resting on inferred fields")
    if len(findings) > len(dated):
        parts.append(f"{len(findings) - len(dated):,} undated")
    label = "findings" if report.replayed is None else "alerts"
    yield f"{label:<12}{len(findings):,}" + (f" ({'; '.join(parts)})" if parts else "")
    if report.replayed is not None:
        yield from _replay(report.replayed)


def _replay(outcome: Outcome) -> Iterator[str]:
    schedule = outcome.schedule
    spans = (schedule.interval, schedule.lookback, schedule.history)
    interval, lookback, history = (duration(seconds(span)) for span in spans)
    yield (
        f"schedule    a run every {interval} in step with {format_time(schedule.anchor)}, "
        f"over the last {lookback}, history {history}"
    )
    depends = sum(alert.phase_dependent for alert in outcome.alerts)
    if depends or outcome.missed:
        yield (
            f"phase       {counted(depends, 'alert')} that other phases of the runs would not "
            f"raise, {counted(len(outcome.missed), 'sighting')} that only others would"
        )
    if crowded := outcome.crowded_runs:
        yield (
            f"max-signals {counted(len(crowded), 'run')} had more than {schedule.max_signals:,} "
            f"to raise, the first at {format_time(crowded[0])}"
        )
    if outcome.cut:
        destinations = sorted({alert.destination for alert in outcome.cut})
        yield (
            f"never       {counted(len(outcome.cut), 'sighting')} cut in every run that read it, "
            f"and silent history after that: {some(destinations)}"
        )


def _skipped_counts(report: Report) -> str:
    inputs = report.inputs
    lost = sum(survey.lost for survey in inputs)
    parts = [
        f"{sum(survey.skipped for survey in inputs):,} skipped"
        + (f" ({lost:,} could have matched)" if lost else ""),
        f"{sum(survey.alerts for survey in inputs):,} alerts passed over",
        f"{sum(survey.unknown for survey in inputs):,} of no known source",
    ]
    if unread := sum(map(_is_unknown, inputs)):
        parts.append(f"{counted(unread, 'file')} of no known format (named with -v)")
    if report.criteria.ignore_unknown and (suspects := sum(one.suspects for one in inputs)):
        parts.append(f"{suspects:,} unknown that might hold a match (--ignore-unknown)")
    if lacking := sum(survey.not_evaluated for survey in inputs):
        parts.append(f"{counted(lacking, 'connection')} unreadable that might have matched")
    if junk := sum(survey.is_junk for survey in inputs):
        parts.append(f"{counted(junk, 'file')} of an archiver's litter")
    return ", ".join(parts)


def _is_unknown(survey: InputSurvey) -> bool:
    """Return whether it is unknown what an input is, and no reason why it was skipped is given."""
    return not (survey.container or survey.is_junk or survey.skipped)


def _suppressed_counts(report: Report) -> str:
    by_clause = report.near_misses
    near = f"{sum(by_clause.values()):,} one clause away"
    if by_clause:
        near += f" ({', '.join(f'{number:,} {name}' for name, number in by_clause.items())})"
    known, excluded = len(report.suppressed), len(report.excluded)
    return f"{known:,} by the baseline, {excluded:,} by exclusions, {near}"


def _cold_start(report: Report) -> Iterator[str]:
    wanted = report.criteria.history
    if wanted is None or report.replayed is not None:
        return
    dated = [finding for finding in report.findings if finding.sighting.time is not None]
    without = sum(not finding.history.complete for finding in dated)
    if without >= _MANY and 2 * without > len(dated):
        yield (
            f"note        a cold start: {without:,} of {counted(len(dated), 'finding')} have less "
            f"than {duration(seconds(wanted))} of known history, so their destinations may be old; "
            "scan older logs with these, or learn them into a baseline"
        )


def _known_destinations(report: Report) -> Iterator[str]:
    if known := report.suppressed:
        destinations = {finding.sighting.destination for finding in known}
        line = (
            f"{counted(len(destinations), 'destination')} not reported: seen before in "
            f"baseline {report.criteria.baseline}"
        )
        if widened := {finding.sighting.destination for finding in known if finding.new_hosts}:
            hosts = sorted({host for finding in known for host in finding.new_hosts})
            who = f"a new host {hosts[0]}" if len(hosts) == 1 else f"new hosts {some(hosts)}"
            line += f"; {len(widened):,} of them from {who}"
        yield f"known       {line}"
    if report.outside:
        active = counted(report.outside, "destination")
        yield f"window      {active} active in it had the finding before it"


def _exclusions(report: Report) -> Iterator[str]:
    for kept in report.exclusions:
        if kept.sightings:
            yield (
                f"excluded    {counted(kept.sightings, 'sighting')} of "
                f"{counted(kept.destinations, 'destination')}: {kept.exclusion}"
            )


def _idle_exclusions(report: Report) -> Iterator[str]:
    for kept in report.exclusions:
        if kept.expired:
            yield f"expired     {kept.exclusion}"
        elif not kept.sightings and not kept.recorded:
            yield f"unused      {kept.exclusion}"


def _enrichment(report: Report) -> Iterator[str]:
    known = counted(len({each.sighting.destination for each in report.judged}), "destination")
    for reference in report.references:
        built = "" if reference.built is None else f", built {format_time(reference.built)[:10]}"
        entries = "" if reference.entries is None else f", {reference.entries:,} entries"
        text = f"{reference.name}{built}{entries}: knows {len(reference.facts):,} of {known}"
        if reference.problem:
            text = f"not used: {reference.problem}"
        yield f"enrichment  {reference.file}: {text}"


def _names(report: Report) -> Iterator[str]:
    """Yield why a destination may have no name although a DNS event names it."""
    if all(finding.queries or finding.event.get("destination.domain") for finding in report.judged):
        return
    if report.too_many_names:
        yield "dns names   too many to keep in the DNS events that were read: none is shown"
    elif unread := len(report.names_unread):
        yield (
            f"dns names   not looked for in {counted(unread, 'sampled input')}: "
            "--thorough, --format html and json do"
        )


def _oddities(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    sources = totals(inputs).values()
    if malformed := sum((source.malformed for source in sources), Counter[str]()):
        listed = ", ".join(f"{number:,} in {name}" for name, number in sorted(malformed.items()))
        yield f"malformed   {listed}"
    if first := next(filter(None, (survey.first_mended for survey in inputs)), None):
        mended = counted(sum(survey.mended for survey in inputs), "record")
        yield f"mended      {mended} of flawed JSON, the first at {first[0]}: {first[1]}"
    documents = [
        survey
        for survey in inputs
        if survey.container.rpartition(" ")[2] == "json" and not survey.sampled
    ]
    # Loading the library to know takes longer than to read a short input.
    are_long = sum(survey.size for survey in documents) >= _LONG_BYTES
    if documents and json_tokens.is_slow(look=are_long):
        yield (
            "note        ijson is installed without its library in C: JSON other than NDJSON and "
            "arrays of objects is read many times slower"
        )
    if not any(survey.connections for survey in inputs):
        return
    is_complete = not any(survey.sampled for survey in inputs)
    if is_complete and not any(source.kernel_smb for source in sources):
        yield (
            "note        no SMB connection of PID 4 at all, not even internal: "
            "the exporter may filter them"
        )
    yield "note        the rule sees no IPv6 sources, no WebDAV and no SMB over QUIC"
