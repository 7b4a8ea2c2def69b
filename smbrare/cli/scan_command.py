"""``smbrare scan``: print the rare SMB connections of some files."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial as bind
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from smbrare.cli import configuration, interruption, writing
from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import open_baseline, settings_from
from smbrare.cli.own_files import inputs_from
from smbrare.cli.parameters import FileName
from smbrare.cli.terminal import print_as, progress_bar, tell_labelled, tell_verdict
from smbrare.detection.report import Report
from smbrare.diagnostics.expect import Expected, Mismatch, compare, parse
from smbrare.errors import UsageError, cannot_open
from smbrare.inputs.discovery import Input
from smbrare.limits import MIB
from smbrare.outputs.formats import PREVIEW, REPORT, OutputFormat, RenderOptions
from smbrare.outputs.grid import Labelled
from smbrare.outputs.summary import detail_lines, summary_lines
from smbrare.outputs.verdict import says_all, verdict
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.reading import silent
from smbrare.scanning.scan import judge, learn
from smbrare.text import counted, human_size

_SHOWN = ["new", *(f"{each.show} in {each.name}" for each in REPORT.values() if each.show != "new")]

_MOST_BYTES_FOR_TABLE = 1024 * MIB
"""Up to how much is read a second time for a table, unless the user asks."""


@command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.format_option(REPORT, "How to print findings.")
@shared.output
@shared.baseline
@shared.exclusions
@shared.window
@click.option(
    "--show",
    type=click.Choice(["new", "known", "excluded", "all"]),
    help=f"Which findings to print; by default {'; '.join(_SHOWN)}.",
)
@click.option("--brief", is_flag=True, help="In markdown: one paragraph for each finding.")
@click.option(
    "--expect",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Exit with 0 if the findings equal those in an NDJSON or CSV file, else 1.",
)
@click.option("--dry-run", is_flag=True, help="Only list inputs and their formats.")
@shared.exit_zero
@shared.quiet
@shared.verbose
@shared.rarity
@shared.reading
@shared.strict
@shared.ignore_unknown
@click.option("--thorough", is_flag=True, help="Parse every record of large inputs as well.")
@click.option(
    "--geoip",
    multiple=True,
    type=FileName(),
    metavar="FILE.mmdb",
    help="Add country and network from a MaxMind database; repeatable.",
)
@click.option(
    "--intel",
    multiple=True,
    type=FileName(),
    metavar="FILE[#COLUMN]",
    help="Mark destinations on a list, or in a CSV column; repeatable.",
)
@click.option(
    "--labels",
    multiple=True,
    type=FileName(),
    metavar="FILE",
    help="Add cloud services from Azure, AWS or Google ranges, or CSV; repeatable.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of processes; by default by size.",
)
@click.option(
    "--context/--no-context",
    default=None,
    help="Read the inputs again for accounts, programs and DNS names around findings; by default "
    "for all formats but ndjson, csv and sarif, and for a table up to 1 GiB.",
)
@shared.limits
@shared.cluster
@shared.color
def scan_command(**options: Any) -> int:
    """Find rare SMB connections to the internet in files.

    PATH is a file, a directory, a glob, a URL (s3://, abfs://, gs://, https://) or - for standard
    input. Findings go to stdout, everything else to stderr. Options can also be set by variables
    (SMBRARE_HISTORY=36h) and in a configuration file (history = "36h").

    Exit codes:
      0  everything was evaluated, and nothing was found
      1  findings
      2  wrong usage, or a file, baseline or output that cannot be used
      3  an input was incomplete, or an unreadable record might have matched
      4  nothing, or some source, could not be evaluated

    Examples:
      smbrare scan export.ndjson
      smbrare scan logs/ --baseline acme --format ndjson > findings.ndjson
      smbrare scan logs/*.ndjson --since 2026-11-20 --exit-zero
      zcat day.ndjson.gz | smbrare scan - --format csv --output findings.csv
      smbrare scan logs/ --geoip asn.mmdb --intel feed.csv#dst_ip
      smbrare scan logs/ --dry-run
    """
    started = time.monotonic()
    if options["verbose"]:
        origins = configuration.origins(click.get_current_context())
        tell_labelled((Labelled("option", text) for text in origins), options)
    if options["brief"] and not REPORT[options["format"]].brief:
        raise UsageError("--brief needs --format markdown")
    expected = _read_expected(options["expect"])
    read_options, criteria = settings_from(options)
    check_enrichment(options)
    if options["dry_run"]:
        return _dry_run(read_options, options)
    baseline = open_baseline(read_options, criteria, is_kept=not options["no_update"])
    is_new = baseline is not None and not baseline.path.exists()
    if baseline is not None and not options["no_update"]:
        baseline.check_writable()
    inputs = inputs_from(options)
    with progress_bar(inputs, quiet=options["quiet"]) as progress:
        partial = gather(inputs, replace(read_options, grain=criteria.grain), progress)
    report = enriched(judge(partial, read_options, criteria, baseline), options)
    mismatch = None if expected is None else compare(expected, report.findings)
    if mismatch is not None:
        report = replace(report, as_expected=mismatch == Mismatch((), ()))
    has_context = _wants_context(inputs, options)
    report = _print(report, inputs, options, has_context=has_context)
    if baseline is not None and not options["no_update"]:
        with interruption.unwinding():
            learn(criteria, partial, baseline, interruption.stop_listening)
    more = _more_lines(report, options, has_context=has_context, is_new=is_new)
    if options["verbose"]:
        more += detail_lines(report, time.monotonic() - started)
    if options["quiet"] or not says_all(report):
        tell_labelled(summary_lines(report, more, options["paths"]), options, apart=True)
    writing.tell(f"smbrare: {line}" for line in (() if mismatch is None else mismatch.lines()))
    return report.exit_code


def _read_expected(path: Path | None) -> Counter[Expected] | None:
    if path is None:
        return None
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(cannot_open(path, error)) from None


def _dry_run(read_options: ReadOptions, options: dict[str, Any]) -> int:
    """Print what a scan would read, and return the exit code."""
    # A scan does without it.
    from smbrare.diagnostics.preview import exit_code, look  # noqa: PLC0415

    if options["format"] not in PREVIEW:
        raise UsageError(f"--dry-run prints --format {' or '.join(PREVIEW)}")
    found = look(inputs_from(options), read_options, silent)
    print_as(PREVIEW[options["format"]], found, options)
    return exit_code(found)


def _print(
    report: Report, inputs: list[Input | Skipped], options: dict[str, Any], *, has_context: bool
) -> Report:
    """Print a report, and return it with what its format had to look for."""
    output_format = REPORT[options["format"]]
    show = options["show"] or output_format.show
    if has_context:
        # Most scans do without.
        from smbrare.scanning.second_pass import with_host_context  # noqa: PLC0415

        bar = bind(progress_bar, quiet=options["quiet"])
        report = with_host_context(report, show, inputs, report.options, bar)
    count = len(RenderOptions(show=show).findings_of(report))
    tell_verdict(verdict(report), output_format, options, rows=bool(count))
    packed = [0]
    counting = bind(_counted_packed, packed=packed)
    print_as(output_format, report, options, show, counting if output_format.most_packed else iter)
    writing.warn(_too_large_lines(output_format, count, packed[0]))
    return report


def _counted_packed(texts: Iterable[str], packed: list[int]) -> Iterator[str]:
    """Pass texts on, and add the number of bytes that gzip makes of them to a sum."""
    import zlib  # noqa: PLC0415 - most formats do without

    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for text in texts:
        packed[0] += len(packer.compress(text.encode("utf-8", "surrogatepass")))
        yield text
    packed[0] += len(packer.flush())


def _too_large_lines(chosen: OutputFormat[Any], count: int, packed: int) -> Iterator[str]:
    """Yield a warning where there are more findings, or more bytes, than services take."""
    services = "code scanning services take"
    if chosen.most is not None and count > chosen.most:
        most = f"{services} {chosen.most:,} of one file"
        yield f"{counted(count, 'finding')} in {chosen.name}: {most}"
    if chosen.most_packed is not None and packed > chosen.most_packed:
        most = f"{services} {chosen.most_packed / 1_000_000:g} MB"
        yield f"{packed / 1_000_000:.1f} MB of {chosen.name} when packed by gzip: {most}"


def _wants_context(inputs: list[Input | Skipped], options: dict[str, Any]) -> bool:
    """Return whether to read the inputs once more, for accounts and names."""
    output_format = REPORT[options["format"]]
    wanted: bool | None = options["context"]
    if wanted is not None:
        return wanted
    # A table is looked at while one waits.
    size = sum(found.size or 0 for found in inputs if isinstance(found, Input))
    is_short = size <= _MOST_BYTES_FOR_TABLE or not output_format.for_terminal
    return output_format.second_pass and is_short


def check_enrichment(options: dict[str, Any]) -> None:
    """Make sure that the reference data that options give can be used.

    Raises:
        UsageError: If not.
    """
    if _is_enriched(options):
        from smbrare.enrichment import check  # noqa: PLC0415 - most scans do without

        check(options)


def enriched(report: Report, options: dict[str, Any]) -> Report:
    """Return a report with what the given reference data says about destinations."""
    if not _is_enriched(options):
        return report
    from smbrare.enrichment import enrich, references  # noqa: PLC0415 - most scans do without

    found = references(options, {finding.sighting.destination for finding in report.judged})
    return replace(report, judged=enrich(report.judged, found), references=found)


def _is_enriched(options: dict[str, Any]) -> bool:
    return bool(options["geoip"] or options["intel"] or options["labels"])


def _more_lines(
    report: Report, options: dict[str, Any], *, has_context: bool, is_new: bool
) -> list[Labelled]:
    """Return what the summary cannot know: what became of context and baseline."""
    more = []
    by_default = options["context"] is None and REPORT[options["format"]].second_pass
    if by_default and not has_context and report.findings:
        text = f"more than {human_size(_MOST_BYTES_FOR_TABLE)} to read again"
        more.append(
            Labelled("note", f"accounts and programs not looked for: {text}; add --context")
        )
    if report.criteria.baseline is not None:
        done = "not updated" if options["no_update"] else "made" if is_new else "updated"
        more.append(Labelled("baseline", f"{report.criteria.baseline}, {done}"))
    return more
