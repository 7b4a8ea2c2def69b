"""Baselines for tests: how to make one, and what it holds."""

from pathlib import Path

from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.records.times import HOUR
from tests.support.rows import START, rows_of, sighting

SETTINGS = {"time field": "@timestamp", "literal": "false"}
HOURS = {START // HOUR: False, START // HOUR + 1: True}
SEVERAL = rows_of(
    sighting(f"45.83.{n // 250}.{n % 250}", host=f"ws-{n}", time=START + n * HOUR)
    for n in range(600)
)


def made(path: Path, rows: list[Row] | None = None, hours: dict[int, bool] | None = None) -> Path:
    Baseline(path, SETTINGS).commit(SEVERAL if rows is None else rows, hours or HOURS)
    return path


def content(path: Path) -> tuple[list[Row], dict[int, bool], dict[str, str]]:
    baseline = Baseline(path)
    return list(baseline.rows()), baseline.covered(), baseline.settings


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
