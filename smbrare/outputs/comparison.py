"""What a scan and a replay judge apart: one line, or one document, for each sighting."""

from collections.abc import Iterator, Sequence
from typing import Any

from smbrare.detection.finding import nested
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Styled, lines
from smbrare.outputs.host_context import fields
from smbrare.outputs.json_values import json_text
from smbrare.outputs.wording import time_text
from smbrare.rule import predicate
from smbrare.scanning.replay import Difference

_COLUMNS = (
    Column[Difference]("Time (UTC)", lambda one: time_text(one.finding.sighting.time)),
    Column[Difference]("Destination", lambda one: Styled(one.finding.sighting.destination, "bold")),
    Column[Difference]("Raised by", lambda one: one.raised_by),
    Column[Difference]("Reason", lambda one: ", ".join(one.reasons)),
    Column[Difference]("Explanation", lambda one: one.explanation, folds=True),
)


def render_table(differences: Sequence[Difference], options: RenderOptions) -> Iterator[str]:
    """Yield a table with a row for each difference; nothing where there is none."""
    if differences:
        yield from lines(_COLUMNS, differences, options)


def render_ndjson(differences: Sequence[Difference], _: RenderOptions) -> Iterator[str]:
    """Yield one finding a line, as the side that raises it reports it, with who and why."""
    for difference in differences:
        yield json_text(_document(difference)) + "\n"


def render_json(differences: Sequence[Difference], _: RenderOptions) -> Iterator[str]:
    """Yield one document: the rule and the differences."""
    document = {
        "rule": {
            "uuid": predicate.RULE_ID,
            "name": predicate.RULE_NAME,
            "reference": predicate.RULE_URL,
        },
        "differences": [_document(difference) for difference in differences],
    }
    yield json_text(document, indent=True) + "\n"


def _document(difference: Difference) -> dict[str, Any]:
    return nested(
        fields(difference.finding)
        | {
            "smbrare.raised_by": difference.raised_by,
            "smbrare.reasons": list(difference.reasons),
            "smbrare.explanation": difference.explanation,
        }
    )
