"""A scan: inputs to records, records to sightings, sightings to findings."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from smbrare.detection import rarity, report
from smbrare.detection.also_seen import Server, also_seen, merge_servers
from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Answers
from smbrare.detection.exclusions import Exclusion, because
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.report import Excluded, Report
from smbrare.detection.sightings import Row
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline


def judge(
    partial: Partial, options: ReadOptions, criteria: Criteria, baseline: "Baseline | None" = None
) -> Report:
    """Judge what was gathered, against a baseline if there is one.

    Args:
        partial: What was gathered.
        options: How it was read.
        criteria: What to look for.
        baseline: What was seen before.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    history = known_history(partial, criteria, baseline)
    judged = rarity.judge(partial.sightings, history, criteria)
    servers = partial.servers.settled()
    resolved = partial.answers.addresses_of(servers.by_name)
    also = also_seen(servers, partial.sightings.destinations(), resolved)
    return Report(
        options=options,
        criteria=criteria,
        judged=with_queries(
            (finding for finding in judged if report.reports(finding, criteria)), partial.answers
        ),
        inputs=tuple(sorted(partial.surveys, key=lambda survey: survey.path)),
        sightings=len(partial.sightings),
        near_misses=dict(sorted(partial.near_misses.items())),
        span=partial.span,
        outside=report.found_before(judged, partial.sightings, criteria, history),
        exclusions=tuple(
            _suppressed_by(exclusion, judged, history, partial.span.last)
            for exclusion in criteria.exclusions
        ),
        traffic=partial.sightings,
        also_seen=merge_servers(each for each in also if _is_reported(each, criteria, history)),
        unresolved={
            name: server
            for name, server in servers.by_name.items()
            if name not in resolved and _is_reported(server, criteria, history)
        },
        too_many_names=partial.answers.overflowed,
    )


def _is_reported(server: Server, criteria: Criteria, known: rarity.Known) -> bool:
    """Return whether a server was named in the window, by a host that is not excluded."""
    if criteria.since is not None and server.last < criteria.since:
        return False
    if criteria.until is not None and server.first >= criteria.until:
        return False
    hour = server.last // HOUR
    hosts = server.hosts or ("",)
    return not all(known.excluded((server.destination, "", host, hour)) for host in hosts)


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


def _suppressed_by(
    exclusion: Exclusion, judged: Iterable[Finding], known: rarity.Known, last: int | None
) -> Excluded:
    text, expires = str(exclusion), exclusion.expires
    found = [finding for finding in judged if finding.reason == text]
    return Excluded(
        exclusion=text,
        destinations=len({finding.sighting.destination for finding in found}),
        sightings=sum(finding.events for finding in found),
        recorded=sum(known.excluded(row[:4]) == text for row in known.rows),
        expired=expires is not None and last is not None and last >= expires * HOUR,
    )


def known_history(
    partial: Partial, criteria: Criteria, baseline: "Baseline | None"
) -> rarity.Known:
    """Return what is known besides the sightings of the inputs themselves.

    Raises:
        BaselineError: If the baseline cannot be read.
    """
    rows = [] if baseline is None else list(baseline.rows(partial.sightings.destinations()))
    covered = {} if baseline is None else baseline.covered()
    sampled = partial.sampled or any(covered.values())
    hours = frozenset(partial.span.hours | covered.keys())
    excluded = because(criteria.exclusions, partial.resolutions)
    return rarity.Known(rows, hours, sampled, excluded)


def baseline_settings(options: ReadOptions) -> dict[str, str]:
    """Return what a baseline has to be kept with to serve such reading."""
    return {"time field": options.time_field, "literal": str(options.literal).lower()}


def rows_to_learn(
    criteria: Criteria, partial: Partial, kept: Iterable[Row] | None = None
) -> tuple[Iterator[Row], dict[int, bool]]:
    """Return what a baseline learns from what was gathered.

    Excluded sightings as well, since exclusions apply when rows are read and may change; but not
    those whose exclusion rests on a domain, since no later scan can know that it did.

    Args:
        criteria: What was looked for.
        partial: What was gathered.
        kept: The rows, where they were taken out of what was gathered.

    Returns:
        The rows, in their order; covered hours, each with whether it is known from a sample only.
    """
    by_domain = because(
        [exclusion for exclusion in criteria.exclusions if exclusion.domain], partial.resolutions
    )
    found = partial.sightings.rows() if kept is None else kept
    rows = (row for row in found if not by_domain(row[:4]))
    return rows, {hour: hour not in partial.span.exact for hour in sorted(partial.span.hours)}


def learn(
    criteria: Criteria,
    partial: Partial,
    baseline: "Baseline",
    last_step: Callable[[], None] = lambda: None,
) -> None:
    """Write what was gathered into a baseline; where that is nothing, it is left alone.

    Args:
        criteria: What was looked for.
        partial: What was gathered.
        baseline: Where to.
        last_step: Called when only the commit itself is left to do.

    Raises:
        BaselineError: If it cannot be written.
    """
    rows, hours = rows_to_learn(criteria, partial)
    if hours or len(partial.sightings):
        baseline.commit(rows, hours, last_step=last_step)
