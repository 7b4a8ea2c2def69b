"""What the terminal can show: its width, and whether to use colours."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smbrare.cli import interruption
from smbrare.limits import MIB

_LONGEST_WIDTH = 5
"""Digits of a width that is believed."""


def fitted(color: str, *, to_file: bool = False) -> tuple[int | None, bool]:
    """Return the width to fit a table into, None for any, and whether to use colours.

    Args:
        color: ``auto``, ``always`` or ``never``.
        to_file: Whether the output goes to a file that the user named.
    """
    is_terminal = not to_file and sys.stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and len(columns) <= _LONGEST_WIDTH else None
    width = width or None
    if width is None and is_terminal:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    if color != "auto":
        return width, color == "always"
    return width, is_terminal and not os.environ.get("NO_COLOR")


def block() -> str:
    """Return the character to draw bars with: a full block where stdout's encoding has one."""
    full = "\u2588"
    try:
        full.encode(sys.stdout.encoding)
    except (UnicodeEncodeError, LookupError):
        return "#"
    return full


_WORTH_SHOWING = 64 * MIB


_SECONDS_BETWEEN = 0.2


@contextmanager
def progress_bar(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function to call with each number of bytes read.

    Args:
        total: Bytes to read in all, as far as is known.
        quiet: Whether to show nothing.
    """
    if quiet or total < _WORTH_SHOWING or not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only long scans need it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    # It refreshes itself by a thread otherwise, and a process with threads should not fork.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    drawn = 0.0

    def advance(count: int) -> None:
        nonlocal drawn
        bar.advance(task, count)
        if (now := time.monotonic()) - drawn > _SECONDS_BETWEEN:
            drawn = now
            bar.refresh()

    with interruption.undoing(interruption.clear_bar), bar:
        task = bar.add_task("reading", total=total)
        yield advance
