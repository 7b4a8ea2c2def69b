"""What a scan of very many objects would take on a cluster, computed from what was measured.

``python -m bench.scale`` prints the table of docs/scale.md. Seconds per GB are those of the
processor in docs/benchmark.md; the other figures stand below with how they were found.
"""

import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from smbrare.inputs.read_ahead import FIRST_BYTES, GROWTH, MOST_BYTES
from smbrare.scanning.cluster import FAN_IN
from smbrare.scanning.planning import CLUSTER_RANGE_BYTES

BENCHMARK = Path(__file__).parents[1] / "docs" / "benchmark.md"

GB = 10**9
TB = 10**12

WORKER_SECONDS = 0.0045
"""CPU of a worker for an object of 3.5 kB: 2,000 of them on two workers, twice."""

SCHEDULER_SECONDS = 0.0015
"""CPU of the scheduler for an object, in the same scans; one thread does it all."""

RESULT_BYTES = 7_200
"""Pickled result of fixtures/sample.ndjson: 37 records of 3 sources, 9 contact hours."""

TIMES_SMALLER = 6.3
"""30 MB of bench/data.py to what gzip makes of them."""

REQUEST_SECONDS = 0.05
"""Assumed, not measured: how long a store takes to begin an answer."""

WORKERS = (16, 64, 256)


@dataclass(frozen=True)
class Load:
    """Objects to scan.

    Attributes:
        name: What they are.
        objects: How many.
        stored: Bytes in the store.
        text: Bytes of them when unpacked.
        seconds_per_gb: What a worker takes for a GB of text.
        has_ranges: Whether ranges of one are tasks of their own.
    """

    name: str
    objects: int
    stored: float
    text: float
    seconds_per_gb: float
    has_ranges: bool

    @property
    def tasks(self) -> int:
        """How many tasks read."""
        each = math.ceil(self.stored / self.objects / CLUSTER_RANGE_BYTES) if self.has_ranges else 1
        return self.objects * each

    @property
    def reading(self) -> float:
        """Seconds of workers for the text, and for each task."""
        return self.text / GB * self.seconds_per_gb + self.tasks * WORKER_SECONDS

    @property
    def waiting(self) -> float:
        """Seconds in which workers wait for the store."""
        return self.tasks * requests(self.stored / self.tasks) * REQUEST_SECONDS

    @property
    def scheduling(self) -> float:
        """Seconds of the scheduler, which more workers do not shorten."""
        return (self.tasks + self.tasks / (FAN_IN - 1)) * SCHEDULER_SECONDS

    def hours(self, workers: int) -> float:
        """Return the hours that it takes a number of workers of one thread."""
        return max((self.reading + self.waiting) / workers, self.scheduling) / 3_600


def requests(size: float) -> int:
    """Return how many requests read so many bytes from their start."""
    count, ahead = 0, FIRST_BYTES
    while size > 0:
        size -= ahead
        ahead = min(ahead * GROWTH, MOST_BYTES)
        count += 1
    return count


def measured(name: str) -> float:
    """Return the processor's seconds per GB of text that a row of the benchmark has.

    A worker has one thread for all of it.
    """
    before = r"(?:[^|]* \| ){3}"
    row = re.search(
        rf"^\| {re.escape(name)} \| {before}([0-9.]+) \|", BENCHMARK.read_text(), re.MULTILINE
    )
    if row is None:
        raise ValueError(f"{BENCHMARK} has no row {name}")
    return float(row[1])


def loads() -> list[Load]:
    """Return 10 TB in 100,000 objects, as plain text and as gzip."""
    plain, packed = measured("smbrare, 1 job"), measured("smbrare on gzip")
    count, size, longer = 100_000, 10 * TB, TIMES_SMALLER
    return [
        Load("10 TB of plain NDJSON", count, size, size, plain, has_ranges=True),
        Load("10 TB of text as gzip", count, size / longer, size, packed, has_ranges=False),
        Load("10 TB stored as gzip", count, size, size * longer, packed, has_ranges=False),
    ]


def table() -> str:
    """Return the table of the page."""
    columns = ["in 100,000 objects", "tasks", "worker hours", "of them waiting", "results, GB"]
    columns += [*(f"hours, {count} workers" for count in WORKERS), "scheduler, minutes"]
    lines = [f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}"]
    for load in loads():
        cells = [
            load.name,
            f"{load.tasks:,}",
            f"{(load.reading + load.waiting) / 3_600:,.1f}",
            f"{load.waiting / 3_600:,.1f}",
            f"{load.tasks * RESULT_BYTES / GB:.1f}",
            *(f"{load.hours(count):,.2f}" for count in WORKERS),
            f"{load.scheduling / 60:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
