"""JSON that a crash, a copy or a lax writer left with flaws that hide nothing of its objects.

What is mended, and what leaves it:

- control characters in a string, written as they are, and ``NaN`` or ``Infinity``, which are read
  as missing: writers that are no strict JSON;
- a comma after the last element of an object or array, or none between two objects of an array:
  text put together by hand or by a script;
- NUL characters or a byte order mark before or after an object: a file system after a crash, and
  files joined in the middle. Between the members of an object they may stand for others, and stay;
- on a line, several objects (``}{`` or ``},{``): files joined whose last line had no end; and a
  comma after an object: an array that was cut into lines.

Nothing else is touched, and nothing is guessed: what is no JSON for another reason is none
afterwards. Of ``{...}{"a": 1`` the first object is read and the rest is not; ``{...}}`` may be the
end of a larger object, and is none.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from msgspec import Struct

from smbrare.records.json_text import BadJson, check_values, finite_integer, without_surrogates

# Each alternative takes as much as it can, which is what makes it fast.
_SOUND = re.compile(
    rb'(?:"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"[^"\]},NI\0\xef-]*+(?:,[ \t\r\n]*+(?="))?+'
    rb'|[^"\]},NI\0\xef-]++'
    rb'|[\]}][ \t\r\n]*+,[ \t\r\n]*+(?=[{"\[])'
    # What ends or parts values, unless a flaw follows, or the text ends before that is known.
    rb"|[\]}](?![ \t\r\n]*+(?:[{\0\xef]|,[ \t\r\n]*+(?:[\]}\0\xef]|\Z)|\Z))"
    rb"|,(?![ \t\r\n]*+(?:[\]}\0\xef]|\Z))"
    rb"|-(?!I|\Z))*+",
    re.DOTALL,
)
_SOUND_STRING = re.compile(rb'(?:[^"\\\x00-\x1f]++|\\.)*+', re.DOTALL)
_STRING = re.compile(rb'(?:[^"\\]++|\\.)++', re.DOTALL)
_ESCAPE_OR_CONTROL = re.compile(rb"\\.|[\x00-\x1f]", re.DOTALL)
_CONSTANT = re.compile(rb"-?(NaN|Infinity)")
_LONGEST_CONSTANT = len("-Infinity")
_GAP = re.compile(
    rb"([\]}]?)((?:[ \t\r\n\0]|\xef\xbb\xbf)*+)(,?)((?:[ \t\r\n\0]|\xef\xbb\xbf)*+)"
    rb"((?:\xef\xbb?)?\Z)?"  # and what may be half of a mark
)
_JUNK = re.compile(rb"\0|\xef\xbb\xbf")
_NAME_OF_JUNK = "NUL characters or a byte order mark"
_APART = re.compile(r"[ \t\r\n]*(?:,[ \t\r\n]*)?")


class JsonMender:
    """Mends a stream of JSON texts piece by piece.

    Attributes:
        flaws: What was mended since it was last taken, in order.
        inside: Whether the pieces so far end inside an array or object, as who parses them knows:
            only there can a comma be missing between two objects.
    """

    def __init__(self) -> None:
        """Begin at the start of a text."""
        self.inside = False
        self.flaws: dict[str, None] = {}
        self._in_string = False
        self._before = b""  # The last character that is no blank.

    def take_flaws(self) -> str:
        """Return what was mended since this was last asked, for the user; empty if nothing."""
        flaws = ", ".join(self.flaws)
        self.flaws.clear()
        return flaws

    def pieces(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield UTF-8 text, given in blocks that are cut anywhere, in pieces, none of them empty.

        A piece that mends a flaw begins, continues or ends the object that has the flaw, and no
        other: who parses each piece before the next knows which object that is.
        """
        rest = b""
        for block in blocks:
            rest = yield from self._mended(rest + block)
        yield from self._mended(rest, is_end=True)

    def _mended(self, text: bytes, *, is_end: bool = False) -> Generator[bytes, None, bytes]:
        """Yield a text in pieces; return what has to be seen together with more of it."""
        at = 0
        while at < len(text):
            if sound := (_SOUND_STRING if self._in_string else _SOUND).match(text, at):
                at = sound.end()
                self._before = sound[0].rstrip()[-1:] or self._before
                yield from filter(None, [sound[0]])
            here = text[at : at + 1]
            is_cut = not is_end and len(text) - at < _LONGEST_CONSTANT
            if here == b'"':
                self._in_string = not self._in_string
                self._before = here
                yield here
            elif self._in_string and here and here < b" ":
                self.flaws["control characters in a text"] = None
                # All there is of the string at once: each of its characters may be one.
                string = _STRING.match(text, at)
                at = string.end() - 1 if string else at
                yield _ESCAPE_OR_CONTROL.sub(_escaped, string[0] if string else here)
            elif constant := not self._in_string and _CONSTANT.match(text, at):
                self.flaws[f"{constant[1].decode()} for a number"] = None
                at = constant.end() - 1
                yield b"null"
            elif here in {b"\\", b"-", b"N", b"I"} and is_cut:
                return text[at:]
            elif not self._in_string and (gap := _GAP.match(text, at)) and gap[0]:
                if gap[5] is not None and not is_end:
                    return _shortened(gap)
                yield from self._parted(gap, text[gap.end(4) : gap.end(4) + 1])
                yield from filter(None, [gap[5]])
                at = gap.end() - 1
            elif here:
                yield here
            at += 1
        return b""

    def _parted(self, gap: re.Match[bytes], following: bytes) -> Iterator[bytes]:
        """Yield what parts two values, or ends the last, in pieces without its flaws."""
        end, behind, comma, ahead = gap.group(1, 2, 3, 4)
        before = end or self._before
        has_junk = _JUNK.search(behind + ahead) is not None
        if has_junk and (before not in b"[]}" or following not in b"[]{"):
            self._before = comma or before
            yield end + behind + comma + ahead
            return
        is_last = bool(comma and following) and following in b"]}" and before not in b"[{:,"
        # What begins after the gap has the junk; if nothing does, what ended before it.
        is_ahead = bool(following) and following in b"[{"
        if is_last:
            self.flaws["a comma behind the last element"] = None
        if has_junk and not is_ahead:
            self.flaws[_NAME_OF_JUNK] = None
        if end or is_last or (has_junk and not is_ahead):
            yield end or b" "
        if comma and not is_last:
            yield comma
        elif end == b"}" and following == b"{" and self.inside:
            self.flaws["no comma between objects"] = None
            yield b","
        if has_junk and is_ahead:
            self.flaws[_NAME_OF_JUNK] = None
            yield b" "
        self._before = b"," if comma and not is_last else before


def _escaped(found: re.Match[bytes]) -> bytes:
    """Return an escape as it is, a control character as one."""
    return found[0] if found[0][:1] == b"\\" else b"\\u%04x" % ord(found[0])


def _shortened(gap: re.Match[bytes]) -> bytes:
    """Return the same with one blank, or what stands for it, for any number of them."""
    end, behind, comma, ahead, rest = gap.groups()
    return b"".join((end, _shortest(behind), comma, _shortest(ahead), rest))


def _shortest(blanks: bytes) -> bytes:
    junk = _JUNK.search(blanks)
    return junk[0] if junk else blanks[:1]


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
