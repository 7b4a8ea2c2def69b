"""The baseline that a command's options name."""

from smbrare.baseline import Baseline, locate
from smbrare.report import Setup


def opened(setup: Setup) -> Baseline | None:
    """Return the baseline of a setup, checked; None where none is named.

    Raises:
        BaselineError: If it cannot be read, or was kept with other settings.
    """
    if setup.baseline is None:
        return None
    settings = {"time field": setup.time_field, "literal": str(setup.literal).lower()}
    return Baseline(locate(setup.baseline), settings)
