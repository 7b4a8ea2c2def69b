"""A command run once, and what it took."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALLED = ROOT / ".bench" / "installed" / "bin"
"""The programs of the environment in which ``make bench`` installs smbrare, as a user would."""

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Done:
    """What a run gave.

    Attributes:
        code: Its exit code; negative for the signal that ended it.
        seconds: Wall-clock time of the whole process.
        processor: Seconds of processor time, of all its threads and processes.
        peak: The greatest resident memory of one process of it, in bytes.
        output: What it wrote to stdout.
        lines: Lines of that.
    """

    code: int
    seconds: float
    processor: float
    peak: int
    output: bytes
    lines: int


def scan(path: Path, *options: str) -> list[str]:
    """Return the command that scans a file."""
    return [str(INSTALLED / "smbrare"), "scan", *options, str(path)]


def run(command: Sequence[str], *, keep: bool = True) -> Done:
    """Run a command in the project's folder, with its output into a pipe as a user would have it.

    Args:
        command: What to run.
        keep: Whether its output is wanted, and not only the number of its lines.
    """
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the commands are those of the benchmark
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        output, lines = b"", 0
        while block := process.stdout.read(MEGABYTE):
            output += block if keep else b""
            lines += block.count(b"\n")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Done(
        process.returncode,
        time.perf_counter() - started,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024,
        output,
        lines,
    )
