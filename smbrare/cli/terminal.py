"""What the terminal can show: results in its width, colours and encoding, and a progress bar."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from smbrare.cli import interruption, writing
from smbrare.limits import MIB
from smbrare.outputs.formats import OutputFormat, RenderOptions

T = TypeVar("T")

_LONGEST_WIDTH = 5
"""Digits of a width that is believed."""


def print_as(
    chosen: OutputFormat[T],
    content: T,
    *,
    color: str,
    path: Path | None = None,
    show: str | None = None,
) -> None:
    """Write results in a format, to stdout or to a file.

    Args:
        chosen: The format.
        content: The results.
        color: Whether to use colours, as the option says it.
        path: The file, or None for stdout.
        show: The findings that the user chose; None for those of the format.

    Raises:
        OutputError: If the file or stdout cannot be written.
        ClosedPipeError: If stdout was closed.
    """
    options = RenderOptions()
    if chosen.for_terminal:
        options = _screen(color, to_file=path is not None)
    options = replace(options, show=show or chosen.show)
    writing.write(chosen.render(content, options), path, options.encoding)


def _screen(color: str, *, to_file: bool) -> RenderOptions:
    """Return what a text for people is laid out for: width, colours and encoding.

    Args:
        color: ``auto``, ``always`` or ``never``.
        to_file: Whether the output goes to a file that the user named, which is UTF-8.
    """
    is_terminal = not to_file and sys.stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and len(columns) <= _LONGEST_WIDTH else None
    width = width or None
    if width is None and is_terminal:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    colored = is_terminal and not os.environ.get("NO_COLOR")
    if color != "auto":
        colored = color == "always"
    encoding = "utf-8" if to_file else sys.stdout.encoding
    return RenderOptions(width=width, color=colored, encoding=encoding)


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
