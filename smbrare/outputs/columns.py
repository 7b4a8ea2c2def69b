"""Text laid out for a terminal: how wide it is, wrapped at words, coloured, behind labels."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from smbrare.outputs.formats import RenderOptions
from smbrare.text import visible

_LABEL_WIDTH = 9
_BOLD, _DIM, _BOLD_YELLOW = "1", "2", "1;33"
ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,45}[,)]?")
"""What could be an address or a range; such a word is never broken."""

SEGMENT = re.compile(r"[^./\\_!:]+[./\\_!:]?|[./\\_!:]")
"""What a word is broken into before it is broken anywhere: names of a path or a field."""

WARNING = "WARNING"
"""The label of what may be wrong with a result."""


class Styled(NamedTuple):
    """A word, with the codes of its colour (``1;31``; empty for none)."""

    text: str
    style: str = ""


class Labelled(NamedTuple):
    """A line for people, behind a label of at most eight characters."""

    label: str
    text: str


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - few texts need it

    return cell_len(text)


def painted(text: str, style: str, options: RenderOptions) -> str:
    """Return a text in a colour, if there are colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if text and style and options.color else text


def wrapped(
    words: Iterable[Styled], width: int | None, options: RenderOptions, *, breaks: bool = False
) -> Iterator[str]:
    """Yield lines of words.

    Args:
        words: The words.
        width: Of a line; None for one line.
        options: Whether there are colours.
        breaks: Whether a word that is wider than a line is broken, rather than left too wide.
    """
    line, used = "", 0
    for word in words:
        for piece in _pieces(word.text, width if breaks else None):
            size = cells(piece)
            if used and width is not None and used + 1 + size > width:
                yield line
                line, used = "", 0
            line += " " * bool(used) + painted(piece, word.style, options)
            used += bool(used) + size
    if used:
        yield line


def _pieces(word: str, width: int | None) -> Iterator[str]:
    """Yield a word in pieces that fit a line, broken behind a separator where there is one."""
    if width is None or cells(word) <= width or ADDRESS.fullmatch(word):
        yield word
        return
    piece = ""
    for segment in SEGMENT.findall(word):
        for part in [segment] if cells(segment) <= width else segment:
            if piece and cells(piece + part) > width:
                yield piece
                piece = ""
            piece += part
    yield piece


def labelled_lines(lines: Iterable[Labelled], options: RenderOptions) -> Iterator[str]:
    """Yield lines behind their labels, wrapped beside them; a label is said once."""
    before = ""
    width = None if options.width is None else max(options.width - _LABEL_WIDTH, _LABEL_WIDTH)
    for label, text in lines:
        style = _BOLD_YELLOW if label == WARNING else _DIM
        again = label == before and label != WARNING
        head = painted(" " * len(label) if again else label, style, options)
        head += " " * max(_LABEL_WIDTH - len(label), 1)
        before = label
        for line in wrapped(map(Styled, options.clean(text).split(" ")), width, options):
            yield head + line
            head = " " * _LABEL_WIDTH


def verdict_lines(lines: Iterable[str], options: RenderOptions) -> Iterator[str]:
    """Yield the lines of a verdict, the first of them bold."""
    for at, text in enumerate(lines):
        style = "" if at else _BOLD
        if text.startswith("No verdict"):
            style = _BOLD_YELLOW
        for line in wrapped(map(Styled, visible(text).split(" ")), options.width, options):
            yield painted(line, style, options)
