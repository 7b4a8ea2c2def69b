"""``smbrare replay``: print what the rule's runs in Kibana raise over some files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import settings_from
from smbrare.cli.own_files import inputs_from
from smbrare.cli.parameters import DURATION, TIME, FileName
from smbrare.cli.terminal import print_as, progress_bar, tell_labelled, tell_verdict
from smbrare.detection.partial import Partial
from smbrare.detection.report import Report
from smbrare.detection.schedule import Schedule
from smbrare.errors import UsageError
from smbrare.inputs.discovery import Input
from smbrare.outputs.formats import COMPARISON, REPORT
from smbrare.outputs.summary import summary_lines
from smbrare.outputs.verdict import comparison_verdict, says_all, verdict
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR_SECONDS, MICROSECONDS
from smbrare.rule import predicate
from smbrare.scanning import replay
from smbrare.scanning.gathering import gather
from smbrare.text import name_from

_FORMATS = [name for name, each in REPORT.items() if each.of_replay]


@command("replay", section="replay")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=FileName())
@shared.format_option(_FORMATS, "How to print alerts.")
@shared.output_option("Write alerts, or differences, to a file, which is replaced at the end.")
@click.option("--compare", is_flag=True, help="Show where a scan differs, and why.")
@click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 instead of 1 for alerts or differences."
)
@shared.quiet
@click.option(
    "--interval", type=DURATION, default="5m", show_default=True, help="Time between runs."
)
@click.option(
    "--lookback",
    type=DURATION,
    default="9m",
    show_default=True,
    help="How far back a run looks for new destinations.",
)
@click.option(
    "--history",
    type=DURATION,
    default=f"{predicate.HISTORY_DAYS}d",
    show_default=True,
    help="How far back from a run a destination counts as seen.",
)
@click.option(
    "--anchor",
    type=TIME,
    default="1970-01-01T00:00Z",
    show_default=True,
    help="Time of any one run.",
)
@click.option(
    "--max-signals",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="How many alerts a run raises at most.",
)
@click.option("--inferred", is_flag=True, help="Infer missing fields, as a scan does.")
@shared.time_field_option("event.ingested", "@timestamp")
@shared.input_tz
@shared.time_unit
@shared.ignore_unknown
@shared.limits
@shared.color
def replay_command(**options: Any) -> int:
    """Show the alerts that the rule would have raised in Kibana.

    PATH is a file, a directory, a glob or - for standard input. Alerts go to stdout, everything
    else to stderr. Missing fields are not inferred, since Kibana doesn't, unless --inferred is
    given. By default a run starts every five minutes, on the hour.

    Exit codes:
      0  everything was evaluated, no alert
      1  alerts, or differences with --compare
      2  wrong usage, or a file or output that cannot be used
      3  an input was incomplete, or an unreadable record might have matched
      4  nothing, or some source, could not be evaluated

    Examples:
      smbrare replay export.ndjson
      smbrare replay logs/ --compare --format json
    """
    name = options["format"]
    if options["compare"] and name not in COMPARISON:
        *others, last = COMPARISON
        raise UsageError(f"--compare prints {', '.join(others)} or {last}, not {name}")
    schedule = _schedule(options)
    read_options, criteria = settings_from({**options, "literal": not options["inferred"]})
    read_options = replace(read_options, every_moment=True)
    inputs = inputs_from(options)
    readings = replay.readings(read_options) if options["compare"] else [read_options]
    _check_readable_again(inputs, len(readings))
    with progress_bar(inputs, quiet=options["quiet"], times=len(readings)) as progress:

        def read(reading: ReadOptions) -> Partial:
            return gather(inputs, reading, progress)

        if options["compare"]:
            report, differences = replay.compare(read_options, criteria, schedule, read)
        else:
            partial = read(read_options)
            report = replay.judge(partial, read_options, criteria, schedule)
            differences = None
    if differences is None:
        tell_verdict(verdict(report), REPORT[name], options, rows=bool(report.findings))
        print_as(REPORT[name], report, options)
        _tell(report, options)
        return report.exit_code
    apart = replace(report, judged=tuple(one.finding for one in differences))
    lines = comparison_verdict(apart, differences)
    tell_verdict(lines, COMPARISON[name], options, rows=bool(differences))
    print_as(COMPARISON[name], differences, options)
    _tell(report, options)
    return apart.exit_code


def _schedule(options: Mapping[str, Any]) -> Schedule:
    if options["history"] < options["lookback"] + HOUR_SECONDS:
        # Sightings are kept by the hour, and a shorter silence can end within one.
        raise UsageError("the history has to be longer than the lookback by an hour or more")
    return Schedule(
        interval=options["interval"] * MICROSECONDS,
        lookback=options["lookback"] * MICROSECONDS,
        history=options["history"] * MICROSECONDS,
        anchor=options["anchor"],
        max_signals=options["max_signals"],
    )


def _check_readable_again(inputs: Iterable[Input | Skipped], times: int) -> None:
    if times == 1:
        return
    for found in inputs:
        if isinstance(found, Input) and not Path(name_from(found.path)).is_file():
            raise UsageError(
                f"{found.path} can be read only once: --compare takes files, "
                "or --inferred and --time-field @timestamp, as a scan reads"
            )


def _tell(report: Report, options: dict[str, Any]) -> None:
    """Write what follows the alerts."""
    if options["quiet"] or not says_all(report):
        tell_labelled(summary_lines(report, paths=options["paths"]), options, apart=True)
