"""What the terminal can show: results in its width, colours and encoding, and a progress bar."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from msgspec.structs import replace

from smbrare.cli import interruption, writing
from smbrare.inputs.discovery import Input
from smbrare.limits import MIB
from smbrare.outputs.formats import OutputFormat, RenderOptions
from smbrare.outputs.grid import WARNING, Labelled, labelled_lines, verdict_lines
from smbrare.records.event import Skipped

T = TypeVar("T")

_LONGEST_WIDTH = 5
"""Digits of a width that is believed."""


def print_as(
    chosen: OutputFormat[T],
    content: T,
    options: Mapping[str, Any],
    show: str | None = None,
    through: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> None:
    """Write results in a format, to stdout or to a file.

    Args:
        chosen: The format.
        content: The results.
        options: The command's, of which this reads ``color``, ``output`` and ``brief``.
        show: The status of the findings to show; None for those of the format.
        through: Takes the texts and gives them on.

    Raises:
        OutputError: If the file or stdout cannot be written.
        ClosedPipeError: If stdout was closed.
    """
    path: Path | None = options.get("output")
    screen = RenderOptions()
    if chosen.for_terminal:
        screen = _screen(options["color"], sys.stdout, to_file=path is not None)
    screen = replace(screen, show=show or chosen.show, brief=bool(options.get("brief")))
    writing.write(through(chosen.render(content, screen)), path, screen.encoding)


def tell_labelled(
    lines: Iterable[Labelled], options: Mapping[str, Any], *, apart: bool = False
) -> None:
    """Write labelled lines to stderr, with ``quiet`` the warnings alone.

    Args:
        lines: The lines.
        options: The command's, of which this reads ``color`` and ``quiet``.
        apart: Whether an empty line comes before them, unless ``quiet``.
    """
    quiet = options.get("quiet")
    shown = [line for line in lines if line.label == WARNING or not quiet]
    empty = [""] if apart and not quiet else []
    writing.tell([*empty, *labelled_lines(shown, messages_screen(options))])


def tell_verdict(
    lines: Iterable[str], chosen: OutputFormat[Any], options: Mapping[str, Any], *, rows: bool
) -> None:
    """Write a verdict to stderr before the results, nothing with ``quiet``.

    Args:
        lines: Its lines.
        chosen: The format of the results.
        options: The command's, of which this reads ``color``, ``output`` and ``quiet``.
        rows: Whether there are any results, so that an empty line parts them where both show.
    """
    if options["quiet"]:
        return
    apart = rows and chosen.for_terminal and options["output"] is None
    writing.tell([*verdict_lines(lines, messages_screen(options)), *([""] if apart else [])])


def rows_screen() -> RenderOptions | None:
    """Return what rows on stdout are laid out for, None where that is no terminal."""
    return _screen("auto", sys.stdout) if sys.stdout.isatty() else None


def messages_screen(options: Mapping[str, Any]) -> RenderOptions:
    """Return what messages on stderr are laid out for."""
    return _screen(options.get("color", "auto"), sys.stderr)


def _screen(color: str, stream: TextIO, *, to_file: bool = False) -> RenderOptions:
    """Return what a text for people is laid out for: width, colours and encoding.

    Args:
        color: ``auto``, ``always`` or ``never``.
        stream: Where it goes.
        to_file: Whether it goes to a file that the user named instead, which is UTF-8.
    """
    is_terminal = not to_file and stream.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and len(columns) <= _LONGEST_WIDTH else None
    width = width or None
    if width is None and is_terminal:
        width = os.get_terminal_size(stream.fileno()).columns
    is_dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colored = not is_dumb and (is_terminal or (not to_file and bool(os.environ.get("FORCE_COLOR"))))
    if color != "auto":
        colored = color == "always"
    encoding = "utf-8" if to_file else stream.encoding
    return RenderOptions(width=width, color=colored, encoding=encoding)


_WORTH_SHOWING = 64 * MIB
_SECONDS_BETWEEN = 0.2


@contextmanager
def progress_bar(
    inputs: Iterable[Input | Skipped], *, quiet: bool, times: int = 1
) -> Iterator[Callable[[int], None]]:
    """Give a function to call with each number of bytes read.

    Args:
        inputs: What is read.
        quiet: Whether to show nothing.
        times: How often it is read.
    """
    total = times * sum(found.size or 0 for found in inputs if isinstance(found, Input))
    if (
        quiet
        or total < _WORTH_SHOWING
        or not sys.stderr.isatty()
        or os.environ.get("CI")
        or os.environ.get("TERM") == "dumb"
    ):
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
