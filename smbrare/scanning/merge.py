"""What parts of the inputs gave, put together; the same whole whoever read which part."""

from collections.abc import Iterable

from msgspec.structs import replace

from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.discovery import Input
from smbrare.records.event import Origin, Skipped


def merged(parts: Iterable[Partial], whole: Partial | None = None) -> Partial:
    """Return neighbouring parts as one, which is the first of them.

    Args:
        parts: Parts in the order of the inputs.
        whole: What to merge them into, if not the first.
    """
    for part in parts:
        if whole is None:
            whole = part
        else:
            whole.merge(part)
    return Partial() if whole is None else whole


def lost(found: Input | Skipped, start: int, partial: Partial) -> Partial:
    """Return what stands for a part whose process died: its input, not read to its end.

    Args:
        found: The input, or why a path gives none.
        start: The first byte of the part.
        partial: One that holds nothing yet.
    """
    path = found.path if isinstance(found, Input) else found.origin.path
    survey = InputSurvey(path, start=start)
    reason = "the process that read it died"
    survey.skip(Skipped(Origin(path, 0, start), reason, could_matter=True, ends_input=True))
    partial.surveys.append(survey)
    return partial


def doubtful(whole: Partial, inputs: Iterable[Input | Skipped]) -> list[Input]:
    """Return the inputs of which a sample leaves something unjudged, if they can be read again."""
    paths = {path for survey in _in_doubt(whole) for path in (survey.path, survey.input)}
    return [
        found
        for found in inputs
        if isinstance(found, Input) and found.size is not None and found.path in paths
    ]


def correct(whole: Partial, counted: Partial) -> None:
    """Put the counts of a whole reading in the place of those that a sample leaves in doubt.

    What the first reading could not judge stays so: the second counts, and judges nothing.
    """
    exact = {survey.path: survey for survey in counted.surveys}
    doubted = {survey.path for survey in _in_doubt(whole)}
    whole.surveys = [
        _corrected(survey, exact[survey.path])
        if survey.path in doubted and survey.path in exact
        else survey
        for survey in whole.surveys
    ]
    whole.span.merge(counted.span)
    whole.resolutions.merge(counted.resolutions)
    whole.answers.merge(counted.answers)


def _corrected(sampled: InputSurvey, exact: InputSurvey) -> InputSurvey:
    trouble = sampled if sampled.cut or sampled.lost else exact
    return replace(
        exact,
        size=sampled.size,
        skipped=trouble.skipped,
        lost=trouble.lost,
        cut=trouble.cut,
        located=trouble.located,
    )


def _in_doubt(whole: Partial) -> list[InputSurvey]:
    return [survey for survey in whole.surveys if survey.in_doubt]
