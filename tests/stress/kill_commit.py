"""Kill scans while they commit, again and again, and see whether their baseline goes on.

``python -m tests.stress.kill_commit [ROUNDS [SEED]]`` (200 rounds unless told otherwise). After
each kill the baseline has to open and hold all or nothing of the scan, and a scan of the same file
has to give the findings that it gives without a baseline.
"""

import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.errors import BaselineError
from tests.conftest import ROOT
from tests.stress.rounds import main
from tests.support.events import matching

_DESTINATIONS = 2000
_LONGEST_COMMIT = 0.05
"""Seconds from the output to the end of the run, roughly."""
_SECONDS = 60


def run_rounds(
    folder: Path,
    rounds: int,
    seed: int,
    fates: Counter[str] | None = None,
    destinations: int = _DESTINATIONS,
) -> list[str]:
    """Return what went wrong, a line a failed round.

    Args:
        folder: Where to work; it has to exist.
        rounds: How many scans to kill.
        seed: Of the random moments.
        fates: Counts what the kills hit, where asked for.
        destinations: How many each scan adds: the more, the longer it commits.
    """
    chance = random.Random(seed)
    events = _events(folder / "events.ndjson", destinations, 0)
    wanted = _scan(events)
    old = folder / "old.db"
    _scan(_events(folder / "before.ndjson", destinations, 100), old)
    new = folder / "new.db"
    _scan(events, new)
    before, after = _rows(old), sorted(_rows(old) + _rows(new))
    failures = []
    for number in range(rounds):
        baseline = folder / "killed.db"
        baseline.unlink(missing_ok=True)
        if number % 2:
            shutil.copy(old, baseline)
        _kill(events, baseline, chance.random() * _LONGEST_COMMIT)
        fate = _fate(folder, baseline)
        if fates is not None:
            fates[fate] += 1
        allowed = [before, after] if number % 2 else [[], _rows(new)]
        try:
            if _rows(baseline) not in allowed:
                failures.append(f"round {number} ({fate}): holds a part of the scan")
            if _scan(events, baseline) != wanted:
                failures.append(f"round {number} ({fate}): the next scan gave other findings")
        except BaselineError as error:
            failures.append(f"round {number} ({fate}): {error}")
        for litter in folder.glob(".killed.db.*"):
            litter.unlink()
    return failures


def _events(path: Path, destinations: int, network: int) -> Path:
    documents = (
        matching(destination__ip=f"45.{network + n // 250}.{n % 250}.10")
        for n in range(destinations)
    )
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def _command(events: Path, output: Path, baseline: Path | None) -> list[str]:
    options = [] if baseline is None else ["--baseline", str(baseline)]
    scan = [sys.executable, "-m", "smbrare", "scan", str(events), "-f", "ndjson", "-q"]
    return [*scan, "-o", str(output), *options]


def _scan(events: Path, baseline: Path | None = None) -> list[str]:
    """Scan to the end and return the ids of the findings."""
    output = events.with_suffix(".findings")
    done = subprocess.run(
        _command(events, output, baseline), capture_output=True, cwd=ROOT, check=False
    )
    if done.returncode != 1:
        raise BaselineError(f"exit code {done.returncode}: {done.stderr.decode()}")
    return [json.loads(line)["smbrare"]["id"] for line in output.read_text().splitlines()]


def _kill(events: Path, baseline: Path, delay: float) -> None:
    """Start a scan, and kill it some time after its output is there: when it commits."""
    output = events.with_suffix(".killed")
    output.unlink(missing_ok=True)
    with subprocess.Popen(_command(events, output, baseline), cwd=ROOT) as process:
        end = time.monotonic() + _SECONDS
        while not output.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(delay)
        process.kill()


def _rows(baseline: Path) -> list[Row]:
    return list(Baseline(baseline).rows()) if baseline.exists() else []


def _fate(folder: Path, baseline: Path) -> str:
    if Path(f"{baseline}-journal").exists():
        return "killed in the midst of an update"
    if list(folder.glob(".killed.db.*")):
        return "killed in the midst of a creation"
    return "killed before or after the commit"


if __name__ == "__main__":
    main(run_rounds)
