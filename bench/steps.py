"""What the steps of the sieve cost, each by itself: ``python -m bench.steps`` prints a table.

Their sum is what one job cannot go below, start-up and judgement aside.
"""

import argparse
import sys
import time
from collections import defaultdict
from mmap import mmap
from pathlib import Path

import stringzilla

from bench.process import MEGABYTE, ROOT
from smbrare.detection.destination_sieve import needs_decoding
from smbrare.inputs.readers.blocks import BLOCK_BYTES
from smbrare.rule import port_sieve

_TURNS = 5


def measure(path: Path) -> dict[str, float]:
    """Return the seconds that each step takes for a file of NDJSON, the best of some turns."""
    best: dict[str, float] = {}
    for _ in range(_TURNS):
        for step, seconds in _turn(path).items():
            best[step] = min(seconds, best.get(step, seconds))
    return best


def _turn(path: Path) -> dict[str, float]:
    spent: dict[str, float] = defaultdict(float)
    now = time.perf_counter()

    def done(step: str) -> None:
        nonlocal now
        before, now = now, time.perf_counter()
        spent[step] += now - before

    buffer = memoryview(mmap(-1, BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            done("read")
            text = stringzilla.Str(buffer[:count])
            first, past = text.find(b"\n") + 1, text.rfind(b"\n") + 1
            block = buffer[first:past]
            text = stringzilla.Str(block)
            now = time.perf_counter()
            spans = port_sieve._candidates(block, text)  # noqa: SLF001 - the step that is measured
            done("search for the digits and their escapes, and the lines that hold them")
            text.count(b"\n")
            done("count of lines")
            text.count(b"}\n{")
            done("count of those in braces")
            needs_decoding([block[start:end] for start, end in spans])
            done("decode of the destination, in lines that hold the digits")
    return spent


def table(path: Path) -> str:
    """Return the table of the steps."""
    size = path.stat().st_size / MEGABYTE / 1000
    rows = ["| | seconds per GB |", "|---|---:|"]
    spent = measure(path)
    rows += [f"| {step} | {seconds / size:.3f} |" for step, seconds in spent.items()]
    return "\n".join([*rows, f"| together | {sum(spent.values()) / size:.3f} |"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, default=ROOT / ".bench" / "1000M.ndjson", help="NDJSON")
    sys.stdout.write(table(parser.parse_args().log) + "\n")


if __name__ == "__main__":
    main()
