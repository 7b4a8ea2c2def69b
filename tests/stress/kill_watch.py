"""Kill watches while a log is written and rotated, and see whether any finding is lost.

``python -m tests.stress.kill_watch [ROUNDS [SEED]]`` (200 rounds unless told otherwise). Every line
of the log is a finding. Each has to be given, and what is given twice has to be the last that the
killed run gave, again with the same id.
"""

import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.conftest import ROOT
from tests.stress.rounds import main
from tests.support.watching import add, line, scanned

_SHORTEST, _LONGEST = 0.25, 0.9
"""Seconds that a watch lives: its start takes about the shortest."""
_PAUSE = 0.004


def run_rounds(folder: Path, rounds: int, seed: int, fates: Counter[str]) -> list[str]:
    """Return what went wrong, a line a failure.

    Args:
        folder: Where to work; it has to exist.
        rounds: How many watches to kill.
        seed: Of the random moments.
        fates: Counts what the kills hit.
    """
    chance = random.Random(seed)
    logs, output = folder / "logs", folder / "findings.ndjson"
    logs.mkdir()
    log = logs / "app.ndjson"
    written, ends = 0, []
    for number in range(rounds):
        with subprocess.Popen([*_command(folder), "--interval", "0.01"], cwd=ROOT) as process:
            end = time.monotonic() + chance.uniform(_SHORTEST, _LONGEST)
            rotation = chance.uniform(0, 2) * _LONGEST + time.monotonic()
            while time.monotonic() < end:
                _write(log, written, chance)
                written += 1
                if time.monotonic() > rotation:
                    shutil.move(log, logs / f"app.{number}")
                    rotation = float("inf")  # A second one would replace the first.
                time.sleep(_PAUSE)
            process.kill()
        ends.append(len(_given(output)))
        fates[_fate(folder)] += 1
    subprocess.run([*_command(folder), "--once", "--exit-zero"], cwd=ROOT, check=True)
    return _failures(_given(output), ends, logs, written, fates)


def _command(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "smbrare", "watch", str(folder / "logs"), "-q"]
    output, baseline = folder / "findings.ndjson", folder / "kept.db"
    return [*command, "--output", str(output), "--baseline", str(baseline)]


def _write(log: Path, number: int, chance: random.Random) -> None:
    """Write an event, sometimes in two parts."""
    text = line(f"45.{number // 60_000}.{number // 250 % 240}.{number % 250}", number / 3600)
    cut = chance.choice([0, 0, chance.randrange(len(text))])
    add(log, text[:cut])
    add(log, text[cut:])


def _given(output: Path) -> list[str]:
    """Return the ids of the findings whose lines are whole."""
    if not output.exists():
        return []
    whole, _, _ = output.read_text().rpartition("\n")
    return [json.loads(each)["smbrare"]["id"] for each in whole.splitlines()]


def _fate(folder: Path) -> str:
    if (folder / "kept.db-journal").exists():
        return "in the midst of a commit"
    return "at another moment"


def _failures(
    ids: list[str], ends: list[int], logs: Path, written: int, fates: Counter[str]
) -> list[str]:
    wanted = {finding.id for finding in scanned([logs])}
    failures = [] if len(wanted) == written else [f"{written} written, {len(wanted)} scanned"]
    if lost := wanted - set(ids):
        failures.append(f"{len(lost)} of {len(wanted)} findings lost")
    if others := set(ids) - wanted:
        failures.append(f"{len(others)} findings that a scan does not give")
    seen: set[str] = set()
    for number, identifier in enumerate(ids):
        if identifier in seen:
            fates["(findings given again)"] += 1
            if number not in ends or ids[number - 1] != identifier:
                failures.append(f"finding {number} was given again, and was not the last")
        seen.add(identifier)
    fates["(findings in all)"] += len(wanted)
    return failures


if __name__ == "__main__":
    main(run_rounds)
