"""The baseline that a command's options name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from smbrare.baseline.location import locate
from smbrare.cli.configuration import outranks
from smbrare.detection.report import Setup
from smbrare.scanning.scan import baseline_settings

if TYPE_CHECKING:
    from smbrare.baseline.store import Baseline


def named(options: Mapping[str, Any]) -> str | None:
    """Return the baseline that options name, None where --no-baseline was given as directly."""
    name: str | None = options["baseline"]
    if options["no_baseline"] and not outranks(
        click.get_current_context(), "baseline", "no_baseline"
    ):
        return None
    return name


def opened(setup: Setup) -> "Baseline | None":
    """Return the baseline of a setup, checked; None where none is named.

    Raises:
        BaselineError: If it cannot be read, or was kept with other settings.
    """
    if setup.baseline is None:
        return None
    # Most scans name none, and do without SQLite.
    from smbrare.baseline.store import Baseline  # noqa: PLC0415

    return Baseline(locate(setup.baseline), baseline_settings(setup))
