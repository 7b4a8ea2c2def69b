"""The exclusions that a command's options give."""

from collections.abc import Mapping
from typing import Any

from smbrare.cli import exclusion_file
from smbrare.cli.toml_file import load
from smbrare.detection.exclusions import Exclusion


def given(options: Mapping[str, Any]) -> tuple[Exclusion, ...]:
    """Return those of the command line and then those of the file, each once.

    Raises:
        UsageError: If the file cannot be read, or says anything else.
    """
    found: list[Exclusion] = list(options["exclude"])
    if options["exclusions"] is not None:
        found += exclusion_file.exclusions(load(options["exclusions"]))
    return tuple(dict.fromkeys(found))
