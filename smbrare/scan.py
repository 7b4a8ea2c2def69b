"""A scan: inputs to records, records to sightings, sightings to findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from smbrare import rarity
from smbrare.baseline import Baseline
from smbrare.event import Document, Origin, Skipped
from smbrare.examine import Partial, examine
from smbrare.inputs import Input
from smbrare.limits import DEFAULT, Limits
from smbrare.reading import Progress, read_all
from smbrare.report import Report, Setup
from smbrare.sightings import Moments, Sightings
from smbrare.sources.mapping import Settings
from smbrare.survey import InputSurvey


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan, and how.

    Attributes:
        paths: Files, directories, globs and ``-``.
        setup: What the output will say of it.
        exit_zero: Whether findings alone are to give exit code 0.
        excluded: Which keys do not count, and why.
        limits: What is too large to read.
        every_moment: Whether to keep every sighting's time, and not only the hours.
    """

    paths: Sequence[str]
    setup: Setup
    exit_zero: bool = False
    excluded: rarity.ExcludedBecause = lambda _: ""
    limits: Limits = field(default=DEFAULT)
    every_moment: bool = False


def gather(inputs: Iterable[Input | Skipped], request: Request, progress: Progress) -> Partial:
    """Read every input once and return all that the judgement needs.

    Trouble with an input or a record is counted in its survey and never stops the others.

    Args:
        inputs: What was discovered for the request's paths.
        request: How to read.
        progress: Called as bytes are read.
    """
    settings = settings_of(request.setup)
    partial = Partial(Sightings(moments=Moments() if request.every_moment else None))

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        examine(document, origin, settings, survey, partial)

    partial.surveys += read_all(inputs, request.limits, progress, take)
    return partial


def settings_of(setup: Setup) -> Settings:
    """Return how a setup has records read."""
    return Settings(setup.zone, setup.literal, setup.time_field)


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
        traffic=partial.sightings,
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
