"""``sarif``: SARIF 2.1.0, for code scanning views and ticket systems that import it.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0 with errata 01. What a baseline or
an exclusion suppresses stays in the log as such, so that a viewer can show it without alerting.
"""

import os
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

from smbrare import __version__
from smbrare.detection.finding import Finding, nested, reason
from smbrare.detection.report import Report
from smbrare.errors import EXIT_CLEAN, EXIT_FINDINGS
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.host_context import fields
from smbrare.outputs.json_values import json_text
from smbrare.outputs.wording import host_text, outcome_text, silence
from smbrare.records.event import Origin
from smbrare.records.times import format_time, seconds
from smbrare.rule import predicate
from smbrare.rule.predicate import TECHNIQUES
from smbrare.text import message, name_from

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RESULT_RULE = "rare-smb-destination"
_SKIPPED, _NOT_JUDGED = "skipped-record", "not-judged"
_MEANING = {
    _SKIPPED: "A record, or the rest of an input, could not be read.",
    _NOT_JUDGED: "An input, or a source in it, holds nothing that the rule can judge.",
}


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield one SARIF log with one run."""
    shown = options.findings_of(report)
    artifacts = sorted({survey.path for survey in report.inputs} | {_path(each) for each in shown})
    places = {path: number for number, path in enumerate(artifacts)}
    lines = {survey.path for survey in report.inputs if survey.container.endswith("ndjson")}
    history = report.criteria.history
    run = {
        "tool": {"driver": _driver()},
        "invocations": [_invocation(report)],
        "artifacts": [{"location": {"uri": uri(path)}} for path in artifacts],
        "results": [_result(finding, report, places, lines) for finding in shown],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "history_seconds": None if history is None else seconds(history),
            "matches": report.sightings,
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    yield json_text(log) + "\n"


def _path(finding: Finding) -> str:
    return finding.sighting.origin.path


def uri(path: str) -> str:
    """Return a path as SARIF wants it: a relative reference, or a ``file`` URI if it is absolute.

    Bytes that are no UTF-8 keep their value, percent-encoded.
    """
    windows = PureWindowsPath(path)
    pure: PurePath = windows if windows.drive else PurePosixPath(name_from(path))
    encoded = quote(os.fsencode(pure.as_posix()), safe="/")
    if not pure.is_absolute():
        return encoded
    if encoded.startswith("//"):
        return f"file:{encoded}"
    return f"file://{encoded}" if encoded.startswith("/") else f"file:///{encoded}"


def _driver() -> dict[str, Any]:
    return {
        "name": "smbrare",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": RESULT_RULE,
                "guid": predicate.RULE_ID,
                "name": "RareSmbDestination",
                "shortDescription": {"text": predicate.RULE_NAME},
                "fullDescription": {
                    "text": "A Windows kernel spoke SMB from a private address to an address on "
                    "the internet that was not contacted in the history before."
                },
                "help": {
                    "text": "Such a connection can hand the NetNTLM hash of the logged-on user to "
                    "whoever runs the server. Find out what made the host connect, and who was "
                    "logged on."
                },
                "helpUri": predicate.RULE_URL,
                "defaultConfiguration": {"level": "warning"},
                "properties": {
                    "precision": "medium",
                    "security-severity": str(predicate.RISK_SCORE / 10),
                    "tags": ["security", *(f"attack.{name.lower()}" for name, _ in TECHNIQUES)],
                },
            }
        ],
        "notifications": [
            {"id": name, "shortDescription": {"text": text}} for name, text in _MEANING.items()
        ],
    }


def _invocation(report: Report) -> dict[str, Any]:
    troubles = [
        _notification(_SKIPPED, skipped.origin, skipped.reason, error=skipped.ends_input)
        for survey in report.inputs
        for skipped in survey.located
    ]
    troubles += [
        _notification(_NOT_JUDGED, Origin(survey.path, 0), f"{source} {why}".strip(), error=False)
        for survey, source, why in report.unjudged()
    ]
    return {
        "executionSuccessful": report.exit_code in {EXIT_CLEAN, EXIT_FINDINGS},
        "exitCode": report.exit_code,
        "toolExecutionNotifications": troubles,
    }


def _notification(kind: str, origin: Origin, text: str, *, error: bool) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": uri(origin.path)}}}
    record = f"record {origin.number}: " if origin.number else ""
    return {
        "descriptor": {"id": kind},
        "level": "error" if error else "warning",
        "message": {"text": message(f"{record}{text}")},
        "locations": [place],
    }


def _result(
    finding: Finding, report: Report, places: dict[str, int], lines: set[str]
) -> dict[str, Any]:
    origin = finding.sighting.origin
    place: dict[str, Any] = {
        "artifactLocation": {"uri": uri(origin.path), "index": places[origin.path]}
    }
    if origin.path in lines and origin.number:
        place["region"] = {"startLine": origin.number}
    result: dict[str, Any] = {
        "ruleId": RESULT_RULE,
        "ruleIndex": 0,
        "kind": "fail",
        "level": "warning",
        "message": {"text": _text(finding)},
        "locations": [{"physicalLocation": place}],
        # The second is the only one that GitHub compares.
        "partialFingerprints": {
            "smbrareFinding/v1": finding.id,
            "primaryLocationLineHash": f"{finding.id}:1",
        },
        "occurrenceCount": finding.events,
        "properties": nested(fields(finding)),
    }
    if finding.status != "new":
        result["suppressions"] = [_suppression(finding, report)]
    return result


def _text(finding: Finding) -> str:
    host = message(host_text(finding))
    return (
        f"{host}: {message(reason(finding))}. "
        f"Outcome: {outcome_text(finding)}; record {finding.sighting.origin.number}."
    )


def _suppression(finding: Finding, report: Report) -> dict[str, Any]:
    if finding.status == "excluded":
        why = f"An exclusion holds it back: {finding.reason}"
    else:
        seen = "" if finding.previous is None else f" at {format_time(finding.previous)}"
        gap = f", {silence(finding)} before" if silence(finding) else ""
        why = f"The baseline {report.criteria.baseline or ''} had seen the destination{seen}{gap}"
    return {"kind": "external", "status": "accepted", "justification": message(why)}
