"""What a watch has read of each file, and what it has told the user about it."""

import time
from collections.abc import Callable

from msgspec import Struct, field

from smbrare.detection.survey import MOST_LOCATED, InputSurvey
from smbrare.notices import Flood
from smbrare.records.event import Skipped

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
