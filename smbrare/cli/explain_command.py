"""``smbrare explain``: print why an event is, or isn't, a match and a finding."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from smbrare.cli import options as shared
from smbrare.cli.command import command
from smbrare.cli.options import open_baseline, settings_from
from smbrare.cli.parameters import FileName
from smbrare.cli.terminal import print_as
from smbrare.detection.criteria import Criteria
from smbrare.diagnostics.explain import explain
from smbrare.diagnostics.target import (
    Target,
    find_finding,
    in_inputs,
    is_file,
    names_finding,
    parse_target,
)
from smbrare.errors import UsageError
from smbrare.inputs.discovery import Input, discover
from smbrare.outputs.formats import EXPLANATION
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.reading import silent
from smbrare.scanning.scan import judge

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline


@command("explain")
@click.argument("target", metavar="FILE:RECORD|DESTINATION|ID|-", type=FileName())
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=FileName())
@shared.text_or_json
@shared.baseline_option("Compare with what a baseline has seen as well; it is only read.")
@click.option("--no-baseline", is_flag=True, help="Evaluate the input on its own.")
@shared.exclusions
@shared.rarity
@shared.reading
@shared.limits
@shared.color
def explain_command(**options: Any) -> int:
    """Explain why an event is, or isn't, a finding.

    Shows each condition of the rule with the value and the field it was read from; for a match
    whether its destination is new; otherwise the smallest change that would make it match. The
    number is the line, record or row that a finding shows; an input of one record needs none.
    A destination or the id of a finding stands for its first record in the PATHs. All PATHs
    decide what is new; without any, the record's own file does.

    Exit codes:
      0  explained, whether a finding or not
      2  wrong usage, or no such record
      3  the record cannot be read
      4  the record is of no known source

    Examples:
      smbrare explain sysmon.ndjson:1207
      smbrare explain 45.83.122.10 logs/
      smbrare explain 'export.zip!defend.ndjson:12' --baseline acme
      grep 45.83.122.10 events.ndjson | head -1 | smbrare explain - --format json
    """
    read_options, criteria = settings_from(options)
    baseline = open_baseline(read_options, criteria)
    inputs = list(discover(options["paths"]))
    target = _target(options["target"], inputs, read_options, criteria, baseline)
    explained = explain(target, read_options, criteria, baseline, inputs)
    print_as(EXPLANATION[options["format"]], explained, options)
    return explained.exit_code


def _target(
    text: str,
    inputs: Sequence[Input | Skipped],
    read_options: ReadOptions,
    criteria: Criteria,
    baseline: "Baseline | None",
) -> Target:
    """Return the record that a text names, or the finding that it names stands on."""
    if is_file(text) or not names_finding(text):
        return in_inputs(parse_target(text, is_file), inputs)
    if not inputs:
        raise UsageError(f"{text}: in which files? give them too: smbrare explain {text} PATH...")
    partial = gather(inputs, read_options, silent)
    return find_finding(text, judge(partial, read_options, criteria, baseline).judged, inputs)
