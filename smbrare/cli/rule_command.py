"""``smbrare rule``: show the rule, and write it for other tools."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import click
import orjson

from smbrare.cli import writing
from smbrare.networks import Network
from smbrare.rule_export import EXPORTS
from smbrare.rule_text import as_json, describe


class Cidr(click.ParamType[Network]):
    """An address or a range of addresses."""

    name = "cidr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a network."""
        try:
            return ip_network(value)
        except ValueError as error:
            self.fail(f"{value!r} is no range such as 203.0.113.0/24: {error}", param, ctx)


_SHOWING = """\b
Examples:
  smbrare rule show --format json | jq .clauses
"""
_EXPORTING = """\b
Examples:
  smbrare rule export --to sigma > rare_smb.yml
  smbrare rule export --to elastic-rule --exclude 20.60.40.0/24 -o rule.ndjson
"""


@click.group("rule", short_help="Show the rule, or write it for other tools.", epilog=_EXPORTING)
def rule_command() -> None:
    """Show the rule that smbrare applies, or write it for other tools."""


@rule_command.command("show", short_help="Print the rule.", epilog=_SHOWING)
@click.option(
    "-f",
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
def show(output_format: str) -> None:
    """Print what the rule is, what it asks for, and what it leaves out."""
    if output_format == "json":
        texts = [orjson.dumps(as_json(), option=orjson.OPT_INDENT_2).decode() + "\n"]
    else:
        texts = [f"{line}\n" for line in describe()]
    writing.write(texts, None)


@rule_command.command("export", short_help="Write it for another tool.", epilog=_EXPORTING)
@click.option(
    "--to", "target", type=click.Choice(list(EXPORTS)), required=True, help="What to write."
)
@click.option(
    "--exclude",
    "excluded",
    type=Cidr(),
    multiple=True,
    help="A range of destinations to leave out; can be given several times.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to a file, replaced whole.",
)
def export(target: str, excluded: tuple[Network, ...], output: Path | None) -> None:
    """Write the rule as a query or as a rule of another tool.

    Sigma has no notion of what is new, so its rule finds every SMB connection to the internet. The
    Elastic rule is an NDJSON file to import; it is disabled until you enable it.
    """
    writing.write([EXPORTS[target](excluded)], output)
