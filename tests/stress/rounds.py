"""What the scripts of this folder have in common: rounds at random moments, and how they went."""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias

Rounds: TypeAlias = Callable[[Path, int, int, Counter[str]], list[str]]
"""Given a folder to work in, how many rounds, the seed of the moments and counts of what they hit,
returns what went wrong, a line each."""


def main(run_rounds: Rounds) -> NoReturn:
    """Run the rounds and say how they went; their number and the seed are the arguments."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    fates: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        failures = run_rounds(Path(folder), rounds, seed, fates)
    for fate, count in fates.most_common():
        sys.stdout.write(f"{count:6} {fate}\n")
    sys.stdout.write("".join(f"{failure}\n" for failure in failures))
    sys.exit(f"{len(failures)} failed" if failures else 0)
