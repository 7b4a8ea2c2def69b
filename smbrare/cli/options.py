"""Options that several commands have in common, or that belong together."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from smbrare import rule
from smbrare.cli.parameters import BaselineName, Excluding, History, Time, Zone

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]

TIME_FIELDS = ("@timestamp", "event.ingested")


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return one decorator that adds options; the help shows them in the order given."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


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
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Name inputs, settings and idle exclusions on stderr.",
)
literal_option = click.option(
    "--literal", is_flag=True, help="Do without fields that the exporter left out."
)
time_field_option = click.option(
    "--time-field",
    type=click.Choice(TIME_FIELDS),
    default="@timestamp",
    show_default=True,
    help="The field that tells the time; @timestamp in events without it.",
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
baseline_options = together(
    click.option(
        "--baseline",
        type=BaselineName(),
        metavar="NAME|FILE",
        help="Judge against what a baseline has seen, and add to it.",
    ),
    click.option("--no-baseline", is_flag=True, help="Judge these files alone."),
    click.option("--no-update", is_flag=True, help="Read the baseline, but add nothing to it."),
)
exclusion_options = together(
    click.option(
        "--exclude",
        type=Excluding(),
        multiple=True,
        metavar="CIDR",
        help="Let destinations not count. May be given again.",
    ),
    click.option(
        "--exclusions",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Let not count what a file says, with reasons.",
    ),
)
window_options = together(
    click.option("--since", type=Time(), help="Report findings from this time on."),
    click.option("--until", type=Time(), help="Report findings before this time."),
)
judging_options = together(
    click.option(
        "--history",
        type=History(),
        default=f"{rule.HISTORY_DAYS}d",
        show_default=True,
        help="How far back a destination counts as seen, or all.",
    ),
    click.option("--per-host", is_flag=True, help="Judge each host's destinations apart."),
    literal_option,
    time_field_option,
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
