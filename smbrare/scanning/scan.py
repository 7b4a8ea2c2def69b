"""A scan: inputs to records, records to sightings, sightings to findings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection import rarity, report
from smbrare.detection.dns import Answers, Resolutions
from smbrare.detection.exclusions import Exclusion, because, wanted_names
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.report import Excluded, Report, Setup
from smbrare.detection.sightings import Row
from smbrare.inputs.discovery import Input
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR, MICROSECONDS
from smbrare.scanning import gathering
from smbrare.scanning.planning import How
from smbrare.scanning.reading import Progress

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline


class Request(Struct, frozen=True):
    """What to scan, and how.

    Attributes:
        paths: Files, directories, globs and ``-``.
        setup: What the output will say of it.
        exit_zero: Whether findings alone are to give exit code 0.
        exclusions: What does not count, and why.
        limits: What is too large to read.
        every_moment: Whether to keep every sighting's time, and not only the hours.
        thorough: Whether to decode every record of large inputs too.
        jobs: How many processes may read; None to decide by the size of the inputs.
        cluster: The address of a Dask scheduler whose workers are to read; None for this machine.
    """

    paths: Sequence[str]
    setup: Setup
    exit_zero: bool = False
    exclusions: tuple[Exclusion, ...] = ()
    limits: Limits = field(default=DEFAULT)
    every_moment: bool = False
    thorough: bool = False
    jobs: int | None = None
    cluster: str | None = None


def gather(inputs: Iterable[Input | Skipped], request: Request, progress: Progress) -> Partial:
    """Read every input and return all that the judgement needs.

    Args:
        inputs: What was discovered for the request's paths.
        request: How to read.
        progress: Called as bytes are read.

    Raises:
        UsageError: If the cluster cannot be used.
    """
    names = wanted_names(request.exclusions)
    how = How(
        settings_of(request),
        request.limits,
        # DNS events hold no port of the rule's, by which large inputs are sifted.
        thorough=request.thorough or request.setup.strict or bool(names),
        every_moment=request.every_moment,
        jobs=request.jobs,
        names=names,
        cluster=request.cluster,
    )
    return gathering.gather(inputs, how, progress)


def settings_of(request: Request) -> ReadOptions:
    """Return how a request has records read."""
    setup, limits = request.setup, request.limits
    return ReadOptions(setup.zone, setup.literal, setup.time_field, limits)


def judge(request: Request, partial: Partial, baseline: "Baseline | None") -> Report:
    """Judge what was gathered, against a baseline if there is one.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    setup = request.setup
    history, asked = known(partial, baseline), question(request, partial.resolutions)
    judged = rarity.judge(partial.sightings, history, asked)
    return Report(
        setup=setup,
        judged=with_queries(
            (finding for finding in judged if report.reports(finding, setup)), partial.answers
        ),
        inputs=tuple(sorted(partial.surveys, key=lambda survey: survey.path)),
        sightings=len(partial.sightings),
        one_clause_away=dict(sorted(partial.one_clause_away.items())),
        span=partial.span,
        exit_zero=request.exit_zero,
        outside=report.found_before(judged, partial.sightings, setup, asked),
        exclusions=tuple(
            _kept_back(exclusion, judged, history.rows, asked, partial.span.last)
            for exclusion in request.exclusions
        ),
        traffic=partial.sightings,
        too_many_names=partial.answers.overflowed,
    )


def with_queries(findings: Iterable[Finding], answers: Answers) -> tuple[Finding, ...]:
    """Return the findings with the DNS queries that their destinations answered."""
    found = tuple(findings)
    if not answers.times:
        return found
    queries = answers.by_address(
        (finding.sighting.destination, finding.sighting.host) for finding in found
    )
    return tuple(
        replace(finding, queries=queries[key])
        if (key := (finding.sighting.destination, finding.sighting.host)) in queries
        else finding
        for finding in found
    )


def _kept_back(
    exclusion: Exclusion,
    judged: Iterable[Finding],
    rows: Iterable[Row],
    asked: rarity.Question,
    last: int | None,
) -> Excluded:
    text, expires = str(exclusion), exclusion.expires
    found = [finding for finding in judged if finding.reason == text]
    return Excluded(
        exclusion=text,
        destinations=len({finding.sighting.destination for finding in found}),
        sightings=sum(finding.events for finding in found),
        recorded=sum(asked.excluded(row[:4]) == text for row in rows),
        expired=expires is not None and last is not None and last >= expires * HOUR,
    )


def known(partial: Partial, baseline: "Baseline | None") -> rarity.Known:
    """Return what is known besides the sightings of the inputs themselves.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    rows = [] if baseline is None else list(baseline.rows(partial.sightings.destinations()))
    covered = {} if baseline is None else baseline.covered()
    sampled = any(survey.sampled for survey in partial.surveys) or any(covered.values())
    return rarity.Known(rows, frozenset(partial.span.hours | covered.keys()), sampled)


def question(request: Request, resolutions: Resolutions | None = None) -> rarity.Question:
    """Return how a request has sightings judged.

    Args:
        request: What was asked for.
        resolutions: What DNS events said of the names in exclusions.
    """
    setup = request.setup
    history = None if setup.history is None else setup.history * MICROSECONDS
    return rarity.Question(history, setup.per_host, because(request.exclusions, resolutions))


def baseline_settings(setup: Setup) -> dict[str, str]:
    """Return what a baseline has to be kept with to serve a setup."""
    return {"time field": setup.time_field, "literal": str(setup.literal).lower()}


def learnt(request: Request, partial: Partial) -> tuple[Iterator[Row], dict[int, bool]]:
    """Return what a baseline learns from what was gathered.

    Excluded sightings as well, since exclusions apply when rows are read and may change; but not
    those whose exclusion rests on a domain, since no later scan can know that it did.

    Returns:
        Rows in any order; covered hours, each with whether it is known from a sample only.
    """
    by_domain = because(
        [exclusion for exclusion in request.exclusions if exclusion.domain], partial.resolutions
    )
    rows = (row for row in partial.sightings.rows() if not by_domain(row[:4]))
    return rows, {hour: hour not in partial.span.exact for hour in sorted(partial.span.hours)}


def learn(
    request: Request,
    partial: Partial,
    baseline: "Baseline",
    last_step: Callable[[], None] = lambda: None,
) -> None:
    """Write what was gathered into a baseline; where that is nothing, it is left alone.

    Args:
        request: What was asked for.
        partial: What was gathered.
        baseline: Where to.
        last_step: Called when only the commit itself is left to do.

    Raises:
        BaselineError: If it cannot be written.
    """
    rows, hours = learnt(request, partial)
    if hours or len(partial.sightings):
        baseline.commit(rows, hours, last_step=last_step)
