"""What a watch tells the user about each file, no more often than they can read."""

import time
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from smbrare.detection.source_survey import MOST_LOCATED
from smbrare.detection.survey import InputSurvey
from smbrare.records.event import Skipped


class _Quota(Struct):
    since: float
    told: int = 0
    suppressed: int = 0


class RateLimiter(Struct):
    """Limits the messages about each file.

    Attributes:
        most: Messages about one file that are let through in one span.
        span: The length of a span in seconds.
    """

    most: int = 10
    span: float = 60.0
    _files: dict[str, _Quota] = field(default_factory=dict)

    def admits(self, path: str, now: float) -> bool:
        """Return whether to let a message about a file through; otherwise it is counted.

        Args:
            path: The file.
            now: Seconds of any clock that never goes back.
        """
        quota = self._files.setdefault(path, _Quota(now))
        if quota.told < self.most:
            quota.told += 1
            return True
        quota.suppressed += 1
        return False

    def suppress(self, path: str, count: int, now: float) -> None:
        """Count messages about a file that are not even there to be let through."""
        self._files.setdefault(path, _Quota(now)).suppressed += count

    def expire(self, now: float | None) -> Iterator[tuple[str, int]]:
        """Yield each file whose span is over and how many messages about it were suppressed.

        Args:
            now: Seconds of the same clock; None to end all spans.
        """
        for path, quota in list(self._files.items()):
            if now is None or now - quota.since >= self.span:
                del self._files[path]
                if quota.suppressed:
                    yield path, quota.suppressed


_ENOUGH_TO_TELL = 100
"""Connections of a source in a file before a field that all of them lack is reported."""


class Messages(Struct):
    """The messages about each file, and the counts that they rest on.

    Attributes:
        tell: Called with each line for the user.
        surveys: Counts by path.
    """

    tell: Callable[[str], None]
    surveys: dict[str, InputSurvey] = field(default_factory=dict)
    _limiter: RateLimiter = field(default_factory=RateLimiter)
    _problems: dict[str, str] = field(default_factory=dict)
    _unjudged: set[tuple[str, str]] = field(default_factory=set)

    def add(self, survey: InputSurvey) -> None:
        """Add the counts of a file, and report what could not be read or judged."""
        path, now = survey.path, time.monotonic()
        self._problems.pop(path, None)
        for skipped in survey.located:
            if self._limiter.admits(path, now):
                self.tell(f"{skipped.origin}: skipped: {skipped.reason}")
        if left := survey.skipped - len(survey.located):
            self._limiter.suppress(path, left, now)
        unread = [
            (name, one) for name, source in survey.sources.items() for one in source.unread_located
        ]
        whole = self.surveys.get(path)
        if whole is None:
            whole = self.surveys[path] = survey
        else:
            whole.container = survey.container
            whole.merge(survey)
        for name, one in unread:
            # Whether others of its source have what it lacks, all that was read decides.
            if whole.source(name).concerns(one.missing) and self._limiter.admits(path, now):
                self.tell(f"{one.skipped.origin}: not evaluated: {one.skipped.reason}")
        self._tell_unjudged(whole)

    def add_problem(self, skipped: Skipped) -> None:
        """Count a problem with a file, and report it unless it is the same as before."""
        path = skipped.origin.path
        if self._problems.get(path) == skipped.reason:
            return
        self._problems[path] = skipped.reason
        survey = self.surveys.setdefault(path, InputSurvey(path))
        survey.skip(skipped)
        del survey.located[:-MOST_LOCATED]
        what = "not read to its end: " if skipped.ends_input else "skipped: "
        self.tell(f"{skipped.origin}: {what}{skipped.reason}")

    def tell_suppressed(self, now: float | None) -> None:
        """Report how many messages about a file were suppressed, where its span is over.

        Args:
            now: Seconds of the monotonic clock; None for all files.
        """
        for path, count in self._limiter.expire(now):
            self.tell(f"{path}: and {count:,} more skipped")

    def forget(self, path: str) -> None:
        """Forget a file that is not followed any more."""
        self.surveys.pop(path, None)
        self._problems.pop(path, None)
        self._unjudged = {key for key in self._unjudged if key[0] != path}

    def _tell_unjudged(self, survey: InputSurvey) -> None:
        for name, reason in survey.unjudged():
            source = survey.sources.get(name)
            key = (survey.path, name)
            if source is None or source.connections < _ENOUGH_TO_TELL or key in self._unjudged:
                continue
            self._unjudged.add(key)
            self.tell(f"{survey.path} ({name}) not evaluated: {reason}")
