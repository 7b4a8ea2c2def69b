"""The one place where an output becomes JSON, and the values that several documents hold."""

from typing import Any

import orjson

from smbrare.detection.report import Report
from smbrare.records.event import Origin
from smbrare.records.json_text import without_surrogates
from smbrare.records.times import format_time
from smbrare.text import json_visible, utf_8_text


def json_text(value: Any, *, indent: bool = False) -> str:
    """Return a value as JSON in which no character acts on a terminal.

    Args:
        value: JSON values, and whatever else has a text.
        indent: Whether it is laid out over lines, with two spaces a level.
    """
    option = orjson.OPT_INDENT_2 if indent else None
    try:
        text = orjson.dumps(value, default=str, option=option)
    except orjson.JSONEncodeError:  # An option names a file that is not UTF-8.
        value = without_surrogates(value, utf_8_text)
        text = orjson.dumps(value, default=str, option=option)
    return json_visible(text.decode())


def time_value(time: int | None) -> str | None:
    """Return microseconds since 1970 UTC as ISO 8601, null where there is no time."""
    return None if time is None else format_time(time)


def place_value(origin: Origin | None) -> dict[str, Any] | None:
    """Return the file and the number of a record, null where there is none."""
    return None if origin is None else {"path": origin.path, "number": origin.number}


def unjudged_values(report: Report) -> list[dict[str, str]]:
    """Return each input, or source in an input, that could not be judged, and why."""
    return [
        {"input": survey.path, "source": source, "reason": reason}
        for survey, source, reason in report.unjudged()
    ]
