"""``smbrare baseline``: what was seen before, shown, learnt, merged and checked."""

from collections import Counter
from typing import Any

import click

from smbrare.baseline import exchange
from smbrare.baseline.exchange import merge_into, open_memory
from smbrare.baseline.location import locate
from smbrare.baseline.seen import Filter, SeenDestinations, by_destination
from smbrare.baseline.store import Baseline
from smbrare.cli import interruption, writing
from smbrare.cli import options as shared
from smbrare.cli.baseline_learn import learn_command
from smbrare.cli.parameters import BaselineName, Range, Time
from smbrare.cli.terminal import print_as
from smbrare.outputs.formats import SEEN
from smbrare.records.times import format_time
from smbrare.text import counted, visible

_EXAMPLES = """\b
Examples:
  smbrare baseline learn acme last-month/
  smbrare baseline show acme --destination 45.83.122.0/24
  smbrare baseline merge london paris --output both
"""


@click.group(
    "baseline",
    short_help="Show, teach, merge and check what was seen before.",
    epilog=_EXAMPLES,
)
def baseline_command() -> None:
    """Show, teach, merge and check what was seen before.

    A baseline is a file of the destinations that earlier scans saw. A bare name lies in the user's
    state directory; anything with a dot or a slash is a path.
    """


_SHOW_EXAMPLES = """\b
Examples:
  smbrare baseline show acme
  smbrare baseline show acme --destination 45.83.122.0/24 --host 'ws-*'
  smbrare baseline show acme --since 2026-11-20 --format csv --output seen.csv
"""


@click.command("show", short_help="Print the destinations seen.", epilog=_SHOW_EXAMPLES)
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
    print_as(SEEN[options["format"]], SeenDestinations(seen), options)
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


_MERGE_EXAMPLES = """\b
Examples:
  smbrare baseline merge london paris --output both
  smbrare baseline merge acme colleague.json --output acme
"""


@click.command("merge", short_help="Merge baselines or exports into one.", epilog=_MERGE_EXAMPLES)
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
        merged = merge_into(
            [open_memory(name) for name in options["sources"]], locate(options["output"])
        )
    rows = Counter(row.destination for row in merged.rows())
    line = (
        f"merged      {counted(len(options['sources']), 'baseline')} into {options['output']}: "
        f"{counted(len(rows), 'destination')}, {counted(rows.total(), 'row')}, "
        f"{counted(len(merged.covered()), 'covered hour')}"
    )
    writing.tell([visible(line)])
    return 0


_PRUNE_EXAMPLES = """\b
Examples:
  smbrare baseline prune acme --before 2026-01-01
"""


@click.command("prune", short_help="Forget what is old.", epilog=_PRUNE_EXAMPLES)
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


_EXPORT_EXAMPLES = """\b
Examples:
  smbrare baseline export acme --output acme.json
  smbrare baseline export acme | sha256sum
"""


@click.command("export", short_help="Write a baseline as canonical JSON.", epilog=_EXPORT_EXAMPLES)
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
    if omitted := exchange.sampled_hours(baseline):
        writing.tell([f"left out    {counted(omitted, 'covered hour')} known from samples only"])
    return 0


_VERIFY_EXAMPLES = """\b
Examples:
  smbrare baseline verify acme
  smbrare baseline verify evidence/acme.db
"""


@click.command("verify", short_help="Check that a baseline is whole.", epilog=_VERIFY_EXAMPLES)
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
def verify_command(**options: Any) -> int:
    """Check that a baseline holds what was written to it.

    Everything in the file is checked: its structure, its tables, and every row, covered hour and
    setting against the digests that the last commit stored. Other commands check what they read.

    \b
    Exit codes: 0 whole; 2 damaged, of another version, or no baseline.
    """  # noqa: D301 - click wants a real backspace
    version, digest = Baseline(locate(options["baseline"])).verify()
    text = f"{options['baseline']} is whole: schema version {version}, SHA-256 {digest}\n"
    writing.write([visible(text[:-1]) + "\n"], None)
    return 0


for command in (
    learn_command,
    show_command,
    merge_command,
    prune_command,
    verify_command,
    export_command,
):
    baseline_command.add_command(command)
