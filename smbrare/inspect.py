"""Inspect inputs: read them to their end and count what the rule would do with every event."""

from collections.abc import Iterable

from smbrare.detection.report import Report
from smbrare.detection.survey import InputSurvey
from smbrare.diagnostics.inspection import Inspected, Inspection, observe
from smbrare.inputs.discovery import Input
from smbrare.records.event import Document, Origin, Skipped
from smbrare.scanning.reading import Progress, read_all
from smbrare.scanning.scan import Request, settings_of


def inspect(inputs: Iterable[Input | Skipped], request: Request, progress: Progress) -> Inspected:
    """Return what the inputs hold, and what the rule's clauses remove.

    Args:
        inputs: What was discovered for the request's paths.
        request: How to read.
        progress: Called as bytes are read.
    """
    settings = settings_of(request)
    inspection = Inspection()

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        observe(document, origin, settings, survey, inspection)

    surveys = read_all(inputs, request.limits, progress, take)
    report = Report(
        setup=request.setup,
        judged=(),
        inputs=tuple(sorted(surveys, key=lambda survey: survey.path)),
        sightings=inspection.sightings.count,
        one_clause_away=inspection.near_by_clause(),
        span=inspection.span,
    )
    return Inspected(report, inspection)
