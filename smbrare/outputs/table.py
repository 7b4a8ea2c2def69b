"""``table``: findings for a person, at any width without losing a fact or cutting an address.

Colours are few, and none says what the words do not.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.outputs.columns import INFERRED_MARK, LAYOUTS, Column, Line
from smbrare.text import visible

_GAP = 2
_ANY_HEIGHT = 1
"""Without one rich reads COLUMNS too, and fails at a number of thousands of digits."""
_NARROWEST_TEXT = 12


def render(
    report: Report, shown: list[Finding], width: int | None, *, color: bool, encoding: str = "utf-8"
) -> Iterator[str]:
    """Yield the table, or nothing where there is nothing to show.

    Findings whose history was known in full come first; those of one destination stand together.

    Args:
        report: Not used by this output.
        shown: The findings to show.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
        encoding: What the text has to be encodable in; other characters show as escapes.
    """
    del report
    if not shown:
        return
    at_least = "≥" if _can_encode("≥", encoding) else ">="

    def clean(text: str) -> str:
        seen = visible(text).replace("≥", at_least)
        return seen.encode(encoding, "backslashreplace").decode(encoding)

    known, cold = _parts(shown)
    laid = _lay_out([*known, *cold], width, clean)
    yield from _print(laid, laid.rows[: len(known)] or laid.rows, color=color)
    if known and cold:
        yield "\nThe history before these was not known in full:\n\n"
        yield from _print(laid, laid.rows[len(known) :], color=color, header=False)
    inferred = sorted({name for finding in shown for name in finding.sighting.inferred})
    if inferred and len(laid.columns) > 1:
        yield f"\n{INFERRED_MARK} rests on inferred fields: {clean(', '.join(inferred))}\n"


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _parts(shown: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings by destination: those with one of full history, and the others."""
    groups: dict[str, list[Finding]] = {}
    for finding in shown:
        groups.setdefault(finding.sighting.destination, []).append(finding)
    parts: tuple[list[Finding], list[Finding]] = [], []
    for group in groups.values():
        parts[not any(finding.history.complete for finding in group)].extend(group)
    return parts


Row: TypeAlias = list[list[Line]]


class _Laid(NamedTuple):
    columns: list[Column]
    rows: list[Row]
    widths: list[int]
    apart: bool


def _lay_out(findings: list[Finding], width: int | None, clean: Callable[[str], str]) -> _Laid:
    """Return the first layout that fits, or the last.

    Only those with stacked cells may break words for it.
    """
    for layout in LAYOUTS:
        last = layout is LAYOUTS[-1]
        rows = [[_cell(column, finding, clean) for column in layout] for finding in findings]
        there = [number for number in range(len(layout)) if any(row[number] for row in rows)]
        columns = [layout[number] for number in there]
        rows = [[row[number] for number in there] for row in rows]
        widest = [_widest(column, rows, at) for at, column in enumerate(columns)]
        if width is None:
            return _Laid(columns, rows, widest, apart=False)
        room = width - _GAP * (len(columns) - 1)
        least = [_least(column, rows, at, whole_words=True) for at, column in enumerate(columns)]
        widths = _narrowed(widest, least, room)
        if sum(widths) > room and layout not in LAYOUTS[:2]:
            least = [
                _least(column, rows, at, whole_words=False) for at, column in enumerate(columns)
            ]
            widths = _narrowed(widths, least, room)
        if sum(widths) <= room or last:
            return _Laid(columns, rows, widths, apart=layout in LAYOUTS[3:])
    raise AssertionError("the last layout always fits")


def _cell(column: Column, finding: Finding, clean: Callable[[str], str]) -> list[Line]:
    lines = (line._replace(text=clean(line.text)) for line in column.lines(finding))
    return [line for line in lines if line.text]


def _widest(column: Column, rows: list[Row], at: int) -> int:
    return max(map(_cells, [column.title, *(line.text for row in rows for line in row[at])]))


def _least(column: Column, rows: list[Row], at: int, *, whole_words: bool) -> int:
    """Return how narrow a column can be: whole lines stay whole, and other text keeps some room."""
    least = [_cells(column.title)]
    for line in (line for row in rows for line in row[at]):
        width = _cells(line.text)
        least.append(width if line.whole else min(width, _NARROWEST_TEXT))
        if whole_words:
            least += map(_cells, line.text.split())
    return max(least)


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    return cell_len(text)


def _narrowed(widest: list[int], least: list[int], room: int) -> list[int]:
    """Take from the columns that have most to give, until they fit or have no more."""
    widths = list(widest)
    for _ in range(sum(widest) - max(room, sum(least))):  # A negative number is no round.
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def _print(laid: _Laid, rows: list[Row], *, color: bool, header: bool = True) -> Iterator[str]:
    from rich.console import Console  # noqa: PLC0415 - only tables need it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, _GAP, int(laid.apart), 0),
        header_style="bold",
        show_header=header,
    )
    for column, width in zip(laid.columns, laid.widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, width=width, overflow="fold")
    for row in rows:
        table.add_row(
            *(Text("\n").join(Text(line.text, line.style) for line in cell) for cell in row)
        )
    console = Console(
        width=sum(laid.widths) + _GAP * len(laid.widths),
        height=_ANY_HEIGHT,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().rstrip().split("\n"):
        yield line.rstrip() + "\n"
