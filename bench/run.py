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

from bench import growth, history, room, worst
from bench.contest import Contestant, contestants, make_data
from bench.peers import peers
from bench.process import MEGABYTE, ROOT, Done, run


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


RATIOS = (
    ("smbrare, 1 job", "wc -l", 4.0),
    ("smbrare, 1 job", "grep -c 445", 1.0),
    ("smbrare, 1 job", "jq", 1 / 30),
    ("smbrare, 2 jobs", "DuckDB, 2 threads", 1 / 3.5),
    ("smbrare on gzip", "DuckDB, 2 threads, on gzip", 1 / 2),
)
"""Who is compared with whom, and at most how much of the other's time it is to take."""


def ratios(measured: Sequence[Contestant]) -> str:
    """Return the table of what smbrare aims at, and who was faster than it."""
    per_byte = {one.name: one.best / one.size for one in measured}
    rows = ["| | against | times its time | aim, at most |", "|---|---|---:|---:|"]
    rows += [
        f"| {name} | {peer} | {per_byte[name] / per_byte[peer]:.3f} | {aim:.3f} |"
        for name, peer, aim in RATIOS
        if peer in per_byte
    ]
    one = per_byte["smbrare, 1 job"]
    peers = [peer for peer in measured if not peer.name.startswith("smbrare")]
    reading = [peer.name for peer in peers if not peer.answer and per_byte[peer.name] < one]
    answering = [
        peer.name
        for peer in peers
        if peer.answer
        and per_byte[peer.name]
        < (per_byte["smbrare on gzip"] if peer.name.endswith("on gzip") else one)
    ]
    return "\n".join(rows) + (
        "\n\nFaster than smbrare with one job, of those that answer the question: "
        f"{_listed(answering)}; of those that only read: {_listed(reading)}."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


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
    parser.add_argument("--size", default="1000M", help="size of the plain data")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each contestant")
    parser.add_argument("--data", type=Path, default=ROOT / ".bench", help="folder of the data")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-bench", help="their environment"
    )
    parser.add_argument("--room", type=float, default=0.1, help="part of the full cases of room")
    options = parser.parse_args()
    options.data.mkdir(exist_ok=True)
    files = make_data(options.data, options.size)
    measured = contestants(files, options.peers)
    for _ in range(options.rounds):
        for contestant in measured:
            contestant.run()
    check(measured)
    page = ROOT / "docs" / "benchmark.md"
    grown = growth.measure(options.data, files["ndjson"])
    page.write_text(_page(measured, grown, files["ndjson"], options), encoding="utf-8")
    growth.draw(grown)
    sys.stdout.write(page.read_text(encoding="utf-8"))


def _steps(log: Path) -> str:
    # A process of its own: what this one once held counts as its children's peak.
    done = run([sys.executable, "-m", "bench.steps", "--log", str(log)])
    return done.output.decode().strip()


def _page(
    measured: Sequence[Contestant],
    grown: list[tuple[float, Done]],
    log: Path,
    options: argparse.Namespace,
) -> str:
    return f"""# Benchmark

`make bench` writes this page. It measures whole processes, alternately, on warm files, and takes
the best of {options.rounds} rounds; answers were equal. smbrare is what pip makes of the sources in
an environment of its own. Data: `bench/data.py`, {options.size}B of mixed events, seeded, and
`bench/evtx_data.py`.

Machine: {os.cpu_count()} cores, {processor()}; Python {platform.python_version()}. Peers:
{versions(options.peers)}.

{report(measured)}

{ratios(measured)}

`wc`, `grep` and `ripgrep` answer no question; they show what reading costs. jq, eql and the reading
of an array were given the first part of the file, and their figures are per byte: of plain text
where the file is compressed, of the file itself where it is EVTX. Peak memory is of the largest
process. Where a core is free, compressed input is unpacked in a second thread, which its processor
time shows. Inputs under 32 MiB are decoded whole, which the first lines of Growth show.

## Steps

What the sieve does to each block, step by step in one process (`bench/steps.py`). One job takes
this, the start of the program, and the judgement of what is left.

{_steps(log)}

## Growth

The same events, one job: a part of the file, the file, and the file four times over.

{growth.table(grown)}

![Seconds and memory over the size of the log](growth.svg)

## Worst cases

Logs that no exporter writes (`bench/worst.py`), one job:

{worst.table(options.data)}

## Room

What a scan keeps where every record matches the rule (`bench/room.py`):

{room.table(options.data, options.room)}

## Baselines

A scan of one line over a baseline, with its commit, and `baseline learn` (`bench/history.py`):

{history.table(options.data)}
"""


if __name__ == "__main__":
    main()
