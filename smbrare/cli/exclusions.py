"""The exclusions that a command's options give."""

from collections.abc import Mapping
from typing import Any

from smbrare import exclusion_file
from smbrare.exclusions import Exclusion
from smbrare.tomltext import load


def given(options: Mapping[str, Any]) -> tuple[Exclusion, ...]:
    """Return those of the command line and then those of the file, each once.

    Raises:
        UsageError: If the file cannot be read, or says anything else.
    """
    found: list[Exclusion] = list(options["exclude"])
    if options["exclusions"] is not None:
        found += exclusion_file.exclusions(load(options["exclusions"]))
    return tuple(dict.fromkeys(found))
