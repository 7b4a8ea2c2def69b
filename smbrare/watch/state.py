"""What a watch keeps in its baseline: what was seen, how far it has read, what it has given."""

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from smbrare.baseline import checkpoints, schema
from smbrare.baseline.checkpoints import Place
from smbrare.baseline.store import Baseline
from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Resolutions
from smbrare.detection.exclusions import because
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Row
from smbrare.records.times import HOUR

KEEP_SECONDS = 10.0
"""How long what was read and gave no finding may wait to be written."""

_MOST_ROWS = 10_000


class Pending(Struct):
    """What was read and judged, and is not in the baseline yet.

    Attributes:
        rows: Sightings by the hour, by their keys.
        hours: Covered UTC hours, each with whether only a sample was read.
        places: How far files were read, by identity.
        ended: Identities of files that are followed no more.
        since: When it began to gather, in seconds of the monotonic clock.
    """

    rows: dict[tuple[str, str, str, int], Row] = field(default_factory=dict)
    hours: dict[int, bool] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)

    def learn(self, rows: Iterable[Row], hours: Mapping[int, bool]) -> None:
        """Take in what a batch holds."""
        for row in rows:
            key = (row.destination, row.source, row.host, row.hour)
            known = self.rows.get(key, row)
            first, last = min(known.first, row.first), max(known.last, row.last)
            self.rows[key] = row._replace(first=first, last=last)
        for hour, sampled in hours.items():
            self.hours[hour] = sampled and self.hours.get(hour, True)

    def is_due(self) -> bool:
        """Return whether to write it now, though no finding demands it."""
        waited = time.monotonic() - self.since
        return waited >= KEEP_SECONDS or len(self.rows) >= _MOST_ROWS


def begin(baseline: Baseline) -> list[Place]:
    """Make a baseline one that a watch can use, created if need be, and return its places.

    Raises:
        BaselineError: If it cannot be written, or is damaged.
    """
    if not baseline.path.exists():
        baseline.commit((), {})
    with baseline.writing() as database:
        if not schema.watched(database):
            schema.prepare_watch(database)
            database.execute("COMMIT")
        return checkpoints.places(database, baseline.path)


def given(baseline: Baseline, ids: Iterable[str]) -> set[str]:
    """Return those of some findings, by id, that were given before.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    with baseline.reading() as database:
        return checkpoints.given(database, ids)


def give(baseline: Baseline, identifier: str, time: int | None) -> None:
    """Note that a finding was given, in a transaction of its own.

    Args:
        baseline: Where to.
        identifier: The finding's id.
        time: Its time in microseconds since 1970 UTC, None if it has none.

    Raises:
        BaselineError: If it cannot be written.
    """
    # Once a finding: looking through the whole file each time would be too long.
    with baseline.writing(checked=False) as database:
        checkpoints.give(database, identifier, time)
        database.execute("COMMIT")


def commit(baseline: Baseline, pending: Pending) -> None:
    """Add what is pending in one transaction; where that is nothing, leave the file alone.

    Raises:
        BaselineError: If it cannot be written; it is unchanged then.
    """
    if not (pending.rows or pending.hours or pending.places or pending.ended):
        return
    with baseline.writing() as database:
        schema.add(database, pending.rows.values(), pending.hours)
        checkpoints.store(database, pending.places.values(), pending.ended)
        schema.seal(database)
        database.execute("COMMIT")


def findings(
    criteria: Criteria,
    baseline: Baseline,
    pending: Pending,
    partial: Partial,
    resolutions: Resolutions,
) -> list[Finding]:
    """Return the new findings of a batch.

    Args:
        criteria: How to judge.
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
    rows = [*baseline.rows(destinations, _since(criteria, partial))]
    rows += [row for row in pending.rows.values() if row.destination in destinations]
    covered = pending.hours | baseline.covered()
    sampled = any(covered.values()) or partial.span.hours != partial.span.exact
    hours = frozenset(partial.span.hours | covered.keys())
    excluded = because(criteria.exclusions, resolutions)
    known = rarity.Known(rows, hours, sampled, excluded)
    judged = rarity.judge(partial.sightings, known, criteria)
    return [finding for finding in judged if finding.status == "new"]


def _since(criteria: Criteria, partial: Partial) -> int | None:
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
        for exclusion in criteria.exclusions
    )
    history = criteria.history
    # The last row before that hour is told as the sighting before, and may be one that is excluded.
    if history is None or limited or not times:
        return None
    return (min(times) - history) // HOUR
