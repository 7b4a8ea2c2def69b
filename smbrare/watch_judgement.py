"""A batch of a watch judged, as a scan of it over the baseline would judge it."""

from smbrare.baseline.store import Baseline
from smbrare.detection import rarity
from smbrare.detection.dns import Resolutions
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.records.times import HOUR, MICROSECONDS
from smbrare.scanning import scan
from smbrare.scanning.scan import Request
from smbrare.watch.state import Pending


def findings(
    request: Request,
    baseline: Baseline,
    pending: Pending,
    partial: Partial,
    resolutions: Resolutions,
) -> list[Finding]:
    """Return the new findings of a batch.

    Args:
        request: How to judge.
        baseline: What was seen before.
        pending: What was seen before too, and is not in the baseline yet.
        partial: What the batch holds.
        resolutions: The addresses of names that exclusions are for.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    destinations = partial.sightings.destinations()
    if not destinations:
        return []
    rows = [*baseline.rows(destinations, _since(request, partial))]
    rows += [row for row in pending.rows.values() if row.destination in destinations]
    covered = pending.hours | baseline.covered()
    sampled = any(covered.values()) or partial.span.hours != partial.span.exact
    known = rarity.Known(rows, frozenset(partial.span.hours | covered.keys()), sampled)
    judged = rarity.judge(partial.sightings, known, scan.question(request, resolutions))
    return [finding for finding in judged if finding.status == "new"]


def _since(request: Request, partial: Partial) -> int | None:
    """Return the UTC hour before which the baseline's rows decide nothing; None for none.

    All rows of a busy destination would be more than a batch has need of.
    """
    times = [
        contact.earliest.time
        for contact in partial.sightings.contacts.values()
        if contact.earliest.time is not None
    ]
    limited = any(
        (exclusion.start, exclusion.until, exclusion.expires) != (None, None, None)
        for exclusion in request.exclusions
    )
    history = request.setup.history
    # The last row before that hour is told as the sighting before, and may be one that is excluded.
    if history is None or limited or not times:
        return None
    return (min(times) - history * MICROSECONDS) // HOUR
