r"""Which raw text can possibly hold a match of the rule, told without decoding it.

The rule wants port 139 or 445, so a line without those digits cannot match. The digits may be
spelled as JSON and XML allow, in any layer of JSON within strings of JSON, or of XML within them:
with zeros, a sign or a fraction (``"00445"``, ``+445``, ``445.7``), with escapes (``\u0034``) and
with character references (``&#52;``). The sieve keeps more than it must and loses none of these.

What it does not see is a number in exponent notation (``4.45e2``), and one whose digits markup
splits (``4<!-- -->45``): no known exporter writes either.
"""

import re
from codecs import BOM_UTF8
from typing import TypeAlias

import stringzilla
from ahocorasick_rs import BytesAhoCorasick, MatchKind
from msgspec import Struct

Block: TypeAlias = bytes | bytearray | memoryview

LineSpan: TypeAlias = tuple[int, int]
"""Where a line stands in its block: its first byte, and the byte past its end."""

_NEEDLES = (
    b"445",
    b"139",
    # An escaped digit; a further layer may have escaped the u of the escape (u0075).
    b"u003",
    b"u0075",
    # A character reference of a digit, its ampersand or number sign escaped or not.
    b"&#x",
    b"&#0",
    b"&#4",
    b"&#5",
    b"&#\\",
    b"u0026#",
    b"u0023",
    # Of a fraction that begins with thirteen nines, a double holds the next whole number.
    b"9999999999999",
)
_DIGITS = 2
"""The first needles are the digits of the ports themselves; the others are spellings of digits."""

# Needles of three bytes or more, with more than three different first bytes: for shorter ones, and
# for fewer, the library leaves its vectorized search for one that is up to 20 times slower.
_SEARCH = BytesAhoCorasick(_NEEDLES, matchkind=MatchKind.LeftmostFirst)

_ZERO = ord("0")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NOT_AFTER = (_LETTERS | frozenset(b"0123456789")) - frozenset(b"eE")
"""Bytes that, behind the digits, show that they are no port; an e may begin an exponent."""
_NOT_BEFORE = _LETTERS | frozenset(b"123456789.-")
"""The same in front of them: more digits, the point of a fraction, the sign of a negative."""
_LOOK_BEFORE = _NOT_BEFORE | {_ZERO}
"""Bytes in front of the digits behind which it takes a closer look to tell."""

_ESCAPE = re.compile(rb"(?:\\[bfnrt]|u[0-9A-Fa-f]{4})0*\Z")
_DIGIT_ESCAPE = re.compile(rb"u003[013459]")
_DIGIT_REFERENCE = re.compile(rb"#(?:x0*3[0-9]|0*(?:4[89]|5[0-7])|\\)")


class Sifted(Struct, frozen=True):
    """What a block of whole lines holds.

    Attributes:
        lines: Number of lines, counted by their ends; a last line that has no end counts too.
        blank: Those among them that hold nothing but white space, a byte order mark aside.
        candidates: Every line that could match the rule.
        odd: Every line that is no JSON object in one piece: not blank, and not beginning with
            ``{`` and ending with ``}``, spaces at its end aside.
    """

    lines: int
    blank: int
    candidates: list[LineSpan]
    odd: list[LineSpan]


def scan_block(block: Block) -> Sifted:
    """Sift a block that begins where a line begins and ends where a line ends."""
    text = stringzilla.Str(block)
    candidates = _candidates(block, text)
    ends = text.count(b"\n")
    if _all_in_braces(text, ends):
        return Sifted(ends, 0, candidates, [])
    return _with_exceptions(bytes(block), candidates)


def may_match(text: Block) -> bool:
    """Return whether a raw record could match: whether it can hold port 139 or 445."""
    return bool(_candidates(text, stringzilla.Str(text)))


def _candidates(block: Block, text: stringzilla.Str) -> list[LineSpan]:
    """Return the lines of a block that could match."""
    view = memoryview(block)
    size = len(view)
    found = []
    decided = 0
    # Most hits lie inside of longer numbers and hashes: this loop is the sieve's own cost.
    for needle, start, end in _SEARCH.find_matches_as_indexes(view):
        if start < decided:
            continue
        if needle < _DIGITS:
            if end < size and view[end] in _NOT_AFTER:
                continue
            if start and view[start - 1] in _LOOK_BEFORE and not _can_begin(view, start):
                continue
        elif not _can_be_digit(needle, view, start, end):
            continue
        first = text.rfind(b"\n", decided, start) + 1 or decided
        decided = text.find(b"\n", end) + 1 or size
        found.append((first, decided))
    return found


def _can_begin(block: memoryview, start: int) -> bool:
    """Return whether a port whose digits stand from ``start`` on can begin there or before."""
    before = start - 1
    while before >= 0 and block[before] == _ZERO:
        before -= 1
    if before < 0 or block[before] not in _NOT_BEFORE:
        return True
    # The byte may be the end of an escape: of white space (\n445, \u000a445) or of a sign.
    return _ESCAPE.search(block[max(0, before - 4) : start]) is not None


def _can_be_digit(needle: int, block: memoryview, start: int, end: int) -> bool:
    """Return whether a needle that is no plain digits can be a spelling of a port's digit."""
    found = _NEEDLES[needle]
    if found == b"u003":
        return _DIGIT_ESCAPE.match(block, start) is not None
    if found.startswith(b"&#"):
        return _DIGIT_REFERENCE.match(block, start + 1) is not None
    if found.endswith(b"#"):
        return _DIGIT_REFERENCE.match(block, end - 1) is not None
    return True


def _all_in_braces(text: stringzilla.Str, ends: int) -> bool:
    """Return whether every line of a block begins with ``{`` and ends with ``}``.

    Args:
        text: The block.
        ends: The number of line ends in it.
    """
    if not text.startswith(b"{"):
        return False
    for end in (b"}\n", b"}\r\n"):
        if text.endswith(end):
            return bool(text.count(end + b"{") == ends - 1)
    return False


def _with_exceptions(block: bytes, candidates: list[LineSpan]) -> Sifted:
    """Return what a block holds whose lines are not all in braces, by a look at each."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    odd = []
    blank = start = 0
    for line in lines:
        past = min(start + len(line) + 1, len(block))
        if not line.startswith(b"{") or not line.rstrip(b" \t\r").endswith(b"}"):
            if line.removeprefix(BOM_UTF8).strip():
                odd.append((start, past))
            else:
                blank += 1
        start = past
    return Sifted(len(lines), blank, candidates, odd)
