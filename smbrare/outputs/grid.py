"""Rows of text in columns for a terminal: folded to its width, and nothing in them live."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from smbrare.text import visible

_GAP = 2
_ANY_HEIGHT = 1
"""Without one rich reads COLUMNS too, and fails at a number of thousands of digits."""
_NARROWEST = 12
_ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,45}[,)]?")
"""What could be an address or a range; such a word is never broken."""

Cell: TypeAlias = str | tuple[str, str]
"""Text, or text and rich's style of it."""


class Column(Struct, frozen=True):
    """A column.

    Attributes:
        title: Its heading.
        folds: Whether its text may be broken over lines where the terminal is narrow.
        right: Whether it is aligned to the right.
    """

    title: str
    folds: bool = False
    right: bool = False


def lines(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None, *, color: bool
) -> Iterator[str]:
    """Yield the lines of a table, the headings first, each with a line feed.

    Args:
        columns: The columns.
        rows: A cell a column.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    texts = [[_text(cell) for cell in row] for row in rows]
    natural = [
        max(cell_len(text) for text in (column.title, *(row[at] for row in texts)))
        for at, column in enumerate(columns)
    ]
    floors = [
        max(_NARROWEST, _floor([row[at] for row in texts])) if column.folds else natural[at]
        for at, column in enumerate(columns)
    ]
    widths = _fitted(natural, floors, width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column, wide in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            width=wide,
            overflow="fold",
            no_wrap=not column.folds,
        )
    for row, shown in zip(rows, texts, strict=True):
        table.add_row(
            *(Text(text, _style(cell)) for cell, text in zip(row, shown, strict=True)),
        )
    console = Console(
        width=sum(widths) + _GAP * len(widths),
        height=_ANY_HEIGHT,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        yield line.rstrip() + "\n"


def _text(cell: Cell) -> str:
    return visible(cell if isinstance(cell, str) else cell[0])


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]


def _floor(texts: Sequence[str]) -> int:
    """Return the width below which a column would break a word that could be an address."""
    words = {word for text in texts for word in text.split()}
    return max((len(word) for word in words if _ADDRESS.fullmatch(word)), default=0)


def _fitted(natural: list[int], floors: list[int], width: int | None) -> list[int]:
    """Narrow the widest of the columns that can give until all fit, or none can give more."""
    widths = list(natural)
    while width is not None and sum(widths) + _GAP * (len(widths) - 1) > width:
        giving = [at for at, wide in enumerate(widths) if wide > floors[at]]
        if not giving:
            break
        widths[max(giving, key=lambda at: widths[at])] -= 1
    return widths
