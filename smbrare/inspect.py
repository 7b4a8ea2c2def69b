"""Inspect inputs: read them to their end and count what the rule would do with every event."""

from collections.abc import Iterable

from smbrare.event import Document, Origin, Skipped
from smbrare.inputs import Input
from smbrare.inspection import Inspected, Inspection, observe
from smbrare.reading import Progress, read_all
from smbrare.report import Report
from smbrare.scan import Request, settings_of
from smbrare.survey import InputSurvey


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
