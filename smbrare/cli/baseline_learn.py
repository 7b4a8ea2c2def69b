"""``smbrare baseline learn``: take in what files hold, and report nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import click
from msgspec.structs import replace

from smbrare.baseline.buckets import CollectedRows
from smbrare.baseline.location import locate
from smbrare.baseline.seen import Seen, SeenDestinations, by_destination, with_news
from smbrare.baseline.store import Baseline
from smbrare.cli import interruption
from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import new_or_known, settings_from
from smbrare.cli.own_files import inputs_from
from smbrare.cli.parameters import BaselineName, FileName
from smbrare.cli.terminal import print_as, progress_bar, tell_labelled
from smbrare.outputs.formats import SEEN
from smbrare.outputs.grid import Labelled
from smbrare.outputs.summary import reading_line
from smbrare.outputs.warning_lines import warning_lines
from smbrare.scanning import scan
from smbrare.scanning.gathering import gather
from smbrare.text import counted


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
    collected = CollectedRows()
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
