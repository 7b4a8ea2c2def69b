r"""Which raw text can possibly hold a match of the rule, told without decoding it.

The rule wants port 139 or 445, so a line without those digits cannot match. The digits may be
spelled as JSON and XML allow, in any layer of JSON within strings of JSON, or of XML within them:
with zeros, a sign or a fraction (``"00445"``, ``+445``, ``445.7``), with escapes (``\u0034``), with
character references (``&#52;``, ``&#5\u0032;``), or split by a comment, a CDATA section or a
processing instruction (``4<!-- -->45``). The names of the services on those ports stand for them.
The sieve keeps more than it must and loses none of these.

Beside them it notices lines that name a client of SMB or WebDAV, or NTLM's log, as exporters write
their names: these tell of servers on the internet, and hold no port.

What it does not see is a number in exponent notation (``4.45e2``), one whose digits an element
splits (``4<b/>45``), and a service's name in any other spelling: no known exporter writes those.
"""

import re
from codecs import BOM_UTF8
from typing import TypeAlias

import stringzilla
from ahocorasick_rs import BytesAhoCorasick, MatchKind
from msgspec import Struct

from smbrare.records.fields import SERVICE_NAMES
from smbrare.rule.predicate import SMB_PORTS

Block: TypeAlias = bytes | bytearray | memoryview

LineSpan: TypeAlias = tuple[int, int]
"""Where a line stands in its block: its first byte, and the byte past its end."""

_PORTS = tuple(str(port).encode() for port in sorted(SMB_PORTS, reverse=True))
_DIGITS = len(_PORTS)
"""The first needles are the digits of the ports themselves; the others are spellings of them."""

_SPLIT = bytes(sorted({digit for port in _PORTS for digit in port[:-1]} | {ord("9")}))
"""Digits that markup may part from the next one: of a port, or in a fraction of nines."""
_INSTRUCTIONS = tuple(bytes((digit,)) + b"<?" for digit in _SPLIT)

_NAMES = {name[name.index("-") :].encode(): name.encode() for name in SERVICE_NAMES}
"""The names of services by their endings, which are rarer than their beginnings."""

# Of the channel and the provider of SMB's client, of what Windows starts for a WebDAV server, and
# of NTLM's channel; as Windows spells them and in lower case. With more than 32 needles in all the
# search takes twice as long.
_CLIENTS = (
    *(b"mbClient", b"MBClient", b"mbclient", b"DavSetCookie", b"davsetcookie"),
    *(b"s-NTLM", b"s-ntlm"),
)

# Needles of three bytes or more, with more than three different first bytes: for shorter ones, and
# for fewer, the library leaves its vectorized search for one that is up to 20 times slower.
# It puts every eighth into one bucket, and confuses the bytes of those in a bucket: like ones stand
# below one another here, digits and letters apart. In other orders it takes up to twice as long.
_NEEDLES = (
    # Row by row. An escape of a digit or of a bracket, markup, and a character reference.
    *(*_PORTS, b"u003", _INSTRUCTIONS[-1], b"&#x", b"<!-", b"<![", b"&#0"),
    # Of a fraction that begins with thirteen nines, a double holds the next whole number.
    *(b"]]>", _INSTRUCTIONS[0], b"&#5", _INSTRUCTIONS[2], *_NAMES, b"9999999999999", b"u0023"),
    # An escape of an escape's u or a reference's x, and of other parts of references and markup.
    *(b"u007", b"u0026#", b"&#4", _INSTRUCTIONS[1], b"u005", b"u0021", b"<!\\"),
    *(ending.upper() for ending in _NAMES),
    *_CLIENTS,
)
_FIRST_CLIENT = len(_NEEDLES) - len(_CLIENTS)
_SEARCH = BytesAhoCorasick(_NEEDLES, matchkind=MatchKind.LeftmostFirst)
_CLIENT_SEARCH = BytesAhoCorasick(_CLIENTS)

_ZERO = ord("0")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NOT_AFTER = (_LETTERS | frozenset(b"0123456789")) - frozenset(b"eE")
"""Bytes that, behind the digits, show that they are no port; an e may begin an exponent."""
_NOT_BEFORE = _LETTERS | frozenset(b"123456789.-")
"""The same in front of them: more digits, the point of a fraction, the sign of a negative."""
_LOOK_BEFORE = _NOT_BEFORE | {_ZERO}
"""Bytes in front of the digits behind which it takes a closer look to tell."""

_ESCAPE = re.compile(rb"(?:\\[bfnrt]|u[0-9A-Fa-f]{4})0*\Z")
# An escape of what needs none: a digit, a part of a reference or of markup, or half of an escape.
_NEEDLESS_ESCAPE = re.compile(rb"u00(?:3[0-9fF\\]|5[b-dB-D\\]|7[58\\])")
_ESCAPES = frozenset({b"u003", b"u005", b"u007"})
_ESCAPED_OPENING = re.compile(rb"u003[cC][!?\\]")
_ESCAPED_CLOSING = re.compile(rb"u003[eE]")
_DIGIT_REFERENCE = re.compile(rb"#(?:x0*3[0-9]|0*(?:4[89]|5[0-7]))")
_BACKSLASH = ord("\\")


