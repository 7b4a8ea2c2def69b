"""Time and memory over the size of a log, as a table and a picture."""

import shutil
from pathlib import Path

from bench.process import MEGABYTE, ROOT, Done, run, scan

_PARTS = (0.01, 0.03, 0.1, 0.3)
_TIMES = 4


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
    """Draw the picture in docs/.

    To be done last: what this process holds then counts as its children's peak.
    """
    import vl_convert  # noqa: PLC0415 - only the picture needs it

    values = [
        {"MB": size, "what": what, "value": value}
        for size, done in measured
        for what, value in (("seconds", done.seconds), ("peak memory, MB", done.peak / MEGABYTE))
    ]
    axis = {"scale": {"type": "log"}, "type": "quantitative"}
    chart = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "facet": {"column": {"field": "what", "title": None}},
        "spec": {
            "width": 280,
            "height": 200,
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {"field": "MB", "title": "size of the log, MB", **axis},
                "y": {"field": "value", "title": None, **axis},
            },
        },
        "resolve": {"scale": {"y": "independent"}},
    }
    (ROOT / "docs" / "growth.svg").write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
