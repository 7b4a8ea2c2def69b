"""A progress bar by bytes on stderr, where a person waits for it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smbrare.limits import MIB

_WORTH_SHOWING = 64 * MIB


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

    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda count: bar.advance(task, count)
