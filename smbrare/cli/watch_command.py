"""``smbrare watch``: follow files that grow, and print each finding as it comes."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from smbrare.baseline.connection import held
from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.cli import appending, interruption, writing
from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import new_or_known, settings_from
from smbrare.cli.parameters import FileName
from smbrare.cli.terminal import rows_screen, tell_labelled
from smbrare.detection.finding import Finding
from smbrare.errors import EXIT_CLEAN, EXIT_INTERRUPTED, EXIT_TERMINATED, UsageError
from smbrare.inputs import remote
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Labelled
from smbrare.outputs.json_document import ndjson_line
from smbrare.outputs.table import render_one
from smbrare.outputs.warning_lines import odd_time_lines, unjudged_lines
from smbrare.scanning.scan import baseline_settings
from smbrare.text import counted
from smbrare.watch.watch import Hooks, Watch, WatchResult


@command("watch")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.baseline_option("Where to keep what was seen and read; required.")
# A configuration's output is the report of a scan.
@shared.output_option("Append findings to a file.", allow_from_autoenv=False)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.01, max=86_400),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    allow_from_autoenv=False,
    help="How often to look at the files.",
)
@click.option(
    "--once", is_flag=True, allow_from_autoenv=False, help="End when everything was read."
)
@shared.exclusions
@shared.exit_zero
@shared.quiet
@shared.rarity
@shared.reading
@shared.strict
@shared.ignore_unknown
@shared.limits
def watch_command(**options: Any) -> int:
    """Follow growing files, and print findings as they come.

    PATH is an NDJSON file, a directory or a glob. Each finding is printed once: on a terminal for
    people, elsewhere as a line of NDJSON. The baseline keeps what was read, so the next run
    continues there.

    Exit codes: 130 Ctrl-C and 143 SIGTERM, both with the baseline complete; 2 wrong usage.
    With --once: those of scan; also 0 if nothing was added since the last run.

    Examples:
      smbrare watch /var/log/winlogbeat --baseline acme
      smbrare watch logs/events.ndjson --baseline acme --output findings.ndjson
      smbrare watch logs/ --baseline acme --once --output findings.ndjson
    """
    if options["baseline"] is None:
        raise UsageError("watch keeps its place in a baseline: give --baseline NAME or FILE")
    _refuse_remote(options["paths"])
    read_options, criteria = settings_from(options)
    read_options = replace(read_options, grain=criteria.grain)
    path = locate(options["baseline"])
    output: Path | None = options["output"]
    if output is not None:
        writing.check(output, options["paths"])
        appending.check(output, _warn)
    baseline = new_or_known(Baseline(path, baseline_settings(read_options)))
    baseline.check_writable()
    stop = interruption.await_stop_request()
    screen = rows_screen()
    hooks = Hooks(
        report=lambda finding: _print(finding, output, screen),
        tell=_warn,
        started=lambda files: _say_start(files, options),
        wait=lambda: stop.wait(options["interval"]),
        stopping=stop.is_made,
    )
    own = [path] if output is None else [path, output]
    with held(path):
        watch = Watch(options["paths"], read_options, criteria, baseline, hooks, own=own)
        result = watch.run(once=options["once"])
    return _end(result, options, stop)


def _refuse_remote(paths: Sequence[str]) -> None:
    for path in paths:
        if remote.is_remote(path):
            raise UsageError(f"{remote.shown(path)} is not a file: watch follows files, scan it")


def _warn(line: str) -> None:
    writing.warn([line])


def _print(finding: Finding, output: Path | None, screen: RenderOptions | None) -> None:
    """Write a finding to a file or, on a terminal, as a row for people."""
    if output is not None:
        appending.append(output, ndjson_line(finding))
    elif screen is None:
        writing.write([ndjson_line(finding)], None)
    else:
        writing.write(render_one(finding, screen), None, screen.encoding)


def _say_start(files: int, options: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        text = f"{counted(files, 'file')} (Ctrl-C to stop)"
        tell_labelled([Labelled("watching", text)], options)


def _end(result: WatchResult, options: dict[str, Any], stop: interruption.StopRequest) -> int:
    """Say what was done, and return the exit code."""
    report = result.report
    records = sum(survey.records for survey in report.inputs)
    skipped = sum(survey.skipped for survey in report.inputs)
    left = f", {skipped:,} skipped" if skipped else ""
    lines = (
        Labelled("watched", f"{counted(result.files, 'file')}, {counted(records, 'record')}{left}"),
        Labelled("findings", f"{result.findings:,}"),
        Labelled("baseline", f"{options['baseline']}, updated"),
    )
    tell_labelled(lines, options)
    if stop.number is not None:
        return EXIT_INTERRUPTED if stop.number == signal.SIGINT else EXIT_TERMINATED
    if not report.inputs and result.files:
        return EXIT_CLEAN
    tell_labelled([*odd_time_lines(report), *unjudged_lines(report)], options)
    return report.exit_code
