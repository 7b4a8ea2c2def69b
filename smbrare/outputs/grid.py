"""Text laid out for a terminal: tables without a fact cut, lines behind labels, words in colour.

Text that may be broken is folded over lines; nothing out of a log is live in it. Where the columns
do not fit side by side, each row is a list.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from smbrare.outputs.formats import RenderOptions
from smbrare.text import visible

T = TypeVar("T")
_GAP = 2
_NARROWEST = 12
_ROOMY = 60
_LONGEST_SEGMENT = 24
"""Columns from which on a name in a word may be broken."""
_LABEL_WIDTH = 9
_CODES = {
    "bold": "1",
    "dim": "2",
    "reverse": "7",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold red": "1;31",
    "bold yellow": "1;33",
}
"""What a terminal calls each style."""

_ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,45}[,)]?")
"""What could be an address or a range; such a word is never broken."""

_SEGMENT = re.compile(r"[^./\\_!:]+[./\\_!:]?|[./\\_!:]")
"""What a word is broken into before it is broken anywhere: names of a path or a field."""

WARNING = "WARNING"
"""The label of what may be wrong with a result."""


class Styled(NamedTuple):
    """A text, with the name of its style (as in `_CODES`; empty for none)."""

    text: str
    style: str = ""


class Labelled(NamedTuple):
    """A line for people, behind a label of at most eight characters."""

    label: str
    text: str


class Column(Struct, Generic[T], frozen=True):
    """One column.

    Attributes:
        title: Its heading.
        show: What it shows of the thing that a row is about.
        folds: Whether a text may be broken where the terminal is narrow.
        right: Whether it is aligned to the right.
    """

    title: str
    show: Callable[[T], str | Styled]
    folds: bool = False
    right: bool = False

    def cell(self, thing: T, clean: Callable[[str], str]) -> Styled:
        """Return what it shows, made fit for the terminal."""
        shown = self.show(thing)
        text, style = (shown, "") if isinstance(shown, str) else shown
        return Styled(clean(text), style)


def lines(
    columns: Sequence[Column[T]], things: Sequence[T], options: RenderOptions
) -> Iterator[str]:
    """Yield the lines of a table, the headings first, with a row for each thing."""
    rows = [[column.cell(thing, options.clean) for column in columns] for thing in things]
    headings = [Styled(column.title, "bold") for column in columns]
    by_column = [[cell.text for cell in each] for each in zip(headings, *rows, strict=True)]
    widths = [max(map(cells, texts)) for texts in by_column]
    if options.width is not None:
        room = options.width - _GAP * (len(columns) - 1)
        least = [
            max(_least(text, column, may_break=at > 0) for text in texts)
            for at, (column, texts) in enumerate(zip(columns, by_column, strict=True))
        ]
        widths = _narrow(widths, least, room)
        if sum(widths) > room:
            yield from _listed(columns, rows, options)
            return
    shape = list(zip(columns, widths, strict=True))
    for row in (headings, *rows):
        folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
        for parts in zip_longest(*folded, fillvalue=Styled("")):
            padded = (
                _pad(part, column, width, options)
                for part, (column, width) in zip(parts, shape, strict=True)
            )
            yield (" " * _GAP).join(padded).rstrip() + "\n"


def _listed(
    columns: Sequence[Column[T]], rows: Sequence[Sequence[Styled]], options: RenderOptions
) -> Iterator[str]:
    """Yield each row as a list: the first column, and below it the others with their headings."""
    # The longest address fits 40 columns, but not more.
    indent = _GAP * ((options.width or 0) >= _ROOMY)
    width = max((options.width or 0) - indent, 1)
    for first, *others in rows:
        for part in _folded(first, options.width or 1):
            yield painted(*part, options) + "\n"
        facts = (
            f"{column.title} {cell.text}".strip()
            for column, cell in zip(columns[1:], others, strict=True)
            if cell.text
        )
        words = map(Styled, ", ".join(facts).split(" "))
        for text in wrapped(words, width, options, breaks=True):
            yield " " * indent + text + "\n"


def _folded(cell: Styled, width: int) -> list[Styled]:
    """Return the lines of a cell: several if it is wider than its column."""
    if cells(cell.text) <= width:
        return [cell]
    words = map(Styled, cell.text.split(" "))
    return [
        Styled(text, cell.style) for text in wrapped(words, width, RenderOptions(), breaks=True)
    ]


def _pad(cell: Styled, column: Column[Any], width: int, options: RenderOptions) -> str:
    room = " " * (width - cells(cell.text))
    text = painted(*cell, options)
    return room + text if column.right else text + room


def _least(text: str, column: Column[Any], *, may_break: bool) -> int:
    """Return how narrow a text can be: addresses never break, others keep room."""
    width = cells(text)
    if not column.folds:
        return width
    least = 0
    for word in text.split(" "):
        if _ADDRESS.fullmatch(word) or not may_break:
            least = max(least, cells(word))
        else:
            names = (min(cells(name), _LONGEST_SEGMENT) for name in _SEGMENT.findall(word))
            least = max(least, *names, 0)
    return max(min(width, _NARROWEST), least)


def _narrow(widest: list[int], least: list[int], room: int) -> list[int]:
    """Take from the columns that have most to give, until they fit or have no more."""
    widths = list(widest)
    for _ in range(sum(widest) - max(room, sum(least))):  # A negative number is no round.
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - few texts need it

    return cell_len(text)


def painted(text: str, style: str, options: RenderOptions) -> str:
    """Return a text in a style, by its name, if there are colours."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text and style and options.color else text


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
    if width is None or cells(word) <= width or _ADDRESS.fullmatch(word):
        yield word
        return
    piece = ""
    for segment in _SEGMENT.findall(word):
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
        style = "bold yellow" if label == WARNING else "dim"
        again = label == before and label != WARNING
        head = painted(" " * len(label) if again else label, style, options)
        head += " " * max(_LABEL_WIDTH - len(label), 1)
        before = label
        clean = options.clean(text)
        # A command is there to be copied, so it stays on one line.
        words = [clean] if clean.startswith("smbrare ") else clean.split(" ")
        for line in wrapped(map(Styled, words), width, options):
            yield head + line
            head = " " * _LABEL_WIDTH


def verdict_lines(lines: Iterable[str], options: RenderOptions) -> Iterator[str]:
    """Yield the lines of a verdict, the first of them bold."""
    for at, text in enumerate(lines):
        style = "" if at else "bold"
        if text.startswith("No verdict"):
            style = "bold yellow"
        for line in wrapped(map(Styled, visible(text).split(" ")), options.width, options):
            yield painted(line, style, options)
