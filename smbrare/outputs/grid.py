"""The one table engine: columns of whatever is shown, fitted to a terminal without cutting a fact.

Text that may be broken is folded over lines; nothing out of a log is live in it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from smbrare.outputs.formats import RenderOptions

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
_GAP = 2
_NARROWEST = 12
_MANY_ROWS = 300
"""From how many rows on they are padded here, and not by rich."""
_STYLES = {"bold": "1", "dim": "2", "red": "31"}
"""The codes of the styles that lines have, for a terminal."""
_ANY_HEIGHT = 1
"""Without one rich reads COLUMNS too, and fails at a number of thousands of digits."""
_ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,45}[,)]?")
"""What could be an address or a range; such a word is never broken."""


class Line(NamedTuple):
    """A line of a cell, with rich's style of it; a whole one is never broken."""

    text: str
    style: str = ""
    whole: bool = False


_NOTHING = Line("")

Cell: TypeAlias = list[Line]


class Column(Struct, Generic[T], frozen=True):
    """One column.

    Attributes:
        title: Its heading.
        show: What it shows of the thing that a row is about: a text, a line or several lines.
        folds: Whether lines that are not whole may be broken where the terminal is narrow.
        right: Whether it is aligned to the right.
    """

    title: str
    show: Callable[[T], str | Line | Sequence[Line]]
    folds: bool = False
    right: bool = False

    def cell(self, thing: T, clean: Callable[[str], str]) -> Cell:
        """Return the lines that have text, made fit for the terminal."""
        shown = self.show(thing)
        if isinstance(shown, str):
            shown = Line(shown)
        lines = [shown] if isinstance(shown, Line) else shown
        cleaned = (line._replace(text=clean(line.text)) for line in lines)
        return [line for line in cleaned if line.text]


class Grid(Struct, frozen=True):
    """A table that is laid out.

    Attributes:
        columns: Its columns.
        rows: Their cells, row by row.
        widths: How wide each column is.
        fits: Whether the terminal is wide enough.
    """

    columns: list[Column[Any]]
    rows: list[list[Cell]]
    widths: list[int]
    fits: bool

    def draw(
        self, rows: slice, options: RenderOptions, *, header: bool = True, apart: bool = False
    ) -> Iterator[str]:
        """Yield the lines of some rows, each with a line feed.

        Args:
            rows: Which.
            options: Whether to use colours.
            header: Whether the headings come first.
            apart: Whether an empty line parts the rows.
        """
        if len(self.rows[rows]) > _MANY_ROWS:
            yield from self._padded(rows, options, header=header, apart=apart)
            return
        from rich.table import Table  # noqa: PLC0415 - only tables need it
        from rich.text import Text  # noqa: PLC0415

        padding = (0, _GAP, int(apart), 0)
        table = Table(
            box=None, pad_edge=False, padding=padding, header_style="bold", show_header=header
        )
        for column, width in zip(self.columns, self.widths, strict=True):
            justify: Any = "right" if column.right else "left"
            table.add_column(column.title, justify=justify, width=width, overflow="fold")
        for row in self.rows[rows]:
            table.add_row(
                *(Text("\n").join(Text(line.text, line.style) for line in cell) for cell in row)
            )
        console = _console(sum(self.widths) + _GAP * len(self.widths), color=options.color)
        with console.capture() as capture:
            console.print(table)
        for line in capture.get().rstrip().split("\n"):
            yield line.rstrip() + "\n"

    def _padded(
        self, rows: slice, options: RenderOptions, *, header: bool, apart: bool
    ) -> Iterator[str]:
        """Yield what `draw` does, many times as fast: rich takes 0.4 ms a row."""
        heading = [[Line(column.title, "bold")] for column in self.columns]
        shape = list(zip(self.columns, self.widths, strict=True))
        blank = 0  # Lines that nothing may follow.
        for row in ([heading] if header else []) + self.rows[rows]:
            cells = [
                _folded(cell or [_NOTHING], width)
                for cell, width in zip(row, self.widths, strict=True)
            ]
            for parts in zip_longest(*cells, fillvalue=_NOTHING):
                padded = (
                    _pad(part, column, width, color=options.color)
                    for part, (column, width) in zip(parts, shape, strict=True)
                )
                text = (" " * _GAP).join(padded).rstrip()
                if text:
                    yield "\n" * blank + text + "\n"
                    blank = 0
                else:
                    blank += 1
            blank += apart


def _folded(cell: Cell, width: int) -> Cell:
    """Return the lines of a cell, those broken that are wider than its column."""
    if all(_cells(line.text) <= width for line in cell):
        return cell
    from rich.text import Text  # noqa: PLC0415

    console = _console(width, color=False)
    return [
        line._replace(text=piece.plain.rstrip())
        for line in cell
        for piece in Text(line.text).wrap(console, width, overflow="fold")
    ]


def _pad(line: Line, column: Column[Any], width: int, *, color: bool) -> str:
    room = " " * (width - _cells(line.text))
    text = line.text
    if color and line.style:
        text = f"\x1b[{_STYLES[line.style]}m{text}\x1b[0m"
    return room + text if column.right else text + room


def _console(width: int, *, color: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - only tables need it

    return Console(
        width=width,
        height=_ANY_HEIGHT,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )


def lines(
    columns: Sequence[Column[T]], things: Sequence[T], options: RenderOptions
) -> Iterator[str]:
    """Yield the lines of a table, the headings first, with a row for each thing."""
    yield from lay_out(columns, things, options).draw(slice(None), options)


def lay_out(
    columns: Sequence[Column[T]],
    things: Sequence[T],
    options: RenderOptions,
    *,
    keeps_words: Sequence[bool] = (False,),
    keeps_empty: bool = True,
) -> Grid:
    """Return a table narrowed to the terminal as far as its text allows.

    Args:
        columns: The columns.
        things: What the rows are about.
        options: The width of the terminal, and its encoding.
        keeps_words: Whether words stay whole, for each attempt until the table fits.
        keeps_empty: Whether columns without any text stay.
    """
    rows = [[column.cell(thing, options.clean) for column in columns] for thing in things]
    there = [at for at in range(len(columns)) if keeps_empty or any(row[at] for row in rows)]
    kept = [columns[at] for at in there]
    rows = [[row[at] for at in there] for row in rows]
    by_column = [
        [Line(column.title), *(line for row in rows for line in row[at])]
        for at, column in enumerate(kept)
    ]
    widths = [max(_cells(line.text) for line in lines) for lines in by_column]
    if options.width is None:
        return Grid(kept, rows, widths, fits=True)
    room = options.width - _GAP * (len(kept) - 1)
    for whole_words in keeps_words:
        least = [
            max(_least(line, column, whole_words=whole_words) for line in lines)
            for column, lines in zip(kept, by_column, strict=True)
        ]
        widths = _narrow(widths, least, room)
        if sum(widths) <= room:
            break
    return Grid(kept, rows, widths, fits=sum(widths) <= room)


def _least(line: Line, column: Column[Any], *, whole_words: bool) -> int:
    """Return how narrow a line can be: whole ones and addresses never break, others keep room."""
    width = _cells(line.text)
    if line.whole or not column.folds:
        return width
    unbroken = (word for word in line.text.split() if whole_words or _ADDRESS.fullmatch(word))
    return max(min(width, _NARROWEST), max(map(_cells, unbroken), default=0))


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    return cell_len(text)


def _narrow(widest: list[int], least: list[int], room: int) -> list[int]:
    """Take from the columns that have most to give, until they fit or have no more."""
    widths = list(widest)
    for _ in range(sum(widest) - max(room, sum(least))):  # A negative number is no round.
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths
