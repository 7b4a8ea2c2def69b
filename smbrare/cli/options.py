"""Options that several commands have in common, and what follows from them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from smbrare.cli.parameters import Zone

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write findings to a file, replaced whole at the end.",
)
exit_zero_option = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 where findings alone would give 1."
)
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="No summary and no progress on stderr."
)
input_tz_option = click.option(
    "--input-tz",
    type=Zone(),
    default="UTC",
    show_default=True,
    help="The zone of times that name none.",
)
color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours in the table.",
)


def terminal(options: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Return the width to fit a table into, None for any, and whether to use colours."""
    is_terminal = options["output"] is None and sys.stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else None
    if width is None and is_terminal:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    if options["color"] != "auto":
        return width, options["color"] == "always"
    return width, is_terminal and not os.environ.get("NO_COLOR")
