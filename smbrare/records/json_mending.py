"""JSON that a crash, a copy or a lax writer left with a flaw that hides nothing of its objects.

What is mended, and what leaves it:

- several objects on one line (``}{`` or ``},{``): files joined whose last line had no end;
- NUL characters or a byte order mark before or behind an object: a file system after a crash, and
  files joined in their midst;
- a comma behind an object: an array that was cut into lines;
- control characters in a string, written as they are; ``NaN`` and ``Infinity``, which are read as
  missing: writers that are no strict JSON.

Nothing is guessed. Of ``{...}{"a": 1`` the first object is read and the rest is not; ``{...}}`` may
be the end of a larger object, and is none.
"""

import json
import re
from typing import Any

from msgspec import Struct

from smbrare.records.json_text import BadJson, finite_integer, without_surrogates

_APART = re.compile(r"[ \t\r\n\0\ufeff]*(?:,[ \t\r\n\0\ufeff]*)?")
_JUNK = re.compile("[\0\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f]")


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
        BadJson: If it does not begin with a whole object, or something else than an object follows.
    """
    loose = text.decode("utf-8", "replace")
    flaws: dict[str, None] = {}
    decoder = json.JSONDecoder(
        strict=False,
        parse_int=finite_integer,
        parse_constant=lambda name: flaws.setdefault(f"{name.lstrip('-')} for a number"),
    )
    objects: list[dict[str, Any]] = []
    at = _after_gap(loose, 0, flaws)
    while at < len(loose):
        try:
            value, past = decoder.raw_decode(loose, at)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        if _CONTROL.search(loose, at, past) and _in_strings(loose[at:past]):
            flaws["control characters in a text"] = None
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
    if _JUNK.search(text, at, past):
        flaws["NUL characters or a byte order mark"] = None
    if "," in text[at:past]:
        flaws["a comma behind an object"] = None
    return past


def _in_strings(text: str) -> bool:
    """Return whether control characters of an object lie in its strings, and not between them."""
    try:
        json.loads(text, parse_int=finite_integer)
    except ValueError:
        return True
    return False
