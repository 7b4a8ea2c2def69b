"""``smbrare baseline verify``: whether a baseline holds what was written to it."""

from typing import Any

import click

from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.cli import writing
from smbrare.cli.parameters import BaselineName
from smbrare.text import visible

_EXAMPLES = """\b
Examples:
  smbrare baseline verify acme
  smbrare baseline verify evidence/acme.db
"""


@click.command("verify", short_help="Check that a baseline is whole.", epilog=_EXAMPLES)
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
def verify_command(**options: Any) -> int:
    """Check that a baseline holds what was written to it.

    Its tables, its settings, and a SHA-256 over every row, covered hour and setting that each
    commit stores in the file.

    \b
    Exit codes: 0 whole; 2 damaged, of another version, or no baseline.
    """  # noqa: D301 - click wants a real backspace
    version, digest = Baseline(locate(options["baseline"])).verify()
    text = f"{options['baseline']} is whole: schema version {version}, SHA-256 {digest}\n"
    writing.write([visible(text[:-1]) + "\n"], None)
    return 0
