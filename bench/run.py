"""Measure smbrare against its peers and write docs/benchmark.md: ``python -m bench.run``.

Every contestant runs alternately, in the same run, on warm files; the best of the rounds counts.
Times are of the whole process. Answers are compared before anything is written.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import worst
from bench.contest import Contestant, contestants, make_data
from bench.goals import Measure
from bench.peers import peers
from bench.process import MEGABYTE, ROOT


def check(measured: Sequence[Contestant]) -> None:
    """Make sure that all who answer give the answer that their data was made with.

    Raises:
        SystemExit: If one differs.
    """
    whole = {contestant.answers: 0 for contestant in measured}
    for contestant in measured:
        whole[contestant.answers] = max(whole[contestant.answers], contestant.size)
    for contestant in measured:
        if contestant.answer is None or contestant.answers is None:
            continue
        lines = contestant.answers.read_text(encoding="utf-8").splitlines()
        expected = {json.loads(line)["destination"] for line in lines}
        found = contestant.answer(contestant.output)
        is_whole = contestant.size == whole[contestant.answers]
        if found != expected if is_whole else not found <= expected:
            raise SystemExit(f"{contestant.name} gives another answer: {sorted(found ^ expected)}")


def report(measured: Sequence[Contestant]) -> str:
    """Return the table: MB/s of plain text, memory, and time per byte as a ratio to smbrare's."""
    reference = measured[0].best / measured[0].size
    rows = [
        "| | MB/s | seconds per GB | times smbrare's | processor s/GB | peak, MB | answer |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for contestant in measured:
        per_byte = contestant.best / contestant.size
        rows.append(
            f"| {contestant.name} | {1 / per_byte / MEGABYTE:,.0f} | {per_byte * 1e9:.2f} "
            f"| {per_byte / reference:.2f} | {contestant.processor / contestant.size * 1e9:.2f} "
            f"| {contestant.peak / MEGABYTE:,.0f} "
            f"| {'equal' if contestant.answer else '-'} |"
        )
    return "\n".join(rows)


def versions(environment: Path) -> str:
    """Return the versions of the peers that are installed."""
    told = []
    for peer in peers(environment):
        if peer.command is not None and peer.version:
            done = subprocess.run(peer.version, check=True, capture_output=True, text=True)  # noqa: S603
            told.append(done.stdout.splitlines()[0])
    return ", ".join(told)


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Make the data, measure, check and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it, which writes no page")
    parser.add_argument("--data", type=Path, default=ROOT / ".bench", help="folder of the data")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-bench", help="their environment"
    )
    options = parser.parse_args()
    options.data.mkdir(exist_ok=True)
    share, rounds = (0.1, 2) if options.quick else (1.0, 5)
    files = make_data(options.data, "110M" if options.quick else "500M")
    measured = contestants(files, options.peers)
    for _ in range(rounds):
        for contestant in measured:
            contestant.run()
    check(measured)
    goals = Measure(options.data, options.peers, rounds, share).table(files["ndjson"])
    page = f"{goals}\n\n{report(measured)}\n"
    if not options.quick:
        page = _page(goals, measured, options)
        (ROOT / "docs" / "benchmark.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def _page(goals: str, measured: Sequence[Contestant], options: argparse.Namespace) -> str:
    return f"""# Benchmark

`make bench` writes this page; `python -m bench.run --quick` prints a tenth of it. It measures
whole processes, alternately, on warm files, and takes the best of five rounds; answers were equal.
smbrare is what pip makes of the sources in an environment of its own. Data: `bench/data.py`, 500 MB
of mixed events, seeded; `bench/goals.py`; `bench/evtx_data.py`.

Machine: {os.cpu_count()} cores, {processor()}; Python {platform.python_version()}. Peers:
{versions(options.peers)}.

## Goals

What smbrare must not take more of: time as a ratio to another's, seconds, or memory.

{goals}

## Throughput

{report(measured)}

`wc`, `grep` and `ripgrep` answer no question; they show what reading costs. jq, eql and the reading
of an array were given the first part of the file, and their figures are per byte: of plain text
where the file is compressed, of the file itself where it is EVTX. Peak memory is of the largest
process. Where a core is free, compressed input is unpacked in a second thread, which its processor
time shows.

## Worst cases

Logs that no exporter writes (`bench/worst.py`), one job:

{worst.table(options.data)}
"""


if __name__ == "__main__":
    main()
