"""``smbrare rule``: show the rule, and write it for other tools."""

from pathlib import Path
from typing import Any

import click

from smbrare.cli import configuration, writing
from smbrare.cli import options as shared
from smbrare.cli.command import CommandGroup
from smbrare.cli.options import exclusions_from
from smbrare.cli.terminal import print_as, tell_labelled
from smbrare.outputs.formats import RULE, SOURCES
from smbrare.outputs.grid import Labelled
from smbrare.outputs.rule.exclusions import list_included, list_missing
from smbrare.outputs.rule.export import EXPORTS


@click.group("rule", cls=CommandGroup)
def rule_command() -> None:
    """Show the rule that smbrare applies, or export it for other tools.

    Exit codes: 0 done; 2 wrong usage, or a file or output that cannot be used.

    Examples:
      smbrare rule export --to sigma > rare_smb.yml
    """


@rule_command.command("show")
@click.option("--sources", is_flag=True, help="Show instead the forms of records that are read.")
@shared.text_or_json
def show(*, sources: bool, **options: Any) -> None:
    """Show the rule's conditions, and what it excludes.

    Exit codes: 0 shown; 2 wrong usage.

    Examples:
      smbrare rule show --format json | jq .conditions
      smbrare rule show --sources
    """
    print_as((SOURCES if sources else RULE)[options["format"]], None, options)


@rule_command.command("export", context_settings=configuration.settings())
@click.option(
    "--to",
    "target",
    type=click.Choice(list(EXPORTS)),
    required=True,
    # Only exclusions are configured: the rest of a configuration is for scans.
    allow_from_autoenv=False,
    help="Language or format to export to.",
)
@shared.exclusions
@shared.result_file
@configuration.config_option()
def export(target: str, output: Path | None, **options: Any) -> None:
    """Export the rule as a query, or as a rule of another tool.

    Sigma and EQL cannot express "new": they find every SMB connection to the internet. The Elastic
    rule is an NDJSON file to import; it is disabled until you enable it.

    It contains the exclusions that a scan would apply, also those of your configuration. What the
    language cannot express is omitted and named on stderr; the export then finds more. KQL, EQL,
    Sigma and the Elastic rule miss an event if any of several destinations is excluded; a scan and
    ES|QL still find its other destinations.

    Exit codes: 0 exported; 2 wrong usage, or a file or output that cannot be used.

    Examples:
      smbrare rule export --to sigma > rare_smb.yml
      smbrare rule export --to elastic-rule --exclude 20.60.40.0/24 -o rule.ndjson
      smbrare rule export --to esql --exclusions exclusions.toml
    """
    given = exclusions_from(options)
    writing.write([EXPORTS[target](given)], output)
    tell_labelled((Labelled("excluded", line) for line in list_included(target, given)), options)
    writing.tell(f"smbrare: {line}" for line in list_missing(target, given))
