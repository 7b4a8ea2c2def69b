"""What an export contains and what the rule removes of it, as JSON."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import asdict

from smbrare.detection.survey import InputSurvey, totals
from smbrare.diagnostics.advice import advise
from smbrare.diagnostics.funnel import funnel
from smbrare.diagnostics.inspection import Inspected, SourceDetails
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.json_values import json_text, place_value, time_value, unjudged_values
from smbrare.records.times import HOUR, format_time
from smbrare.rule import predicate


def render(inspected: Inspected, _: RenderOptions) -> Iterator[str]:
    """Yield one document, sorted so that the same inputs give the same bytes."""
    report, inspection = inspected.report, inspected.inspection
    options = report.options
    document = {
        "rule": {"uuid": predicate.RULE_ID, "name": predicate.RULE_NAME},
        "exit_code": report.exit_code,
        "setup": {
            "literal": options.literal,
            "time_field": options.time_field,
            "input_zone": str(options.zone),
        },
        "inputs": [_input(survey) for survey in report.inputs],
        "sources": _sources(inspected),
        "time": _time(inspected),
        "hosts": dict(inspection.hosts_by_count()),
        "funnel": _funnel(inspected),
        "matches": inspection.sightings.count,
        "near_misses": _near(inspected),
        "malformed": [
            {"source": source, "field": name, "values": tally.count, "value": tally.shown}
            | {"example": place_value(tally.example)}
            for (source, name), tally in sorted(inspection.malformed.items())
        ],
        "not_evaluated": unjudged_values(report),
        "advice": list(map(asdict, advise(inspected))),
    }
    yield json_text(document, indent=True) + "\n"


def _input(survey: InputSurvey) -> dict[str, Any]:
    return {
        "path": survey.path,
        "container": survey.container,
        "bytes": survey.size,
        "records": survey.records,
        "network_events": survey.network,
        "skipped": survey.skipped,
        "read_to_end": not survey.cut,
        "sources": {name: source.records for name, source in sorted(survey.sources.items())},
    }


def _funnel(inspected: Inspected) -> list[dict[str, Any]]:
    return [
        {
            "stage": stage.name,
            "wants": stage.wants,
            "left": stage.left,
            "removed": stage.removed.count,
            "example": place_value(stage.removed.example),
            "example_holds": stage.removed.shown,
        }
        for stage in funnel(inspected)
    ]


def _near(inspected: Inspected) -> list[dict[str, Any]]:
    return [
        {
            "field": key.field,
            "destination": key.destination,
            "holds": key.held,
            "events": tally.count,
            "example": place_value(tally.example),
        }
        for key, tally in inspected.inspection.near_by_count()
    ]


def _sources(inspected: Inspected) -> dict[str, Any]:
    found = {}
    for name, survey in sorted(totals(inspected.report.inputs).items()):
        details = inspected.inspection.details.get(name, SourceDetails())
        found[name] = {
            "records": survey.records,
            "network_events": survey.network,
            "connections": survey.connections,
            "kinds": dict(sorted(survey.kinds.items())),
            "other_events": dict(sorted(survey.others.items())),
            "fields_present": {
                clause.field: survey.present[clause.field] for clause in predicate.CLAUSES
            },
            "fields_inferred": {
                clause.field: details.inferred[clause.field] for clause in predicate.CLAUSES
            },
            "to_smb_ports": details.smb,
            "of_pid_4": details.kernel,
            "undated": details.undated,
            "zone_assumed": details.zone_assumed,
            "without_host": details.nameless,
        }
    return found


def _time(inspected: Inspected) -> dict[str, Any]:
    span = inspected.inspection.span
    return {
        "first": time_value(span.first),
        "last": time_value(span.last),
        "hours_with_events": len(span.hours),
        "gaps": [
            {"from": format_time(start * HOUR), "to": format_time(end * HOUR), "hours": end - start}
            for start, end in inspected.inspection.gaps()
        ],
    }
