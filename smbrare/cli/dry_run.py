"""``smbrare scan --dry-run``: what a scan would read."""

from typing import Any

from smbrare.cli import writing
from smbrare.cli.terminal import fitted
from smbrare.diagnostics.preview import exit_code, look
from smbrare.errors import UsageError
from smbrare.inputs.discovery import discover
from smbrare.outputs import preview
from smbrare.records.read_options import ReadOptions


def dry_run(read_options: ReadOptions, options: dict[str, Any]) -> int:
    """Print what a scan would read, and return the exit code.

    Raises:
        UsageError: If the format is none that it is printed in.
    """
    output_format, output = options["format"], options["output"]
    if output_format not in {"table", "json"}:
        raise UsageError("--dry-run prints --format table or json")
    found = look(discover(options["paths"]), read_options, lambda _: None)
    code = exit_code(found)
    if output_format == "json":
        writing.write(preview.render_json(found, code), output)
    else:
        width, color = fitted(options["color"], to_file=output is not None)
        writing.write(preview.render_table(found, width, color=color), output)
    return code
