"""``smbrare scan``: print the rare SMB connections of some files."""

import time
from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from smbrare import summary
from smbrare.baseline import Baseline, locate
from smbrare.cli import configuration, interruption, writing
from smbrare.cli.options import (
    baseline_options,
    color_option,
    exclusion_options,
    exit_zero_option,
    input_tz_option,
    judging_options,
    output_option,
    quiet_option,
    terminal,
    verbose_option,
    window_options,
)
from smbrare.cli.progress import progress_bar
from smbrare.errors import UsageError
from smbrare.exclusion_file import exclusions
from smbrare.exclusions import Exclusion
from smbrare.finding import Finding
from smbrare.inputs import Input, discover
from smbrare.outputs import csv_rows, html_report, json_document, markdown, sarif, table
from smbrare.report import Report, Setup
from smbrare.scan import Request, baseline_settings, gather, judge, learn
from smbrare.tomltext import load

RENDERERS = {
    "json": json_document.render_json,
    "ndjson": json_document.render_ndjson,
    "csv": csv_rows.render,
    "html": html_report.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
}
FORMATS = ("table", *RENDERERS)


@click.command(
    "scan",
    short_help="Print the rare SMB connections of some files.",
    context_settings=configuration.settings(),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-f",
    "--format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print findings.",
)
@output_option
@baseline_options
@exclusion_options
@window_options
@click.option(
    "--show",
    type=click.Choice(["new", "known", "excluded", "all"]),
    show_default="new; all in sarif",
    help="Which findings to print.",
)
@exit_zero_option
@quiet_option
@verbose_option
@judging_options
@input_tz_option
@click.option("--strict", is_flag=True, help="Exit with 3 if any record was skipped.")
@color_option
@configuration.config_option()
def scan_command(**options: Any) -> int:
    """Print the rare SMB connections of some files.

    PATH is a file, a directory, a glob or - for standard input. Findings go to stdout, everything
    else to stderr.

    \b
    Exit codes: 0 all judged, nothing found; 1 findings; 2 wrong usage, baseline or output;
    3 some input not read to its end; 4 nothing, or some source, could not be judged.

    Options may be set in variables (SMBRARE_HISTORY=36h) and in a file (history = "36h").
    """  # noqa: D301 - click wants a real backspace
    started = time.monotonic()
    if options["verbose"]:
        writing.tell(configuration.origins(click.get_current_context()))
    output: Path | None = options["output"]
    if output is not None:
        writing.check(output)
    if options["format"] == "html":
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
    if None not in (options["since"], options["until"]) and options["since"] >= options["until"]:
        raise UsageError("--until is not after --since")
    return Request(
        paths=options["paths"],
        setup=Setup(
            history=options["history"],
            per_host=options["per_host"],
            literal=options["literal"],
            strict=options["strict"],
            time_field=options["time_field"],
            zone=zone,
            baseline=_baseline_name(options),
            since=options["since"],
            until=options["until"],
        ),
        exit_zero=options["exit_zero"],
        exclusions=_exclusions(options),
    )


def _baseline_name(options: dict[str, Any]) -> str | None:
    name: str | None = options["baseline"]
    named = configuration.outranks(click.get_current_context(), "baseline", "no_baseline")
    return name if named or not options["no_baseline"] else None


def _exclusions(options: dict[str, Any]) -> tuple[Exclusion, ...]:
    given: list[Exclusion] = list(options["exclude"])
    if options["exclusions"] is not None:
        given += exclusions(load(options["exclusions"]))
    return tuple(dict.fromkeys(given))


def _baseline(setup: Setup) -> Baseline | None:
    if setup.baseline is None:
        return None
    return Baseline(locate(setup.baseline), baseline_settings(setup))


def _rendered(report: Report, options: dict[str, Any]) -> Iterable[str]:
    output_format = options["format"]
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
