"""What is looked for: one struct, made from a command's options and passed on as it is."""

from msgspec import Struct

from smbrare.detection.exclusions import Exclusion
from smbrare.records.read_options import Grain
from smbrare.records.times import DAY, HOUR
from smbrare.rule.predicate import HISTORY_DAYS


class Criteria(Struct, frozen=True):
    """What counts as a finding, and which findings are reported.

    Attributes:
        history: The length H of the history in microseconds, an hour or more; None for all time.
        per_host: Whether a destination counts for each host apart.
        exclusions: What does not count, and why.
        since: Earliest time reported, in microseconds since 1970 UTC, if limited.
        until: Time before which is reported, likewise.
        baseline: The baseline's name as given; None for none.
        strict: Whether any skipped record is an error.
        exit_zero: Whether findings alone are to give exit code 0.
        ignore_unknown: Whether content of no known source or format may hold what it likes.
    """

    history: int | None = HISTORY_DAYS * DAY
    per_host: bool = False
    exclusions: tuple[Exclusion, ...] = ()
    since: int | None = None
    until: int | None = None
    baseline: str | None = None
    strict: bool = False
    exit_zero: bool = False
    ignore_unknown: bool = False

    def reports(self, time: int) -> bool:
        """Return whether a time lies in the window that is reported."""
        return (self.since is None or time >= self.since) and (
            self.until is None or time < self.until
        )

    @property
    def grain(self) -> Grain:
        """How finely the events of matches have to be kept for these criteria.

        What stands for a finding is the first of its destination in any stretch of time that is
        no longer than the history, among those that an exclusion treats alike.
        """
        limits = {
            hour
            for exclusion in self.exclusions
            for hour in (exclusion.start, exclusion.until, exclusion.expires)
            if hour is not None
        }
        return Grain(
            None if self.history is None else self.history // HOUR,
            "contact"
            if any(exclusion.source or exclusion.host for exclusion in self.exclusions)
            else "host"
            if self.per_host
            else "destination",
            tuple(sorted(limits)),
        )
