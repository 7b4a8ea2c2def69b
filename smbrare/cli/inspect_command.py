"""``smbrare inspect``: print what an export holds, and what the rule removes of it."""

from typing import Any

import click

from smbrare.cli import configuration, writing
from smbrare.cli import options as shared
from smbrare.cli.options import settings_from
from smbrare.cli.parameters import FileName
from smbrare.cli.terminal import print_as, progress_bar
from smbrare.diagnostics.inspection import inspect
from smbrare.inputs.discovery import discover
from smbrare.outputs.formats import INSPECTION
from smbrare.outputs.warning_lines import warning_lines

_EXAMPLES = """\b
Examples:
  smbrare inspect export.ndjson
  smbrare inspect logs/ --literal
  zcat day.ndjson.gz | smbrare inspect - --format json
"""


@click.command(
    "inspect",
    short_help="Print what an export holds and lacks.",
    epilog=_EXAMPLES,
    context_settings=configuration.settings(),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.text_or_json
@shared.reading
@shared.strict
@shared.ignore_unknown
@shared.quiet
@shared.limits
@shared.color
@configuration.config_option()
def inspect_command(**options: Any) -> int:
    """Print what an export holds, and what the rule removes of it.

    PATH is a file, a directory, a glob or - for standard input. Printed are container, sources,
    time and its gaps, hosts, which fields of the rule are there, how many events each clause
    removes, the events one clause away, and what to change at the exporter.

    \b
    Exit codes: 0 all can be judged; 2 wrong usage; 3 some input not read to its end; 4 some
    source, or everything, cannot be judged.
    """  # noqa: D301 - click wants a real backspace
    read_options, criteria = settings_from(options)
    inputs = list(discover(options["paths"]))
    with progress_bar(inputs, quiet=options["quiet"]) as progress:
        inspected = inspect(inputs, read_options, criteria, progress)
    print_as(INSPECTION[options["format"]], inspected, options)
    writing.tell(warning_lines(inspected.report))
    return inspected.report.exit_code
