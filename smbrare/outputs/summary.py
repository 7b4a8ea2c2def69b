"""The labelled lines behind the findings: grades, what was suppressed, what was read, what next.

A counter that is zero says nothing, and what is true of every scan only ``-v`` says.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from smbrare.detection.rank import grade, ranked
from smbrare.detection.report import Report
from smbrare.detection.schedule import Outcome
from smbrare.detection.survey import InputSurvey, totals
from smbrare.errors import EXIT_NAMES
from smbrare.outputs.also_seen import count_text
from smbrare.outputs.grid import Labelled
from smbrare.outputs.verdict import incomplete_inputs, is_cold_start
from smbrare.outputs.warning_lines import note_lines, warning_lines
from smbrare.outputs.wording import GRADE_MARKS
from smbrare.records.times import format_time, seconds
from smbrare.text import MOST_NAMED, counted, duration, human_size, some

_DATE = 10
_MOST_PATHS = 3


def summary_lines(
    report: Report, more: Iterable[Labelled] = (), paths: Sequence[str] = ()
) -> list[Labelled]:
    """Return the lines that follow the findings, warnings included.

    Args:
        report: What the scan gave.
        more: Further lines, which come before what to do next.
        paths: The inputs as the user gave them.
    """
    return [
        *_labelled("grades", _grades(report)),
        *_replay(report.replayed),
        *_labelled("suppr.", _suppressed(report)),
        *_labelled("near", _near_misses(report)),
        *_labelled("also", _also_seen(report)),
        reading_line(report),
        *_labelled("cold", _cold_start(report)),
        *_labelled("mended", _mended(report.inputs)),
        *note_lines(report),
        *more,
        *warning_lines(report),
        *_labelled("next", _next(report, paths)),
    ]


def reading_line(report: Report) -> Labelled:
    """Return what was read, and what of it was not evaluated."""
    inputs, span = report.inputs, report.span
    parts = [
        counted(len(inputs), "input"),
        counted(sum(survey.records for survey in inputs), "record"),
    ]
    sampled = sum(survey.sampled for survey in inputs)
    network = counted(sum(survey.network for survey in inputs), "network event")
    if sampled:
        network = f"{sampled:,} pre-filtered (--thorough parses everything)"
    parts.append(network)
    if span.first is not None and span.last is not None:
        first, last = (format_time(time)[:_DATE] for time in (span.first, span.last))
        parts.append(first if first == last else f"{first} to {last}")
    left = list(_not_read(report))
    if not left and not sampled and inputs and not incomplete_inputs(report):
        left.append("all evaluated")
    return Labelled("read", ", ".join(parts + left))


def detail_lines(report: Report, seconds: float) -> list[Labelled]:
    """Return what ``-v`` adds.

    Args:
        report: What the scan gave.
        seconds: How long it took.
    """
    size = human_size(sum(survey.size for survey in report.inputs))
    return [
        *_labelled("input", map(_input, report.inputs)),
        *_labelled("source", _sources(report.inputs)),
        *_labelled("excluded", _exclusions(report)),
        *_labelled("lookup", _references(report)),
        *_labelled("malformed", _malformed(report.inputs)),
        Labelled("note", "the rule sees no IPv6 sources, no WebDAV and no SMB over QUIC"),
        Labelled("exit", f"{report.exit_code} ({EXIT_NAMES[report.exit_code]})"),
        Labelled("took", f"{size} in {seconds:.1f} s"),
    ]


def _labelled(label: str, texts: Iterator[str]) -> Iterator[Labelled]:
    return (Labelled(label, text) for text in texts)


def _grades(report: Report) -> Iterator[str]:
    findings = report.findings
    if not findings:
        return
    numbers = Counter(map(grade, findings))
    graded = [
        f"{mark} {words} {numbers[each]:,}"
        for each, (mark, words) in GRADE_MARKS.items()
        if numbers[each]
    ]
    dated = [finding for finding in findings if finding.sighting.time is not None]
    more = []
    wanted = report.criteria.history
    if dated and wanted is not None:
        full = sum(finding.history.complete for finding in dated)
        history = f"full history ({duration(seconds(wanted))})"
        more.append(f"{full:,} of {len(dated):,} with {history}")
    if inferred := sum(bool(finding.sighting.inferred) for finding in findings):
        more.append(f"{inferred:,} with inferred fields")
    if len(findings) > len(dated):
        more.append(f"{len(findings) - len(dated):,} undated")
    yield "; ".join([", ".join(graded), *more])


def _replay(outcome: Outcome | None) -> Iterator[Labelled]:
    if outcome is None:
        return
    schedule = outcome.schedule
    spans = (schedule.interval, schedule.lookback, schedule.history)
    interval, lookback, history = (duration(seconds(span)) for span in spans)
    runs = f"a run every {interval} in step with {format_time(schedule.anchor)}"
    yield Labelled("schedule", f"{runs}, over the last {lookback}, history {history}")
    depends = sum(alert.phase_dependent for alert in outcome.alerts)
    if depends or outcome.missed:
        only = f"{counted(len(outcome.missed), 'match')} that only others would"
        other = f"{counted(depends, 'alert')} that other phases of the runs would not raise"
        yield Labelled("phase", f"{other}, {only}")
    if crowded := outcome.crowded_runs:
        more = f"more than --max-signals {schedule.max_signals:,} alerts to raise"
        first = format_time(crowded[0])
        yield Labelled("capped", f"{counted(len(crowded), 'run')} had {more}, the first at {first}")
    if outcome.cut:
        where = some(sorted({alert.destination for alert in outcome.cut}))
        what = f"{counted(len(outcome.cut), 'matching event')} cut in every run that read it"
        yield Labelled("never", f"{what}, and silent history after that: {where}")


def _also_seen(report: Report) -> Iterator[str]:
    if report.also_seen:
        named = some([server.destination for server in report.also_seen])
        yield f"{count_text(report)}: {named}"


def _suppressed(report: Report) -> Iterator[str]:
    parts = []
    if known := report.suppressed:
        destinations = {finding.sighting.destination for finding in known}
        text = f"{len(destinations):,} known to the baseline {report.criteria.baseline}"
        if widened := {finding.sighting.destination for finding in known if finding.new_hosts}:
            hosts = sorted({host for finding in known for host in finding.new_hosts})
            who = f"a new host {hosts[0]}" if len(hosts) == 1 else f"new hosts {some(hosts)}"
            text += f" ({len(widened):,} of them from {who})"
        parts.append(text)
    if excluded := {finding.sighting.destination for finding in report.excluded}:
        parts.append(f"{len(excluded):,} excluded")
    if unused := sum(kept.is_unused for kept in report.exclusions):
        parts.append(f"{unused:,} of {counted(len(report.exclusions), 'exclusion')} unused (-v)")
    if report.outside:
        parts.append(f"{report.outside:,} first contacted before the window")
    if parts:
        yield ", ".join(parts)


def _not_read(report: Report) -> Iterator[str]:
    """Yield what was read and is not evaluated, or may be nothing to evaluate."""
    inputs = report.inputs
    # What ended an input is no record, and has its warning.
    ends = [one for survey in inputs for one in survey.located if one.ends_input]
    if skipped := sum(survey.skipped for survey in inputs) - len(ends):
        lost = sum(survey.lost for survey in inputs) - sum(one.could_matter for one in ends)
        yield f"{skipped:,} skipped" + (f" ({lost:,} might have matched)" if lost else "")
    if lacking := sum(survey.not_evaluated for survey in inputs):
        yield f"{counted(lacking, 'unreadable connection')}"
    if alerts := sum(survey.alerts for survey in inputs):
        yield f"{counted(alerts, 'alert')} skipped"
    if unknown := sum(survey.unknown for survey in inputs):
        yield f"{unknown:,} of no known source"
    if unread := sum(map(_is_unknown, inputs)):
        yield f"{counted(unread, 'file')} of no known format"
    if junk := sum(survey.is_junk for survey in inputs):
        yield f"{counted(junk, 'file')} of archiver junk"
    if report.criteria.ignore_unknown and (suspects := sum(one.suspects for one in inputs)):
        yield f"{suspects:,} unknown that might contain a match (--ignore-unknown)"


def _is_unknown(survey: InputSurvey) -> bool:
    """Return whether an input is of no known format, and nothing else says why it was skipped."""
    return not (survey.container or survey.is_junk or survey.skipped)


def _cold_start(report: Report) -> Iterator[str]:
    wanted = report.criteria.history
    if wanted is None or report.replayed is not None or is_cold_start(report):
        return
    dated = [finding for finding in report.findings if finding.sighting.time is not None]
    if without := sum(not finding.history.complete for finding in dated):
        yield (
            f"{without:,} of {len(dated):,} have less than {duration(seconds(wanted))} of history "
            "and may be old: scan older logs with these"
        )


def _next(report: Report, paths: Sequence[str]) -> Iterator[str]:
    """Yield the commands that help with this result."""
    shown = ranked(report.findings)
    if shown and _is_file_name(shown[0].sighting.origin.path):
        place = str(shown[0].sighting.origin)
        yield shlex.join(["smbrare", "explain", place, *_history_of(place, paths)])
    if is_cold_start(report):
        yield "scan older logs with these, or learn them: smbrare baseline learn NAME older/"
    unjudged = [survey.path for survey, source, _ in report.unjudged() if source]
    if unjudged and _is_file_name(unjudged[0]):
        yield f"smbrare inspect {shlex.quote(unjudged[0])}"


def _history_of(place: str, paths: Sequence[str]) -> Sequence[str]:
    """Return the inputs that decide what is new, unless the record's file is the only one.

    Many, as a shell's glob gives, and those that cannot be read again are left to the user.
    """
    is_alone = len(paths) == 1 and place.startswith((f"{paths[0]}:", f"{paths[0]}!"))
    can_be_given = len(paths) <= _MOST_PATHS and all(map(_is_file_name, paths))
    return paths if can_be_given and not is_alone else ()


def _is_file_name(path: str) -> bool:
    """Return whether a command can name a file again."""
    return path != "-" and "://" not in path and path.isprintable()


def _sources(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    from_sample = {name for survey in inputs if survey.sampled for name in survey.sources}
    for name, source in sorted(totals(inputs).items()):
        connections = counted(source.connections, "connection")
        kinds = [f"{number:,} {kind}" for kind, number in source.kinds.most_common(MOST_NAMED)]
        yield (
            f"{name}: {'of the sample ' if name in from_sample else ''}"
            f"{counted(source.records, 'record')}, {counted(source.network, 'network event')}"
            + (f" ({', '.join(kinds)})" if kinds else "")
            + (f", {connections}" if source.connections != source.network else "")
        )


def _input(survey: InputSurvey) -> str:
    kind = survey.container or ("archiver junk" if survey.is_junk else "")
    kind = kind or ("no known format" if _is_unknown(survey) else "")
    return (
        f"{survey.path}{f' ({kind})' if kind else ''}: {human_size(survey.size)}, "
        f"{counted(survey.records, 'record')}, {counted(survey.network, 'network event')}"
    )


def _near_misses(report: Report) -> Iterator[str]:
    if by_clause := report.near_misses:
        fields = ", ".join(f"{number:,} {name}" for name, number in by_clause.items())
        yield f"one condition short: {fields} (smbrare inspect)"


def _exclusions(report: Report) -> Iterator[str]:
    for kept in report.exclusions:
        if kept.sightings:
            yield (
                f"{counted(kept.sightings, 'matching event')} of "
                f"{counted(kept.destinations, 'destination')}: {kept.exclusion}"
            )
        if kept.expired or kept.is_unused:
            yield f"{'expired' if kept.expired else 'unused'}: {kept.exclusion}"


def _references(report: Report) -> Iterator[str]:
    known = counted(len({each.sighting.destination for each in report.judged}), "destination")
    for reference in report.references:
        built = "" if reference.built is None else f", built {format_time(reference.built)[:_DATE]}"
        entries = "" if reference.entries is None else f", {reference.entries:,} entries"
        if not reference.problem:
            yield (
                f"{reference.file}: {reference.name}{built}{entries}: knows "
                f"{len(reference.facts):,} of {known}"
            )


def _malformed(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    sources = totals(inputs).values()
    if malformed := sum((source.malformed for source in sources), Counter[str]()):
        yield ", ".join(f"{number:,} in {name}" for name, number in sorted(malformed.items()))


def _mended(inputs: tuple[InputSurvey, ...]) -> Iterator[str]:
    if first := next(filter(None, (survey.first_mended for survey in inputs)), None):
        mended = counted(sum(survey.mended for survey in inputs), "record")
        yield f"{mended} of flawed JSON, the first at {first[0]}: {first[1]}"
