"""``smbrare scan --dry-run``: what a scan would read."""

from typing import Any

from smbrare.cli.terminal import print_as
from smbrare.diagnostics.preview import exit_code, look
from smbrare.errors import UsageError
from smbrare.inputs.discovery import discover
from smbrare.outputs.formats import PREVIEW
from smbrare.records.read_options import ReadOptions


def dry_run(read_options: ReadOptions, options: dict[str, Any]) -> int:
    """Print what a scan would read, and return the exit code.

    Raises:
        UsageError: If the format is none that it is printed in.
    """
    if options["format"] not in PREVIEW:
        raise UsageError(f"--dry-run prints --format {' or '.join(PREVIEW)}")
    found = look(discover(options["paths"]), read_options, lambda _: None)
    print_as(PREVIEW[options["format"]], found, color=options["color"], path=options["output"])
    return exit_code(found)
