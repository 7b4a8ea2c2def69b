"""Who is measured: smbrare in its ways, and every peer that is installed."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import QUERIES, peers
from bench.process import INSTALLED, ROOT, run, scan

_ARRAY_SHARE = 0.05


@dataclass(slots=True)
class Contestant:
    """One command on one file, and what its runs gave.

    Attributes:
        name: As the table shows it.
        command: What to run.
        size: Bytes that it works through: of plain text where the file is compressed.
        answer: Gives the destinations in what it prints, if it answers.
        answers: The file of those that it has to find; of a part of the log, some of them.
        seconds: Wall-clock time of each run.
        processor: Least processor time of a run, in seconds.
        peak: Greatest resident memory of a process of it, in bytes.
        output: What the last run printed.
    """

    name: str
    command: list[str]
    size: int
    answer: Callable[[str], set[str]] | None = None
    answers: Path | None = None
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


def smbrare(
    name: str, file: Path, size: int, answers: Path, *options: str, form: str = "ndjson"
) -> Contestant:
    """Return smbrare on a file, answering with the destinations of its findings."""
    command = scan(file, f"--format={form}", *options)
    return Contestant(name, command, size, _found if form == "ndjson" else _found_in_json, answers)


def _found(out: str) -> set[str]:
    return {json.loads(line)["destination"]["ip"] for line in out.splitlines()}


def _found_in_json(out: str) -> set[str]:
    return {finding["destination"]["ip"] for finding in json.loads(out)["findings"]}


def make_data(folder: Path, size: str) -> dict[str, Path]:
    """Write the seeded data where it is not there yet, and return the files by format."""
    files = {kind: folder / f"{size}.{kind}" for kind in ("ndjson", "gz", "zst")}
    files["answers"] = folder / f"{size}.answers"
    files |= {name: folder / f"sysmon.{name}" for name in ("evtx", "evtx.answers")}
    for kind in ("ndjson", "gz", "zst"):
        if not files[kind].exists():
            extra = ["--answers", str(files["answers"])] if kind == "ndjson" else []
            _write("bench.data", "--size", size, "--format", kind, *extra, str(files[kind]))
    if not files["evtx.answers"].exists():
        _write("bench.evtx_data", "--answers", str(files["evtx.answers"]), str(files["evtx"]))
    return files


def _write(module: str, *arguments: str) -> None:
    # A process of its own: what this one once held counts as its children's peak.
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, cwd=ROOT)  # noqa: S603


def contestants(files: dict[str, Path], environment: Path) -> list[Contestant]:
    """Return smbrare in its ways, and every peer that is installed."""
    plain, answers = files["ndjson"], files["answers"]
    size = plain.stat().st_size
    array = _array(_part(plain, _ARRAY_SHARE))
    evtx = files["evtx"]
    library = [str(INSTALLED / "python"), str(QUERIES / "evtx_json.py"), str(evtx)]
    found = [
        smbrare("smbrare, 1 job", plain, size, answers, "--jobs=1"),
        smbrare("smbrare, 2 jobs", plain, size, answers, "--jobs=2"),
        smbrare("smbrare on gzip", files["gz"], size, answers),
        smbrare("smbrare on zstd", files["zst"], size, answers),
        smbrare("smbrare, JSON with its second pass", plain, size, answers, "-j1", form="json"),
        smbrare("smbrare on one array", array, array.stat().st_size, answers),
        smbrare("smbrare on EVTX", evtx, evtx.stat().st_size, files["evtx.answers"]),
        Contestant("EVTX to JSON by its library alone", library, evtx.stat().st_size),
    ]
    for peer in peers(environment):
        if peer.command is None:
            sys.stderr.write(f"{peer.name}: not installed\n")
            continue
        file = plain if peer.share == 1.0 else _part(plain, peer.share)
        given = [(peer.name, file, file.stat().st_size)]
        if peer.compressed:
            given.append((f"{peer.name}, on gzip", files["gz"], size))
        found += [
            Contestant(name, peer.command(path), bytes_, peer.answer, answers)
            for name, path, bytes_ in given
        ]
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
