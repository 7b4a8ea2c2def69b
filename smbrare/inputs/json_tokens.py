"""JSON as a stream of tokens, through ijson, and what shape a text has by its first of them.

Numbers come as int and Decimal, so that no digit is lost and no exponent is ever carried out.
"""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from smbrare.limits import DEFAULT, KIB, LEAST
from smbrare.records.envelope import ARRAYS, marks_event
from smbrare.records.json_mending import JsonMender, mend
from smbrare.records.json_text import BadJson, decode, without_frame
from smbrare.records.tables import HEADERS, ROWS

Token: TypeAlias = tuple[str, Any]
"""The kind of a token (``start_map``, ``map_key``, ``string`` …) and its value."""

_BLOCK_BYTES = 64 * KIB
_SAMPLES_OF_A_NUMBER = 8
_DEEPEST = 1 + max(map(len, ARRAYS))
_LONG_RUN = re.compile(rb"(?<![0-9])[0-9]{%d,}" % LEAST["number_digits"])
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


class Readable(Protocol):
    """What tokens are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes of UTF-8, none at the end."""


def tokens(source: Readable, count: Callable[[int], None] = lambda _: None) -> Iterator[Token]:
    """Yield the tokens of all JSON values that follow one another in a source.

    Args:
        source: What is read.
        count: Called with the number of tokens that are yielded next.

    Raises:
        BadJson: If it is no JSON or ends inside of a value; the tokens before were yielded. There
            is no going on behind that.
    """
    import ijson  # noqa: PLC0415

    found: list[Token] = ijson.sendable_list()
    parser = ijson.basic_parse_coro(found, multiple_values=True)
    failure = ""
    is_end = False
    while not (is_end or failure):
        text = source.read(_BLOCK_BYTES)
        is_end = not text
        try:
            parser.send(text)
        except StopIteration:
            pass
        except (ijson.JSONError, ArithmeticError, SystemError, ValueError) as error:
            failure = _reason(error)
        count(len(found))
        yield from found
        found.clear()
    if failure:
        raise BadJson(failure)


def beginning(text: bytes) -> tuple[list[Token], bool]:
    """Return the tokens of a JSON text that may end anywhere, and whether all of it was JSON."""
    import ijson  # noqa: PLC0415

    found: list[Token] = ijson.sendable_list()
    parser = ijson.basic_parse_coro(found, multiple_values=True)
    try:
        parser.send(cut_numbers(text))
    except (ijson.JSONError, ArithmeticError, SystemError, ValueError):
        return found, False
    return found, True


def cut_numbers(text: bytes, most: int = DEFAULT.number_digits) -> bytes:
    """Return a text with no more than one digit too many in a row.

    An integer of more digits than Python converts (4,300) is an error that ijson's C library does
    not notice, and that costs records before it.

    Args:
        text: Any bytes of a JSON text.
        most: How many digits a number may have; one more, and it is malformed all the same.
    """
    too_many = most + 1
    if b"0" * too_many not in text.translate(_DIGITS_TO_ZERO):
        return text
    return _LONG_RUN.sub(lambda run: run[0][:too_many], text)


def has_long_number(text: bytes, most: int = DEFAULT.number_digits) -> bool:
    """Return whether a text has more digits in a row than so many, which are at least 64.

    Asked of every so many bytes first: a long row of digits holds several of those in a row.
    """
    every = (most + 1) // _SAMPLES_OF_A_NUMBER
    sampled = text[::every].translate(_DIGITS_TO_ZERO)
    if b"0" * _SAMPLES_OF_A_NUMBER not in sampled:
        return False
    return b"0" * (most + 1) in text.translate(_DIGITS_TO_ZERO)


def is_slow(*, look: bool) -> bool:
    """Return whether ijson lacks its library in C, without which it takes many times as long.

    Args:
        look: Whether to load ijson to know, if this process has not; False then otherwise.
    """
    if not look and "ijson" not in sys.modules:
        return False
    import ijson  # noqa: PLC0415

    return bool(ijson.backend != "yajl2_c")


