"""``smbrare baseline show``: the destinations that a baseline has seen."""

from typing import Any

import click

from smbrare.baseline.location import locate
from smbrare.baseline.seen import Filter, by_destination
from smbrare.baseline.store import Baseline
from smbrare.cli import options as shared
from smbrare.cli import writing
from smbrare.cli.parameters import BaselineName, Range, Time
from smbrare.cli.terminal import fitted
from smbrare.outputs import seen_destinations
from smbrare.text import counted

_EXAMPLES = """\b
Examples:
  smbrare baseline show acme
  smbrare baseline show acme --destination 45.83.122.0/24 --host 'ws-*'
  smbrare baseline show acme --since 2026-11-20 --format csv --output seen.csv
"""


@click.command("show", short_help="Print the destinations seen.", epilog=_EXAMPLES)
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@shared.list_format
@shared.result_file
@click.option(
    "--destination",
    type=Range(),
    multiple=True,
    metavar="ADDRESS|CIDR",
    help="Only destinations in this range; may be given several times.",
)
@click.option(
    "--host",
    multiple=True,
    metavar="GLOB",
    help="Only what these hosts contacted; may be given several times.",
)
@click.option("--since", type=Time(), help="Only hours with a sighting at this time or later.")
@click.option("--until", type=Time(), help="Only hours with a sighting before this time.")
@shared.quiet
@shared.color
def show_command(**options: Any) -> int:
    """Print the destinations that a baseline has seen.

    For each the first and last sighting, the number of UTC hours with one, the hosts and the
    source addresses; of the hours that the options choose.

    \b
    Exit codes: 0 shown; 2 wrong usage, or no whole baseline.
    """  # noqa: D301 - click wants a real backspace
    baseline = Baseline(locate(options["baseline"]))
    chosen = Filter(
        destinations=options["destination"],
        hosts=tuple(pattern.lower() for pattern in options["host"]),
        since=options["since"],
        until=options["until"],
    )
    seen = by_destination(row for row in baseline.rows() if chosen.keeps(row))
    if options["format"] == "table":
        width, color = fitted(options["color"], to_file=options["output"] is not None)
        texts = seen_destinations.render_table(seen, None, width, color=color)
    else:
        texts = seen_destinations.RENDERERS[options["format"]](seen, None)
    writing.write(texts, options["output"])
    if not options["quiet"]:
        covered = baseline.covered()
        sampled = sum(covered.values())
        kept = ", ".join(f"{name} {value}" for name, value in sorted(baseline.settings.items()))
        writing.tell(
            [
                f"covers      {counted(len(covered), 'hour')}"
                + (f", {sampled:,} of them known from samples only" if sampled else ""),
                f"kept with   {kept}",
            ]
        )
    return 0
