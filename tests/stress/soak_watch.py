"""Let a watch follow a busy log for long, and write its memory over the events.

``python -m tests.stress.soak_watch [EVENTS [FILE.svg]]`` (10 million events unless told otherwise).
A file of 20,000 events is written at a time, and renamed and removed later; time goes by at two
hours a file. One event in a hundred is a sighting: of 300 hosts to a share that all use, and of a
new destination now and then.
"""

import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from tests.conftest import ROOT
from tests.support.watching import line

_FILE_EVENTS = 20_000
_HOURS = 2
_KEPT = 3
_WIDTH, _HEIGHT, _EDGE = 720, 260, 50


def soak(folder: Path, events: int) -> list[tuple[int, float]]:
    """Return the events that were written and the memory of the watch in MiB, over time."""
    logs = folder / "logs"
    logs.mkdir()
    command = [sys.executable, "-m", "smbrare", "watch", str(logs), "-q", "--interval", "0.05"]
    command += ["--baseline", str(folder / "kept.db"), "-o", str(folder / "findings.ndjson")]
    points = []
    with subprocess.Popen(command, cwd=ROOT) as process:
        for number in range(events // _FILE_EVENTS):
            partial = folder / "next"
            partial.write_text("".join(_lines(number)))
            partial.rename(logs / f"{number}.ndjson")
            (logs / f"{number - _KEPT}.ndjson").unlink(missing_ok=True)
            _wait(process.pid)
            points.append(((number + 1) * _FILE_EVENTS, _memory(process.pid)))
        process.terminate()
    return points


def _lines(number: int) -> list[str]:
    hour = number * _HOURS
    plain = line("10.20.1.9", hour)
    lines = [plain] * _FILE_EVENTS
    for index in range(0, _FILE_EVENTS, 100):
        host = f"WS-{index // 100 + number % 3 * 100:03}"
        lines[index] = line("20.60.40.9", hour, host__name=host)
    lines[-1] = line(f"45.{number // 250}.{number % 250}.10", hour + 1)
    return lines


def _wait(process: int) -> None:
    """Wait until a process has nothing to do: its time does not go on."""
    before, since = -1, time.monotonic()
    while time.monotonic() - since < 60:
        used = sum(map(int, Path(f"/proc/{process}/stat").read_text().split()[13:15]))
        if used - before <= 1 and before >= 0:
            return
        before = used
        time.sleep(0.15)


def _memory(process: int) -> float:
    for each in Path(f"/proc/{process}/status").read_text().splitlines():
        if each.startswith("VmRSS:"):
            return int(each.split()[1]) / 1024
    raise ValueError("the process has gone")


def drawn(points: list[tuple[int, float]]) -> str:
    """Return the memory over the events as an SVG picture."""
    most_events, most = points[-1][0], max(memory for _, memory in points) * 1.2
    left, base = _EDGE, _HEIGHT - _EDGE

    def place(events: int, memory: float) -> tuple[float, float]:
        x = left + (_WIDTH - 2 * _EDGE) * events / most_events
        return round(x, 1), round(base - (base - 20) * memory / most, 1)

    pairs = pairwise([place(*point) for point in points])
    strokes = "".join(f"M{a[0]} {a[1]}L{b[0]} {b[1]}" for a, b in pairs)
    last = points[-1][1]
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


def main() -> None:
    """Soak, print the memory, and draw it where asked to."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        points = soak(Path(folder), events)
    for count, memory in points[:: max(1, len(points) // 20)]:
        sys.stdout.write(f"{count:12,} events {memory:8.1f} MiB\n")
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(drawn(points), encoding="utf-8")


if __name__ == "__main__":
    main()
