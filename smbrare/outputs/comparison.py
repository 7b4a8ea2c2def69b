"""What a scan and a replay judge apart: one line, or one document, for each sighting."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from smbrare import rule
from smbrare.compare import Difference
from smbrare.fields import format_time
from smbrare.finding import flat, nested
from smbrare.sanitize import json_visible, visible

_TITLES = ("Time (UTC)", "Destination", "Raised by", "Reason", "Explanation")


def render_table(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one line for each difference below a heading; nothing where there is none."""
    if not differences:
        return
    rows = [_TITLES, *map(_row, differences)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip() + "\n"


def _row(difference: Difference) -> tuple[str, ...]:
    sighting = difference.finding.sighting
    time = "undated" if sighting.time is None else format_time(sighting.time)[:19].replace("T", " ")
    reasons = ", ".join(difference.reasons)
    cells = (time, sighting.destination, difference.raised_by, reasons, difference.explanation)
    return tuple(map(visible, cells))


def render_ndjson(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one finding a line, as the side that raises it reports it, with who and why."""
    for difference in differences:
        yield _text(_document(difference)) + "\n"


def render_json(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one document: the rule and the differences."""
    document = {
        "rule": {"uuid": rule.RULE_ID, "name": rule.RULE_NAME, "reference": rule.RULE_URL},
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
