"""A scan: inputs to records, records to sightings, sightings to findings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from smbrare import gathering, rarity
from smbrare.baseline import Baseline
from smbrare.event import Skipped
from smbrare.examine import Partial
from smbrare.fields import MICROSECONDS
from smbrare.gathering import How
from smbrare.inputs import Input
from smbrare.limits import DEFAULT, Limits
from smbrare.reading import Progress
from smbrare.report import Report, Setup
from smbrare.sources.mapping import Settings


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
        thorough: Whether to decode every record of large inputs too.
        jobs: How many processes may read; None to decide by the size of the inputs.
    """

    paths: Sequence[str]
    setup: Setup
    exit_zero: bool = False
    excluded: rarity.ExcludedBecause = lambda _: ""
    limits: Limits = field(default=DEFAULT)
    every_moment: bool = False
    thorough: bool = False
    jobs: int | None = None


def gather(inputs: Iterable[Input | Skipped], request: Request, progress: Progress) -> Partial:
    """Read every input and return all that the judgement needs.

    Args:
        inputs: What was discovered for the request's paths.
        request: How to read.
        progress: Called as bytes are read.
    """
    how = How(
        settings_of(request.setup),
        request.limits,
        thorough=request.thorough or request.setup.strict,
        every_moment=request.every_moment,
        jobs=request.jobs,
    )
    return gathering.gather(inputs, how, progress)


def settings_of(setup: Setup) -> Settings:
    """Return how a setup has records read."""
    return Settings(setup.zone, setup.literal, setup.time_field)


def judge(request: Request, partial: Partial, baseline: Baseline | None) -> Report:
    """Judge what was gathered, against a baseline if there is one.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    setup = request.setup
    judged = rarity.judge(partial.sightings, known(partial, baseline), question(request))
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


def known(partial: Partial, baseline: Baseline | None) -> rarity.Known:
    """Return what is known besides the sightings of the inputs themselves.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    rows = [] if baseline is None else list(baseline.rows(partial.sightings.destinations()))
    covered = {} if baseline is None else baseline.covered()
    sampled = any(survey.sampled for survey in partial.surveys) or any(covered.values())
    return rarity.Known(rows, frozenset(partial.span.hours | covered.keys()), sampled)


def question(request: Request) -> rarity.Question:
    """Return how a request has sightings judged."""
    setup = request.setup
    history = None if setup.history is None else setup.history * MICROSECONDS
    return rarity.Question(history, setup.per_host, request.excluded)


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
    sampled = any(survey.sampled for survey in partial.surveys)
    hours = dict.fromkeys(sorted(partial.span.hours), sampled)
    baseline.commit(partial.sightings.rows(), hours, last_step=last_step)
