"""Whether content that nothing here can read might hold a match of the rule.

Whatever the format, a match has to show a port of the rule, the PID, a private address and an
address on the internet. The spellings are those that the port sieve knows: escapes and character
references in any layer, zeros, signs and fractions. A number in exponent notation and a PID inside
of a longer word go unseen.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial as bind
from itertools import chain
from string import ascii_letters
from typing import TypeAlias

from ahocorasick_rs import BytesAhoCorasick

from smbrare.records.fields import SERVICE_NAMES, Address, Malformed, ip
from smbrare.rule.networks import excluded_range, is_private
from smbrare.rule.port_sieve import may_match
from smbrare.rule.predicate import SMB_PORTS

_Extent: TypeAlias = tuple[int, int]

WINDOW = 2 * 1024
"""How far apart the parts of a match may stand in content of unknown format, in characters."""

_LONGEST_TOKEN = 512
_OVERLAP = 2 * (WINDOW + _LONGEST_TOKEN)
"""Bytes that one piece of a stream shares with the next: a window of UTF-16, and what a cut loses.

At both ends of a piece up to `_LONGEST_TOKEN` bytes are left to its neighbour.
"""
_PIECE = 32 * 1024 + _OVERLAP
_LAYERS = 8
"""How many layers of escapes are undone; each is JSON or XML within a text of the one before."""

# Every expression begins with a literal: the library finds those by a search of its own.
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|[bfnrt\"\\/])")
_REFERENCE = re.compile(rb"&(?:amp;)*#(?:x0*([0-7]?[0-9A-Fa-f])|0*([0-9]{1,3}));")
_MARKUP = re.compile(rb"<(?:!--.{0,64}?-->|!\[CDATA\[|\?.{0,64}?\?>)|\]\]>", re.DOTALL)

_PORTS = BytesAhoCorasick(
    [*(str(port).encode() for port in SMB_PORTS), *map(str.encode, SERVICE_NAMES), b"9" * 13]
)
_BEHIND_VERSION = re.compile(rb"\.[0-9]{1,64}\.[0-9]")
"""What follows a number that begins an address or a version: 139.162.0.1, Chrome/139.0.0.0."""
_AROUND = 64
"""Bytes before and behind a number that show whether it is one of its own."""

_MONTH = (
    rb"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    rb"|Sep(?:t|tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"
)
_END_OF_FOUR = (
    rb"(?:[eE][+-]?0+)?"
    rb"(?![0-9A-Za-z_]|[.:/][0-9]|-[0-9A-Za-z]|:[0-9A-Fa-f]{0,4}:(?![G-Zg-z])"
    rb"|[ ]+[0-9]{1,2}:[0-9]{2}|[.,]?[ /]*" + _MONTH + rb"|[ ]?[AaPp]\.?[Mm]\b)"
)
_FOUR = re.compile(rb"4(?:\.[0-9]{0,64})?" + _END_OF_FOUR)
_NEXT_TO_FOUR = re.compile(rb"3\.9{13,64}" + _END_OF_FOUR)
"""A fraction of which a double holds the next whole number."""
_NOT_BEFORE_FOUR = frozenset(b"0123456789_./\\$%<+-") | frozenset(ascii_letters.encode())
_MONTH_BEFORE = re.compile(rb"\b" + _MONTH + rb"\.?[ ]+\Z", re.IGNORECASE)
_OF_ADDRESSES = b"0123456789ABCDEFabcdef:."
_KERNEL = re.compile(
    rb"System(?<![0-9A-Za-z_\\/.$%<-]System)(?<![A-Za-z,.][ ]System)"
    rb"(?![0-9A-Za-z_/.>-]|\\+[^\\\"'])(?!\\*[\"']?\s*[:=])"
)

_V4_AFTER_FIRST = re.compile(rb"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9])")
_V4_FIRST = re.compile(rb"(?<![0-9A-Za-z_])(?<![0-9]\.)[0-9]{1,3}\Z")
_V6_AFTER_FIRST = re.compile(rb":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*")
_V6_FIRST = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{0,4}\Z")
_V6_COLONS = 7
_FIRST = 6
"""Bytes that show the first part of an address, and that it is the first."""
_WORD = frozenset(ascii_letters.encode() + b"0123456789_")

_SEPARATOR = rb"\s\"'<>,;=()\[\]{}|"
_CUT = re.compile(rb"[^" + _SEPARATOR + rb"]{0,%d}" % _LONGEST_TOKEN)
_UTF_16 = re.compile(rb"(?:[\t\n\r -~]\x00){8}|(?:\x00[\t\n\r -~]){8}|(?:\x00{3}[\t\n\r -~]){8}")


def might_match(text: bytes) -> bool:
    """Return whether one record might be a match of the rule, whatever its format.

    Args:
        text: The record as it was read.
    """
    if len(text) <= _PIECE:
        return any(all(_has(find, plain) for find in _PARTS) for plain in _plain_readings(text))
    missing = list(_PARTS)
    for _, piece in _pieces([text]):
        for plain in _plain_readings(piece):
            missing = [find for find in missing if not _has(find, plain)]
    return not missing


def _has(find: Callable[[bytes], Iterable[object]], plain: bytes) -> bool:
    return any(True for _ in find(plain))


def _plain_readings(text: bytes) -> Iterator[bytes]:
    return map(_plain, _readings(text))


def has_address(text: bytes) -> bool:
    """Return whether a text shows any IP address at all."""
    pieces = (_plain(piece) for _, piece in _pieces([text]))
    return any(_has(bind(_addresses, wanted=lambda _: True), plain) for plain in pieces)


def might_match_anywhere(chunks: Iterable[bytes]) -> int | None:
    """Return about where content of unknown format might hold a match of the rule.

    All that a match must show has to stand within `WINDOW` characters of each other, in UTF-8,
    UTF-16 or any encoding that keeps ASCII as it is. Memory is bounded, however large the chunks.

    Args:
        chunks: The content from its start, decompressed, cut anywhere.

    Returns:
        Bytes from the start of the content, None if it cannot hold a match.
    """
    for offset, piece in _pieces(chunks):
        for reading in _readings(piece):
            place = _place(reading)
            if place is not None:
                return offset + place * len(piece) // len(reading)
    return None


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield a stream in pieces that overlap, each with its offset, no token cut at their ends."""
    held, offset = b"", 0
    for chunk in chunks:
        view = memoryview(chunk)
        while len(held) + len(view) >= _PIECE:
            taken = _PIECE - len(held)
            piece, view = held + bytes(view[:taken]), view[taken:]
            yield _whole_tokens(piece, offset, at_end=False)
            offset += _PIECE - _OVERLAP
            held = piece[-_OVERLAP:]
        held += bytes(view)
    yield _whole_tokens(held, offset, at_end=True)


