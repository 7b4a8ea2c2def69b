"""Follows growing files, judges what they gain, and keeps its place in the baseline.

What was read between two judgements is a batch, and is judged as a scan over the baseline judges
it. A finding is reported, and recorded as reported, before the baseline learns what would suppress
it. So a run that is killed at any moment loses no finding, and the next one repeats at most one.
"""

import io
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from smbrare.baseline.store import Baseline
from smbrare.detection.criteria import Criteria
from smbrare.detection.destination_sieve import needs_decoding
from smbrare.detection.dns import Resolutions
from smbrare.detection.examine import judge_contents
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.readers.ndjson import read_range
from smbrare.inputs.readers.reader import EVERY, ReaderOptions
from smbrare.limits import KIB, MIB
from smbrare.records.event import Contents, Item, Record, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import scan
from smbrare.scanning.planning import LARGE_BYTES, empty_partial
from smbrare.scanning.reading import unreadable
from smbrare.watch.following import Following, most_open
from smbrare.watch.messages import Messages
from smbrare.watch.state import WatchState
from smbrare.watch.tails import NewLines, Tail

BATCH_BYTES = 32 * MIB
"""Judged together at most: findings in what is longer do not wait for its end."""


class Hooks(Struct, frozen=True):
    """What a watch needs of whoever runs it.

    Attributes:
        report: Called with each finding; what it wrote has to be safe when it returns.
        tell: Called with each line for the user.
        wait: Waits until the files are to be looked at again.
        stopping: Whether to end.
        started: Called once with the number of files, when what they held was read.
        gone_seconds: How long a file that no longer has a name is still followed.
    """

    report: Callable[[Finding], None]
    tell: Callable[[str], None]
    wait: Callable[[], None]
    stopping: Callable[[], bool]
    started: Callable[[int], None] = lambda _: None
    gone_seconds: float = 10.0


class WatchResult(Struct, frozen=True):
    """How a watch ended.

    Attributes:
        report: What it read, with only the first finding: enough for the exit code.
        files: How many files it followed at its end.
        findings: How many findings it reported.
    """

    report: Report
    files: int
    findings: int


