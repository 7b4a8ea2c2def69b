"""A scan: inputs to records, records to sightings, sightings to findings."""

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smbrare import containers, envelope, rarity
from smbrare.baseline import Baseline
from smbrare.event import Origin, Record, Skipped
from smbrare.examine import Partial, examine
from smbrare.inputs import Input
from smbrare.limits import DEFAULT, Limits
from smbrare.report import Report, Setup
from smbrare.sources.mapping import Settings
from smbrare.survey import InputSurvey

Progress = Callable[[int], None]
"""Called with the number of bytes that were read since the last call."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan, and how.

    Attributes:
        paths: Files, directories, globs and ``-``.
        setup: What the output will say of it.
        exit_zero: Whether findings alone are to give exit code 0.
        excluded: Which keys do not count, and why.
        limits: What is too large to read.
    """

    paths: Sequence[str]
    setup: Setup
    exit_zero: bool = False
    excluded: rarity.ExcludedBecause = lambda _: ""
    limits: Limits = field(default=DEFAULT)


def gather(inputs: Iterable[Input | Skipped], request: Request, progress: Progress) -> Partial:
    """Read every input once and return all that the judgement needs.

    Trouble with an input or a record is counted in its survey and never stops the others.

    Args:
        inputs: What was discovered for the request's paths.
        request: How to read.
        progress: Called as bytes are read.
    """
    setup = request.setup
    settings = Settings(setup.zone, setup.literal, setup.time_field)
    partial = Partial()
    for found in inputs:
        if isinstance(found, Skipped):
            survey = InputSurvey(found.origin.path)
            survey.skip(found)
            partial.surveys.append(survey)
            continue
        _read_input(found, request.limits, settings, partial, progress)
    return partial


def judge(request: Request, partial: Partial, baseline: Baseline | None) -> Report:
    """Judge what was gathered, against a baseline if there is one.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    setup = request.setup
    rows = [] if baseline is None else list(baseline.rows(partial.sightings.destinations()))
    covered = {} if baseline is None else baseline.covered()
    hours = partial.span.hours | covered.keys()
    sampled = any(survey.sampled for survey in partial.surveys) or any(covered.values())
    history = None if setup.history is None else setup.history * 1_000_000
    question = rarity.Question(history, setup.per_host, request.excluded)
    judged = rarity.judge(partial.sightings, rarity.Known(rows, frozenset(hours), sampled), question)
    reported = [finding for finding in judged if _is_reported(finding.sighting.time, setup)]
    return Report(
        setup=setup,
        judged=tuple(reported),
        inputs=tuple(sorted(partial.surveys, key=lambda survey: survey.path)),
        sightings=len(partial.sightings),
        one_clause_away=dict(sorted(partial.one_clause_away.items())),
        span=partial.span,
        exit_zero=request.exit_zero,
    )


def _is_reported(time: int | None, setup: Setup) -> bool:
    if time is None:
        return True
    return (setup.since is None or time >= setup.since) and (
        setup.until is None or time < setup.until
    )


def learn(
    partial: Partial, baseline: Baseline, last_step: Callable[[], None] = lambda: None
) -> None:
    """Write what was gathered into a baseline.

    Args:
        partial: What was gathered.
        baseline: Where to.
        last_step: Called when only the commit itself is left to do.

    Raises:
        BaselineError: If it cannot be written.
    """
    hours = {hour: hour not in partial.span.exact for hour in sorted(partial.span.hours)}
    baseline.commit(partial.sightings.rows(), hours, last_step=last_step)


def _read_input(
    found: Input, limits: Limits, settings: Settings, partial: Partial, progress: Progress
) -> None:
    survey = InputSurvey(found.path, named=found.named)
    try:
        with _open(found) as stream:
            counted = CountedReader(stream, progress)
            for part in containers.parts(io.BufferedReader(counted), found.path, limits):
                survey = InputSurvey(part.path, part.container, found.named)
                partial.surveys.append(survey)
                for item in part.records:
                    _take(item, survey, settings, partial)
                survey.size = counted.taken()
    except OSError as error:
        reason = error.strerror or str(error)
        place = Origin(survey.path, survey.records)
        survey.skip(Skipped(place, reason, could_matter=True, ends_input=True))
        if survey not in partial.surveys:
            partial.surveys.append(survey)


def _open(found: Input) -> io.FileIO:
    if found.path == "-":
        # Not closed with the input: the interpreter owns it.
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    return Path(found.path).open("rb", buffering=0)


def _take(
    item: Record | Skipped, survey: InputSurvey, settings: Settings, partial: Partial
) -> None:
    if isinstance(item, Skipped):
        survey.skip(item)
        return
    for document in envelope.events(item.document):
        examine(document, item.origin, settings, survey, partial)


class CountedReader(io.RawIOBase):
    """A raw stream that reports how many bytes were read from it."""

    def __init__(self, stream: io.FileIO, progress: Progress) -> None:
        super().__init__()
        self._stream = stream
        self._progress = progress
        self._taken = 0

    def readinto(self, buffer: Any, /) -> int | None:
        """Read into a buffer, and report it."""
        count: int | None = self._stream.readinto(buffer)
        if count:
            self._taken += count
            self._progress(count)
        return count

    def taken(self) -> int:
        """Return the bytes read since the last call."""
        taken, self._taken = self._taken, 0
        return taken

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether the stream below can seek."""
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move in the stream below."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the stream below."""
        return self._stream.tell()
