"""What a watch keeps in its baseline: what it saw, how far it has read, what it has reported."""

import time
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from smbrare.baseline import checkpoints, schema
from smbrare.baseline.checkpoints import Checkpoint
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


class _Pending(Struct):
    """What was read and judged, and is not in the baseline yet; see `WatchState`."""

    rows: dict[tuple[str, str, str, int], Row] = field(default_factory=dict)
    hours: dict[int, bool] = field(default_factory=dict)
    places: dict[str, Checkpoint] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)


class WatchState:
    """The baseline of a watch, and what it has still to learn.

    Attributes:
        places: How far earlier runs read, by the identity of the file.
    """

    def __init__(self, baseline: Baseline) -> None:
        """Make a baseline one that a watch can use, created if need be.

        Raises:
            BaselineError: If it cannot be written, or is damaged.
        """
        self._baseline = baseline
        self._pending = _Pending()
        if not baseline.path.exists():
            baseline.commit((), {})
        with baseline.writing() as database:
            places = checkpoints.places(database, baseline.path)
        self.places = {place.identity: place for place in places}

    def learn(self, rows: Iterable[Row], hours: Mapping[int, bool]) -> None:
        """Add sightings by the hour, and covered hours, each with whether it was only sampled."""
        pending = self._pending
        for row in rows:
            key = (row.destination, row.source, row.host, row.hour)
            known = pending.rows.get(key, row)
            first, last = min(known.first, row.first), max(known.last, row.last)
            pending.rows[key] = row._replace(first=first, last=last)
        for hour, sampled in hours.items():
            pending.hours[hour] = sampled and pending.hours.get(hour, True)

    def move_to(self, place: Checkpoint) -> None:
        """Keep how far a file was read."""
        self._pending.places[place.identity] = place

    def end(self, identity: str) -> None:
        """Forget the place in a file that is not followed any more."""
        self._pending.places.pop(identity, None)
        self._pending.ended.add(identity)

    def is_due(self) -> bool:
        """Return whether to commit now, even without a finding."""
        waited = time.monotonic() - self._pending.since
        return waited >= KEEP_SECONDS or len(self._pending.rows) >= _MOST_ROWS

    def commit(self) -> None:
        """Write what is pending in one transaction; where that is nothing, leave the file alone.

        Raises:
            BaselineError: If it cannot be written; it is unchanged then.
        """
        pending, self._pending = self._pending, _Pending()
        if not (pending.rows or pending.hours or pending.places or pending.ended):
            return
        with self._baseline.writing() as database:
            schema.add(database, self._baseline.path, pending.rows.values(), pending.hours)
            checkpoints.store(database, pending.places.values(), pending.ended)

    def reported_before(self, ids: Iterable[str]) -> set[str]:
        """Return which findings of some, by id, were reported before.

        Raises:
            BaselineError: If the baseline cannot be read.
        """
        with self._baseline.reading() as database:
            return checkpoints.reported_before(database, ids)

    def record(self, identifier: str, time: int | None) -> None:
        """Record that a finding was reported, in a transaction of its own.

        Args:
            identifier: The finding's id.
            time: Its time in microseconds since 1970 UTC, None if it has none.

        Raises:
            BaselineError: If it cannot be written.
        """
        with self._baseline.writing() as database:
            checkpoints.record(database, identifier, time)

    def new_findings(
        self, partial: Partial, criteria: Criteria, resolutions: Resolutions
    ) -> list[Finding]:
        """Return the new findings of a batch.

        Args:
            partial: What the batch holds.
            criteria: How to judge.
            resolutions: The addresses of names that exclusions are for.

        Raises:
            BaselineError: If the baseline cannot be read.
        """
        destinations = partial.sightings.destinations()
        if not destinations:
            return []
        pending = self._pending
        rows = [*self._baseline.rows(destinations, _since(criteria, partial))]
        rows += [row for row in pending.rows.values() if row.destination in destinations]
        covered = pending.hours | self._baseline.covered()
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
    times = [each.first for each in partial.sightings.contacts() if each.first is not None]
    limited = any(
        (exclusion.start, exclusion.until, exclusion.expires) != (None, None, None)
        for exclusion in criteria.exclusions
    )
    history = criteria.history
    # The last row before that hour is told as the sighting before, and may be one that is excluded.
    if history is None or limited or not times:
        return None
    return (min(times) - history) // HOUR