def _whole_tokens(piece: bytes, offset: int, *, at_end: bool) -> tuple[int, bytes]:
    start = _length_cut(piece) if offset else 0
    end = len(piece) if at_end else len(piece) - _length_cut(piece[: -_LONGEST_TOKEN - 1 : -1])
    return offset + start, piece[start:end]


def _length_cut(text: bytes) -> int:
    """Return how many bytes a text begins with that belong to a token cut in front of it."""
    cut = _CUT.match(text)
    return cut.end() if cut else 0


def _readings(text: bytes) -> Iterator[bytes]:
    """Yield a text as it is, and as UTF-16 if any of it is; only what may hold a port."""
    if may_match(text):
        yield text
    if b"\0" in text:
        narrow = text.translate(None, b"\0")
        # The search for UTF-16 is slow, and most of what holds NUL is neither that nor a port.
        if may_match(narrow) and _UTF_16.search(text):
            yield narrow


def _place(text: bytes) -> int | None:
    """Return where the parts of a match stand within a window of each other, if they do."""
    plain = _plain(text)
    found: list[tuple[int, int, int]] = []
    for part, find in enumerate(_PARTS):
        places = [(end, start, part) for start, end in find(plain)]
        if not places:
            return None
        found += places
    latest: dict[int, int] = {}
    for end, start, part in sorted(found):
        latest[part] = start
        if len(latest) == len(_PARTS) and end - min(latest.values()) <= WINDOW:
            return min(latest.values())
    return None


def _plain(text: bytes) -> bytes:
    """Return a text with its escapes and references undone, and what may split a number gone."""
    for _ in range(_LAYERS):
        before = text
        if b"\\" in text:
            text = _ESCAPE.sub(_unescaped, text)
        if b"#" in text:
            text = _REFERENCE.sub(_referred, text)
        if text == before:
            break
    if b"<!" in text or b"<?" in text:
        text = _MARKUP.sub(b"", text)
    return text


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return _ascii(int(found[1], 16))
    character = found[0][1:]
    return b" " if character.isalpha() else character


