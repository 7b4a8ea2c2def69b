"""What a scan did not report and why, and how much history its findings had: lines for stderr."""

from collections.abc import Iterator

from smbrare.detection.report import Report
from smbrare.text import counted, duration, some, visible

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
    wanted = report.setup.history
    if wanted is None or report.replayed is not None:
        return
    without = sum(not finding.history.complete for finding in dated)
    if without >= _MANY and 2 * without > len(dated):
        yield (
            f"note        a cold start: {without:,} of {counted(len(dated), 'finding')} have less "
            f"than {duration(wanted)} of known history, so their destinations may be old; "
            "scan older logs with these, or learn them into a baseline"
        )


def _known(report: Report) -> Iterator[str]:
    held = report.held_back
    if not held:
        return
    destinations = {finding.sighting.destination for finding in held}
    line = (
        f"known       {counted(len(destinations), 'destination')} not reported: seen before in "
        f"baseline {report.setup.baseline}"
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
