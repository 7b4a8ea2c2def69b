"""The room that a scan takes: many destinations, and many sightings of few.

``python -m bench.room`` prints a table. Every record matches the rule, which no real log comes
near: these are the worst cases for what a scan keeps.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.process import MEGABYTE, ROOT, run, scan

START = datetime(2026, 11, 1, tzinfo=UTC)
TWO_WEEKS = timedelta(days=14)


def event(destination: str, moment: datetime) -> bytes:
    """Return a line of an ECS document that matches the rule."""
    document = {
        "@timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "event": {"category": ["network"], "action": "connection_attempted"},
        "host": {"name": "WS-01", "os": {"type": "windows"}},
        "process": {"pid": 4},
        "network": {"transport": "tcp"},
        "source": {"ip": "10.20.1.11", "port": 50123},
        "destination": {"ip": destination, "port": 445},
    }
    return json.dumps(document).encode() + b"\n"


def many_destinations(count: int) -> Iterator[bytes]:
    """Yield one sighting each of so many destinations, over two weeks."""
    for number in range(count):
        address = f"{20 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield event(address, START + TWO_WEEKS * (number / count))


def many_sightings(count: int) -> Iterator[bytes]:
    """Yield so many sightings of a thousand destinations, over two weeks."""
    random = Random(1)
    for number in range(count):
        destination = random.randrange(1_000)
        address = f"45.83.{destination // 250}.{destination % 250}"
        yield event(address, START + TWO_WEEKS * (number / count))


@dataclass(frozen=True, slots=True)
class Case:
    """One worst case: its name, its lines, and how many findings it gives."""

    name: str
    lines: Callable[[int], Iterator[bytes]]
    count: int
    findings: int


def measure(case: Case, folder: Path) -> str:
    """Write a case's log, scan it, and return its row of the table.

    Raises:
        SystemExit: If the scan does not give the findings that it has to.
    """
    path = folder / "room.ndjson"
    with path.open("wb") as file:
        file.writelines(case.lines(case.count))
    done = run(scan(path, "--quiet", "--format=ndjson", "--jobs=1"), keep=False)
    path.unlink()
    if done.lines != case.findings:
        raise SystemExit(f"{case.name}: {done.lines} findings instead of {case.findings}")
    return f"| {case.name} | {case.count:,} | {done.peak / MEGABYTE:,.0f} | {done.seconds:,.0f} |"


def table(folder: Path, share: float) -> str:
    """Return the table of both cases, at a part of their full sizes."""
    destinations = int(1_000_000 * share)
    cases = (
        Case("distinct destinations", many_destinations, destinations, destinations),
        Case("sightings of 1,000 destinations", many_sightings, destinations * 10, 1_000),
    )
    rows = ["| | records | peak memory, MB | seconds |", "|---|---:|---:|---:|"]
    return "\n".join(rows + [measure(case, folder) for case in cases])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the full sizes")
    parser.add_argument("--data", type=Path, default=ROOT / ".bench", help="folder of the data")
    options = parser.parse_args()
    options.data.mkdir(exist_ok=True)
    sys.stdout.write(table(options.data, options.share) + "\n")


if __name__ == "__main__":
    main()
