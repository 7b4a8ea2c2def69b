"""A progress bar by bytes on stderr, where a person waits for it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from smbrare.cli import interruption
from smbrare.limits import MIB

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