def _referred(found: re.Match[bytes]) -> bytes:
    return _ascii(int(found[1], 16) if found[1] else int(found[2]))


def _ascii(code: int) -> bytes:
    """Return a character of ASCII, and a space for any other: no part of a match is one."""
    return bytes([code]) if code <= 0x7F else b" "  # noqa: PLR2004 - the last of ASCII


def _ports(text: bytes) -> Iterator[_Extent]:
    for _, start, end in _PORTS.find_matches_as_indexes(text.lower()):
        if _BEHIND_VERSION.match(text, end):
            continue
        zeros = text[max(0, start - _AROUND) : start]
        begin = start - len(zeros) + len(zeros.rstrip(b"0"))
        # What the sieve says of it alone, between the bytes that it stands between.
        if may_match(text[max(0, begin - 1) : end + 1]):
            yield start, end


def _pids(text: bytes) -> Iterator[_Extent]:
    """Yield where the PID stands: 4, or the name of its process, as a value of its own."""
    for found in _FOUR.finditer(text):
        if _stands_alone(text, found.start()):
            yield found.span()
    for found in chain(_KERNEL.finditer(text), _NEXT_TO_FOUR.finditer(text)):
        yield found.span()


def _stands_alone(text: bytes, start: int) -> bool:
    """Return whether nothing before a 4 makes it part of a number, date, time or address."""
    before = text[max(0, start - _AROUND) : start].rstrip(b"0").removesuffix(b"+")
    if not before:
        return True
    if before[-1] in _NOT_BEFORE_FOUR:
        return False
    if before.endswith(b" "):
        return _MONTH_BEFORE.search(before) is None
    if not before.endswith(b":"):
        return True
    rest = before[:-1].rstrip(_OF_ADDRESSES)
    run = before[len(rest) : -1]
    if (
        rest and rest[-1] in _WORD
    ):  # The end of a key, unless an address stands between it and the 4.
        return b":" not in run.strip(b":") and run.count(b".") < 2  # noqa: PLR2004 - of an address
    return not (run.isdigit() or b":" in run or b"." in run)


def _is_internet(address: Address) -> bool:
    # The rule excludes neither 0.0.0.0 nor ::, but what shows one of them only listens.
    return excluded_range(address) is None and not address.is_unspecified


def _addresses(text: bytes, wanted: Callable[[Address], bool]) -> Iterator[_Extent]:
    for start, end in chain(_v4(text), _v6(text)):
        try:
            if wanted(ip(text[start:end].decode())):
                yield start, end
        except Malformed:
            continue


def _v4(text: bytes) -> Iterator[_Extent]:
    """Yield what looks like an IPv4 address, and is no part of a longer number with points."""
    for found in _V4_AFTER_FIRST.finditer(text):
        begin = max(0, found.start() - _FIRST)
        first = _V4_FIRST.search(text[begin : found.start()])
        if first is not None:
            yield begin + first.start(), found.end()


def _v6(text: bytes) -> Iterator[_Extent]:
    """Yield what looks like an IPv6 address, without the colon that a word before it ends with."""
    for found in _V6_AFTER_FIRST.finditer(text):
        run, (start, end) = found[0], found.span()
        if b"::" not in run and run.count(b":") < _V6_COLONS - 1:
            continue
        if end < len(text) and text[end] in _WORD:
            continue
        begin = max(0, start - _FIRST)
        first = _V6_FIRST.search(text[begin:start])
        whole = first is not None and (
            begin + first.start() == 0 or text[begin + first.start() - 1] not in _WORD
        )
        if first is not None and whole:
            start = begin + first.start()
        else:
            start += 1
        end -= text[start:end].endswith(b".")
        if text[start:end].endswith(b":") and not text[start:end].endswith(b"::"):
            end -= 1
        if text[start:end].startswith(b":") and not text[start:end].startswith(b"::"):
            start += 1
        yield start, end


_PARTS: tuple[Callable[[bytes], Iterator[_Extent]], ...] = (
    _ports,
    bind(_addresses, wanted=is_private),
    _pids,
    bind(_addresses, wanted=_is_internet),
)
"""What finds the values that any match shows; the rarest first."""
