"""Let a watch follow a busy log for long, and write its memory and open files over the events.

``python -m tests.stress.soak_watch [EVENTS [FILE.svg]]`` (10 million events unless told otherwise).
A log of 20,000 events is written at a time, renamed by the next one, and removed later; the output
is renamed into the same folder now and then. Time goes by at two hours a log. One event in a
hundred is a sighting: of 300 hosts to a share that all use, and one a log of a new destination.
It ends with exit code 1 where a finding is missing or was given twice.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT
from tests.support.watching import line

_FILE_EVENTS = 20_000
_HOURS = 2
_KEPT = 3
_OUTPUT_LOGS = 20
"""After how many logs the output is renamed."""
_WIDTH, _HEIGHT, _EDGE = 720, 260, 50


class Point(NamedTuple):
    """What the watch used when so many events had been written."""

    events: int
    memory: float
    files: int


def soak(folder: Path, events: int) -> tuple[list[Point], Counter[str]]:
    """Return what the watch used over time, and how often it gave each destination."""
    logs = folder / "logs"
    logs.mkdir()
    log, output = logs / "app.ndjson", logs / "findings.ndjson"
    command = [sys.executable, "-m", "smbrare", "watch", str(logs), "-q", "--interval", "0.05"]
    command += ["--baseline", str(folder / "kept.db"), "-o", str(output)]
    points = []
    with subprocess.Popen(command, cwd=ROOT) as process:
        for number in range(events // _FILE_EVENTS):
            partial = folder / "next"
            partial.write_text("".join(_lines(number)))
            if number:
                log.rename(logs / f"{number - 1}.ndjson")
            partial.rename(log)
            (logs / f"{number - _KEPT}.ndjson").unlink(missing_ok=True)
            _wait(output, _destination(number))
            points.append(_point((number + 1) * _FILE_EVENTS, process.pid))
            if number % _OUTPUT_LOGS == _OUTPUT_LOGS - 1:
                output.rename(logs / f"findings.{number}.ndjson")
        process.terminate()
    found: Counter[str] = Counter()
    for path in logs.glob("findings.*"):
        found.update(json.loads(each)["destination"]["ip"] for each in path.open())
    return points, found


def _lines(number: int) -> list[str]:
    hour = number * _HOURS
    plain = line("10.20.1.9", hour)
    lines = [plain] * _FILE_EVENTS
    for index in range(0, _FILE_EVENTS, 100):
        host = f"WS-{index // 100 + number % 3 * 100:03}"
        lines[index] = line("20.60.40.9", hour, host__name=host)
    lines[-1] = line(_destination(number), hour + 1)
    return lines


def _destination(number: int) -> str:
    return f"45.{number // 250}.{number % 250}.10"


def _wait(output: Path, destination: str) -> None:
    """Wait until a finding was given, or for a minute."""
    since = time.monotonic()
    while time.monotonic() - since < 60:
        if output.exists() and f'"{destination}"' in output.read_text():
            return
        time.sleep(0.02)


def _point(events: int, process: int) -> Point:
    for each in Path(f"/proc/{process}/status").read_text().splitlines():
        if each.startswith("VmRSS:"):
            files = len([*Path(f"/proc/{process}/fd").iterdir()])
            return Point(events, int(each.split()[1]) / 1024, files)
    raise ValueError("the process has gone")


def drawn(points: list[Point]) -> str:
    """Return the memory over the events as an SVG picture."""
    most_events, most = points[-1].events, max(point.memory for point in points) * 1.2
    left, base = _EDGE, _HEIGHT - _EDGE

    def place(events: int, memory: float) -> tuple[float, float]:
        x = left + (_WIDTH - 2 * _EDGE) * events / most_events
        return round(x, 1), round(base - (base - 20) * memory / most, 1)

    pairs = pairwise([place(point.events, point.memory) for point in points])
    strokes = "".join(f"M{a[0]} {a[1]}L{b[0]} {b[1]}" for a, b in pairs)
    last = points[-1].memory
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n'
        f'<path d="M{left} 20V{base}H{_WIDTH - _EDGE}" fill="none" stroke="#888"/>\n'
        f'<path d="{strokes}" fill="none" stroke="#06c" stroke-width="1.5"/>\n'
        f'<text x="{left}" y="14">memory of the watch, at the end {last:.0f} MiB</text>\n'
        f'<text x="{left - 6}" y="{base + 4}" text-anchor="end">0</text>\n'
        f'<text x="{left - 6}" y="28" text-anchor="end">{most:.0f}</text>\n'
        f'<text x="{_WIDTH - _EDGE}" y="{base + 18}" text-anchor="end">'
        f"{most_events:,} events</text>\n</svg>\n"
    )


def main() -> int:
    """Soak, print what was used, and draw it where asked to; return the exit code."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        points, found = soak(Path(folder), events)
    for count, memory, files in points[:: max(1, len(points) // 20)]:
        sys.stdout.write(f"{count:12,} events {memory:8.1f} MiB {files:4} open files\n")
    wanted = {"20.60.40.9", *map(_destination, range(len(points)))}
    sys.stdout.write(
        f"{len(points):,} logs; {len(wanted):,} findings, {len(wanted - found.keys()):,} missing, "
        f"{found.total() - len(found):,} given twice, {len(found.keys() - wanted):,} others\n"
    )
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(drawn(points), encoding="utf-8")
    return int(found != Counter(wanted))


if __name__ == "__main__":
    sys.exit(main())
