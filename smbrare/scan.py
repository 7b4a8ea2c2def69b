"""A scan: inputs to records, records to sightings, sightings to findings."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from smbrare import rarity, window
from smbrare.baseline import Baseline
from smbrare.dns import Resolutions
from smbrare.event import Document, Origin, Skipped
from smbrare.examine import Partial, examine
from smbrare.exclusions import Exclusion, because, wanted_names
from smbrare.fields import HOUR, MICROSECONDS
from smbrare.finding import Finding
from smbrare.inputs import Input
from smbrare.limits import DEFAULT, Limits
from smbrare.reading import Progress, read_all
from smbrare.report import Excluded, Report, Setup
from smbrare.sightings import Moments, Row, Sightings
from smbrare.sources.mapping import Settings
from smbrare.survey import InputSurvey


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan, and how.

    Attributes:
        paths: Files, directories, globs and ``-``.
        setup: What the output will say of it.
        exit_zero: Whether findings alone are to give exit code 0.
        exclusions: What does not count, and why.
        limits: What is too large to read.
        every_moment: Whether to keep every sighting's time, and not only the hours.
    """

    paths: Sequence[str]
    setup: Setup
    exit_zero: bool = False
    exclusions: tuple[Exclusion, ...] = ()
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
    partial = Partial(
        Sightings(moments=Moments() if request.every_moment else None),
        resolutions=Resolutions(wanted_names(request.exclusions)),
    )

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        examine(document, origin, settings, survey, partial)

    partial.surveys += read_all(inputs, request.limits, progress, take)
    return partial


def settings_of(setup: Setup) -> Settings:
    """Return how a setup has records read."""
    return Settings(setup.zone, setup.literal, setup.time_field)


def baseline_settings(setup: Setup) -> dict[str, str]:
    """Return what a baseline has to be kept with to serve a setup."""
    return {"time field": setup.time_field, "literal": str(setup.literal).lower()}


def judge(request: Request, partial: Partial, baseline: Baseline | None) -> Report:
    """Judge what was gathered, against a baseline if there is one.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    setup = request.setup
    rows = [] if baseline is None else list(baseline.rows(partial.sightings.destinations()))
    covered = {} if baseline is None else baseline.covered()
    hours = frozenset(partial.span.hours | covered.keys())
    sampled = any(survey.sampled for survey in partial.surveys) or any(covered.values())
    history = None if setup.history is None else setup.history * MICROSECONDS
    question = rarity.Question(
        history, setup.per_host, because(request.exclusions, partial.resolutions)
    )
    judged = rarity.judge(partial.sightings, rarity.Known(rows, hours, sampled), question)
    return Report(
        setup=setup,
        judged=tuple(finding for finding in judged if window.reports(finding, setup)),
        inputs=tuple(sorted(partial.surveys, key=lambda survey: survey.path)),
        sightings=len(partial.sightings),
        one_clause_away=dict(sorted(partial.one_clause_away.items())),
        span=partial.span,
        exit_zero=request.exit_zero,
        outside=window.found_before(judged, partial.sightings, setup, question),
        exclusions=tuple(_kept_back(request, judged, rows, question, partial.span.last)),
        traffic=partial.sightings,
    )


def _kept_back(
    request: Request,
    judged: Sequence[Finding],
    rows: Sequence[Row],
    question: rarity.Question,
    last: int | None,
) -> Iterator[Excluded]:
    """Yield what each exclusion kept back."""
    recorded = Counter(question.excluded(row[:4]) for row in rows) if request.exclusions else {}
    for exclusion in request.exclusions:
        text = str(exclusion)
        found = [finding for finding in judged if finding.reason == text]
        expires = exclusion.expires
        yield Excluded(
            exclusion=text,
            destinations=len({finding.sighting.destination for finding in found}),
            sightings=sum(finding.events for finding in found),
            recorded=recorded.get(text, 0),
            expired=expires is not None and last is not None and last >= expires * HOUR,
        )


def learn(
    request: Request,
    partial: Partial,
    baseline: Baseline,
    last_step: Callable[[], None] = lambda: None,
) -> None:
    """Write what was gathered into a baseline.

    Excluded sightings as well, since exclusions apply when rows are read and may change; but not
    those whose exclusion rests on a domain, since no later scan can know that it did.

    Args:
        request: What was asked for.
        partial: What was gathered.
        baseline: Where to.
        last_step: Called when only the commit itself is left to do.

    Raises:
        BaselineError: If it cannot be written.
    """
    hours = {hour: hour not in partial.span.exact for hour in sorted(partial.span.hours)}
    by_domain = because(
        [exclusion for exclusion in request.exclusions if exclusion.domain], partial.resolutions
    )
    rows = (row for row in partial.sightings.rows() if not by_domain(row[:4]))
    baseline.commit(rows, hours, last_step=last_step)
