"""The warnings and notes of a run: what was skipped or not evaluated, and what limits the rest."""

from collections.abc import Iterator
from pathlib import PurePath

from smbrare.detection.host_context import TOO_MANY
from smbrare.detection.report import Report
from smbrare.detection.source_survey import MOST_LOCATED
from smbrare.detection.survey import InputSurvey, OddTimes, TimeOddity, totals
from smbrare.inputs import json_tokens
from smbrare.limits import MIB
from smbrare.outputs.grid import WARNING, Labelled
from smbrare.outputs.verdict import unreadable_text
from smbrare.records.times import MICROSECONDS, YEAR_2000, YEAR_2100, format_time
from smbrare.text import counted

_LONG_BYTES = 32 * MIB
_MOST_ODD_TIMES = 10
_MOST_INPUTS = 10
"""Inputs that lines of one kind name."""
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_ADVICE = {
    "host.os.type": "export host.os.type (the agent's add_host_metadata sets it)",
    "network.transport": "without --literal it is inferred where the record shows it",
    "process.pid": "without --literal it is inferred where the record shows it",
    "event.category": "export event.category, or the vendor's raw records",
}


def warning_lines(report: Report) -> list[Labelled]:
    """Return the warnings of a run: what was skipped, doubtful times, what was not evaluated."""
    return [
        *(
            Labelled(WARNING, text)
            for text in (*_skipped_records(report), *_unused(report), *_given_twice(report))
        ),
        *odd_time_lines(report),
        *unjudged_lines(report),
    ]


def odd_time_lines(report: Report) -> list[Labelled]:
    """Return a line for each input and way in which its times may be read wrongly, to a limit."""
    return [Labelled(WARNING, text) for text in _odd_times(report)]


def unjudged_lines(report: Report) -> list[Labelled]:
    """Return a line for each input, or source in one, that could not be evaluated, to a limit."""
    return [Labelled(WARNING, text) for text in _unjudged_inputs(report)]


def note_lines(report: Report) -> list[Labelled]:
    """Return what limits this result, but is no fault of it."""
    return [Labelled("note", text) for text in _notes(report)]


def _skipped_records(report: Report) -> Iterator[str]:
    """Yield a line for each input that was not read to its end, and each of the first records."""
    located = [skipped for survey in report.inputs for skipped in survey.located]
    ends = [skipped for skipped in located if skipped.ends_input]
    others = [skipped for skipped in located if not skipped.ends_input]
    unread = {survey.path for survey in report.inputs if not survey.records}
    for skipped in ends[:_MOST_INPUTS]:
        if skipped.origin.path in unread:
            yield unreadable_text(skipped.origin.path, skipped.reason)
        else:
            yield f"{skipped.origin}: not read to its end: {skipped.reason}"
    if len(ends) > _MOST_INPUTS:
        more = counted(len(ends) - _MOST_INPUTS, "more input")
        yield f"and {more} not read to the end"
    for skipped in others[:MOST_LOCATED]:
        yield f"{skipped.origin}: skipped: {skipped.reason}"
    total = sum(survey.skipped for survey in report.inputs)
    if left := total - len(ends) - min(len(others), MOST_LOCATED):
        yield f"and {left:,} more skipped"
    yield from _not_evaluated(report)


def _not_evaluated(report: Report) -> Iterator[str]:
    """Yield a line for each of the first connections that might have matched but cannot be read."""
    located = [skipped for survey in report.inputs for skipped in survey.not_evaluated_located()][
        :MOST_LOCATED
    ]
    for skipped in located:
        yield f"{skipped.origin}: not evaluated: {skipped.reason}"
    left = sum(survey.not_evaluated for survey in report.inputs) - len(located)
    if left:
        yield f"and {counted(left, 'more connection')} not evaluated"


def _unused(report: Report) -> Iterator[str]:
    """Yield why reference data was not used."""
    for reference in report.references:
        if reference.problem:
            yield f"{reference.file}: not used: {reference.problem}"


def _given_twice(report: Report) -> Iterator[str]:
    """Yield a line for each of the first logs that were read packed, or in an archive, too."""
    records = {survey.path: survey.records for survey in report.inputs if survey.records}
    logs: dict[tuple[str, int], str] = {}
    twice = []
    for path in sorted(records, key=len):
        plain = logs.setdefault((_unpacked(path), records[path]), path)
        # Archives of several hosts hold logs of one name, and of one length by a limit of exports.
        if plain != path and "!" not in plain:
            twice.append(f"{plain}: the same log as {path}? its events are counted twice")
    yield from twice[:_MOST_INPUTS]


def _unpacked(path: str) -> str:
    """Return the name that a log would have where its compressed file or archive lies."""
    outer, *members = path.split("!")
    log = PurePath(outer).parent / PurePath((outer, *members)[-1]).name
    return str(log.with_suffix("") if log.suffix in _PACKED else log)


