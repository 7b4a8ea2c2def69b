"""The summary of a scan for stderr: what was read, what was found, what was held back."""

from collections import Counter
from collections.abc import Iterator

from smbrare.detection.report import Report
from smbrare.detection.schedule import Outcome
from smbrare.detection.survey import InputSurvey
from smbrare.inputs import json_tokens
from smbrare.limits import MIB
from smbrare.records.times import format_time, seconds
from smbrare.text import counted, duration, human_size, some, visible

_MOST_NAMED = 5
_LONG_BYTES = 32 * MIB


def summary(report: Report, seconds: float, baseline_note: str) -> Iterator[str]:
    """Yield the lines of the summary.

    Args:
        report: What the scan gave.
        seconds: How long it took.
        baseline_note: What became of the baseline.
    """
    yield from reading(report, seconds)
    yield f"sightings   {report.sightings:,}"
    yield from _found(report)
    yield f"left out    {_left_out(report.inputs)}"
    yield f"held back   {_held_back(report)}"
    yield from lines(report)
    yield from _enrichment(report)
    yield from _names(report)
    yield from _oddities(report)
    yield visible(f"history     {baseline_note}")


def reading(report: Report, seconds: float) -> Iterator[str]:
    """Yield the lines that say what was read, and how long it took."""
    inputs = report.inputs
    records = sum(survey.records for survey in inputs)
    size = sum(survey.size for survey in inputs)
    yield (
        f"read        {counted(len(inputs), 'input')}, {counted(records, 'record')}, "
        f"{human_size(size)} in {seconds:.1f} s"
    )
    yield from _sources(inputs)
    if sampled := sum(survey.sampled for survey in inputs):
        yield (
            f"sampled     {counted(sampled, 'input')}: of them sources, span and what was passed "
            "over are told by matches and a sample; --thorough counts all"
        )
    span = report.span
    if span.first is not None and span.last is not None:
        hours = counted(len(span.hours), "hour")
        yield (
            f"span        {format_time(span.first)} to {format_time(span.last)}, "
            f"network events in {hours}"
        )


def details(report: Report) -> Iterator[str]:
    """Yield what ``-v`` adds: a line for each input, and exclusions that kept nothing back."""
    for survey in report.inputs:
        kind = survey.container or ("an archiver's litter" if survey.litter else "")
        kind = kind or ("of no known format" if _is_unknown(survey) else "")
        shown = f" ({kind})" if kind else ""
        yield visible(
            f"input       {survey.path}{shown}: {human_size(survey.size)}, "
            f"{counted(survey.records, 'record')}, "
            f"{counted(survey.network, 'network event')}"
        )
    yield from idle_exclusions(report)


def _found(report: Report) -> Iterator[str]:
    details = _details(report)
    if report.replayed is None:
        yield f"findings    {len(report.findings):,}{details}"
    else:
        yield f"alerts      {len(report.findings):,}{details}"
        yield from _replayed(report.replayed)


def _replayed(outcome: Outcome) -> Iterator[str]:
    schedule = outcome.schedule
    interval, lookback, history = (
        duration(seconds(span)) for span in (schedule.interval, schedule.lookback, schedule.history)
    )
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
        cut = sorted({alert.destination for alert in outcome.cut})
        more = f" and {len(cut) - _MOST_NAMED:,} more" if len(cut) > _MOST_NAMED else ""
        yield (
            f"never       {counted(len(outcome.cut), 'sighting')} cut in every run that read it, "
            f"and silent history after that: {', '.join(cut[:_MOST_NAMED])}{more}"
        )


def _details(report: Report) -> str:
    findings = report.findings
    dated = [finding for finding in findings if finding.sighting.time is not None]
    full = sum(finding.history.complete for finding in dated)
    inferred = sum(bool(finding.sighting.inferred) for finding in findings)
    parts = []
    if dated and report.criteria.history is not None:
        parts.append(f"{full:,} with full history, {len(dated) - full:,} without")
    if inferred:
        parts.append(f"{inferred:,} resting on inferred fields")
    if len(findings) > len(dated):
        parts.append(f"{len(findings) - len(dated):,} undated")
    return f" ({'; '.join(parts)})" if parts else ""


