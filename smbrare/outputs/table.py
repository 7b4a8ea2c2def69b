"""``table``: findings for a person, fitted to the width without ever cutting an address."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from smbrare.finding import Finding
from smbrare.report import Report
from smbrare.sanitize import visible
from smbrare.wording import history_text, host_text, notes, outcome_text, time_text

_GAP = 2
_NARROWEST_TEXT = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        title: Its heading.
        text: What it shows of a finding.
        rank: Columns of the highest rank give way first; those of rank 0 always stay.
        folds: Whether its text may be broken over lines, so that it narrows before it gives way.
        style: Rich's style of the cells.
        right: Whether it is aligned to the right.
    """

    title: str
    text: Callable[[Finding], str]
    rank: int = 0
    folds: bool = False
    style: str = ""
    right: bool = False


def _run(finding: Finding) -> str:
    """Return the time of the run, without the date where it is the event's."""
    if finding.alert is None:
        return ""
    run = time_text(finding.alert.run)
    return run[11:] if run[:10] == time_text(finding.sighting.time)[:10] else run


def _phase(finding: Finding) -> str:
    return "depends" if finding.alert is not None and finding.alert.phase_dependent else ""


COLUMNS = (
    Column("Time (UTC)", lambda finding: time_text(finding.sighting.time)),
    Column("Run (UTC)", _run, rank=1),
    Column("Phase", _phase, rank=1),
    Column("Destination", lambda finding: finding.sighting.destination, style="bold"),
    Column("Port", lambda finding: ", ".join(map(str, finding.ports)), rank=3, right=True),
    Column("Source", lambda finding: finding.sighting.source, rank=1),
    Column("Host", host_text, rank=2, folds=True),
    Column("Outcome", outcome_text, rank=6, folds=True),
    Column("Events", lambda finding: f"{finding.events:,}", rank=4, right=True),
    Column("History known", lambda finding: history_text(finding.history), rank=5),
    Column("Notes", lambda finding: "; ".join(notes(finding)), rank=7, folds=True),
)


def render(
    report: Report, shown: list[Finding], width: int | None, *, color: bool
) -> Iterator[str]:
    """Yield the table, or nothing where there is nothing to show.

    Args:
        report: Not used by this output.
        shown: The findings to show.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
    """
    del report
    if not shown:
        return
    from rich.console import Console  # noqa: PLC0415 - only tables need it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    columns, widths = _fit(shown, width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column, wide in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            style=column.style,
            justify="right" if column.right else "left",
            width=wide,
            overflow="fold",
            no_wrap=not column.folds,
        )
    for finding in shown:
        table.add_row(*(Text(visible(column.text(finding))) for column in columns))
    console = Console(
        width=sum(widths) + _GAP * len(widths),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        yield line.rstrip() + "\n"


def _fit(shown: list[Finding], width: int | None) -> tuple[list[Column], list[int]]:
    """Return the columns that have something to say and fit, and their widths."""
    from rich.cells import cell_len  # noqa: PLC0415

    natural: dict[Column, int] = {}
    for column in COLUMNS:
        widest = max(cell_len(visible(column.text(finding))) for finding in shown)
        if widest:
            natural[column] = max(widest, cell_len(column.title))
    columns = list(natural)
    while True:
        widths = [natural[column] for column in columns]
        excess = sum(widths) + _GAP * (len(widths) - 1) - (width or 0)
        if width is None or excess <= 0:
            return columns, widths
        room = [
            max(0, wide - max(_NARROWEST_TEXT, cell_len(column.title))) if column.folds else 0
            for column, wide in zip(columns, widths, strict=True)
        ]
        if sum(room) >= excess:
            return columns, _narrowed(widths, room, excess)
        last = max(columns, key=lambda column: column.rank)
        if not last.rank:
            return columns, widths
        columns.remove(last)


def _narrowed(widths: list[int], room: list[int], excess: int) -> list[int]:
    """Take the excess from the columns that have room, the roomiest first."""
    left = list(room)
    for _ in range(excess):
        left[left.index(max(left))] -= 1
    return [wide - had + has for wide, had, has in zip(widths, room, left, strict=True)]
