"""``smbrare scan``: print the rare SMB connections of some files."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click

from smbrare import geoip, intel, summary
from smbrare.cli import baselines, interruption, writing
from smbrare.cli import options as shared
from smbrare.cli.parameters import BaselineName, FileName, Time
from smbrare.cli.progress import progress_bar
from smbrare.cli.terminal import fitted
from smbrare.dry_run import look
from smbrare.enrichment import enrich
from smbrare.errors import UsageError
from smbrare.expect import Difference, Expected, compare, parse
from smbrare.finding import Finding
from smbrare.inputs import Input, discover
from smbrare.outputs import (
    csv_rows,
    html_report,
    json_document,
    markdown,
    preview,
    sarif,
    table,
)
from smbrare.preview import exit_code
from smbrare.report import Report, Setup
from smbrare.scan import Request, gather, judge, learn, settings_of

RENDERERS = {
    "json": json_document.render_json,
    "ndjson": json_document.render_ndjson,
    "csv": csv_rows.render,
    "html": html_report.render,
    "markdown": markdown.render,
    "sarif": sarif.render,
}
FORMATS = ("table", *RENDERERS)


_EXAMPLES = """\b
Examples:
  smbrare scan export.ndjson
  smbrare scan logs/ --baseline acme --format ndjson > findings.ndjson
  smbrare scan logs/*.ndjson --since 2026-11-20 --exit-zero
  zcat day.ndjson.gz | smbrare scan - --format csv --output findings.csv
  smbrare scan logs/ --geoip country.mmdb --geoip asn.mmdb --intel feed.csv#dst_ip
  smbrare scan logs/ --dry-run
"""


@click.command("scan", short_help="Print the rare SMB connections of some files.", epilog=_EXAMPLES)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@click.option(
    "-f",
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print findings.",
)
@shared.output
@click.option(
    "--baseline",
    type=BaselineName(),
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
@click.option(
    "--dry-run", is_flag=True, help="List inputs, their containers and sources; judge nothing."
)
@shared.exit_zero
@shared.quiet
@click.option("-v", "--verbose", is_flag=True, help="Name every input on stderr.")
@shared.history
@shared.per_host
@shared.literal
@shared.time_field
@shared.input_tz
@shared.strict
@click.option("--thorough", is_flag=True, help="Decode every record, of large inputs too.")
@click.option(
    "--geoip",
    multiple=True,
    type=FileName(),
    metavar="FILE.mmdb",
    help="Name country and network of destinations from a MaxMind DB file; repeatable.",
)
@click.option(
    "--intel",
    multiple=True,
    type=FileName(),
    metavar="FILE[#COLUMN]",
    help="Mark destinations on a list of addresses and ranges, or in a CSV column; repeatable.",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="Processes to read with.  [default: by size]"
)
@shared.color
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
    if options["dry_run"]:
        return _dry_run(request, options)
    baseline = baselines.opened(request.setup)
    if baseline is not None and not options["no_update"]:
        baseline.check_writable()
    inputs = list(discover(request.paths))
    total = sum(found.size or 0 for found in inputs if isinstance(found, Input))
    with progress_bar(total, quiet=options["quiet"]) as progress:
        partial = gather(inputs, request, progress)
    report = _enriched(judge(request, partial, baseline), options)
    difference = None if expected is None else compare(expected, report.findings)
    if difference is not None:
        report = replace(report, as_expected=difference == Difference((), ()))
    writing.write(_rendered(report, options), output)
    if baseline is not None and not options["no_update"]:
        learn(partial, baseline, interruption.stop_listening)
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


def _enriched(report: Report, options: dict[str, Any]) -> Report:
    destinations = {finding.sighting.destination for finding in report.judged}
    references = (
        *(geoip.look_up(file, destinations) for file in options["geoip"]),
        *(intel.look_up(file, destinations) for file in options["intel"]),
    )
    judged = enrich(report.judged, references)
    return replace(report, judged=judged, references=references) if references else report


def _dry_run(request: Request, options: dict[str, Any]) -> int:
    output_format, output = options["output_format"], options["output"]
    if output_format not in {"table", "json"}:
        raise UsageError("--dry-run prints --format table or json")
    found = look(
        discover(request.paths), settings_of(request.setup), request.limits, lambda _: None
    )
    code = exit_code(found)
    if output_format == "json":
        writing.write(preview.render_json(found, code), output)
    else:
        width, color = fitted(options["color"], to_file=output is not None)
        writing.write(preview.render_table(found, width, color=color), output)
    return code


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
        thorough=options["thorough"],
        jobs=options["jobs"],
    )


def _rendered(report: Report, options: dict[str, Any]) -> Iterable[str]:
    output_format = options["output_format"]
    # SARIF says itself what was held back: a result that is suppressed alerts nobody.
    shown = _shown(report, options["show"] or ("all" if output_format == "sarif" else "new"))
    if output_format == "table":
        width, color = fitted(options["color"], to_file=options["output"] is not None)
        return table.render(report, shown, width, color=color)
    return RENDERERS[output_format](report, shown)


def _shown(report: Report, which: str) -> list[Finding]:
    return [finding for finding in report.judged if which in {"all", finding.status}]


def _tell(report: Report, options: dict[str, Any], seconds: float) -> None:
    lines = [f"smbrare: {line}" for line in summary.troubles(report)]
    lines += [f"smbrare: {line}" for line in summary.unjudged(report)]
    if not options["quiet"]:
        lines += summary.summary(report, seconds, _baseline_note(report, options))
    writing.tell(lines)


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
