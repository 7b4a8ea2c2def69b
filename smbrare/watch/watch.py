"""Live logs: what files gain is judged as it comes, over a baseline that keeps the place in them.

What was read between two judgements is a batch, and judged as a scan over the baseline judges it.
A finding is handed out, and noted as given, before the baseline learns what would hide it; so a run
that is killed at any moment loses no finding, and its successor repeats at most the last.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct, field

from smbrare.baseline.store import Baseline
from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Resolutions
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey
from smbrare.limits import MIB
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import scan
from smbrare.scanning.planning import empty
from smbrare.scanning.reading import unreadable
from smbrare.watch import batch, following, state, tails
from smbrare.watch.following import Following
from smbrare.watch.messages import Counts
from smbrare.watch.state import Pending
from smbrare.watch.tails import Chunk, Tail

BATCH_BYTES = 32 * MIB
"""Judged together at most: findings in what is longer do not wait for its end."""


class Outside(Struct, frozen=True):
    """What a watch needs of whoever runs it.

    Attributes:
        give: Called with each finding; what it wrote has to be safe when it returns.
        tell: Called with each line for the user.
        wait: Waits until the files are to be looked at again.
        stopping: Whether to end.
        gone_seconds: How long a file that has no name any more is still followed for.
    """

    give: Callable[[Finding], None]
    tell: Callable[[str], None]
    wait: Callable[[], None]
    stopping: Callable[[], bool]
    gone_seconds: float = 10.0


class _Run(Struct):
    """One run of a watch.

    Attributes:
        criteria: What to look for.
        baseline: Where the place is kept, and what was seen.
        outside: What it talks to.
        options: How records are read.
        following: The files.
        counts: What was read and told of each file.
        pending: What is not in the baseline yet.
        resolutions: The addresses of names that exclusions are for.
        first: The first finding that was given.
        findings: How many were.
        sightings: Records that match the rule.
        away: Events one clause away from matching, by field.
    """

    criteria: Criteria
    baseline: Baseline
    outside: Outside
    options: ReadOptions
    following: Following
    counts: Counts
    pending: Pending = field(default_factory=Pending)
    resolutions: Resolutions = field(default_factory=Resolutions)
    first: Finding | None = None
    findings: int = 0
    sightings: int = 0
    away: Counter[str] = field(default_factory=Counter)


class Outcome(Struct, frozen=True):
    """How a watch ended.

    Attributes:
        report: What it read, with the first finding alone: enough for the exit code.
        files: How many files it followed at its end.
        findings: How many findings it gave.
    """

    report: Report
    files: int
    findings: int


def watch(
    paths: Sequence[str],
    options: ReadOptions,
    criteria: Criteria,
    baseline: Baseline,
    outside: Outside,
    *,
    once: bool,
    own: Iterable[Path] = (),
) -> Outcome:
    """Follow files and hand out each finding, until told to stop.

    Args:
        paths: What to follow.
        options: How to read it.
        criteria: What to look for.
        baseline: What was seen before; it learns what is seen now, and keeps the place.
        outside: What to do with what is found.
        once: Whether to end when what is there was read.
        own: Files that are no logs, since they are the run's own.

    Raises:
        BaselineError: If the baseline cannot be read or written.
    """
    places = {place.identity: place for place in state.begin(baseline)}
    ignored = frozenset(tails.identity_of(path.stat()) for path in own if path.exists())
    files = Following(paths, places, ignored)
    counts = Counts(outside.tell)
    run = _Run(
        criteria,
        baseline,
        outside,
        options,
        files,
        counts,
        resolutions=Resolutions(options.names),
    )
    try:
        _poll(run, once=once)
        while not (once or outside.stopping()):
            outside.wait()
            if not outside.stopping():
                _poll(run, once=once)
        _keep(run)
    finally:
        counts.tell_kept(None)
        for tail in files.tails.values():
            tail.close()
    return Outcome(_report(run), len(files.tails), run.findings)


def _poll(run: _Run, *, once: bool) -> None:
    """Read what the files gained, batch by batch."""
    for trouble in following.refresh(run.following):
        run.counts.trouble(trouble)
    waiting = following.changed(run.following)
    while waiting and not run.outside.stopping():
        waiting = _judge_next(run, waiting)
    if not run.outside.stopping():
        # Otherwise some files may not have been read to their ends.
        _end_gone(run, once=once)
    following.close_idle(run.following)
    if run.pending.is_due():
        _keep(run)
    run.counts.tell_kept(time.monotonic())


def _judge_next(run: _Run, waiting: list[Tail]) -> list[Tail]:
    """Read and judge a batch, and return the files that hold more."""
    partial = empty(run.options)
    waiting = _read_batch(run, waiting, partial)
    given = _judge(run, partial)
    if given or run.pending.is_due():
        _keep(run)
    return waiting


def _read_batch(run: _Run, waiting: list[Tail], partial: Partial) -> list[Tail]:
    """Read a batch into a partial, and return the files that hold more."""
    room = BATCH_BYTES
    for number, tail in enumerate(waiting):
        while room > 0:
            if run.outside.stopping():
                return []
            item = _next(run, tail)
            if item is None:
                break
            room -= len(item.text)
            _take(run, tail, item, partial)
        else:
            return waiting[number:]
    return []


def _next(run: _Run, tail: Tail) -> Chunk | None:
    """Return the next lines of a file; trouble with it is told, and ends it for now."""
    while True:
        try:
            item = tails.read(tail, run.options.limits, run.outside.tell)
        except OSError as error:
            _fail(run, tail, error)
            return None
        tail.failed = False
        if not isinstance(item, Skipped):
            return item
        if not item.origin.number:
            run.counts.trouble(item)
            return None
        survey = InputSurvey(tail.path, "ndjson", tail.named)
        survey.skip(item)
        run.counts.add(survey)


def _fail(run: _Run, tail: Tail, error: OSError) -> None:
    """Tell that a file could not be read; the next look tries again."""
    tail.failed = True
    run.counts.trouble(unreadable(tail.path, tail.lines, error))
    if not tail.gone:
        # One without a name could not be opened again.
        tail.close()


def _take(run: _Run, tail: Tail, chunk: Chunk, partial: Partial) -> None:
    """Take what lines hold into a partial, and count it."""
    survey, gained = batch.read(chunk, run.options)
    partial.merge(gained)
    run.pending.places[tail.identity] = tail.place()
    run.counts.add(survey)


def _judge(run: _Run, partial: Partial) -> bool:
    """Hand out the findings of a batch and learn it; return whether there were any."""
    run.resolutions.merge(partial.resolutions)
    partial.resolutions = run.resolutions
    run.sightings += len(partial.sightings)
    run.away.update(partial.one_clause_away)
    new = state.findings(run.criteria, run.baseline, run.pending, partial, run.resolutions)
    before = state.given(run.baseline, [finding.id for finding in new]) if new else set()
    for finding in new:
        if finding.id not in before:
            run.outside.give(finding)
            state.give(run.baseline, finding.id, finding.sighting.time)
            run.findings += 1
            run.first = run.first or finding
    run.pending.learn(*scan.learnt(run.criteria, partial))
    return bool(new)


def _end_gone(run: _Run, *, once: bool) -> None:
    """Follow files without a name no more when they stay as they are."""
    now = time.monotonic()
    for tail in [tail for tail in run.following.tails.values() if tail.gone]:
        if tail.quiet is None:
            tail.quiet = now
        # A run that ends at once leaves a file that grew to the next one: it may grow again.
        if not tail.gained if once else now - tail.quiet >= run.outside.gone_seconds:
            _end(run, tail)


def _end(run: _Run, tail: Tail) -> None:
    """Judge what a file holds behind its last line, and follow it no more.

    A file that grew again meanwhile is followed on.
    """
    place = tail.place()
    waiting = [tail]
    while waiting:
        waiting = _judge_next(run, waiting)
    if run.outside.stopping() or tail.place() != place:
        return
    try:
        # Where reading failed, what is left is more than a last line.
        last = None if tail.failed else tails.rest(tail, run.options.limits)
    except OSError as error:
        _fail(run, tail, error)
        last = None
    if last is not None:
        partial = empty(run.options)
        _take(run, tail, last, partial)
        _judge(run, partial)
    following.forget(tail, run.following)
    if not tail.failed:
        # The next run tries again where one could not be read to its end.
        run.pending.places.pop(tail.identity, None)
        run.pending.ended.add(tail.identity)
    if all(other.path != tail.path for other in run.following.tails.values()):
        run.counts.forget(tail.path)


def _keep(run: _Run) -> None:
    """Write what was read and judged to the baseline."""
    pending, run.pending = run.pending, Pending()
    state.commit(run.baseline, pending)


def _report(run: _Run) -> Report:
    """Return a report of the files that gave anything: what gained nothing was judged before."""
    inputs = [survey for survey in run.counts.surveys.values() if survey.records or survey.skipped]
    return Report(
        options=run.options,
        criteria=run.criteria,
        judged=() if run.first is None else (run.first,),
        inputs=tuple(sorted(inputs, key=lambda survey: survey.path)),
        sightings=run.sightings,
        one_clause_away=dict(sorted(run.away.items())),
        span=empty(run.options).span,
    )
