"""JSON as a stream of tokens, through ijson.

Numbers come as int and Decimal, so that no digit is lost and no exponent is ever carried out.
"""

import re
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

from smbrare.jsontext import BadJson
from smbrare.limits import KIB

Token: TypeAlias = tuple[str, Any]
"""The kind of a token (``start_map``, ``map_key``, ``string`` …) and its value."""

_BLOCK_BYTES = 64 * KIB

# An integer of more digits than Python converts (4,300) is an error that ijson's C library does
# not notice, and that costs records before it. Cut to 400 digits it is still beyond every type.
_DIGITS_KEPT = 400
_MANY_DIGITS = b"0" * 1000
_LONG_RUN = re.compile(rb"(?<![0-9])[0-9]{1000,}")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


class Readable(Protocol):
    """What tokens are read from."""

    def read(self, size: int) -> bytes:
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


def cut_numbers(text: bytes) -> bytes:
    """Return a text with the first 400 digits of each run of 1,000 or more."""
    if _MANY_DIGITS not in text.translate(_DIGITS_TO_ZERO):
        return text
    return _LONG_RUN.sub(lambda run: run[0][:_DIGITS_KEPT], text)


def _reason(error: Exception) -> str:
    """Return the first line of what the library says; the others show the input."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    line = text.partition("\n")[0]
    if isinstance(error, ArithmeticError):
        return "a number beyond every type"
    return "cut off" if "premature EOF" in line else f"no JSON: {line}"
