"""``smbrare baseline export``: a baseline as text that can be compared and kept anywhere."""

from typing import Any

import click

from smbrare.baseline import exchange
from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.cli import options as shared
from smbrare.cli import writing
from smbrare.cli.parameters import BaselineName
from smbrare.text import counted

_EXAMPLES = """\b
Examples:
  smbrare baseline export acme --output acme.json
  smbrare baseline export acme | sha256sum
"""


@click.command("export", short_help="Write a baseline as canonical JSON.", epilog=_EXAMPLES)
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@shared.result_file
def export_command(**options: Any) -> int:
    """Write a baseline as canonical JSON, which merge reads.

    The bytes are the same for the same sightings and hours, whatever the order, split, overlap or
    number of scans and merges that led there. Covered hours that are known from samples only are
    left out, which is said.

    \b
    Exit codes: 0 written; 2 wrong usage, no whole baseline, or output that cannot be written.
    """  # noqa: D301 - click wants a real backspace
    if options["output"] is not None:
        writing.check(options["output"])
    baseline = Baseline(locate(options["baseline"]))
    writing.write(exchange.export(baseline), options["output"])
    if left_out := exchange.sampled_hours(baseline):
        writing.tell([f"left out    {counted(left_out, 'covered hour')} known from samples only"])
    return 0