def _sources(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    records: Counter[str] = Counter()
    network: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    sampled: set[str] = set()
    for survey in inputs:
        for name, source in survey.sources.items():
            sampled.update({name} if survey.sampled else ())
            records[name] += source.records
            network[name] += source.network
            kinds.setdefault(name, Counter()).update(source.kinds)
    for name, count in sorted(records.items()):
        named = [f"{number:,} {kind}" for kind, number in kinds[name].most_common(_MOST_NAMED)]
        listed = f" ({', '.join(named)})" if named else ""
        part = "of the sample " if name in sampled else ""
        yield visible(
            f"source      {name}: {part}{counted(count, 'record')}, "
            f"{counted(network[name], 'network event')}{listed}"
        )


def _left_out(inputs: tuple[InputSurvey, ...]) -> str:
    lost = sum(survey.lost for survey in inputs)
    skipped = f"{sum(survey.skipped for survey in inputs):,} skipped"
    parts = [
        skipped + (f" ({lost:,} could have matched)" if lost else ""),
        f"{sum(survey.alerts for survey in inputs):,} alerts passed over",
        f"{sum(survey.unknown for survey in inputs):,} of no known source",
    ]
    if unread := sum(map(_is_unknown, inputs)):
        parts.append(f"{counted(unread, 'file')} of no known format (named with -v)")
    if litter := sum(survey.litter for survey in inputs):
        parts.append(f"{counted(litter, 'file')} of an archiver's litter")
    return ", ".join(parts)


def _is_unknown(survey: InputSurvey) -> bool:
    """Return whether nothing tells what an input is, not even why it was passed over."""
    return not (survey.container or survey.litter or survey.skipped)


def _held_back(report: Report) -> str:
    by_clause = report.one_clause_away
    near = f"{sum(by_clause.values()):,} one clause away"
    if by_clause:
        near += f" ({', '.join(f'{number:,} {name}' for name, number in by_clause.items())})"
    held, excluded = len(report.held_back), len(report.excluded)
    return f"{held:,} by the baseline, {excluded:,} by exclusions, {near}"


def _enrichment(report: Report) -> Iterator[str]:
    destinations = len({finding.sighting.destination for finding in report.judged})
    for reference in report.references:
        if reference.problem:
            text = f"not used: {reference.problem}"
        else:
            built = (
                "" if reference.built is None else f", built {format_time(reference.built)[:10]}"
            )
            entries = "" if reference.entries is None else f", {reference.entries:,} entries"
            known = counted(destinations, "destination")
            text = f"{reference.name}{built}{entries}: knows {len(reference.facts):,} of {known}"
        yield visible(f"enrichment  {reference.file}: {text}")


def _names(report: Report) -> Iterator[str]:
    """Yield why a destination may have no name although a DNS event tells it."""
    if all(finding.queries or finding.event.get("destination.domain") for finding in report.judged):
        return
    if report.too_many_names:
        yield "dns names   too many to keep in the DNS events that were read: none is shown"
    elif unread := len(report.names_unread):
        yield (
            f"dns names   not looked for in {counted(unread, 'sampled input')}: "
            "--thorough, --format html and json do"
        )


def _oddities(report: Report) -> Iterator[str]:
    inputs = report.inputs
    sources = [source for survey in inputs for source in survey.sources.values()]
    malformed = sum((source.malformed for source in sources), Counter[str]())
    if malformed:
        listed = ", ".join(f"{number:,} in {name}" for name, number in sorted(malformed.items()))
        yield f"malformed   {listed}"
    yield from _slow_json(inputs)
    sampled = any(survey.sampled for survey in inputs)
    if _judged(inputs) and not sampled and not any(source.kernel_smb for source in sources):
        yield (
            "note        no SMB connection of PID 4 at all, not even internal: "
            "the exporter may filter them"
        )
    if _judged(inputs):
        yield ("note        the rule sees no IPv6 sources, no WebDAV and no SMB over QUIC")


def _slow_json(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    whole = [
        survey
        for survey in inputs
        if survey.container.rpartition(" ")[2] == "json" and not survey.sampled
    ]
    # Loading the library to know takes longer than to read a short input.
    long = sum(survey.size for survey in whole) >= _LONG_BYTES
    if whole and json_tokens.is_slow(look=long):
        yield (
            "note        ijson is installed without its library in C: JSON other than NDJSON and "
            "arrays of objects is read many times slower"
        )


def _judged(inputs: tuple[InputSurvey, ...]) -> bool:
    return any(survey.network for survey in inputs)


_MANY = 5
"""From how many findings on a cold start is said to be one."""


def lines(report: Report) -> Iterator[str]:
    """Yield what the summary says of it; nothing where all was reported with full history."""
    yield from _cold_start(report)
    yield from _known(report)
    yield from _before(report)
    for kept in report.exclusions:
        if kept.sightings:
            yield visible(
                f"excluded    {counted(kept.sightings, 'sighting')} of "
                f"{counted(kept.destinations, 'destination')}: {kept.exclusion}"
            )


def idle_exclusions(report: Report) -> Iterator[str]:
    """Yield the exclusions that expired, or that kept nothing back."""
    for kept in report.exclusions:
        if kept.expired:
            yield visible(f"expired     {kept.exclusion}")
        elif not kept.sightings and not kept.recorded:
            yield visible(f"unused      {kept.exclusion}")


def _cold_start(report: Report) -> Iterator[str]:
    dated = [finding for finding in report.findings if finding.sighting.time is not None]
    wanted = report.criteria.history
    if wanted is None or report.replayed is not None:
        return
    without = sum(not finding.history.complete for finding in dated)
    if without >= _MANY and 2 * without > len(dated):
        yield (
            f"note        a cold start: {without:,} of {counted(len(dated), 'finding')} have less "
            f"than {duration(seconds(wanted))} of known history, so their destinations may be old; "
            "scan older logs with these, or learn them into a baseline"
        )


def _known(report: Report) -> Iterator[str]:
    held = report.held_back
    if not held:
        return
    destinations = {finding.sighting.destination for finding in held}
    line = (
        f"known       {counted(len(destinations), 'destination')} not reported: seen before in "
        f"baseline {report.criteria.baseline}"
    )
    widened = {finding.sighting.destination for finding in held if finding.new_hosts}
    if widened:
        hosts = sorted({host for finding in held for host in finding.new_hosts})
        who = f"a new host {hosts[0]}" if len(hosts) == 1 else f"new hosts {some(hosts)}"
        line += f"; {len(widened):,} of them from {who}"
    yield visible(line)


def _before(report: Report) -> Iterator[str]:
    if report.outside:
        yield (
            f"window      {counted(report.outside, 'destination')} active in it had the finding "
            "before it"
        )
