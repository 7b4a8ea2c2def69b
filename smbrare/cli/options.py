"""Options that mean the same in every command that has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import click

from smbrare.cli.parameters import BaselineName, Excluding, History, Time, Zone
from smbrare.rule import predicate

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*options: Decorator) -> Decorator:
    """Return one decorator that adds options; the help shows them in the order given."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


output: Decorator = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write findings to a file, replaced whole at the end.",
)
alerts_file: Decorator = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write alerts, or differences, to a file, replaced whole at the end.",
)
result_file: Decorator = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    # A configuration's file is for findings, and would be replaced by something else.
    allow_from_autoenv=False,
    help="Write to a file, replaced whole at the end.",
)
exit_zero: Decorator = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 where findings alone would give 1."
)
history: Decorator = click.option(
    "--history",
    type=History(),
    default=f"{predicate.HISTORY_DAYS}d",
    show_default=True,
    help="How far back a destination counts as seen, or all.",
)
per_host: Decorator = click.option(
    "--per-host", is_flag=True, help="Judge each host's destinations apart."
)
literal: Decorator = click.option(
    "--literal", is_flag=True, help="Infer no field that the exporter left out: it is missing."
)
time_field: Decorator = click.option(
    "--time-field",
    type=click.Choice(["@timestamp", "event.ingested"]),
    default="@timestamp",
    show_default=True,
    help="The field that tells the time; @timestamp in events without it.",
)
input_tz: Decorator = click.option(
    "--input-tz",
    type=Zone(),
    default="UTC",
    show_default=True,
    help="The zone of times that name none.",
)
color: Decorator = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Use colours; auto does on a terminal.",
)
list_format: Decorator = click.option(
    "-f",
    "--format",
    type=click.Choice(["table", "json", "ndjson", "csv"]),
    default="table",
    show_default=True,
    # A configuration's format is that of findings.
    allow_from_autoenv=False,
    help="How to print destinations.",
)
text_or_json: Decorator = click.option(
    "-f",
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    # A configuration's format is that of findings.
    allow_from_autoenv=False,
    default="text",
    show_default=True,
    help="How to print it.",
)
strict: Decorator = click.option(
    "--strict", is_flag=True, help="Exit with 3 if any record was skipped."
)
quiet: Decorator = click.option(
    "-q", "--quiet", is_flag=True, help="Nothing on stderr but trouble."
)
verbose: Decorator = click.option(
    "-v", "--verbose", is_flag=True, help="Name inputs, settings and idle exclusions on stderr."
)
cluster: Decorator = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Read with the workers of a Dask cluster, by its scheduler's address.",
)
baseline: Decorator = together(
    click.option(
        "--baseline",
        type=BaselineName(),
        metavar="NAME|FILE",
        help="Judge against what a baseline has seen, and add to it.",
    ),
    click.option("--no-baseline", is_flag=True, help="Judge these files alone."),
    click.option("--no-update", is_flag=True, help="Read the baseline, but add nothing to it."),
)
exclusions: Decorator = together(
    click.option(
        "--exclude",
        type=Excluding(),
        multiple=True,
        metavar="CIDR",
        help="Leave out these destinations; may be given several times.",
    ),
    click.option(
        "--exclusions",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Leave out what a TOML file says, with reasons.",
    ),
)
window: Decorator = together(
    click.option("--since", type=Time(), help="Report findings from this time on."),
    click.option("--until", type=Time(), help="Report findings before this time."),
)
