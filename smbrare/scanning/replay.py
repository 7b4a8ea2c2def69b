"""A replay: the rule's runs over files, and where they differ from a scan."""

import sys
from collections import defaultdict
from collections.abc import Callable

from msgspec.structs import replace

from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.schedule import Outcome, Schedule, run_schedule
from smbrare.detection.sightings import Sightings
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import scan
from smbrare.scanning.comparison import Change, Difference, Stage, differences

Gather = Callable[[ReadOptions], Partial]
"""Reads the inputs in one way and returns what they hold."""


def judge(partial: Partial, options: ReadOptions, criteria: Criteria, schedule: Schedule) -> Report:
    """Judge what was gathered as the runs of a schedule do.

    Args:
        partial: What was gathered, with every moment.
        options: How it was read.
        criteria: What to look for.
        schedule: The runs; their history is longer than their lookback by an hour or more, because
            sightings are kept by the hour.
    """
    outcome = _outcome(partial.sightings, schedule)
    sampled = any(survey.sampled for survey in partial.surveys)
    alerts = {(alert.destination, alert.time): alert for alert in outcome.alerts}
    judged = rarity.judge(
        partial.sightings,
        rarity.Known((), frozenset(partial.span.hours), sampled, raised=frozenset(alerts)),
        Criteria(schedule.history),
    )
    return replace(
        scan.judge(partial, options, criteria),
        judged=scan.with_queries(
            (
                replace(finding, alert=alerts[finding.sighting.destination, finding.sighting.time])
                for finding in judged
                if finding.sighting.time is not None
            ),
            partial.answers,
        ),
        replayed=outcome,
        unseen=sum(
            contact.events
            for (_, _, _, hour), contact in partial.sightings.contacts.items()
            if hour is None
        ),
    )


def _outcome(sightings: Sightings, schedule: Schedule) -> Outcome:
    times: dict[str, set[int]] = defaultdict(set)
    for row in sightings.rows():
        times[row.destination].update((row.first, row.last))
    moments = sightings.moments
    if moments is None:
        raise ValueError("a replay needs every sighting's moment")
    return run_schedule(times, schedule, moments.events)


def readings(options: ReadOptions) -> list[ReadOptions]:
    """Return the ways to read the inputs that lead from a scan's to a replay's, each once."""
    as_scan = replace(options, literal=False, time_field="@timestamp")
    return list(dict.fromkeys([as_scan, replace(as_scan, literal=options.literal), options]))


def compare(
    options: ReadOptions, criteria: Criteria, schedule: Schedule, gather: Gather
) -> tuple[Report, list[Difference]]:
    """Return the replay, and each sighting that it and a scan of the same history judge apart.

    From the scan to the replay one thing is changed at a time, so that each difference has its
    reason: inferred fields, the time field, the schedule, and max_signals.

    Args:
        options: How the replay reads; a scan reads with inferred fields and by @timestamp.
        criteria: What to look for.
        schedule: The rule's runs.
        gather: Called once for each of `readings`.
    """
    stages: list[Stage] = []
    before = options
    partial = Partial()
    for reading in readings(options):
        partial = gather(reading)
        change: Change = "inferred" if reading.literal != before.literal else "time_field"
        stages.append(Stage(change, scan.judge(partial, reading, criteria).findings))
        before = reading
    uncapped = judge(partial, options, criteria, replace(schedule, max_signals=sys.maxsize))
    report = judge(partial, options, criteria, schedule)
    stages += [Stage("schedule", uncapped.findings), Stage("max_signals", report.findings)]
    return report, differences(stages, schedule, options.time_field)
