"""``smbrare baseline prune``: forget what is old."""

from typing import Any

import click

from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.cli import interruption, writing
from smbrare.cli.parameters import BaselineName, Time
from smbrare.records.times import format_time
from smbrare.text import counted

_EXAMPLES = """\b
Examples:
  smbrare baseline prune acme --before 2026-01-01
"""


@click.command("prune", short_help="Forget what is old.", epilog=_EXAMPLES)
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@click.option(
    "--before", type=Time(), required=True, help="Forget what was last seen before this time."
)
def prune_command(**options: Any) -> int:
    """Forget what was last seen before a time.

    By the time of events: the sightings of an hour stay together, as long as the last of them
    does. Destinations with no sighting left are new to later scans.

    \b
    Exit codes: 0 done; 2 wrong usage, or no whole baseline.
    """  # noqa: D301 - click wants a real backspace
    with interruption.unwinding():
        rows, hours = Baseline(locate(options["baseline"])).prune(options["before"])
    line = (
        f"forgotten   {counted(rows, 'row')} and {counted(hours, 'covered hour')} before "
        f"{format_time(options['before'])}"
    )
    writing.tell([line])
    return 0
