"""JSON as a stream of tokens, through ijson.

Numbers come as int and Decimal, so that no digit is lost and no exponent is ever carried out.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

from smbrare.limits import DEFAULT, KIB, LEAST
from smbrare.records.json_text import BadJson

Token: TypeAlias = tuple[str, Any]
"""The kind of a token (``start_map``, ``map_key``, ``string`` …) and its value."""

_BLOCK_BYTES = 64 * KIB

_SAMPLES_OF_A_NUMBER = 8

_LONG_RUN = re.compile(rb"(?<![0-9])[0-9]{%d,}" % LEAST["number_digits"])
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


class Readable(Protocol):
    """What tokens are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes of UTF-8, none at the end."""


def tokens(source: Readable) -> Iterator[Token]:
    """Yield the tokens of all JSON values that follow one another in a source.

    Raises:
        BadJson: If it is no JSON or ends inside of a value; the tokens before were yielded. There
            is no going on behind that.
    """
    import ijson  # noqa: PLC0415

    try:
        yield from ijson.basic_parse(source, buf_size=_BLOCK_BYTES, multiple_values=True)
    except (ijson.JSONError, ArithmeticError, SystemError, ValueError) as error:
        raise BadJson(_reason(error)) from None


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
