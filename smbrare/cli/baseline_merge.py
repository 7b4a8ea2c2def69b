"""``smbrare baseline merge``: what any of some baselines has seen, in one."""

from typing import Any

import click

from smbrare.baseline.location import locate
from smbrare.baseline_merge import merge, opened
from smbrare.cli import interruption, writing
from smbrare.cli.parameters import BaselineName
from smbrare.text import counted, visible

_EXAMPLES = """\b
Examples:
  smbrare baseline merge london paris --output both
  smbrare baseline merge acme colleague.json --output acme
"""


@click.command("merge", short_help="Merge baselines or exports into one.", epilog=_EXAMPLES)
@click.argument("sources", nargs=-1, required=True, metavar="BASELINE...", type=BaselineName())
@click.option(
    "-o",
    "--output",
    type=BaselineName(),
    required=True,
    metavar="NAME|FILE",
    help="The baseline to write; one that exists has to be among those to merge.",
)
def merge_command(**options: Any) -> int:
    """Merge baselines, or exports of them, into one.

    Neither order nor overlap shows in the result, and merging again changes nothing.

    \b
    Exit codes: 0 merged; 2 wrong usage, different settings, or no whole baseline.
    """  # noqa: D301 - click wants a real backspace
    with interruption.unwinding():
        merged = merge([opened(name) for name in options["sources"]], locate(options["output"]))
    rows = destinations = 0
    last = ""
    for row in merged.rows():
        rows += 1
        destinations += row.destination != last
        last = row.destination
    line = (
        f"merged      {counted(len(options['sources']), 'baseline')} into {options['output']}: "
        f"{counted(destinations, 'destination')}, {counted(rows, 'row')}, "
        f"{counted(len(merged.covered()), 'covered hour')}"
    )
    writing.tell([visible(line)])
    return 0
