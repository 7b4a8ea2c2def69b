"""Text out of a log made safe for what shows it: a terminal, a spreadsheet, a ticket.

JSON keeps the exact value; everything else that a person sees goes through here.
"""

import os
import re
from collections.abc import Iterable, Sequence

# C0 and C1 controls, DEL, line and paragraph separators; bidirectional controls, zero-width
# characters, the byte order mark, soft hyphen and tags, all of which make text look like other
# text; and lone surrogates, which no terminal encodes.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# A sheet may split a line at another separator than the comma, also inside of quotes.
_FORMULA = re.compile(r'(?:^|(?<=[,;:|^~\s"]))(?=[=+@\-\t\r\uff1d\uff0b\uff20\uff0d])')
_ROUNDED = re.compile(r"[+-]?[0-9][0-9.,]{14,}")
"""A number of more digits than a sheet keeps."""


def visible(text: str) -> str:
    r"""Return text with every invisible or controlling character as an escape (``\x1b``)."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - what Python makes of a byte in a file's name
        code -= 0xDC00
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


_OTHER_NAME = re.compile(r"[\udc80-\udcff]|\\x[89a-f][0-9a-f]")
_NAME_ESCAPE = re.compile(r"\\(?:\\|x([89a-f][0-9a-f]))")
_NAMES_ARE_BYTES = os.sep == "/"


def name_text(name: str) -> str:
    r"""Return the name of a file as text that UTF-8 can hold, and `name_from` can turn back.

    In a name with bytes that are not UTF-8 these become ``\xNN``, and a backslash two; so it does
    in a name that itself looks like such a text. All others, and those on Windows, stay the same.

    Args:
        name: The name, as the system has it or as it was decoded with ``surrogateescape``.
    """
    if not _NAMES_ARE_BYTES or not _OTHER_NAME.search(name):
        return name
    return re.sub(r"[\udc80-\udcff]", _escape, name.replace("\\", r"\\"))


def utf_8_text(text: str) -> str:
    """Return a text as it is, or as a name's if it holds bytes that are not UTF-8."""
    return name_text(text) if re.search("[\udc80-\udcff]", text) else text


def name_from(text: str) -> str:
    """Return the name of a file as the system has it, of what `name_text` returned."""
    if not _NAMES_ARE_BYTES or not _OTHER_NAME.search(text):
        return text
    return _NAME_ESCAPE.sub(
        lambda match: chr(0xDC00 + int(match[1], 16)) if match[1] else "\\", text
    )


def cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: no formula, no number that it would round.

    What starts a formula, at the beginning or behind what may part cells, gets an apostrophe before
    it, which spreadsheets take for "text follows". Control characters become escapes.
    """
    guarded = _FORMULA.sub("'", text)
    if _ROUNDED.fullmatch(text) and not guarded.startswith("'"):
        guarded = f"'{guarded}"
    return visible(guarded)


def code_span(text: str) -> str:
    r"""Return text as a Markdown code span, in which nothing is a link, a mention or HTML.

    A pipe becomes ``\x7c``, since renderers disagree on how a table's cell can hold one.
    """
    shown = visible(text).replace("|", "\\x7c")
    if not shown.strip(" "):
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    # Renderers take off one space at each end, if there is one at both.
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def message(text: str) -> str:
    r"""Return text for a SARIF message, where brackets are links and braces placeholders.

    Source: SARIF 2.1.0, sections 3.11.5 and 3.11.6.
    """
    return re.sub(r"[{}]", r"\g<0>\g<0>", re.sub(r"[\\\[\]]", r"\\\g<0>", visible(text)))


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


def counted(number: int, noun: str) -> str:
    """Return a number with its noun (``1 destination``, ``2 destinations``)."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_NEAR = 0.72
"""How alike two words are if one may be a slip of the other, as difflib measures it."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that a word is probably a slip of; empty if none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - most runs contain no slip

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=_NEAR)), "")


MOST_NAMED = 5
"""Names that a list in words shows."""


def some(names: Sequence[str]) -> str:
    """Return names as a list in words, the first few of them and how many more."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def duration(seconds: int) -> str:
    """Return a number of seconds as days, hours and minutes (``2d 3h``), zero as ``0h``."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    parts = [
        f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if count
    ]
    return " ".join(parts) or "0h"


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")

_KILO = 1024


def human_size(size: float) -> str:
    """Return a number of bytes with a binary unit (``1.3 MiB``)."""
    unit = 0
    while size >= _KILO and unit < len(_UNITS) - 1:
        size /= _KILO
        unit += 1
    return f"{size:.0f} {_UNITS[unit]}" if not unit else f"{size:.1f} {_UNITS[unit]}"
