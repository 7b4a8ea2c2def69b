"""Text out of a log made safe for what shows it: a terminal, a spreadsheet.

JSON keeps the exact value; everything else that a person sees goes through here.
"""

import re

# C0 and C1 controls, DEL, line and paragraph separators; bidirectional controls, zero-width
# characters, the byte order mark, soft hyphen and tags, all of which make text look like other
# text; and lone surrogates, which no terminal encodes.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    r"""Return text with every invisible or controlling character as an escape (``\x1b``)."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: no formula, no control character.

    A leading character that starts a formula gets an apostrophe before it, which spreadsheets
    take for "text follows".
    """
    guarded = f"'{text}" if text.startswith(_FORMULA_STARTS) else text
    return visible(guarded)


def json_visible(text: str) -> str:
    """Return JSON text with every character that could act on a terminal as a JSON escape.

    The values stay the same: ``U+202E`` and its escape are one string to every JSON parser.
    """
    return _LIVE_IN_JSON.sub(_json_escape, text)


# Line feeds and spaces stand between JSON's tokens; below U+0020 strings escape all by the format.
_LIVE_IN_JSON = re.compile(_INVISIBLE.pattern.replace("\x00-\x1f", ""))


def _json_escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
