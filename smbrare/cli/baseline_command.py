"""``smbrare baseline``: what was seen before, shown, learnt, merged and checked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import click
from msgspec.structs import replace

from smbrare.baseline import exchange
from smbrare.baseline.buckets import CollectedRows
from smbrare.baseline.exchange import merge_into, open_memory
from smbrare.baseline.location import locate, state_directory
from smbrare.baseline.seen import Filter, Seen, SeenDestinations, by_destination, with_news
from smbrare.baseline.store import Baseline
from smbrare.cli import interruption, writing
from smbrare.cli import options as shared
from smbrare.cli.command import CommandGroup, command
from smbrare.cli.options import new_or_known, settings_from
from smbrare.cli.own_files import inputs_from
from smbrare.cli.parameters import RANGE, TIME, BaselineName, FileName
from smbrare.cli.terminal import print_as, progress_bar, tell_labelled
from smbrare.errors import EXIT_CLEAN, EXIT_USAGE, BaselineError
from smbrare.outputs.formats import SEEN
from smbrare.outputs.grid import Labelled
from smbrare.outputs.summary import reading_line
from smbrare.outputs.warning_lines import warning_lines
from smbrare.records.times import format_time
from smbrare.scanning import scan
from smbrare.scanning.gathering import gather
from smbrare.text import counted, human_size, visible


@click.group("baseline", cls=CommandGroup)
def baseline_command() -> None:
    """List, show, extend, merge and check what earlier scans saw.

    A baseline is a file of the destinations that earlier scans saw. A plain name is kept in your
    state directory; anything with a dot or a slash is a path.

    Exit codes: 0 done; 2 wrong usage, or a missing or damaged baseline.

    Examples:
      smbrare baseline learn acme last-month/
      smbrare baseline show acme --destination 45.83.122.0/24
      smbrare baseline merge london paris --output both
    """


@baseline_command.command("list")
def list_command() -> int:
    """List your baselines: name, destinations, span and size.

    These are the baselines with a plain name. Each is checked completely.

    Exit codes: 0 listed; 2 wrong usage, or a damaged baseline among them.

    Examples:
      smbrare baseline list
    """
    files = sorted(state_directory().glob("*.db"))
    wide = max((len(file.stem) for file in files), default=0)
    problems = []
    for file in files:
        try:
            seen, size = list(by_destination(Baseline(file).rows())), file.stat().st_size
        except (BaselineError, OSError) as error:
            problems.append(str(error))
            continue
        days = [format_time(time)[:10] for one in seen for time in (one.first, one.last)]
        span = f", {min(days)} to {max(days)}" if days else ""
        what = f"{counted(len(seen), 'destination')}{span}, {human_size(size)}"
        line = f"{file.stem:{wide}}  {what}"
        writing.write([visible(line) + "\n"], None)
    writing.tell([visible(f"{counted(len(files), 'baseline')} in {state_directory()}")])
    writing.warn(problems)
    return EXIT_USAGE if problems else EXIT_CLEAN


@baseline_command.command("show")
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@shared.list_format
@shared.result_file
@click.option(
    "--destination",
    type=RANGE,
    multiple=True,
    metavar="ADDRESS|CIDR",
    help="Only destinations in this range; repeatable.",
)
@click.option(
    "--host", multiple=True, metavar="GLOB", help="Only what these hosts contacted; repeatable."
)
@click.option("--since", type=TIME, help="Only hours with a match at this time or later.")
@click.option("--until", type=TIME, help="Only hours with a match before this time.")
@shared.quiet
@shared.color
def show_command(**options: Any) -> int:
    """Show the destinations that a baseline has seen.

    For each: the first and last match, the number of UTC hours with a match, hosts and source
    addresses.

    Exit codes: 0 shown; 2 wrong usage, or a missing or damaged baseline.

    Examples:
      smbrare baseline show acme
      smbrare baseline show acme --destination 45.83.122.0/24 --host 'ws-*'
      smbrare baseline show acme --since 2026-11-20 --format csv --output seen.csv
    """
    baseline = Baseline(locate(options["baseline"]))
    chosen = Filter(
        destinations=options["destination"],
        hosts=tuple(pattern.lower() for pattern in options["host"]),
        since=options["since"],
        until=options["until"],
    )
    seen = by_destination(row for row in baseline.rows() if chosen.keeps(row))
    print_as(SEEN[options["format"]], SeenDestinations(seen), options)
    if not options["quiet"]:
        covered = baseline.covered()
        sampled = sum(covered.values())
        kept = ", ".join(f"{name} {value}" for name, value in sorted(baseline.settings.items()))
        part = f", {sampled:,} of them known from samples only" if sampled else ""
        covers = f"{counted(len(covered), 'hour')}{part}"
        tell_labelled([Labelled("covers", covers), Labelled("settings", kept)], options)
    return 0


@baseline_command.command("merge")
@click.argument("sources", nargs=-1, required=True, metavar="BASELINE...", type=BaselineName())
@click.option(
    "-o",
    "--output",
    type=BaselineName(),
    required=True,
    metavar="NAME|FILE",
    help="Baseline to write; if it exists, it must be among those to merge.",
)
def merge_command(**options: Any) -> int:
    """Merge baselines, or exports of them, into one.

    Order and overlap make no difference, and merging again changes nothing.

    Exit codes: 0 merged; 2 wrong usage, different settings, or a missing or damaged baseline.

    Examples:
      smbrare baseline merge london paris --output both
      smbrare baseline merge acme colleague.json --output acme
    """
    with interruption.unwinding():
        merged = merge_into(
            [open_memory(name) for name in options["sources"]], locate(options["output"])
        )
    rows = Counter(row.destination for row in merged.rows())
    text = (
        f"{counted(len(options['sources']), 'baseline')} into {options['output']}: "
        f"{counted(len(rows), 'destination')}, {counted(rows.total(), 'row')}, "
        f"{counted(len(merged.covered()), 'covered hour')}"
    )
    tell_labelled([Labelled("merged", text)], options)
    return 0


@baseline_command.command("prune")
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@click.option(
    "--before", type=TIME, required=True, help="Delete what was last seen before this time."
)
def prune_command(**options: Any) -> int:
    """Delete what was last seen before a time.

    This is the time of events. The matches of an hour are kept as long as the last of them is.
    Later scans report destinations that have no match left.

    Exit codes: 0 done; 2 wrong usage, or a missing or damaged baseline.

    Examples:
      smbrare baseline prune acme --before 2026-01-01
    """
    with interruption.unwinding():
        rows, hours = Baseline(locate(options["baseline"])).prune(options["before"])
    text = (
        f"{counted(rows, 'row')} and {counted(hours, 'covered hour')} before "
        f"{format_time(options['before'])}"
    )
    tell_labelled([Labelled("pruned", text)], options)
    return 0


@baseline_command.command("export")
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@shared.result_file
def export_command(**options: Any) -> int:
    """Write a baseline as canonical JSON, which merge reads.

    The bytes are the same for the same matches and hours, whatever the order, split, overlap or
    number of scans and merges. Hours that are known from samples only are omitted, and counted on
    stderr.

    Exit codes: 0 written; 2 wrong usage, a missing or damaged baseline, or an output that cannot
    be written.

    Examples:
      smbrare baseline export acme --output acme.json
      smbrare baseline export acme | sha256sum
    """
    baseline = Baseline(locate(options["baseline"]))
    writing.write(exchange.export(baseline), options["output"])
    if omitted := exchange.sampled_hours(baseline):
        text = f"{counted(omitted, 'covered hour')} known from samples only"
        tell_labelled([Labelled("omitted", text)], options)
    return 0


@baseline_command.command("verify")
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
def verify_command(**options: Any) -> int:
    """Check that a baseline contains what was written to it.

    Everything in the file is checked: its structure, its tables, and every row, hour and setting
    against the digests that the last commit stored. Other commands check what they read.

    Exit codes: 0 intact; 2 damaged, of another version, or not a baseline.

    Examples:
      smbrare baseline verify acme
      smbrare baseline verify evidence/acme.db
    """
    version, digest = Baseline(locate(options["baseline"])).verify()
    text = f"{options['baseline']} is intact: schema version {version}, SHA-256 {digest}"
    writing.write([visible(text) + "\n"], None)
    return 0


@command("learn")
@click.argument("baseline", metavar="BASELINE", type=BaselineName())
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.list_format
@shared.result_file
@shared.exclusions
@shared.quiet
@shared.reading
@shared.strict
@shared.ignore_unknown
@shared.limits
@shared.cluster
@shared.color
def learn_command(**options: Any) -> int:
    """Add the content of files to a baseline.

    PATH is a file, a directory, a glob or - for standard input. Every destination that was added
    is printed, since it may be a breach: later scans count it as seen. Destinations that are
    excluded by domain are not added.

    Exit codes:
      0  added
      2  wrong usage, or a file, baseline or output that cannot be used
      3  an input was incomplete, or an unreadable record might have matched
      4  nothing, or some source, could not be evaluated

    Examples:
      smbrare baseline learn acme last-month/
      smbrare baseline learn acme october.ndjson.gz --format csv > learnt.csv
    """
    read_options, criteria = settings_from(options)
    baseline = new_or_known(
        Baseline(locate(options["baseline"]), scan.baseline_settings(read_options))
    )
    baseline.check_writable()
    inputs = inputs_from(options)
    collected = click.get_current_context().with_resource(closing(CollectedRows()))
    with progress_bar(inputs, quiet=options["quiet"]) as progress:
        partial = gather(inputs, read_options, progress, collected.add)
    rows, hours = scan.rows_to_learn(criteria, partial, collected)
    counts = Counter[bool]()
    seen = _count(with_news(by_destination(rows), baseline), counts)
    print_as(SEEN[options["format"]], SeenDestinations(seen, are_learnt=True), options)
    rows, _ = scan.rows_to_learn(criteria, partial, collected)
    with interruption.unwinding():
        baseline.commit(rows, hours, last_step=interruption.stop_listening)
    report = replace(scan.judge(partial, read_options, criteria), judged=())
    lines = [_learnt_line(options["baseline"], baseline, counts), reading_line(report)]
    tell_labelled([*lines, *warning_lines(report)], options)
    return report.exit_code


baseline_command.add_command(learn_command)


def _count(seen: Iterable[Seen], counts: Counter[bool]) -> Iterator[Seen]:
    """Yield destinations, and count those that are new and those that are not."""
    for one in seen:
        counts[one.is_new] += 1
        yield one


def _learnt_line(name: str, baseline: Baseline, counts: Counter[bool]) -> Labelled:
    return Labelled(
        "learnt",
        f"{counted(counts.total(), 'destination')}, {counts[True]:,} of them new to "
        f"baseline {name}, which covers {counted(len(baseline.covered()), 'hour')} now",
    )