class BlockScan(Struct, frozen=True):
    """What a block of whole lines holds.

    Attributes:
        lines: Number of lines, counted by their ends; a last line that has no end counts too.
        blank: Those among them that hold nothing but white space, a byte order mark aside.
        candidates: Every line that could match the rule.
        mentions: Every line that names a client of SMB or WebDAV, or NTLM's log.
        odd: Every line that is no JSON object in one piece: not blank, and not beginning with
            ``{`` and ending with ``}``, spaces at its end aside.
    """

    lines: int
    blank: int
    candidates: list[LineSpan]
    mentions: list[LineSpan]
    odd: list[LineSpan]


def scan_block(block: Block) -> BlockScan:
    """Search a block that begins where a line begins and ends where a line ends."""
    text = stringzilla.Str(block)
    candidates, mentions = _search(block, text)
    ends = text.count(b"\n")
    if _all_in_braces(text, ends):
        return BlockScan(ends, 0, candidates, mentions, [])
    return _with_exceptions(bytes(block), candidates, mentions)


def may_match(text: Block) -> bool:
    """Return whether a raw record could match: whether it can hold port 139 or 445."""
    return bool(_search(text, stringzilla.Str(text))[0])


def names_client(text: Block) -> bool:
    """Return whether a raw record names a client of SMB or WebDAV, or NTLM's log."""
    return bool(_CLIENT_SEARCH.find_matches_as_indexes(text))


def may_match_wide(text: Block) -> bool:
    """Return whether a raw record could match, where encodings may be mixed.

    It may be in UTF-16 among other text, or be other text that was taken for UTF-16 by what stands
    before it, as a shell leaves it that appends in an encoding of its own.
    """
    if may_match(text):
        return True
    raw = bytes(text)
    if raw.isascii() and b"\0" not in raw:
        return False
    characters = raw.decode("utf-8", "replace")
    as_taken = (characters.encode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be"))
    return any(may_match(each.translate(None, b"\0")) for each in (raw, *as_taken))


def _search(block: Block, text: stringzilla.Str) -> tuple[list[LineSpan], list[LineSpan]]:
    """Return the lines of a block that could match, and those that name a client."""
    view = memoryview(block)
    size = len(view)
    found: list[LineSpan] = []
    mentions: list[LineSpan] = []
    decided = 0
    # Most hits lie inside of longer numbers and hashes: this loop is the sieve's own cost.
    for needle, start, end in _SEARCH.find_matches_as_indexes(view):
        if needle >= _FIRST_CLIENT:
            past = mentions[-1][1] if mentions else 0
            if start >= past:
                first = text.rfind(b"\n", past, start) + 1 or past
                mentions.append((first, text.find(b"\n", end) + 1 or size))
            continue
        if start < decided:
            continue
        if needle < _DIGITS:
            if end < size and view[end] in _NOT_AFTER:
                continue
            if start and view[start - 1] in _LOOK_BEFORE and not _can_begin(view, start):
                continue
        elif not _can_be_port(_NEEDLES[needle], view, start, end):
            continue
        first = text.rfind(b"\n", decided, start) + 1 or decided
        decided = text.find(b"\n", end) + 1 or size
        found.append((first, decided))
    return found, mentions


def _can_begin(block: memoryview, start: int) -> bool:
    """Return whether a port whose digits stand from ``start`` on can begin there or before."""
    before = start - 1
    while before >= 0 and block[before] == _ZERO:
        before -= 1
    if before < 0 or block[before] not in _NOT_BEFORE:
        return True
    # The byte may be the end of an escape: of white space (\n445, \u000a445) or of a sign.
    return _ESCAPE.search(block[max(0, before - 4) : start]) is not None


def _can_be_port(needle: bytes, block: memoryview, start: int, end: int) -> bool:
    """Return whether a needle that is no plain digits can be of a port in another spelling."""
    if name := _NAMES.get(needle.lower()):
        return bytes(block[max(0, end - len(name)) : end]).lower() == name
    if needle in _ESCAPES:
        return bool(_NEEDLESS_ESCAPE.match(block, start)) or _escaped_mark_splits(block, start)
    if needle.startswith(b"<!") or needle == b"]]>":
        return _stands_behind_digit(block, start)
    if b"#" in needle:
        return _DIGIT_REFERENCE.match(block, start + needle.index(b"#")) is not None
    return True


def _escaped_mark_splits(block: memoryview, start: int) -> bool:
    """Return whether an escaped bracket is of markup that begins or ends behind a digit."""
    before = start
    while before and block[before - 1] == _BACKSLASH:
        before -= 1
    if _ESCAPED_OPENING.match(block, start):
        return _stands_behind_digit(block, before)
    ends_section = bytes(block[max(0, before - 2) : before]) == b"]]"
    is_closing = ends_section and _ESCAPED_CLOSING.match(block, start) is not None
    return is_closing and _stands_behind_digit(block, before - 2)


def _stands_behind_digit(block: memoryview, start: int) -> bool:
    return start > 0 and block[start - 1] in _SPLIT


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


def _with_exceptions(
    block: bytes, candidates: list[LineSpan], mentions: list[LineSpan]
) -> BlockScan:
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
    return BlockScan(len(lines), blank, candidates, mentions, odd)
