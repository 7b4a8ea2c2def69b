"""JSON text to values: orjson, and a second look at what it is too strict for."""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any

import msgspec
import orjson
import stringzilla

_FRAME = re.compile(
    rb"\s*(?:\x1e|<[0-9]{1,3}>[^{]*"
    rb"|(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8})[^{\"]*)"
    rb"(?=\{)"
)
_LONGEST_INTEGER = 40
_BEYOND_EVERY_TYPE = float("inf")

FREE_VALUES = 100_000
"""Values of a record before it is asked how long they are."""

LEAST_VALUE_BYTES = 12
"""Bytes that a value takes on average, beyond so many: decoded, the shortest takes up to 200."""

TOO_MANY_VALUES = f"more than {FREE_VALUES:,} values of less than {LEAST_VALUE_BYTES} bytes each"
"""Why a record is skipped that would take many times its bytes in memory."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


class BadJson(ValueError):  # noqa: N818 - says what the text is
    """Text that is no JSON value; the message says why and where."""


def decode(text: bytes | str) -> Any:
    """Return the value of a JSON text; of a key given twice the last counts.

    orjson rejects lone surrogates, invalid UTF-8 and numbers beyond a double. An attacker who can
    put one of those in a host name must not hide the event, so such text is read again with the
    standard library: what is no character becomes U+FFFD or ``?``, a number beyond every type
    becomes infinite, which no ECS type accepts.

    Raises:
        BadJson: If it is no JSON value, or one nested too deeply or with too many values.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "replace")
    check_values(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Without the frames that led here: they hold this name, and would live as long as it.
        strict = error.with_traceback(None)
    try:
        loose = text.decode("utf-8", "replace")
        value = json.loads(
            loose, parse_int=finite_integer, parse_float=float, parse_constant=_no_constant
        )
        return without_surrogates(value)
    except RecursionError:
        raise BadJson("nested too deeply") from None
    except ValueError:
        raise BadJson(_reason(strict)) from None


class _Anything(msgspec.Struct):
    """An object that is read through, of which nothing is kept."""


_skim = msgspec.json.Decoder(_Anything)
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def broken_lines(block: memoryview, values: int) -> Iterator[tuple[int, int]]:
    """Yield where the lines of a block stand that may be no JSON object, blank ones among them.

    All others are: this reads them through three times as fast as `decode`.

    Args:
        block: Whole lines.
        values: How many of them are not blank; if so many objects are there, none is broken.
    """
    try:
        if len(_skim.decode_lines(block)) == values:
            return
    except _REFUSED:
        pass
    lines = list(io.BytesIO(block))
    for line, span in zip(lines, pairwise(accumulate(map(len, lines), initial=0)), strict=True):
        try:
            _skim.decode(line)
        except _REFUSED:
            yield span


def without_frame(line: bytes) -> bytes | None:
    """Return a line with blanks for what stands before its object; None if nothing known does.

    That is the separator of RFC 7464, or the header of a syslog line, with its priority or without.
    """
    frame = _FRAME.match(line)
    return None if frame is None else b" " * frame.end() + line[frame.end() :]


def check_values(text: bytes) -> None:
    """Make sure that a JSON text has not so many values that decoding it fills the memory.

    Raises:
        BadJson: If it has.
    """
    if len(text) <= FREE_VALUES:
        return
    most = max(FREE_VALUES, len(text) // LEAST_VALUE_BYTES)
    values = _parted(text)
    if values <= most:
        return
    # What parts values in a string parts none. One by one: a list of strings may be large itself.
    if values - sum(_parted(string[0]) for string in _STRING.finditer(text)) > most:
        raise BadJson(TOO_MANY_VALUES)


def _parted(text: bytes) -> int:
    """Return how many values the commas and brackets of a text part, at the most."""
    return text.count(b"[") + text.count(b"{") + text.count(b",")


def _reason(error: orjson.JSONDecodeError) -> str:
    # orjson appends ": line 1 column n (char n)", and a record is one line.
    what, _, _ = str(error).partition(": line ")
    return f"no JSON: {what} at column {error.colno}"


def finite_integer(digits: str) -> float:
    """Return an integer; one beyond every type becomes infinite, which no ECS type accepts."""
    # int() takes quadratic time, and the interpreter limits it.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else _BEYOND_EVERY_TYPE


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _replaced(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def without_surrogates(value: Any, spell: Callable[[str], str] = _replaced) -> Any:
    """Return a value with its texts spelled without lone surrogates: with ``?`` for each."""
    if isinstance(value, str):
        return spell(value)
    if isinstance(value, list):
        return [without_surrogates(element, spell) for element in value]
    if isinstance(value, dict):
        pairs = ((without_surrogates(key, spell), item) for key, item in value.items())
        return {key: without_surrogates(item, spell) for key, item in pairs}
    return value


def nests_deeper(text: bytes, value: Any, most: int) -> bool:
    """Return whether a decoded value has more objects and arrays inside one another than so many.

    Args:
        text: The JSON text that it was decoded from.
        value: What was decoded.
        most: How many may lie inside one another, the outermost counted.
    """
    if len(text) <= most:
        return False
    # Many times as fast as the method of the same name.
    if stringzilla.count(text, b"{") + stringzilla.count(text, b"[") <= most:
        return False
    # A level at a time: calls may not nest as deeply as values.
    level = _containers((value,))
    for _ in range(most):
        level = [
            child
            for node in level
            for child in _containers(node.values() if isinstance(node, dict) else node)
        ]
    return bool(level)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def encoded(value: Any) -> bytes:
    """Return a decoded value as text to search in: JSON, or something like it where it has none."""
    try:
        # Numbers of a streamed document may be Decimal.
        return orjson.dumps(value, default=str)
    except TypeError:
        return str(value).encode("utf-8", "replace")


def encodable(value: Any) -> Any:
    """Return a value out of a record as it is if it can be written as JSON, else as text.

    Integers beyond 64 bits, deep nesting and types of other readers cannot be written.
    """
    try:
        orjson.dumps(value)
    except TypeError:
        try:
            return str(value)
        except RecursionError:
            return type(value).__name__
    return value
