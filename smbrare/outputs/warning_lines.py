"""The warnings of a run on stderr: what was skipped, and what could not be judged."""

from collections.abc import Iterator

from smbrare.detection.report import Report
from smbrare.detection.source_survey import MOST_LOCATED
from smbrare.detection.survey import InputSurvey, OddTimes, TimeOddity
from smbrare.records.times import MICROSECONDS, YEAR_2000, YEAR_2100, format_time
from smbrare.text import counted, visible

_MOST_ODD_TIMES = 10
_ADVICE = {
    "host.os.type": "export host.os.type (the agent's add_host_metadata sets it)",
    "network.transport": "without --literal it is inferred where the record tells",
    "process.pid": "without --literal it is inferred where the record tells",
    "event.category": "export event.category, or the vendor's raw records",
}


def warning_lines(report: Report) -> list[str]:
    """Return the warnings of a run: what was skipped, doubtful times, what was not judged."""
    skipped = [f"smbrare: {line}" for line in _skipped_records(report)]
    return [*skipped, *odd_time_lines(report), *unjudged_lines(report)]


def odd_time_lines(report: Report) -> list[str]:
    """Return a line for each input and way in which its times may be read wrongly, to a limit."""
    return [f"smbrare: {line}" for line in _odd_times(report)]


def unjudged_lines(report: Report) -> list[str]:
    """Return a line for each input, or source in an input, that could not be judged."""
    return [f"smbrare: {line}" for line in _unjudged_inputs(report)]


def _skipped_records(report: Report) -> Iterator[str]:
    """Yield a line for each input that was not read to its end, and each of the first records."""
    located = [skipped for survey in report.inputs for skipped in survey.located]
    ends = [skipped for skipped in located if skipped.ends_input]
    others = [skipped for skipped in located if not skipped.ends_input]
    for skipped in ends + others[:MOST_LOCATED]:
        place = str(skipped.origin) if skipped.origin.number else skipped.origin.path
        what = "not read to its end: " if skipped.ends_input else "skipped: "
        yield visible(f"{place}: {what}{skipped.reason}")
    total = sum(survey.skipped for survey in report.inputs)
    left = total - len(ends) - min(len(others), MOST_LOCATED)
    if left:
        yield f"… and {left:,} more skipped"
    yield from _not_evaluated(report)


def _not_evaluated(report: Report) -> Iterator[str]:
    """Yield a line for each of the first connections that might have matched but cannot be read."""
    located = [skipped for survey in report.inputs for skipped in survey.not_evaluated_located()][
        :MOST_LOCATED
    ]
    for skipped in located:
        yield visible(f"{skipped.origin}: not evaluated: {skipped.reason}")
    left = sum(survey.not_evaluated for survey in report.inputs) - len(located)
    if left:
        yield f"… and {counted(left, 'more connection')} not evaluated"


def _odd_times(report: Report) -> Iterator[str]:
    every = [
        (survey, kind, odd) for survey in report.inputs for kind, odd in survey.odd_times.items()
    ]
    for survey, kind, odd in every[:_MOST_ODD_TIMES]:
        yield visible(_odd_time(survey.path, kind, odd))
    if len(every) > _MOST_ODD_TIMES:
        yield f"… and {len(every) - _MOST_ODD_TIMES:,} more warnings about times"


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
    for survey, source, reason in report.unjudged():
        advice = _advice(report, reason)
        named = f"{survey.path} ({source})" if source else survey.path
        yield visible(f"{named} was not judged: {reason}" + (f"; {advice}" if advice else ""))
    suspected = report.suspected
    for survey in suspected[:MOST_LOCATED]:
        yield visible(_suspicion(survey))
    if len(suspected) > MOST_LOCATED:
        more = counted(len(suspected) - MOST_LOCATED, "more input")
        yield f"… and {more} that might hold a match"
    if not report.inputs:
        yield "nothing was judged: no input"
    if report.unseen:
        yield (
            f"{counted(report.unseen, 'matching event')} not judged: no run reads an event "
            "without a time"
        )


def _suspicion(survey: InputSurvey) -> str:
    first = survey.suspected[0]
    if not first.number:
        return f"{first}: of no known format, but might hold a match at byte {first.offset or 0:,}"
    more = f", and {survey.suspects - 1:,} more" if survey.suspects > 1 else ""
    return f"{first}: of no known source, but might hold a match{more}"


def _advice(report: Report, reason: str) -> str:
    if "without --literal" in _advice_on(reason) and not report.options.literal:
        return ""
    if report.replayed is not None and report.options.literal and " missing in " in reason:
        return "with --inferred it is supplied where the record tells"
    return _advice_on(reason)


def _advice_on(reason: str) -> str:
    return next((text for name, text in _ADVICE.items() if name in reason), "")
