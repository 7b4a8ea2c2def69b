"""``smbrare exclude``: add to the user's file of exclusions."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from smbrare.baseline.location import make_private
from smbrare.cli import configuration, exclusion_file, writing
from smbrare.cli import options as shared
from smbrare.cli.command import CommandGroup
from smbrare.cli.parameters import RANGE, TIME_AHEAD
from smbrare.detection.exclusions import Exclusion
from smbrare.errors import OutputError, reason_of
from smbrare.records.times import HOUR
from smbrare.text import visible


@click.group("exclude", cls=CommandGroup)
def exclude_command() -> None:
    """Add an exclusion to your file.

    Exit codes: 0 done; 2 wrong usage, or a file that cannot be used.

    Examples:
      smbrare exclude add 20.60.40.9 --reason "cloud share" --expires 90d
      smbrare exclude add 20.60.40.0/24 --reason "backup" --exclusions acme.toml
    """


@exclude_command.command("add", context_settings=configuration.settings())
@click.argument("address", metavar="ADDRESS|CIDR", type=RANGE)
@click.option(
    "--reason", required=True, allow_from_autoenv=False, help="Why this is expected traffic."
)
@click.option(
    "--expires",
    type=TIME_AHEAD,
    allow_from_autoenv=False,
    help="When it ends, such as 2027-01-31 or 90d, to the full hour (UTC).",
)
@shared.exclusion_file_option
@configuration.config_option()
def add_command(**options: Any) -> int:
    """Exclude a destination from now on, with a reason.

    Adds to the file that --exclusions or your configuration gives, otherwise to exclusions.toml
    beside your configuration. Everything in the file is kept, comments too.

    Exit codes: 0 added, or excluded already; 2 wrong usage, or a file that cannot be used.

    Examples:
      smbrare exclude add 20.60.40.9 --reason "cloud share" --expires 90d
      smbrare exclude add 20.60.40.0/24 --reason "backup" --exclusions acme.toml
    """
    expires = options["expires"]
    exclusion = Exclusion(
        options["reason"].strip(),
        destination=(options["address"],),
        expires=None if expires is None else -(-expires // HOUR),
    )
    own = configuration.user_file()
    path: Path = options["exclusions"] or own.with_name("exclusions.toml")
    if path.parent == own.parent:
        try:
            make_private(path.parent)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {reason_of(error)}") from None
    if already := exclusion_file.add(path, exclusion):
        writing.tell([visible(f"{path} already contains {already}")])
        return 0
    lines = [f"added to {path}: {exclusion}"]
    source = click.get_current_context().get_parameter_source("exclusions")
    if source not in {ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP}:
        lines.append(
            f"scans apply it with --exclusions {path}, or always with this line in {own}: "
            f"exclusions = {exclusion_file.quoted(str(path.absolute()))}"
        )
    writing.tell(map(visible, lines))
    return 0
