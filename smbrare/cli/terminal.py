"""What the terminal can show: its width, and whether to use colours."""

import os
import sys

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
