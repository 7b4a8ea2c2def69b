"""TOML that a user wrote: values, and the line of whatever is wrong with them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from msgspec import Struct

from smbrare.errors import UsageError, cannot_open
from smbrare.text import nearest

_PLACE = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


class TomlText(Struct, frozen=True):
    """A text in TOML and its name.

    Attributes:
        name: The file, for messages.
        lines: The lines of the text.
        values: What it says.
    """

    name: str
    lines: tuple[str, ...]
    values: dict[str, Any]

    def fail(self, line: int, what: str) -> NoReturn:
        """Raise the error for a line, counted from 1; 0 for the text as a whole."""
        place = f"{self.name}:{line}" if line else self.name
        raise UsageError(f"{place}: {what}")

    def line_of(self, key: str, start: int = 0) -> int:
        """Return the line that gives a key a value, the first from a line on; else that line.

        A table's header counts as the line of its name. The standard library's parser keeps no
        places, so this looks for what a key mostly looks like.
        """
        name = rf"[\"']?{re.escape(key)}[\"']?"
        pattern = re.compile(rf"\s*(?:{name}\s*[=.]|\[\[?\s*{name}\s*[\].])")
        for number, line in enumerate(self.lines[max(start - 1, 0) :], max(start, 1)):
            if pattern.match(line):
                return number
        return start

    def headers(self, table: str) -> list[int]:
        """Return the lines of the headers of an array of tables (``[[table]]``)."""
        pattern = re.compile(rf"\s*\[\[\s*[\"']?{re.escape(table)}[\"']?\s*\]\]")
        return [number for number, line in enumerate(self.lines, 1) if pattern.match(line)]


def parse(text: str, name: str) -> TomlText:
    """Return what a text in TOML says.

    Raises:
        UsageError: If it is no TOML, with the line.
    """
    import tomllib  # noqa: PLC0415 - most runs read no TOML

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = int(place[1]) if place and place[1] else len(text.splitlines())
        raise UsageError(f"{name}:{line}: {_PLACE.sub('', message)}") from None
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None
    return TomlText(name, tuple(text.splitlines()), values)


def load(path: Path) -> TomlText:
    """Return what a file in TOML says.

    Raises:
        UsageError: If it cannot be read or is not TOML.
    """
    return parse(read(path).removeprefix("\ufeff").replace("\r\n", "\n"), str(path))


def read(path: Path) -> str:
    """Return the text of a file as it is, with a byte order mark and the ends of its lines.

    Raises:
        UsageError: If it cannot be read.
    """
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise UsageError(cannot_open(path, error)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: not UTF-8 at byte {error.start:,}") from None


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Return what is wrong with an unknown key, and which key was probably meant."""
    near = nearest(key, known)
    return f"unknown key {key!r}" + (f"; did you mean {near!r}?" if near else "")
