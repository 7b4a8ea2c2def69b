"""``smbrare inspect``: print what an export holds, and what the rule removes of it."""

from typing import Any

import click

from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import settings_from
from smbrare.cli.parameters import FileName
from smbrare.cli.terminal import print_as, progress_bar, tell_labelled
from smbrare.diagnostics.inspection import inspect
from smbrare.inputs.discovery import discover
from smbrare.outputs.formats import INSPECTION
from smbrare.outputs.warning_lines import warning_lines


@command("inspect")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.text_or_json
@shared.reading
@shared.strict
@shared.ignore_unknown
@shared.quiet
@shared.limits
@shared.color
def inspect_command(**options: Any) -> int:
    """Show what an export contains and lacks, and how to improve it.

    PATH is a file, a directory, a glob or - for standard input. Shows format, sources, time and
    gaps, hosts, the rule's fields, how many events each condition removes, near misses (one
    condition short), and what to change at the exporter.

    Exit codes:
      0  everything can be evaluated
      2  wrong usage, or a file that cannot be used
      3  an input was incomplete, or an unreadable record might have matched
      4  nothing, or some source, can be evaluated

    Examples:
      smbrare inspect export.ndjson
      smbrare inspect logs/ --literal
      zcat day.ndjson.gz | smbrare inspect - --format json
    """
    read_options, criteria = settings_from(options)
    inputs = list(discover(options["paths"]))
    with progress_bar(inputs, quiet=options["quiet"]) as progress:
        inspected = inspect(inputs, read_options, criteria, progress)
    print_as(INSPECTION[options["format"]], inspected, options)
    tell_labelled(warning_lines(inspected.report), options)
    return inspected.report.exit_code