def _reason(error: Exception) -> str:
    """Return the first line of what the library says; the others show the input."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    line = text.partition("\n")[0]
    if isinstance(error, ArithmeticError):
        return "a number beyond every type"
    return "cut off" if "premature EOF" in line else f"no JSON: {line}"


NDJSON = "ndjson"
DOCUMENT = "document"

_ARRAY_OF_OBJECTS = re.compile(rb"\[(?:[\s\0]|\xef\xbb\xbf)*(?:[\[{\]]|$)")
_JUNK_BEFORE = re.compile(rb"(?:[\s\0]|\xef\xbb\xbf)++(?=[{\[])")
_SEVERAL = 2


def shape(head: bytes, *, whole: bool) -> str:
    """Return how a text has to be read: `NDJSON`, `DOCUMENT`, or empty for no JSON of objects.

    A line that is an object makes NDJSON, however the object looks, also with a flaw that can be
    mended. A longer line is NDJSON too, unless the events of an envelope or a second object begin
    in what is seen of it. Where the
    first line is neither, the text is a document if it is JSON as far as it is seen. Else it is
    NDJSON that begins badly if other lines are objects: more of them than do not begin like one, or
    end with a comma, as the elements of a broken document do; and more than half where the first
    line does not begin like one either. What is left is a document if several records, or one of an
    envelope, stand before the damage. Else it is none: configurations, templates and scripts begin
    like JSON too.

    Args:
        head: The first bytes, UTF-8.
        whole: Whether they are all there is.
    """
    text = head.lstrip()
    # A file system may leave NUL characters before an object after a crash.
    if junk := _JUNK_BEFORE.match(text):
        text = text[junk.end() :]
    if not text:
        return "" if whole else NDJSON
    line, newline, rest = text.partition(b"\n")
    if text.startswith(b"{"):
        if not newline and not whole:
            return DOCUMENT if _look(beginning(_mended(text))[0]).goes_on else NDJSON
        if _is_object(line) or _is_mendable(line):
            return NDJSON
    elif not _ARRAY_OF_OBJECTS.match(text):
        lines = _lines(rest, whole=whole)
        is_framed = without_frame(line) is not None and (
            _objects([line]) > 0 or not (newline or whole)
        )
        return NDJSON if 2 * (_objects(lines) + is_framed) > len(lines) + is_framed else ""
    return _shape_of_many_lines(text, rest, whole=whole)


def _shape_of_many_lines(text: bytes, rest: bytes, *, whole: bool) -> str:
    """Return the shape of a text that begins like JSON, and whose first line is no object."""
    is_array = text.startswith(b"[")
    tokens, is_json = beginning(text)
    seen = _look(tokens)
    if is_json and (is_array or not (whole and seen.is_open)):
        return DOCUMENT
    lines = _lines(rest, whole=whole)
    others = sum(not line.startswith(b"{") or line.rstrip().endswith(b",") for line in lines)
    if not is_array and _objects(lines) > others:
        return NDJSON
    is_known = is_json or _holds_records(seen)
    return DOCUMENT if is_known or _is_mendable_document(text, whole=whole) else ""


def _is_mendable_document(text: bytes, *, whole: bool) -> bool:
    """Return whether a text is JSON but for flaws that can be mended, and shows a record.

    Settings may end with a comma too.
    """
    tokens, is_json = beginning(_mended(text))
    seen = _look(tokens)
    is_event = seen.is_event or text.startswith(b"[") or _holds_records(seen)
    return is_json and is_event and not (whole and seen.is_open)


def _mended(text: bytes) -> bytes:
    """Return a text that may end anywhere without flaws that can be mended."""
    return b"".join(JsonMender().pieces([text]))


def _holds_records(seen: "_Look") -> bool:
    return seen.records >= _SEVERAL or (seen.goes_on and seen.records > 0)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode(line), dict)
    except BadJson:
        return False


def _is_mendable(line: bytes) -> bool:
    """Return whether a line is one object with a flaw, as of a cut array or a lax writer."""
    try:
        found = mend(line)
    except BadJson:
        return False
    return len(found.objects) == 1 and bool(found.objects[0]) and not found.rest


def _lines(text: bytes, *, whole: bool) -> list[bytes]:
    """Return the lines that are seen to their end and are not blank."""
    lines = text.split(b"\n")
    return [line for line in (lines if whole else lines[:-1]) if line.strip()]


def _objects(lines: list[bytes]) -> int:
    """Return how many lines are objects that hold something, and are not set in.

    The header of a log may stand before them.
    """
    return sum(
        text.startswith(b"{") and text.rstrip() != b"{}" and _is_object(text)
        for text in map(_from_object, lines)
    )


def _from_object(line: bytes) -> bytes:
    inner = without_frame(line)
    return line if inner is None else inner.lstrip()


class _Look(Struct):
    """What the beginning of a JSON text shows.

    Attributes:
        records: How many objects ended that are a value of the text, an element of its array, or
            one of an envelope's.
        goes_on: Whether a second value begins, or the events of an envelope.
        is_event: Whether the keys at the top show an event.
        is_open: Whether an object or array has no end in it.
    """

    records: int = 0
    goes_on: bool = False
    is_event: bool = False
    is_open: bool = False


def _look(tokens: list[Token]) -> _Look:
    """Return what tokens show that may end anywhere."""
    seen = _Look()
    path: list[str | None] = []  # Keys, and None for an array.
    keys: set[str] = set()
    for (kind, value), (following, _) in pairwise([*tokens, ("", None)]):
        if kind == "map_key":
            path[-1] = value
            if len(path) == 1:
                keys.add(value)
        elif kind == "start_map":
            seen.goes_on |= _in_envelope(path) and not marks_event(keys)
            path.append("")
        elif kind == "start_array":
            in_table = len(path) == 2 and path[1] is None and path[0] in ROWS  # noqa: PLR2004
            seen.goes_on |= in_table and not keys.isdisjoint(HEADERS)
            path.append(None)
        elif kind in {"end_map", "end_array"}:
            path.pop()
            is_element = path == [None] or _in_envelope(path)
            seen.records += kind == "end_map" and (not path or is_element)
            seen.goes_on |= not path and bool(following)
    seen.is_event, seen.is_open = marks_event(keys), bool(path)
    return seen


def _in_envelope(path: list[str | None]) -> bool:
    """Return whether what is at a path is an element of an array of records."""
    # Deeper paths are not compared, or deep nesting would take quadratic time.
    return len(path) <= _DEEPEST and path[-1:] == [None] and tuple(path[:-1]) in ARRAYS
