"""Whether a text is NDJSON, one object a line, or JSON of another shape, by its beginning."""

import re
from collections import Counter
from itertools import pairwise

from smbrare.inputs.json_tokens import Token, beginning
from smbrare.records.envelope import ARRAYS, marks_event
from smbrare.records.json_text import BadJson, decode

NDJSON = "ndjson"
DOCUMENT = "document"

_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*(?:[\[{\]]|$)")
_OBJECT = re.compile(rb'\{\s*(?:["}]|$)')


def shape(head: bytes, *, whole: bool) -> str:
    """Return how a text has to be read: `NDJSON`, `DOCUMENT`, or empty for no JSON of objects.

    A line that is an object makes NDJSON, however the object looks. A longer line is NDJSON too,
    unless the events of an envelope or a second object begin in what is seen of it. Where the
    first line is neither, the text is a document if it reads like one. Else it is NDJSON that
    begins badly if other lines are objects: more of them than end with a comma, as the elements
    of a broken document do, and more than half where the first line does not even begin like one.

    Args:
        head: The first bytes, UTF-8.
        whole: Whether they are all there is.
    """
    text = head.lstrip()
    if not text:
        return "" if whole else NDJSON
    if _ARRAY_OF_OBJECTS.match(text):
        return DOCUMENT
    line, newline, rest = text.partition(b"\n")
    if not text.startswith(b"{"):
        lines = _lines(rest, whole=whole)
        return NDJSON if 2 * _objects(lines) > len(lines) else ""
    if not newline and not whole:
        return DOCUMENT if _goes_on_inside(text) else NDJSON
    if _is_object(line):
        return NDJSON
    tokens, is_json = beginning(text)
    if is_json and not (whole and _depth(tokens)):
        return DOCUMENT
    lines = _lines(rest, whole=whole)
    if _objects(lines) > sum(line.rstrip().endswith(b",") for line in lines):
        return NDJSON
    return DOCUMENT if _OBJECT.match(text) else ""


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode(line), dict)
    except BadJson:
        return False


def _lines(text: bytes, *, whole: bool) -> list[bytes]:
    """Return the lines that are seen to their end and are not blank."""
    lines = text.split(b"\n")
    return [line for line in (lines if whole else lines[:-1]) if line.strip()]


def _objects(lines: list[bytes]) -> int:
    return sum(map(_is_object, lines))


def _goes_on_inside(text: bytes) -> bool:
    """Return whether a line without an end holds several objects, or an envelope of events."""
    tokens, _ = beginning(text)
    path: list[str | None] = []  # Keys, and None for an array.
    keys: set[str] = set()
    for (kind, value), (following, _) in pairwise([*tokens, ("", None)]):
        if kind == "map_key":
            path[-1] = value
            if len(path) == 1:
                keys.add(value)
        elif kind == "start_map":
            if path and path[-1] is None and tuple(path[:-1]) in ARRAYS and not marks_event(keys):
                return True
            path.append("")
        elif kind == "start_array":
            path.append(None)
        elif kind in {"end_map", "end_array"}:
            path.pop()
            if not path and following:
                return True
    return False


def _depth(tokens: list[Token]) -> int:
    kinds = Counter(kind for kind, _ in tokens)
    return sum(kinds[f"start_{what}"] - kinds[f"end_{what}"] for what in ("map", "array"))