def _odd_times(report: Report) -> Iterator[str]:
    every = [
        (survey, kind, odd) for survey in report.inputs for kind, odd in survey.odd_times.items()
    ]
    for survey, kind, odd in every[:_MOST_ODD_TIMES]:
        yield _odd_time(survey.path, kind, odd)
    if len(every) > _MOST_ODD_TIMES:
        yield f"and {len(every) - _MOST_ODD_TIMES:,} more warnings about times"


def _odd_time(path: str, kind: TimeOddity, odd: OddTimes) -> str:
    given = f"{odd.field} {odd.value!r}" if odd.field else "no time at all"
    read_as = "" if odd.time is None else f", read as {format_time(odd.time)}"
    if kind == "undated":
        why = f"{given} cannot be read as a date" if odd.field else given
        more = f" (1 of {odd.events:,} undated matches here)" if odd.events > 1 else ""
        return f"{odd.origin or path}: undated: {why}{more}{_seconds(odd)}"
    if kind == "early":
        events = counted(odd.events, "event")
        return f"{path}: {events} dated before 2000: {given}{read_as}{_seconds(odd)}"
    dates = counted(odd.events, "date")
    return f"{path}: {dates} that may be day first or month first: {given}{read_as}"


def _seconds(odd: OddTimes) -> str:
    """Return the advice for a number that would be a time of this century if it counts seconds."""
    try:
        is_recent = YEAR_2000 <= float(odd.value) * MICROSECONDS < YEAR_2100
    except ValueError:
        return ""
    return "; if it counts seconds, add --time-unit s" if is_recent else ""


def _unjudged_inputs(report: Report) -> Iterator[str]:
    suspected = {survey.path: survey for survey in report.suspected}
    lines = [_suspicion(survey) for survey in suspected.values()]
    for survey, source, reason in report.unjudged():
        if not source and (survey.path in suspected or (survey.located and not survey.records)):
            continue  # One line a file, and what might match or was skipped says more.
        advice = _advice(report, reason)
        named = f"{survey.path} ({source})" if source else survey.path
        lines.append(f"{named}: not evaluated: {reason}" + (f"; {advice}" if advice else ""))
    yield from lines[:_MOST_INPUTS]
    if len(lines) > _MOST_INPUTS:
        yield f"and {counted(len(lines) - _MOST_INPUTS, 'more input')} not evaluated"
    if not report.inputs:
        yield "no input was read"
    if report.unseen:
        yield (
            f"{counted(report.unseen, 'matching event')} not evaluated: no run reads an event "
            "without a time"
        )


def _suspicion(survey: InputSurvey) -> str:
    first = survey.suspected[0]
    if not first.number:
        return (
            f"{first}: of no known format, but might contain a match at byte {first.offset or 0:,}"
        )
    more = f", and {survey.suspects - 1:,} more" if survey.suspects > 1 else ""
    return f"{first}: of no known source, but might contain a match{more}"


def _advice(report: Report, reason: str) -> str:
    if "without --literal" in _advice_on(reason) and not report.options.literal:
        return ""
    if report.replayed is not None and report.options.literal and " missing in " in reason:
        return "with --inferred it is supplied where the record shows it"
    return _advice_on(reason)


def _advice_on(reason: str) -> str:
    return next((text for name, text in _ADVICE.items() if name in reason), "")


def _notes(report: Report) -> Iterator[str]:
    inputs = report.inputs
    if not all(each.queries or each.event.get("destination.domain") for each in report.findings):
        if report.too_many_names:
            yield "the DNS events contain too many names to keep: none is shown"
        elif unread := len(report.names_unread):
            yield (
                f"DNS names not looked for in {counted(unread, 'pre-filtered input')}: "
                "--context does"
            )
    if any(each.host_context and TOO_MANY in each.host_context.gaps for each in report.findings):
        yield f"accounts and DNS names: {TOO_MANY}"
    documents = [
        survey
        for survey in inputs
        if survey.container.rpartition(" ")[2] == "json" and not survey.sampled
    ]
    # Loading the library to know takes longer than to read a short input.
    are_long = sum(survey.size for survey in documents) >= _LONG_BYTES
    if documents and json_tokens.is_slow(look=are_long):
        yield (
            "ijson is installed without its library in C: JSON other than NDJSON and arrays of "
            "objects is read many times slower"
        )
    is_complete = not any(survey.sampled for survey in inputs)
    has_kernel = any(source.kernel_smb for source in totals(inputs).values())
    if is_complete and not has_kernel and any(survey.connections for survey in inputs):
        yield "no SMB connection of PID 4 at all, not even internal: the exporter may filter them"
