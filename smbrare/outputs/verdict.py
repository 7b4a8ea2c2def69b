"""The verdict of a scan or a replay: one line that a person can repeat, and what limits it.

Where something could not be evaluated it never reads as an all-clear.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from smbrare.detection.exposure import accounts
from smbrare.detection.finding import Finding
from smbrare.detection.rank import Grade, grade, rank
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey
from smbrare.errors import EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.outputs.also_seen import count_text
from smbrare.outputs.wording import time_text
from smbrare.records.times import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS, seconds
from smbrare.text import counted, some, visible

if TYPE_CHECKING:
    from smbrare.scanning.replay import Difference

_NOT_CLEAN = "This is not a clean result."
_LONG = 2 * DAY_SECONDS
"""From how many seconds on a span is said in days."""


def verdict(report: Report, quoted: Callable[[str], str] = visible) -> list[str]:
    """Return the lines of the verdict, each a sentence or two; the first can stand alone.

    Args:
        report: What was found.
        quoted: Makes the name of an account harmless where the lines are shown.
    """
    lines = [] if report.as_expected is not False else ["Not as expected: see the differences."]
    if report.findings:
        lines += [*_credentials(report, quoted), *_found(report), *_limits(report)]
    elif report.exit_code in {EXIT_UNREADABLE, EXIT_UNJUDGED}:
        lines += [f"No verdict: {_obstacle(report)}"]
    else:
        lines += [_nothing_found(report), *_limits(report)]
    if report.also_seen:
        also = f"{count_text(report)}."
        if report.findings:
            lines.append(f"Also {also}")
        else:
            # The first line can stand alone, and is no all-clear.
            lines[0] = f"{also[0].upper()}{also[1:]} {lines[0]}"
    return lines + ["The findings are those expected."] * (report.as_expected is True)


def says_all(report: Report) -> bool:
    """Return whether the verdict alone says what there is to say: nothing could be opened."""
    return not report.inputs or (len(report.inputs) == 1 and _is_unread(report.inputs[0]))


def _is_unread(survey: InputSurvey) -> bool:
    return survey.cut and not survey.records and survey.skipped == 1


def comparison_verdict(report: Report, differences: "Sequence[Difference]") -> list[str]:
    """Return the lines of the verdict on where a scan and a replay differ.

    Args:
        report: What was read, with the findings that only one of them has.
        differences: Those findings, and whose they are.
    """
    if differences:
        sides = Counter(one.raised_by for one in differences)
        number = counted(len(differences), "difference")
        side = f"{sides['scan']:,} raised by scan only, {sides['replay']:,} by replay only"
        return [f"{number} between scan and replay: {side}.", *_limits(report)]
    if report.exit_code:
        return verdict(report)
    return [f"Scan and replay agree {_what_was_read(report)}."]


def incomplete_inputs(report: Report) -> list[InputSurvey]:
    """Return the inputs that were not fully evaluated."""
    gaps = {survey.path for survey, _, _ in report.unjudged()}
    gaps |= {survey.path for survey in report.suspected}
    return [
        survey
        for survey in report.inputs
        if survey.cut
        or survey.lost
        or survey.not_evaluated
        or survey.path in gaps
        or (report.criteria.strict and survey.skipped)
    ]


def is_cold_start(report: Report) -> bool:
    """Return whether no finding has the full history, so that new and old look alike."""
    dated = [finding for finding in report.findings if finding.sighting.time is not None]
    return (
        bool(dated)
        and report.criteria.history is not None
        and report.replayed is None
        and not any(finding.history.complete for finding in dated)
    )


def _credentials(report: Report, quoted: Callable[[str], str]) -> Iterator[str]:
    """Yield whose credentials were sent, and where to, if that is known of any."""
    sent = [finding for finding in report.findings if grade(finding) == "authentication"]
    if not sent:
        return
    names = {
        each.user.lower(): each.user for finding in sent for each in accounts(finding.evidence)
    }
    of_whom = f" of {some([*map(quoted, sorted(names.values()))])}" if names else ""
    destinations = sorted({finding.sighting.destination for finding in sent})
    where = counted(len(destinations), "destination") if destinations[1:] else destinations[0]
    yield f"Credentials{of_whom} were sent to {where}."


def _found(report: Report) -> Iterator[str]:
    findings = report.findings
    destinations = len({finding.sighting.destination for finding in findings})
    where = counted(destinations, "destination")
    if is_cold_start(report):
        most = max(finding.history.known for finding in findings)
        logs = f"at most {_span_text(most)} of logs" if most else "no logs"
        each = "any of them" if destinations > 1 else "it"
        what = f"{where}{_window(report)}{_read_if_clean(report)}"
        yield f"Cold start: {what}, and {logs} before {each}. New cannot be told from old."
        if how_far := _grades(report):
            yield how_far
        return
    what = f"{where} on the internet".replace(" ", " new ", 1)
    if report.replayed is not None:
        what = f"{counted(len(findings), 'alert')}: {what}"
    elif len(findings) > destinations:
        what = f"{counted(len(findings), 'finding')}: {what}"
    new = f"{what}{_window(report)}{_hosts(findings)}{_read_if_clean(report)}."
    yield " ".join(filter(None, [new, _grades(report)]))


def _read_if_clean(report: Report) -> str:
    return "" if report.exit_code else f" {_what_was_read(report)}"


def _hosts(findings: Sequence[Finding]) -> str:
    hosts = {host for finding in findings for host in finding.hosts}
    more = any(finding.host_count > len(finding.hosts) for finding in findings)
    if len(hosts) < 2:  # noqa: PLR2004 - the row names a single one
        return ""
    return f" from {'at least ' if more else ''}{counted(len(hosts), 'host')}"


def _grades(report: Report) -> str:
    """Return how many destinations were connected to; empty if some were sent credentials."""
    findings = report.findings
    grades: dict[str, Grade] = {}
    for finding in sorted(findings, key=rank):
        grades.setdefault(finding.sighting.destination, grade(finding))
    numbers = Counter(grades.values())
    if numbers["authentication"]:
        return ""
    if number := numbers["connected"]:
        return f"{number:,} {'was' if number == 1 else 'were'} connected to."
    return _unknown(report) if numbers["unknown"] else "Every attempt failed."


def _unknown(report: Report) -> str:
    """Return that no connection is known to be established, as far as events were looked for."""
    contexts = [finding.host_context for finding in report.findings if finding.host_context]
    if not contexts and report.replayed is None:
        return "Their own events show no established connection; --context reads the others."
    if gap := next((gap for context in contexts for gap in context.gaps), ""):
        return f"No established connection was found, but the search is not complete: {gap}."
    return "The logs contain no established connection, but not every outcome."


def _limits(report: Report) -> Iterator[str]:
    """Yield that not everything was evaluated."""
    incomplete = len(incomplete_inputs(report))
    if incomplete:
        inputs = counted(len(report.inputs), "input")
        yield (
            f"Not fully evaluated: {incomplete:,} of {inputs}. There may be more; "
            "see the warnings below."
        )
    if report.unseen:
        yield f"Not evaluated: {counted(report.unseen, 'matching event')} without a time."


def _obstacle(report: Report) -> str:
    """Return why there is no verdict."""
    inputs, incomplete = report.inputs, incomplete_inputs(report)
    if not inputs:
        return "no input was read."
    if all(map(_is_unread, inputs)):
        if len(inputs) == 1:
            return f"{unread_text(inputs[0])}."
        return f"none of {counted(len(inputs), 'input')} could be read. {_NOT_CLEAN}"
    if not incomplete:
        matches = counted(report.unseen, "matching event")
        return f"no run reads {matches} without a time. {_NOT_CLEAN}"
    gaps = {(survey.path, source) for survey, source, _ in report.unjudged()}
    if all(
        _has_gap(survey, name, gaps) for survey in inputs for name in survey.sources or ("",)
    ) and not any(survey.sampled for survey in inputs):
        network = sum(survey.network for survey in inputs)
        if network:
            events = counted(network, "network event")
            return f"none of {events} could be evaluated. {_NOT_CLEAN}"
    if len(incomplete) == len(inputs) > 1 and not any(survey.records for survey in inputs):
        return f"none of {counted(len(inputs), 'input')} could be evaluated. {_NOT_CLEAN}"
    if len(inputs) == 1 and not inputs[0].records:
        return f"the input could not be evaluated. {_NOT_CLEAN}"
    if len(inputs) == 1:
        return f"the input could not be fully evaluated, and may contain matches. {_NOT_CLEAN}"
    number = f"{len(incomplete):,} of {counted(len(inputs), 'input')}"
    return f"{number} could not be fully evaluated. {_NOT_CLEAN}"


def _has_gap(survey: InputSurvey, source: str, gaps: set[tuple[str, str]]) -> bool:
    """Return whether a source of an input could not be evaluated."""
    return (survey.path, source) in gaps or any(
        path == survey.path and source in named.split(", ") for path, named in gaps
    )


def unread_text(survey: InputSurvey) -> str:
    """Return why an input could not be read at all, empty if it could."""
    if not _is_unread(survey):
        return ""
    return unreadable_text(survey.located[0].origin.path, survey.located[0].reason)


def unreadable_text(path: str, reason: str) -> str:
    """Return that an input could not be read at all (``cannot read x.gz: no such file``)."""
    said = reason.removesuffix(" or directory")
    return f"cannot read {path}: {said[:1].lower()}{said[1:]}"


def _nothing_found(report: Report) -> str:
    read = _what_was_read(report)
    since, until, span = report.criteria.since, report.criteria.until, report.span
    if (since is not None and span.last is not None and span.last < since) or (
        until is not None and span.first is not None and span.first >= until
    ):
        return f"No network event{_window(report)}: all {read.removeprefix('in ')} lie outside."
    if report.replayed is not None:
        return f"No alert {read}."
    if not report.sightings:
        whole = not any(survey.skipped or survey.sampled for survey in report.inputs)
        return f"No SMB to the internet {read}." + " All were evaluated." * whole
    connections = counted(report.sightings, "SMB connection")
    start = f"Nothing new{_window(report)} {read}: {connections} to the internet"
    if report.criteria.since is not None or report.criteria.until is not None:
        return f"{start} in all."
    return f"{start}, {'all ' * (report.sightings > 1)}{_why_not_new(report)}."


def _why_not_new(report: Report) -> str:
    history = report.criteria.history
    span = "before" if history is None else f"in the {_span_text(seconds(history))} before"
    if not report.excluded:
        return f"to destinations seen {span}"
    return f"excluded or to destinations seen {span}" if report.suppressed else "excluded"


def _window(report: Report) -> str:
    since, until = report.criteria.since, report.criteria.until
    parts = [
        *([] if since is None else [f"since {time_text(since)}"]),
        *([] if until is None else [f"until {time_text(until)}"]),
    ]
    return f" {' '.join(parts)} (UTC)" if parts else ""


def _what_was_read(report: Report) -> str:
    """Return how much was read (``in 18,240 network events of 7 days``)."""
    network = sum(survey.network for survey in report.inputs)
    if any(survey.sampled for survey in report.inputs):
        what = counted(sum(survey.records for survey in report.inputs), "record")
    else:
        what = counted(network, "network event")
    first, last = report.span.first, report.span.last
    if first is None or last is None:
        return f"in {what}"
    return f"in {what} of {_span_text((last - first) / MICROSECONDS)}"


def _span_text(length: float) -> str:
    """Return seconds in words, to the hour or, of long ones, to the day (``7 days``)."""
    if length < _LONG:
        return counted(max(round(length / HOUR_SECONDS), 1), "hour")
    return counted(round(length / DAY_SECONDS), "day")
