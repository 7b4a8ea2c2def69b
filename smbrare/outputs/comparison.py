"""What a scan and a replay judge apart: one line, or one document, for each sighting."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from smbrare.detection.finding import flat, nested
from smbrare.outputs import grid
from smbrare.outputs.wording import time_text
from smbrare.rule import predicate
from smbrare.scanning.comparison import Difference
from smbrare.text import json_visible

_COLUMNS = (
    grid.Column("Time (UTC)"),
    grid.Column("Destination"),
    grid.Column("Raised by"),
    grid.Column("Reason"),
    grid.Column("Explanation", folds=True),
)


def render_table(
    differences: Sequence[Difference], width: int | None, *, color: bool
) -> Iterator[str]:
    """Yield a table with a row for each difference; nothing where there is none.

    Args:
        differences: What to show.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
    """
    if differences:
        yield from grid.lines(_COLUMNS, list(map(_row, differences)), width, color=color)


def _row(difference: Difference) -> tuple[grid.Cell, ...]:
    sighting = difference.finding.sighting
    return (
        "undated" if sighting.time is None else time_text(sighting.time),
        (sighting.destination, "bold"),
        difference.raised_by,
        ", ".join(difference.reasons),
        difference.explanation,
    )


def render_ndjson(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one finding a line, as the side that raises it reports it, with who and why."""
    for difference in differences:
        yield _text(_document(difference)) + "\n"


def render_json(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one document: the rule and the differences."""
    document = {
        "rule": {
            "uuid": predicate.RULE_ID,
            "name": predicate.RULE_NAME,
            "reference": predicate.RULE_URL,
        },
        "differences": [_document(difference) for difference in differences],
    }
    yield _text(document, orjson.OPT_INDENT_2) + "\n"


def _document(difference: Difference) -> dict[str, Any]:
    return nested(
        flat(difference.finding)
        | {
            "smbrare.raised_by": difference.raised_by,
            "smbrare.reasons": list(difference.reasons),
            "smbrare.explanation": difference.explanation,
        }
    )


def _text(value: Any, option: int | None = None) -> str:
    return json_visible(orjson.dumps(value, option=option).decode())
