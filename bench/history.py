"""What a baseline of many rows costs: ``python -m bench.history`` prints a table.

One line is scanned over a baseline without rows and over a large one, and a log of many
destinations is learnt. Processor time, the best of five.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bench.process import INSTALLED, MEGABYTE, ROOT, Done, run, scan
from bench.room import START, TWO_WEEKS, event, many_destinations
from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.records.times import HOUR, MICROSECONDS

SETTINGS = {"time field": "@timestamp", "literal": "false"}
_FIRST_HOUR = int(START.timestamp()) * MICROSECONDS // HOUR
_DESTINATIONS = 100_000
_RUNS = 5


def rows(count: int) -> Iterator[Row]:
    """Yield so many rows of 100,000 destinations, an hour each."""
    for number in range(count):
        of, hour = number % _DESTINATIONS, _FIRST_HOUR + number // _DESTINATIONS
        destination = f"45.{83 + (of >> 16)}.{of >> 8 & 255}.{of & 255}"
        yield Row(destination, "10.20.1.11", "ws-01", hour, hour * HOUR, hour * HOUR + 5)


def _best(command: list[str]) -> Done:
    return min((run(command) for _ in range(_RUNS)), key=lambda done: done.processor)


def _scanned(folder: Path, count: int) -> tuple[str, Done]:
    """Return what a scan of one line over so many rows takes, its commit included."""
    log, baseline = folder / "line.ndjson", folder / "history.db"
    log.write_bytes(event("45.83.0.7", START + TWO_WEEKS + timedelta(minutes=1)))
    baseline.unlink(missing_ok=True)
    Baseline(baseline, SETTINGS).commit(rows(count), {_FIRST_HOUR: False})
    done = _best(scan(log, "--quiet", "--baseline", str(baseline)))
    log.unlink()
    baseline.unlink()
    return f"one line over {count:,} rows", done


def _learnt(folder: Path, count: int) -> tuple[str, Done]:
    """Return what it takes to learn so many destinations from a log that holds nothing else."""
    log, baseline = folder / "many.ndjson", folder / "history.db"
    with log.open("wb") as file:
        file.writelines(many_destinations(count))
    learn = [str(INSTALLED / "smbrare"), "baseline", "learn", str(baseline), str(log)]
    done = run([*learn, "--format=ndjson", "--quiet"], keep=False)
    log.unlink()
    baseline.unlink()
    return f"{count:,} destinations learnt", done


def table(folder: Path) -> str:
    """Return the table."""
    measured = [_scanned(folder, 0), _scanned(folder, 500_000), _scanned(folder, 1_000_000)]
    measured += [_learnt(folder, count) for count in (50_000, 200_000)]
    return "\n".join(
        [
            "| | processor, s | peak memory, MB |",
            "|---|---:|---:|",
            *(
                f"| {name} | {done.processor:.2f} | {done.peak / MEGABYTE:,.0f} |"
                for name, done in measured
            ),
        ]
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / ".bench", help="folder of the data")
    options = parser.parse_args()
    options.data.mkdir(exist_ok=True)
    sys.stdout.write(table(options.data) + "\n")


if __name__ == "__main__":
    main()
