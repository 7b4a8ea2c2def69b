"""``smbrare explain``: print why one event is a sighting or none, and a finding or none."""

from typing import Any

import click

from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import open_baseline, settings_from
from smbrare.cli.parameters import BaselineName, FileName
from smbrare.cli.terminal import print_as
from smbrare.diagnostics.explain import explain, is_file, parse_target
from smbrare.outputs.formats import EXPLANATION


@command("explain")
@click.argument("target", metavar="FILE:LINE|FILE#RECORD|-", type=FileName())
@shared.text_or_json
@click.option(
    "--baseline",
    type=BaselineName(),
    metavar="NAME|FILE",
    help="Compare with what a baseline has seen as well; it is only read.",
)
@click.option("--no-baseline", is_flag=True, help="Evaluate the input on its own.")
@shared.exclusions
@shared.rarity
@shared.reading
@shared.limits
@shared.color
def explain_command(**options: Any) -> int:
    """Explain why an event is, or isn't, a finding.

    Shows each condition of the rule with the value and the field it was read from; for a match
    whether its destination is new; otherwise the smallest change that would make it match. The
    number is the line, record or row that a finding shows; an input of one record needs none.

    Exit codes:
      0  explained, whether a finding or not
      2  wrong usage, or no such record
      3  the record cannot be read
      4  the record is of no known source

    Examples:
      smbrare explain sysmon.ndjson:1207
      smbrare explain 'export.zip!defend.ndjson:12' --baseline acme
      grep 45.83.122.10 events.ndjson | head -1 | smbrare explain - --format json
    """
    target = parse_target(options["target"], is_file)
    read_options, criteria = settings_from(options)
    baseline = open_baseline(read_options, criteria)
    explained = explain(target, read_options, criteria, baseline, lambda _: None)
    print_as(EXPLANATION[options["format"]], explained, options)
    return explained.exit_code
