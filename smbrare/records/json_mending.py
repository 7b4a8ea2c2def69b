"""JSON that a crash, a copy or a lax writer left with a flaw that hides nothing of its objects.

What is mended, and what leaves it:

- several objects on one line (``}{`` or ``},{``): files joined whose last line had no end;
- a comma behind an object: an array that was cut into lines;
- what `json_flaws` mends in any JSON.

Nothing is guessed. Of ``{...}{"a": 1`` the first object is read and the rest is not; ``{...}}`` may
be the end of a larger object, and is none.
"""

import json
import re
from typing import Any

from msgspec import Struct

from smbrare.records.json_flaws import JsonMender
from smbrare.records.json_text import BadJson, check_values, finite_integer, without_surrogates

_APART = re.compile(r"[ \t\r\n]*(?:,[ \t\r\n]*)?")


class Mended(Struct, frozen=True):
    """What a flawed text holds.

    Attributes:
        objects: Its objects, at least one.
        flaw: What was mended, for the user.
        rest: What follows them and cannot be read; empty if nothing does.
    """

    objects: tuple[dict[str, Any], ...]
    flaw: str
    rest: str


def mend(text: bytes) -> Mended:
    """Return the objects of a text that `json_text.decode` refuses.

    Raises:
        BadJson: If it does not begin with a whole object, or something else than an object follows,
            or if it has too many values.
    """
    check_values(text)
    mender = JsonMender()
    loose = b"".join(mender.pieces([text])).decode("utf-8", "replace")
    flaws = dict.fromkeys(filter(None, [mender.take_flaws()]))
    decoder = json.JSONDecoder(parse_int=finite_integer)
    objects: list[dict[str, Any]] = []
    at = _after_gap(loose, 0, flaws)
    while at < len(loose):
        try:
            value, past = decoder.raw_decode(loose, at)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        objects.append(without_surrogates(value))
        if len(objects) > 1:
            flaws["several objects on a line"] = None
        at = _after_gap(loose, past, flaws)
    # What follows otherwise may show that the object is only a part of another.
    if not objects or (at < len(loose) and loose[at] != "{"):
        raise BadJson("no JSON object")
    return Mended(tuple(objects), ", ".join(flaws) or "invalid JSON", loose[at:])


def _after_gap(text: str, at: int, flaws: dict[str, None]) -> int:
    gap = _APART.match(text, at)
    past = gap.end() if gap else at
    if "," in text[at:past]:
        flaws["a comma behind an object"] = None
    return past
