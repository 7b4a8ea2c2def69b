"""``json`` and ``ndjson``: findings as ECS documents, each value exactly as the log had it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import asdict

from smbrare.detection.event_fields import MANY
from smbrare.detection.finding import Finding, nested
from smbrare.detection.reference import Reference
from smbrare.detection.report import Report, settings_document
from smbrare.detection.schedule import Outcome
from smbrare.detection.survey import InputSurvey
from smbrare.outputs import also_seen
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.host_context import fields
from smbrare.outputs.json_values import json_text, time_value, unjudged_values
from smbrare.outputs.triage import Step, triage
from smbrare.records.times import format_time, seconds
from smbrare.rule import predicate


def render_ndjson(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield one finding a line."""
    yield from map(ndjson_line, options.findings_of(report))


def ndjson_line(finding: Finding) -> str:
    """Return one finding as a line."""
    return json_text(nested(fields(finding))) + "\n"


def render_json(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield one document: the rule, what was read, and the findings with what to do about them."""
    also: list[dict[str, Any]] = [also_seen.document(server) for server in report.also_seen]
    head = {"rule": _rule(), "scan": _scan(report), "also_seen": also}
    if report.replayed is not None:
        head["replay"] = _replay(report.replayed, report.unseen)
    yield json_text(head, indent=True).removesuffix("\n}") + ',\n  "findings": ['
    separator = "\n"
    findings = options.findings_of(report)
    counts, seen = Counter(finding.sighting.origin for finding in findings), set()
    for finding in findings:
        # In proportion to the event, which has a few bytes for each of many destinations.
        is_one_of_many = counts[finding.sighting.origin] > MANY
        steps = () if is_one_of_many and finding.sighting.origin in seen else triage(finding)
        seen.add(finding.sighting.origin)
        values = fields(finding) | {"smbrare.triage": _triage(steps)}
        text = json_text(nested(values), indent=not is_one_of_many)
        # A string in JSON has no raw line feed, so this only indents lines.
        yield separator + "    " + text.replace("\n", "\n    ")
        separator = ",\n"
    yield "]\n}\n" if separator == "\n" else "\n  ]\n}\n"


def _triage(steps: Iterable[Step]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {"investigate": [], "harmless_if": [], "respond": []}
    for step in steps:
        said[step.purpose].append(step.say())
    return said


def _rule() -> dict[str, Any]:
    return {
        "uuid": predicate.RULE_ID,
        "name": predicate.RULE_NAME,
        "version": predicate.RULE_VERSION,
        "reference": predicate.RULE_URL,
        "type": "new_terms",
        "new_terms_fields": ["destination.ip"],
        "risk_score": predicate.RISK_SCORE,
        "severity": predicate.SEVERITY,
    }


def _scan(report: Report) -> dict[str, Any]:
    criteria, span = report.criteria, report.span
    known = report.suppressed
    return {
        **settings_document(report.options, criteria),
        "since": time_value(criteria.since),
        "until": time_value(criteria.until),
        "ignore_unknown": criteria.ignore_unknown,
        "exit_code": report.exit_code,
        "records": sum(survey.records for survey in report.inputs),
        "sampled": any(survey.sampled for survey in report.inputs),
        "network_events": sum(survey.network for survey in report.inputs),
        "connections": sum(survey.connections for survey in report.inputs),
        "matches": report.sightings,
        "findings": len(report.findings),
        "undated": sum(finding.sighting.time is None for finding in report.findings),
        "with_inferred_fields": sum(bool(f.sighting.inferred) for f in report.findings),
        "with_full_history": sum(finding.history.complete for finding in report.findings),
        "found_before_window": report.outside,
        "suppressed": len(known),
        "new_hosts": sorted({host for finding in known for host in finding.new_hosts}),
        "excluded": len(report.excluded),
        "exclusions": [asdict(kept) for kept in report.exclusions],
        "skipped": sum(survey.skipped for survey in report.inputs),
        "unreadable_connections": sum(survey.not_evaluated for survey in report.inputs),
        "alerts_skipped": sum(survey.alerts for survey in report.inputs),
        "near_misses": report.near_misses,
        "also_seen": len(report.also_seen),
        "first_event": time_value(span.first),
        "last_event": time_value(span.last),
        "hours_covered": len(span.hours),
        "not_evaluated": unjudged_values(report),
        "dns_names": {
            "too_many": report.too_many_names,
            "not_read_in": list(report.names_unread),
        },
        "enrichment": [_reference(reference) for reference in report.references],
        "inputs": [_input(survey) for survey in report.inputs],
    }


def _replay(outcome: Outcome, unseen: int) -> dict[str, Any]:
    schedule = outcome.schedule
    return {
        "interval_seconds": seconds(schedule.interval),
        "lookback_seconds": seconds(schedule.lookback),
        "history_seconds": seconds(schedule.history),
        "anchor": format_time(schedule.anchor),
        "max_signals": schedule.max_signals,
        "alerts": len(outcome.alerts),
        "phase_dependent": sum(alert.phase_dependent for alert in outcome.alerts),
        "raised_in_other_phases": [
            {"@timestamp": format_time(time), "destination": {"ip": destination}}
            for destination, time in outcome.missed
        ],
        "crowded_runs": [format_time(run) for run in outcome.crowded_runs],
        "never_raised": [
            {"@timestamp": format_time(alert.time), "destination": {"ip": alert.destination}}
            for alert in outcome.cut
        ],
        "without_time": unseen,
    }


def _reference(reference: Reference) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": reference.kind,
        "file": reference.file,
        "name": reference.name,
        "destinations": len(reference.facts),
        "problem": reference.problem,
    }
    if reference.built is not None:
        document["built"] = format_time(reference.built)
    if reference.entries is not None:
        document |= {"entries": reference.entries, "skipped": reference.skipped}
    return document


def _input(survey: InputSurvey) -> dict[str, Any]:
    return {
        "path": survey.path,
        "container": survey.container,
        "bytes": survey.size,
        "records": survey.records,
        "sampled": survey.sampled,
        "skipped": survey.skipped,
        "unreadable_connections": survey.not_evaluated,
        "read_to_end": not survey.cut,
        "alerts_skipped": survey.alerts,
        "unrecognized": survey.unknown,
        "might_match": survey.suspects,
        "sources": {
            name: {
                "records": source.records,
                "network_events": source.network,
                "connections": source.connections,
                "kinds": dict(sorted(source.kinds.items())),
                "other_events": dict(sorted(source.others.items())),
                "fields_present": dict(sorted(source.present.items())),
                "malformed": dict(sorted(source.malformed.items())),
            }
            for name, source in sorted(survey.sources.items())
        },
    }
