"""Measure smbrare against its peers and write docs/benchmark.md: ``python -m bench.run``.

Every contestant runs alternately, in the same run, on warm files; the best of the rounds counts.
Times are of the whole process. Answers are compared before anything is written.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import growth, room, worst
from bench.peers import peers
from bench.process import MEGABYTE, ROOT, Done, run

_ARRAY_SHARE = 0.05


@dataclass(slots=True)
class Contestant:
    """One command on one file, and what its runs gave.

    Attributes:
        name: As the table shows it.
        command: What to run.
        size: Bytes of plain text that it works through.
        answer: Gives the destinations in what it prints, if it answers.
        seconds: Wall-clock time of each run.
        processor: Least processor time of a run, in seconds.
        peak: Greatest resident memory of a process of it, in bytes.
        output: What the last run printed.
    """

    name: str
    command: list[str]
    size: int
    answer: Callable[[str], set[str]] | None = None
    seconds: list[float] = field(default_factory=list)
    processor: float = math.inf
    peak: int = 0
    output: str = ""

    def run(self) -> None:
        """Run once.

        Raises:
            SystemExit: If it failed.
        """
        done = run(self.command)
        if done.code not in {0, 1}:
            raise SystemExit(f"{self.name} ended with {done.code}")
        self.output = done.output.decode()
        self.seconds.append(done.seconds)
        self.processor = min(self.processor, done.processor)
        self.peak = max(self.peak, done.peak)

    @property
    def best(self) -> float:
        """The shortest time, in seconds."""
        return min(self.seconds)


def smbrare(name: str, file: Path, size: int, *options: str, form: str = "ndjson") -> Contestant:
    """Return smbrare on a file, answering with the destinations of its findings."""
    command = [sys.executable, "-m", "smbrare", "scan", "-f", form, *options, str(file)]
    return Contestant(name, command, size, _found if form == "ndjson" else _found_in_json)


def _found(out: str) -> set[str]:
    return {json.loads(line)["destination"]["ip"] for line in out.splitlines()}


def _found_in_json(out: str) -> set[str]:
    return {finding["destination"]["ip"] for finding in json.loads(out)["findings"]}


def make_data(folder: Path, size: str) -> dict[str, Path]:
    """Write the seeded data where it is not there yet, and return the files by format."""
    files = {kind: folder / f"{size}.{kind}" for kind in ("ndjson", "gz", "zst")}
    answers = folder / f"{size}.answers"
    for kind, path in files.items():
        if not path.exists():
            command = [sys.executable, "-m", "bench.data", "--size", size, "--format", kind]
            extra = ["--answers", str(answers)] if kind == "ndjson" else []
            subprocess.run([*command, *extra, str(path)], check=True, cwd=ROOT)  # noqa: S603
    return files | {"answers": answers}


def contestants(files: dict[str, Path], environment: Path) -> list[Contestant]:
    """Return smbrare in its ways, and every peer that is installed."""
    plain = files["ndjson"]
    size = plain.stat().st_size
    array = _array(_part(plain, _ARRAY_SHARE))
    found = [
        smbrare("smbrare, 1 job", plain, size, "-j", "1"),
        smbrare("smbrare, 2 jobs", plain, size, "-j", "2"),
        smbrare("smbrare on gzip", files["gz"], size),
        smbrare("smbrare on zstd", files["zst"], size),
        smbrare("smbrare, JSON with its second pass", plain, size, "-j", "1", form="json"),
        smbrare("smbrare on one array", array, array.stat().st_size),
    ]
    for peer in peers(environment):
        if peer.command is None:
            sys.stderr.write(f"{peer.name}: not installed\n")
            continue
        file = plain if peer.share == 1.0 else _part(plain, peer.share)
        found.append(Contestant(peer.name, peer.command(file), file.stat().st_size, peer.answer))
        if peer.compressed:
            name = f"{peer.name}, on gzip"
            found.append(Contestant(name, peer.command(files["gz"]), size, peer.answer))
    return found


def _part(plain: Path, share: float) -> Path:
    """Return the first part of a file, whole lines, for what takes minutes for all of it."""
    part = plain.with_suffix(f".{share:g}.ndjson")
    if not part.exists():
        left = int(plain.stat().st_size * share)
        # Line by line: what this process once held counts as its children's peak.
        with plain.open("rb") as whole, part.open("wb") as file:
            while left > 0:
                left -= file.write(whole.readline())
    return part


def _array(lines: Path) -> Path:
    """Return the events of a file of lines as one JSON array."""
    array = lines.with_suffix(".json")
    if not array.exists():
        with lines.open("rb") as source, array.open("wb") as file:
            file.write(b"[" + source.readline())
            file.writelines(b"," + line for line in source)
            file.write(b"]")
    return array


def check(measured: Sequence[Contestant], answers: Path) -> None:
    """Make sure that all who read the whole file give the answer that the data was made with.

    Raises:
        SystemExit: If one differs.
    """
    expected = {json.loads(line)["destination"] for line in answers.read_text().splitlines()}
    whole = max(contestant.size for contestant in measured)
    for contestant in measured:
        if contestant.answer is None:
            continue
        found = contestant.answer(contestant.output)
        if found != expected if contestant.size == whole else not found <= expected:
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


def main() -> None:
    """Make the data, measure, check and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1000M", help="size of the plain data")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contestant")
    parser.add_argument("--data", type=Path, default=ROOT / ".bench", help="folder of the data")
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-bench", help="their environment"
    )
    parser.add_argument("--room", type=float, default=1.0, help="part of the full cases of room")
    options = parser.parse_args()
    options.data.mkdir(exist_ok=True)
    files = make_data(options.data, options.size)
    measured = contestants(files, options.peers)
    for _ in range(options.rounds):
        for contestant in measured:
            contestant.run()
    check(measured, files["answers"])
    page = ROOT / "docs" / "benchmark.md"
    grown = growth.measure(options.data, files["ndjson"])
    page.write_text(_page(measured, grown, options), encoding="utf-8")
    growth.draw(grown)
    sys.stdout.write(page.read_text(encoding="utf-8"))


def _page(
    measured: Sequence[Contestant],
    grown: list[tuple[float, Done]],
    options: argparse.Namespace,
) -> str:
    cpu = platform.processor() or platform.machine()
    return f"""# Benchmark

`make bench` writes this page. It measures whole processes, alternately, on warm files, and takes
the best of {options.rounds} rounds; answers were equal. Data: `bench/data.py`, {options.size}B
of mixed events, seeded. Machine: {os.cpu_count()} cores, {cpu}; Python {platform.python_version()}.

{report(measured)}

{ratios(measured)}

`wc`, `grep` and `ripgrep` answer no question; they show what reading costs. jq, eql and the reading
of an array were given the first part of the file, and their figures are per byte. Peak memory is of
the largest process. Where a core is free, one job reads, and unpacks, in a second thread, which its
processor time shows. Inputs under 32 MiB are decoded whole, which the first lines of Growth show.

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
"""


if __name__ == "__main__":
    main()
