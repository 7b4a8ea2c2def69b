"""``smbrare scan``: print the rare SMB connections of some files."""

import time
from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from smbrare import rule, summary
from smbrare.baseline import Baseline, locate
from smbrare.cli import interruption, writing
from smbrare.cli.options import (
    color_option,
    exit_zero_option,
    input_tz_option,
    output_option,
    quiet_option,
    terminal,
)
from smbrare.cli.parameters import History, Time
from smbrare.cli.progress import progress_bar
from smbrare.finding import Finding
from smbrare.inputs import Input, discover
from smbrare.outputs import csv_rows, html_report, json_document, markdown, sarif, table
from smbrare.report import Report, Setup
from smbrare.scan import Request, gather, judge, learn

RENDERERS = {
    "json": json_document.render_json,
    "ndjson": json_document.render_ndjson,
    "csv": csv_rows.render,
    "html": html_report.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
}
FORMATS = ("table", *RENDERERS)
_HISTORY = f"{rule.HISTORY_DAYS}d"


@click.command("scan", short_help="Print the rare SMB connections of some files.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-f",
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print findings.",
)
@output_option
@click.option(
    "--baseline",
    metavar="NAME|FILE",
    envvar="SMBRARE_BASELINE",
    help="Judge against what a baseline has seen, and add to it.",
)
@click.option("--no-baseline", is_flag=True, help="Judge these files alone.")
@click.option("--no-update", is_flag=True, help="Read the baseline, but add nothing to it.")
@click.option("--since", type=Time(), help="Report findings from this time on.")
@click.option("--until", type=Time(), help="Report findings before this time.")
@click.option(
    "--show",
    type=click.Choice(["new", "known", "excluded", "all"]),
    show_default="new; all in sarif",
    help="Which findings to print.",
)
@exit_zero_option
@quiet_option
@click.option("-v", "--verbose", is_flag=True, help="Name every input on stderr.")
@click.option(
    "--history",
    type=History(),
    default=_HISTORY,
    show_default=True,
    help="How far back a destination counts as seen, or all.",
)
@click.option("--per-host", is_flag=True, help="Judge each host's destinations apart.")
@click.option("--literal", is_flag=True, help="Do without fields that the exporter left out.")
@click.option(
    "--time-field",
    type=click.Choice(["@timestamp", "event.ingested"]),
    default="@timestamp",
    show_default=True,
    help="The field that tells the time.",
)
@input_tz_option
@click.option("--strict", is_flag=True, help="Exit with 3 if any record was skipped.")
@color_option
def scan_command(**options: Any) -> int:
    """Print the rare SMB connections of some files.

    PATH is a file, a directory, a glob or - for standard input. Findings go to stdout, everything
    else to stderr.

    \b
    Exit codes: 0 all judged, nothing found; 1 findings; 2 wrong usage, baseline or output;
    3 some input not read to its end; 4 nothing, or some source, could not be judged.
    """  # noqa: D301 - click wants a real backspace
    started = time.monotonic()
    output: Path | None = options["output"]
    if output is not None:
        writing.check(output)
    if options["output_format"] == "html":
        html_report.check()
    request = _request(options)
    baseline = _baseline(request.setup)
    if baseline is not None and not options["no_update"]:
        baseline.check_writable()
    inputs = list(discover(request.paths))
    total = sum(found.size or 0 for found in inputs if isinstance(found, Input))
    with progress_bar(total, quiet=options["quiet"]) as progress:
        partial = gather(inputs, request, progress)
    report = judge(request, partial, baseline)
    writing.write(_rendered(report, options), output)
    if baseline is not None and not options["no_update"]:
        learn(request, partial, baseline, interruption.stop_listening)
    _tell(report, options, time.monotonic() - started)
    return report.exit_code


def _request(options: dict[str, Any]) -> Request:
    zone: tzinfo = options["input_tz"]
    return Request(
        paths=options["paths"],
        setup=Setup(
            history=options["history"],
            per_host=options["per_host"],
            literal=options["literal"],
            strict=options["strict"],
            time_field=options["time_field"],
            zone=zone,
            baseline=None if options["no_baseline"] else options["baseline"],
            since=options["since"],
            until=options["until"],
        ),
        exit_zero=options["exit_zero"],
    )


def _baseline(setup: Setup) -> Baseline | None:
    if setup.baseline is None:
        return None
    settings = {"time field": setup.time_field, "literal": str(setup.literal).lower()}
    return Baseline(locate(setup.baseline), settings)


def _rendered(report: Report, options: dict[str, Any]) -> Iterable[str]:
    output_format = options["output_format"]
    # SARIF says itself what was held back: a result that is suppressed alerts nobody.
    shown = _shown(report, options["show"] or ("all" if output_format == "sarif" else "new"))
    if output_format == "table":
        width, color = terminal(options)
        return table.render(report, shown, width, color=color)
    return RENDERERS[output_format](report, shown)


def _shown(report: Report, which: str) -> list[Finding]:
    return [finding for finding in report.judged if which in {"all", finding.status}]


def _tell(report: Report, options: dict[str, Any], seconds: float) -> None:
    lines = [f"smbrare: {line}" for line in summary.troubles(report)]
    lines += [f"smbrare: {line}" for line in summary.unjudged(report)]
    if options["verbose"]:
        lines += summary.details(report)
    if not options["quiet"]:
        lines += summary.summary(report, seconds, _history_note(report.setup, options))
    writing.tell(lines)


def _history_note(setup: Setup, options: dict[str, Any]) -> str:
    if setup.baseline is None:
        return "this scan's alone: no baseline was named"
    return f"baseline {setup.baseline}, " + ("not updated" if options["no_update"] else "updated")
