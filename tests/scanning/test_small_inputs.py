"""Many small inputs share tasks and start no thread each, and give what each gives alone."""

import gzip
import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import flat
from smbrare.detection.partial import Partial
from smbrare.detection.rarity import Known, judge
from smbrare.inputs.discovery import Input, discover
from smbrare.records.event import Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import gathering, workers
from smbrare.scanning.gathering import gather, plan_all
from smbrare.scanning.planning import MOST_TOGETHER, SMALL_BYTES
from smbrare.scanning.reading import read_inputs
from tests.support.events import matching

FILES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of small inputs, some of them broken or empty, around a larger one."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(FILES):
        lines = [json.dumps(matching(destination__ip=f"45.83.0.{n}")) for n in range(number % 4)]
        text = "\n".join([*lines, "{broken" if number % 7 == 0 else ""]).encode()
        (logs / f"{number:02}.gz").write_bytes(gzip.compress(text)[: -9 if number == 11 else None])
    (logs / "15-large.ndjson").write_bytes(b'{"a":"%s"}\n' % (b"x" * SMALL_BYTES))
    (logs / "nothing").symlink_to("nowhere")
    return logs


def gathered(folder: Path, **how: Any) -> Partial:
    return gather(list(discover([str(folder)])), ReadOptions(**how), lambda _: None)


def findings(partial: Partial) -> list[dict[str, Any]]:
    return [flat(finding) for finding in judge(partial.sightings, Known(), Criteria())]


@pytest.mark.parametrize("jobs", [1, 2])
def test_joined_inputs_give_what_each_gives_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    joined = gathered(folder, jobs=jobs)
    monkeypatch.setattr(gathering, "join_small", list)
    alone = gathered(folder, jobs=1)
    assert len(joined.surveys) == FILES + 2
    assert joined.surveys == alone.surveys
    assert joined.span == alone.span
    assert findings(joined) == findings(alone) != []


def test_tasks_join_small_neighbours_in_their_order() -> None:
    def found(size: int | None, count: int = 1) -> list[Input | Skipped]:
        return [Input(f"{size} {n}", named=False, size=size) for n in range(count)]

    inputs = [
        *found(10, MOST_TOGETHER + 1),
        *found(SMALL_BYTES + 1),
        *found(SMALL_BYTES, 3),
        *found(None),
        *found(20),
    ]
    tasks = plan_all(inputs, ReadOptions(jobs=1), None)
    assert [each for task in tasks for each in task.inputs] == inputs
    assert [len(task.inputs) for task in tasks] == [MOST_TOGETHER, 1, 1, 3, 1, 1]
    assert tasks[0].size == 10 * MOST_TOGETHER


def test_no_small_stream_is_unpacked_in_a_thread(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = []

    class Counted(futures.ThreadPoolExecutor):
        def __init__(self, *given: Any) -> None:
            pools.append(self)
            super().__init__(*given)

    monkeypatch.setattr(futures, "ThreadPoolExecutor", Counted)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    # An input that is large enough for a task of its own, but whose members are small.
    with zipfile.ZipFile(folder / "members.zip", "w") as archive:
        for path in folder.glob("*.gz"):
            archive.write(path, path.name)
        archive.writestr("more", os.urandom(2 * SMALL_BYTES))
    gathered(folder, jobs=1)
    assert not pools
    large = b"".join(b'{"a":"%s"}\n' % os.urandom(500).hex().encode() for _ in range(300))
    (folder / "large.gz").write_bytes(gzip.compress(large))
    gathered(folder, jobs=1)
    assert len(pools) == 1


def test_a_process_that_dies_costs_all_inputs_of_its_task(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = os.getpid()

    def dying(inputs: Sequence[Input | Skipped], *given: Any, **named: Any) -> Iterable[Any]:
        if os.getpid() != parent:
            os._exit(9)
        return read_inputs(inputs, *given, **named)

    monkeypatch.setattr(gathering, "read_inputs", dying)
    partial = gathered(folder, jobs=2)
    assert len(partial.surveys) == FILES + 2
    assert {one.located[0].reason for one in partial.surveys} == {"the process that read it died"}
    assert all(survey.cut for survey in partial.surveys)
