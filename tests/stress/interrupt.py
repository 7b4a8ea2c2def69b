"""Stop scans at random moments, again and again, and see what they leave.

``python -m tests.stress.interrupt [ROUNDS [SEED]]`` (200 rounds unless told otherwise). In turn a
scan gets Ctrl-C, SIGTERM, or a reader of its output that goes away; every other one may read with
two processes. A run that was stopped has the exit code that says so, and leaves the baseline byte
for byte as it was, the output file as it was, no temporary file, no process and no traceback. A
run that was faster than the signal has done all of its work.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.stress.rounds import main
from tests.support.events import matching

_ENDS = ("SIGINT", "SIGTERM", "a closed pipe")
_CODES = {
    # Python itself dies of a signal that arrives before the program has said what to do with it.
    "SIGINT": {130, -signal.SIGINT},
    "SIGTERM": {143, -signal.SIGTERM},
    "a closed pipe": {141},
}
_FINDINGS = 1
_HANGS = 124
"""What stands for the exit code of a scan that does not end."""

_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rounds work.

    Attributes:
        folder: Holds nothing but the baseline and the output file.
        scratch: The folder for temporary files, which stays empty.
        inputs: What is scanned.
        seconds: How long a scan takes, roughly.
        before: The baseline before a scan.
    """

    folder: Path
    scratch: Path
    inputs: list[Path]
    seconds: float
    before: bytes

    @property
    def baseline(self) -> Path:
        """The baseline, the same before each round."""
        return self.folder / "acme.db"

    @property
    def output(self) -> Path:
        """The output file, the same before each round."""
        return self.folder / "findings.ndjson"


def run_rounds(folder: Path, rounds: int, seed: int, fates: Counter[str]) -> list[str]:
    """Return what went wrong, a line a fault.

    Args:
        folder: Where to work; it has to exist.
        rounds: How many scans to stop.
        seed: Of the random moments.
        fates: Counts how the scans ended.
    """
    chance = random.Random(seed)
    place = _prepared(folder)
    failures = []
    for number in range(rounds):
        place.baseline.write_bytes(place.before)
        place.output.write_text("before")
        end = _ENDS[number % len(_ENDS)]
        code, err = _stopped(place, end, number, chance.random() * place.seconds)
        fates[f"{end}: exit code {code}"] += 1
        failures += [f"round {number} ({end}): {fault}" for fault in _faults(place, end, code, err)]
    return failures


def _prepared(folder: Path) -> Place:
    work, scratch = folder / "work", folder / "scratch"
    work.mkdir()
    scratch.mkdir()
    inputs = [folder / f"{name}.ndjson" for name in ("one", "other")]
    for number, path in enumerate(inputs):
        path.write_text(
            "".join(
                json.dumps(matching(destination__ip=f"45.{number}.{n // 250}.{n % 250}")) + "\n"
                for n in range(2_000)
            )
        )
    known = folder / "known.ndjson"
    known.write_text(json.dumps(matching(destination__ip="91.219.236.18")) + "\n")
    baseline = folder / "before.db"
    subprocess.run(
        [*_PROGRAM, str(known), "--baseline", str(baseline)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    place = Place(work, scratch, inputs, 0.0, baseline.read_bytes())
    shutil.copy(baseline, place.baseline)
    started = time.monotonic()
    subprocess.run(_command(place, 0), cwd=ROOT, capture_output=True, check=False)
    return Place(work, scratch, inputs, (time.monotonic() - started) * 1.1, place.before)


_PROGRAM = (sys.executable, "-m", "smbrare", "scan")


def _command(place: Place, number: int, *, to_stdout: bool = False) -> list[str]:
    output = [] if to_stdout else ["-o", str(place.output)]
    jobs = ["-j", "2"] if number % 2 else []
    inputs = map(str, place.inputs)
    return [*_PROGRAM, *inputs, "-f", "ndjson", "--baseline", str(place.baseline), *output, *jobs]


def _stopped(place: Place, end: str, number: int, delay: float) -> tuple[int, str]:
    """Stop a scan after a while; return its exit code and what it said."""
    by_pipe = end == "a closed pipe"
    environment = os.environ | {"TMPDIR": str(place.scratch)}
    with subprocess.Popen(
        _command(place, number, to_stdout=by_pipe),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
    ) as process:
        assert process.stdout is not None
        if by_pipe:
            # Less than a pipe holds besides, so that the scan never gets it all out.
            process.stdout.read(int(delay * 10_000))
            process.stdout.close()
            process.stdout = None
        else:
            time.sleep(delay)
            process.send_signal(getattr(signal, end))
        try:
            _, err = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return _HANGS, ""
        return process.returncode, err.decode()


def _faults(place: Place, end: str, code: int, err: str) -> list[str]:
    stopped = code in _CODES[end]
    found = []
    if not stopped and (end == "a closed pipe" or code != _FINDINGS):
        found.append(f"exit code {code}")
    if stopped and place.baseline.read_bytes() != place.before:
        found.append(f"exit code {code} and another baseline")
    if not stopped and place.baseline.read_bytes() == place.before:
        found.append(f"exit code {code} and no other baseline")
    complete = place.output.read_text().count("\n") == sum(
        path.read_text().count("\n") for path in place.inputs
    )
    if end != "a closed pipe" and not complete and (not stopped or not _is_old(place.output)):
        found.append(f"exit code {code} and a part of the output")
    if code >= 0 and ("Traceback" in err or "Exception ignored" in err):
        found.append(f"exit code {code} and a traceback: {err.splitlines()[-1]}")
    left = {path.name for path in place.folder.iterdir()} - {"acme.db", "findings.ndjson"}
    left |= {path.name for path in place.scratch.iterdir()}
    if left:
        found.append(f"exit code {code} and files left: {', '.join(sorted(left))}")
    return found


def _is_old(output: Path) -> bool:
    return output.read_text() == "before"


if __name__ == "__main__":
    main(run_rounds)
