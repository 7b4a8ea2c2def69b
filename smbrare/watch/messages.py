"""What a watch has read of each file, and what it has told the user about it."""

import time
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from smbrare.detection.survey import MOST_LOCATED, InputSurvey
from smbrare.records.event import Skipped

MOST = 10
"""Messages about one file that are told in one span."""


SPAN = 60.0
"""Its length, in seconds."""


class _Told(Struct):
    since: float
    told: int = 0
    kept: int = 0


class Flood(Struct):
    """What was told about each file lately.

    Attributes:
        most: Messages about one file that are told in one span.
        span: Its length in seconds.
    """

    most: int = MOST
    span: float = SPAN
    _files: dict[str, _Told] = field(default_factory=dict)

    def admits(self, path: str, now: float) -> bool:
        """Return whether to tell a message about a file; one that is not told is counted.

        Args:
            path: The file.
            now: Seconds of any clock that never goes back.
        """
        told = self._files.setdefault(path, _Told(now))
        if told.told < self.most:
            told.told += 1
            return True
        told.kept += 1
        return False

    def keep(self, path: str, count: int, now: float) -> None:
        """Count messages about a file that are not even there to be told."""
        self._files.setdefault(path, _Told(now)).kept += count

    def over(self, now: float | None = None) -> Iterator[tuple[str, int]]:
        """Yield each file whose span is over with how many messages about it were kept, if any.

        Args:
            now: Seconds of the same clock; None to end all spans.
        """
        for path, told in list(self._files.items()):
            if now is None or now - told.since >= self.span:
                del self._files[path]
                if told.kept:
                    yield path, told.kept


_ENOUGH_TO_TELL = 100
"""Network events of a source in a file from which on a field that all of them lack is told."""


class Counts(Struct):
    """Counts of each file, and the messages about them.

    Attributes:
        tell: Called with each line for the user.
        surveys: Counts by path.
    """

    tell: Callable[[str], None]
    surveys: dict[str, InputSurvey] = field(default_factory=dict)
    _flood: Flood = field(default_factory=Flood)
    _troubles: dict[str, str] = field(default_factory=dict)
    _unjudged: set[tuple[str, str]] = field(default_factory=set)

    def add(self, survey: InputSurvey) -> None:
        """Add what was read of a file; tell what could not be read or judged of it."""
        path, now = survey.path, time.monotonic()
        self._troubles.pop(path, None)
        for skipped in survey.located:
            if self._flood.admits(path, now):
                self.tell(f"{skipped.origin}: skipped: {skipped.reason}")
        if left := survey.skipped - len(survey.located):
            self._flood.keep(path, left, now)
        whole = self.surveys.get(path)
        if whole is None:
            whole = self.surveys[path] = survey
        else:
            whole.container = survey.container
            whole.merge(survey)
        self._tell_unjudged(whole)

    def trouble(self, skipped: Skipped) -> None:
        """Count trouble with a file, and tell it, unless it is the same as before."""
        path = skipped.origin.path
        if self._troubles.get(path) == skipped.reason:
            return
        self._troubles[path] = skipped.reason
        survey = self.surveys.setdefault(path, InputSurvey(path))
        survey.skip(skipped)
        del survey.located[:-MOST_LOCATED]
        what = "not read to its end: " if skipped.ends_input else "skipped: "
        self.tell(f"{skipped.origin}: {what}{skipped.reason}")

    def tell_kept(self, now: float | None) -> None:
        """Tell how many messages were held back, of files whose time is over.

        Args:
            now: Seconds of the monotonic clock; None for all files.
        """
        for path, count in self._flood.over(now):
            self.tell(f"{path}: … and {count:,} more skipped")

    def forget(self, path: str) -> None:
        """Let go of the counts of a file that is followed no more."""
        self.surveys.pop(path, None)
        self._troubles.pop(path, None)
        self._unjudged = {key for key in self._unjudged if key[0] != path}

    def _tell_unjudged(self, survey: InputSurvey) -> None:
        for name, reason in survey.unjudged():
            source = survey.sources.get(name)
            key = (survey.path, name)
            if source is None or source.network < _ENOUGH_TO_TELL or key in self._unjudged:
                continue
            self._unjudged.add(key)
            self.tell(f"{survey.path} ({name}) cannot be judged: {reason}")
