"""Time and memory over the size of a log, as a table and a picture."""

import math
import shutil
from pathlib import Path

from bench.process import MEGABYTE, ROOT, Done, run, scan

_PARTS = (0.01, 0.03, 0.1, 0.3)
_TIMES = 4
_WIDTH, _HEIGHT = 250, 200
_AXIS = "size of the log, MB"


def measure(folder: Path, log: Path) -> list[tuple[float, Done]]:
    """Return the sizes in MB of parts of a log, of all and of several of it, and what they took.

    Args:
        folder: Where there is room for the files.
        log: Plain NDJSON.
    """
    return [
        _measure(folder / "growth.ndjson", log, share) for share in (*_PARTS, 1.0, float(_TIMES))
    ]


def table(measured: list[tuple[float, Done]]) -> str:
    """Return what was measured as a table."""
    rows = ["| MB | seconds | seconds per GB | peak memory, MB |", "|---:|---:|---:|---:|"]
    rows += [
        f"| {size:,.0f} | {done.seconds:.2f} | {done.seconds / size * 1000:.2f} "
        f"| {done.peak / MEGABYTE:,.0f} |"
        for size, done in measured
    ]
    return "\n".join(rows)


def _measure(path: Path, log: Path, share: float) -> tuple[float, Done]:
    """Return the size in MB of a part of a log, or of several of it, and what its scan took."""
    with path.open("wb") as file:
        for _ in range(max(int(share), 1)):
            with log.open("rb") as source:
                if share >= 1:
                    shutil.copyfileobj(source, file, MEGABYTE)
                else:
                    # Line by line: what this process once held counts as its children's peak.
                    left = log.stat().st_size * share
                    while left > 0:
                        left -= file.write(source.readline())
    command = scan(path, "--quiet", "--format=ndjson", "--jobs=1")
    run(["wc", "-l", str(path)])
    done = min((run(command) for _ in range(3)), key=lambda done: done.seconds)
    size = path.stat().st_size / MEGABYTE
    path.unlink()
    return size, done


def draw(measured: list[tuple[float, Done]]) -> None:
    """Draw the picture in docs/: two panels, both axes logarithmic."""
    sizes = [size for size, _ in measured]
    panels = (
        ("seconds", [done.seconds for _, done in measured]),
        ("peak memory, MB", [done.peak / MEGABYTE for _, done in measured]),
    )
    drawn = "".join(
        f'<g transform="translate({at * 320 + 50} 30)">{_panel(name, sizes, values)}</g>'
        for at, (name, values) in enumerate(panels)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 280" width="640" height="280" '
        'font-family="sans-serif" font-size="10"><rect width="640" height="280" fill="#fff"/>'
        f"{drawn}</svg>\n"
    )
    (ROOT / "docs" / "growth.svg").write_text(svg, encoding="utf-8")


def _panel(name: str, sizes: list[float], values: list[float]) -> str:
    """Return one panel, 250 by 200 pixels."""

    def places(numbers: list[float], length: int) -> tuple[list[float], list[tuple[float, str]]]:
        low, high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
        scale = length / max(high - low, 1)
        ticks = [(scale * (power - low), f"{10.0**power:,g}") for power in range(low, high + 1)]
        return [scale * (math.log10(number) - low) for number in numbers], ticks

    across, columns = places(sizes, _WIDTH)
    up, rows = places(values, _HEIGHT)
    points = [f"{x:.1f},{_HEIGHT - y:.1f}" for x, y in zip(across, up, strict=True)]
    line = " ".join(points)
    parts = [f'<text x="0" y="-10" font-size="12">{name}</text>']
    for x, text in columns:
        parts.append(f'<path d="M{x:.1f} 0V{_HEIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="214" text-anchor="middle">{text}</text>')
    for y, text in rows:
        parts.append(f'<path d="M0 {_HEIGHT - y:.1f}H{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="-6" y="{_HEIGHT - y + 3:.1f}" text-anchor="end">{text}</text>')
    parts.append(f'<text x="125" y="236" text-anchor="middle">{_AXIS}</text>')
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0b57a4"/>')
    parts += [
        '<circle cx="{}" cy="{}" r="3" fill="#0b57a4"/>'.format(*point.split(","))
        for point in points
    ]
    return "".join(parts)
