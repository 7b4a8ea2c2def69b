"""The second pass of a scan whose output shows what happened around its findings."""

from collections.abc import Sequence

from msgspec.structs import replace

from smbrare.cli.progress import progress_bar
from smbrare.detection.report import Report
from smbrare.inputs.discovery import Input
from smbrare.records.event import Skipped
from smbrare.scanning.planning import How
from smbrare.scanning.scan import Request, settings_of
from smbrare.scanning.second_pass import look_around


def looked_around(
    report: Report,
    which: str,
    inputs: Sequence[Input | Skipped],
    request: Request,
    *,
    quiet: bool,
) -> Report:
    """Return a report with what happened around the findings that its output shows.

    Args:
        report: What the scan gave.
        which: The status of the findings to look around, or ``all``.
        inputs: What was read.
        request: How it was read.
        quiet: Whether to draw no progress.
    """
    shown = [finding for finding in report.judged if which in {"all", finding.status}]
    if not shown:
        return replace(report, looked_around=True)
    how = How(settings_of(request), request.limits)
    total = sum(found.size or 0 for found in inputs if isinstance(found, Input))
    with progress_bar(total, quiet=quiet) as progress:
        looked_at = look_around(shown, inputs, how, progress)
    known = {(finding.id, finding.status): finding for finding in looked_at}
    judged = tuple(known.get((each.id, each.status), each) for each in report.judged)
    return replace(report, judged=judged, looked_around=True)
