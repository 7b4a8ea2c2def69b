"""Watches for tests: what happens to the files between two looks at them is a list of steps."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smbrare.baseline.store import Baseline
from smbrare.detection.criteria import Criteria
from smbrare.detection.exclusions import wanted_names
from smbrare.detection.finding import Finding
from smbrare.inputs.discovery import discover
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import scan
from smbrare.scanning.gathering import gather
from smbrare.watch.watch import Hooks, Watch, WatchResult
from tests.support.events import matching

DAY = 86_400
START = datetime(2026, 11, 16, 8, tzinfo=UTC)
Step = Callable[[], object]


@dataclass
class Watched:
    """What a watch gave."""

    findings: list[Finding] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    outcome: WatchResult | None = None

    @property
    def destinations(self) -> list[str]:
        """Return where the findings lead, in their order."""
        return [finding.sighting.destination for finding in self.findings]

    @property
    def ids(self) -> list[str]:
        """Return the ids of the findings, in their order."""
        return [finding.id for finding in self.findings]


def line(destination: str, hours: float = 0, **changes: Any) -> str:
    """Return an event to a destination as a line, so many hours after the start."""
    time = (START + timedelta(hours=hours)).isoformat()
    return json.dumps(matching(timestamp=time, destination__ip=destination, **changes)) + "\n"


def add(path: Path, *lines: str) -> None:
    """Add text to a file as a logger does."""
    with path.open("a") as file:
        file.write("".join(lines))


def opened(path: Path, options: ReadOptions = ReadOptions()) -> Baseline:  # noqa: B008 - frozen
    return Baseline(path, scan.baseline_settings(options))


def watched(
    paths: Sequence[Path | str],
    baseline: Path,
    *steps: Step,
    once: bool = False,
    gone_seconds: float = 1e6,
    options: ReadOptions | None = None,
    criteria: Criteria = Criteria(),  # noqa: B008 - frozen
    into: Watched | None = None,
) -> Watched:
    """Watch files; between two looks at them, and before the last one, a step is taken."""
    result = Watched() if into is None else into
    left = list(steps)
    looks = len(steps)

    def wait() -> None:
        nonlocal looks
        looks -= 1
        if left:
            left.pop(0)()

    hooks = Hooks(
        report=result.findings.append,
        tell=result.told.append,
        wait=wait,
        stopping=lambda: looks < 0,
        gone_seconds=gone_seconds,
    )
    # The run ends by a wait without a step.
    given = [str(path) for path in paths]
    options = options or ReadOptions(names=wanted_names(criteria.exclusions))
    watch = Watch(given, options, criteria, opened(baseline), hooks)
    result.outcome = watch.run(once=once or not steps)
    return result


def scanned(paths: Sequence[Path | str], baseline: Path | None = None) -> list[Finding]:
    """Return the findings of one scan, which learns them."""
    partial = gather(discover([str(path) for path in paths]), ReadOptions(), lambda _: None)
    memory = None if baseline is None else opened(baseline)
    report = scan.judge(partial, ReadOptions(), Criteria(), memory)
    if memory is not None:
        scan.learn(Criteria(), partial, memory)
    return list(report.findings)
