"""``smbrare scan``: print the rare SMB connections of some files."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from smbrare import rule, summary
from smbrare.baseline import Baseline, locate
from smbrare.cli import writing
from smbrare.cli.parameters import History, Time, Zone
from smbrare.cli.progress import progress_bar
from smbrare.errors import UsageError
from smbrare.expect import Difference, Expected, compare, parse
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
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write findings to a file, replaced whole at the end.",
)
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
@click.option(
    "--expect",
    "expected_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Exit with 0 if the findings are those of an NDJSON or CSV file, otherwise with 1.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 where findings alone would give 1.")
@click.option("-q", "--quiet", is_flag=True, help="No summary and no progress on stderr.")
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
@click.option(
    "--input-tz",
    type=Zone(),
    default="UTC",
    show_default=True,
    help="The zone of times that name none.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 if any record was skipped.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours in the table.",
)
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
    expected = _expected(options["expected_file"])
    request = _request(options)
    baseline = _baseline(request.setup)
    inputs = list(discover(request.paths))
    total = sum(found.size or 0 for found in inputs if isinstance(found, Input))
    with progress_bar(total, quiet=options["quiet"]) as progress:
        partial = gather(inputs, request, progress)
    report = judge(request, partial, baseline)
    difference = None if expected is None else compare(expected, report.findings)
    if difference is not None:
        report = replace(report, as_expected=difference == Difference((), ()))
    writing.write(_rendered(report, options), output, _encoding(options))
    if baseline is not None and not options["no_update"]:
        learn(partial, baseline)
    _tell(report, options, time.monotonic() - started)
    for line in () if difference is None else difference.lines():
        click.echo(f"smbrare: {line}", err=True)
    return report.exit_code


def _expected(path: Path | None) -> Counter[Expected] | None:
    if path is None:
        return None
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


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
        width, color = _terminal(options)
        encoding = _encoding(options)
        return table.render(report, shown, width, color=color, encoding=encoding)
    return RENDERERS[output_format](report, shown)


def _shown(report: Report, which: str) -> list[Finding]:
    return [finding for finding in report.judged if which in {"all", finding.status}]


def _terminal(options: dict[str, Any]) -> tuple[int | None, bool]:
    """Return the width to fit a table into, None for any, and whether to use colours."""
    is_terminal = options["output"] is None and sys.stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else None
    if width is None and is_terminal:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    if options["color"] != "auto":
        return width, options["color"] == "always"
    return width, is_terminal and not os.environ.get("NO_COLOR")


def _encoding(options: dict[str, Any]) -> str:
    """Return what to write in: a table suits a console, everything else is UTF-8."""
    if options["output_format"] != "table" or options["output"] is not None:
        return "utf-8"
    return sys.stdout.encoding


def _tell(report: Report, options: dict[str, Any], seconds: float) -> None:
    lines = [*summary.troubles(report), *summary.unjudged(report)]
    for line in lines:
        click.echo(f"smbrare: {line}", err=True)
    if not options["quiet"]:
        if options["output_format"] == "table" and options["output"] is None and report.findings:
            click.echo(err=True)
        for line in summary.summary(report, seconds, _baseline_note(report, options)):
            click.echo(line, err=True)


def _baseline_note(report: Report, options: dict[str, Any]) -> str:
    name = report.setup.baseline
    if name is None:
        return "this scan's alone: no baseline was named"
    note = f"baseline {name}" + (", not updated" if options["no_update"] else ", updated")
    held = report.held_back
    if held:
        note += f"; {len(held):,} not reported, seen before in it"
        if hosts := sorted({host for finding in held for host in finding.new_hosts}):
            note += f"; new hosts on them: {', '.join(hosts)}"
    return note
