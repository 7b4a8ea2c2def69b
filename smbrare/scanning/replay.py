"""A replay: the rule's runs over files, and where they differ from a scan."""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.detection import rarity
from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import Finding
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.schedule import Outcome, Schedule, run_schedule
from smbrare.detection.sightings import Sightings
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import seconds
from smbrare.scanning import scan
from smbrare.text import duration

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
    alerts = {(alert.destination, alert.time): alert for alert in outcome.alerts}
    judged = rarity.judge(
        partial.sightings,
        rarity.Known((), frozenset(partial.span.hours), partial.sampled, raised=frozenset(alerts)),
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
            contact.events for contact in partial.sightings.contacts() if contact.first is None
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


Side: TypeAlias = Literal["scan", "replay"]

Change: TypeAlias = Literal["inferred", "time_field", "schedule", "max_signals"]

Reason: TypeAlias = Literal["inferred", "time_field", "silence", "undated", "unread", "max_signals"]

_AlertKey: TypeAlias = tuple[str, str, int, int | None, tuple[str, str, int, str]]


class Stage(Struct, frozen=True):
    """What is found on one step of the way from a scan to a replay.

    Attributes:
        change: What is different from the stage before; without meaning in the first.
        findings: What is found.
    """

    change: Change
    findings: Sequence[Finding]


class Difference(Struct, frozen=True):
    """A sighting that only one side raises.

    Attributes:
        finding: It, as that side reports it.
        raised_by: The side.
        reasons: Why: ``silence`` (of nearly the history, which a run no longer sees),
            ``max_signals``, ``inferred`` (fields that a literal replay does without),
            ``time_field``, ``undated`` (no run reads an event without a time), ``unread`` (no run
            reads it, because the lookback is shorter than the interval).
        explanation: The reasons for people.
    """

    finding: Finding
    raised_by: Side
    reasons: tuple[Reason, ...]
    explanation: str

    @property
    def order(self) -> tuple[object, ...]:
        """The order of output: that of findings, then by side."""
        return (*self.finding.order, self.raised_by)


def differences(stages: Sequence[Stage], schedule: Schedule, time_field: str) -> list[Difference]:
    """Return the sightings that the first stage raises and the last does not, or the reverse.

    A sighting is followed through the stages by its record, since another time field gives it
    another time. The two ends agree on it as well where they raise its destination at its time on
    different records.

    Args:
        stages: The scan, every change on the way, and the replay.
        schedule: The replay's runs.
        time_field: The replay's time field.
    """
    by_stage = [{_key(finding): finding for finding in stage.findings} for stage in stages]
    sides: tuple[tuple[Side, int, int], ...] = (("scan", 0, -1), ("replay", -1, 0))
    found: list[Difference] = []
    for side, here, there in sides:
        agreed = {_moment(finding) for finding in by_stage[there].values()}
        for key, finding in by_stage[here].items():
            if key not in by_stage[there] and _moment(finding) not in agreed:
                reasons = _reasons(key, finding, stages, by_stage)
                text = "; ".join(_explain(why, finding, schedule, time_field) for why in reasons)
                found.append(Difference(finding, side, reasons, text))
    return sorted(found, key=lambda difference: difference.order)


def _key(finding: Finding) -> _AlertKey:
    sighting = finding.sighting
    event = sighting.event
    origin = event.origin
    return (sighting.destination, origin.path, origin.number, origin.offset, event.rank)


def _moment(finding: Finding) -> tuple[str, int | None]:
    return finding.sighting.destination, finding.sighting.time


def _reasons(
    key: _AlertKey,
    finding: Finding,
    stages: Sequence[Stage],
    by_stage: Sequence[Mapping[_AlertKey, Finding]],
) -> tuple[Reason, ...]:
    """Return every change on the way that took the sighting away or brought it."""
    reasons: list[Reason] = []
    for number in range(1, len(stages)):
        is_raised = key in by_stage[number]
        if is_raised == (key in by_stage[number - 1]):
            continue
        change = stages[number].change
        if change != "schedule":
            reasons.append(change)
        elif is_raised:
            reasons.append("silence")
        else:
            reasons.append("undated" if finding.sighting.time is None else "unread")
    return tuple(reasons)


def _explain(reason: Reason, finding: Finding, schedule: Schedule, time_field: str) -> str:
    match reason:
        case "silence":
            return f"silent for {_silence(finding)}; {_forgetting(schedule)}"
        case "max_signals":
            return f"every run that read it had more than {schedule.max_signals:,} to raise"
        case "inferred":
            names = [name for name in finding.sighting.event.inferred if name != "@timestamp"]
            if names:
                return f"rests on inferred {', '.join(names)}"
            return "a record with inferred fields shows the destination before"
        case "time_field":
            return f"{time_field} has other times than @timestamp"
        case "undated":
            return "no run reads an event without a time"
        case "unread":
            return "no run reads it as new: the lookback is shorter than the interval"


def _forgetting(schedule: Schedule) -> str:
    least = schedule.history - schedule.lookback
    spans = (least, min(schedule.history, least + schedule.interval), schedule.history)
    first, last, history = (duration(seconds(span)) for span in spans)
    return f"runs forget after {first} to {last}, by their phase, a scan after {history}"


def _silence(finding: Finding) -> str:
    time, previous = finding.sighting.time, finding.previous
    return "ever" if time is None or previous is None else duration(seconds(time - previous))


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