class Watch:
    """One run of a watch."""

    def __init__(
        self,
        paths: Sequence[str],
        options: ReadOptions,
        criteria: Criteria,
        baseline: Baseline,
        hooks: Hooks,
        *,
        own: Iterable[Path] = (),
    ) -> None:
        """Prepare a baseline for a watch.

        Args:
            paths: What to follow.
            options: How to read it.
            criteria: What to look for.
            baseline: What was seen before; it learns what is seen now, and keeps the place.
            hooks: What to do with what is found.
            own: Files that are no logs, since they are the run's own.

        Raises:
            BaselineError: If the baseline cannot be read or written.
        """
        self._options, self._criteria, self._hooks = options, criteria, hooks
        self._state = WatchState(baseline)  # It makes the file, if need be.
        self._following = Following(paths, self._state.places, tuple(own))
        self._messages = Messages(hooks.tell)
        self._resolutions = Resolutions(options.names)
        self._near_misses: Counter[str] = Counter()
        self._first: Finding | None = None
        self._findings = self._sightings = 0

    def run(self, *, once: bool) -> WatchResult:
        """Follow the files and report each finding, until told to stop.

        Args:
            once: Whether to end when what is there was read.

        Raises:
            BaselineError: If the baseline cannot be read or written.
        """
        hooks = self._hooks
        try:
            self._poll(once=once)
            if not (once or hooks.stopping()):
                hooks.started(len(self._following.tails))
            while not (once or hooks.stopping()):
                hooks.wait()
                if not hooks.stopping():
                    self._poll(once=once)
            self._state.commit()
        finally:
            self._messages.tell_suppressed(None)
            for tail in self._following.tails.values():
                tail.close()
        return WatchResult(self._report(), len(self._following.tails), self._findings)

    def _poll(self, *, once: bool) -> None:
        """Read what the files gained, batch by batch."""
        for problem in self._following.refresh():
            self._messages.add_problem(problem)
        for identity, place in self._following.renumbered.items():
            self._state.end(identity)
            self._state.move_to(place)
        self._following.renumbered.clear()
        waiting = self._following.changed()
        while waiting and not self._hooks.stopping():
            waiting = self._judge_next(waiting)
        if not self._hooks.stopping():
            # Otherwise some files may not have been read to their ends.
            self._end_gone(once=once)
        self._following.close_idle()
        if self._state.is_due():
            self._state.commit()
        self._messages.tell_suppressed(time.monotonic())

    def _judge_next(self, waiting: list[Tail]) -> list[Tail]:
        """Read and judge a batch, and return the files that hold more."""
        partial = empty_partial(self._options)
        waiting = self._read_batch(waiting, partial)
        if self._judge(partial) or self._state.is_due():
            self._state.commit()
        return waiting

    def _read_batch(self, waiting: list[Tail], partial: Partial) -> list[Tail]:
        """Read a batch into a partial, and return the files that hold more."""
        room = BATCH_BYTES
        most = most_open()
        for number, tail in enumerate(waiting):
            while room > 0:
                if self._hooks.stopping():
                    return []
                lines = self._next(tail)
                if lines is None:
                    break
                room -= len(lines.text)
                self._take(tail, lines, partial)
            else:
                return waiting[number:]
            if number >= most and not tail.gone:
                tail.close()
        return []

    def _next(self, tail: Tail) -> NewLines | None:
        """Return the next lines of a file; a problem with it is reported, and ends it for now."""
        while True:
            try:
                item = tail.read(self._options.limits, self._hooks.tell)
            except OSError as error:
                self._fail(tail, error)
                return None
            tail.failed = False
            if not isinstance(item, Skipped):
                return item
            if not item.origin.number:
                self._messages.add_problem(item)
                return None
            survey = InputSurvey(tail.path, "ndjson", tail.named)
            survey.skip(item)
            self._messages.add(survey)

    def _fail(self, tail: Tail, error: OSError) -> None:
        """Report that a file could not be read; the next look tries again."""
        tail.failed = True
        self._messages.add_problem(unreadable(tail.path, tail.lines, error))
        if not tail.gone:
            # One without a name could not be opened again.
            tail.close()

    def _take(self, tail: Tail, lines: NewLines, partial: Partial) -> None:
        """Read lines into a partial, and count them."""
        survey, gained = read_lines(lines, self._options)
        partial.merge(gained)
        self._state.move_to(tail.place())
        self._messages.add(survey)

    def _judge(self, partial: Partial) -> bool:
        """Report the findings of a batch and learn it; return whether there were any."""
        self._resolutions.merge(partial.resolutions)
        partial.resolutions = self._resolutions
        self._sightings += len(partial.sightings)
        self._near_misses.update(partial.near_misses)
        new = self._state.new_findings(partial, self._criteria, self._resolutions)
        before = self._state.reported_before([finding.id for finding in new]) if new else set()
        for finding in new:
            if finding.id not in before:
                self._hooks.report(finding)
                self._state.record(finding.id, finding.sighting.time)
                self._findings += 1
                self._first = self._first or finding
        self._state.learn(*scan.rows_to_learn(self._criteria, partial))
        return bool(new)

    def _end_gone(self, *, once: bool) -> None:
        """Stop following files without a name that stay as they are."""
        now = time.monotonic()
        for tail in [tail for tail in self._following.tails.values() if tail.gone]:
            if tail.quiet is None:
                tail.quiet = now
            # A run that ends at once leaves a file that grew to the next one: it may grow again.
            if not tail.gained if once else now - tail.quiet >= self._hooks.gone_seconds:
                self._end(tail)

    def _end(self, tail: Tail) -> None:
        """Judge what a file holds behind its last line, and stop following it.

        A file that grew again meanwhile is still followed.
        """
        place = tail.place()
        waiting = [tail]
        while waiting:
            waiting = self._judge_next(waiting)
        if self._hooks.stopping() or tail.place() != place:
            return
        try:
            # Where reading failed, what is left is more than a last line.
            last = None if tail.failed else tail.rest(self._options.limits)
        except OSError as error:
            self._fail(tail, error)
            last = None
        if last is not None:
            partial = empty_partial(self._options)
            self._take(tail, last, partial)
            self._judge(partial)
        self._following.forget(tail)
        if not tail.failed:
            # The next run tries again where one could not be read to its end.
            self._state.end(tail.identity)
        if all(other.path != tail.path for other in self._following.tails.values()):
            self._messages.forget(tail.path)

    def _report(self) -> Report:
        """Return a report of the files that gained anything: the others were judged before."""
        surveys = self._messages.surveys.values()
        inputs = [survey for survey in surveys if survey.records or survey.skipped]
        return Report(
            options=self._options,
            criteria=self._criteria,
            judged=() if self._first is None else (self._first,),
            inputs=tuple(sorted(inputs, key=lambda survey: survey.path)),
            sightings=self._sightings,
            near_misses=dict(sorted(self._near_misses.items())),
            span=empty_partial(self._options).span,
        )


_SAMPLE_EVERY = 256 * KIB
"""Bytes between the sampled records of a large backlog."""


def read_lines(lines: NewLines, options: ReadOptions) -> tuple[InputSurvey, Partial]:
    """Return the counts of some lines, and their sightings.

    Where a file has gained as much as a large file holds, its lines are pre-filtered, as those of a
    large file are; otherwise each is decoded.
    """
    survey = InputSurvey(lines.path, "ndjson", lines.named, size=len(lines.text))
    partial = empty_partial(options)
    sampled = lines.waiting >= LARGE_BYTES and not options.decodes_all
    reading = ReaderOptions(
        options.limits,
        sample_every=_SAMPLE_EVERY if sampled else EVERY,
        needs_decoding=needs_decoding,
    ).with_seed(lines.text)
    items = read_range(io.BytesIO(lines.text), lines.path, reading)
    judge_contents(Contents(_in_file(items, lines), sampled), options, survey, partial)
    return survey, partial


def _in_file(items: Iterable[Item], lines: NewLines) -> Iterator[Item]:
    """Yield what was read of some lines, each where it stands in the file."""
    for item in items:
        if isinstance(item, Record | Skipped):
            origin = item.origin
            number, offset = origin.number + lines.lines, (origin.offset or 0) + lines.offset
            yield replace(item, origin=replace(origin, number=number, offset=offset))
        else:
            yield item
