"""The data that measurements run on is what it says it is."""

import gzip
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from bench.data import lines, parse_size, write
from bench.events import SHAPES
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import format_time
from smbrare.rule.predicate import failing, matches, sole_obstacle
from smbrare.sources import recognize
from tests.conftest import ROOT
from tests.support.events import view

SIZE = 1_000_000


def test_every_line_is_an_event_and_those_said_to_match_do() -> None:
    sources = set()
    for line in lines(20 * SIZE, seed=2):
        seen = recognize(orjson.loads(line.text), ReadOptions())
        assert seen is not None
        sources.add(seen.source)
        assert matches(seen) == bool(line.destination)
        if line.destination:
            (moment,) = seen.time().values
            (address,) = seen.read("destination.ip").values
            assert str(address) == line.destination
            assert line.time.startswith(format_time(moment.time).rstrip("Z"))
    assert sources == {"elastic_defend", "winlogbeat", "sysmon"}


def test_it_holds_what_makes_a_scan_work() -> None:
    log = [line.text for line in lines(4 * SIZE, seed=3)]
    events = [view(orjson.loads(text)) for text in log]
    missed = (sole_obstacle(list(failing(event))) for event in events)
    clauses = Counter(clause.field for clause in missed if clause is not None)
    internal = sum(
        4 in event.read("process.pid").values and 445 in event.read("destination.port").values
        for event in events
    )
    digits = sum(b"445" in text or b"139" in text for text in log)
    assert 0.05 < digits / len(log) < 0.2
    assert internal > 0.03 * len(log)
    assert set(clauses) <= {"process.pid"}
    assert 900 < sum(map(len, log)) / len(log) < 1800
    assert len({event.kind for event in events}) == 4


def test_every_network_shape_can_match() -> None:
    assert sum(shape.weight for shape in SHAPES) == 100
    assert sum(shape.network for shape in SHAPES) >= 4


def test_the_same_seed_gives_the_same_bytes() -> None:
    first = list(lines(SIZE, seed=4))
    assert first == list(lines(SIZE, seed=4))
    assert first != list(lines(SIZE, seed=5))
    assert SIZE <= sum(len(line.text) + 1 for line in first) < SIZE + 4000


@pytest.mark.parametrize("form", ["ndjson", "gz", "zst"])
def test_every_format_holds_the_same_lines(form: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    texts = [line.text for _, line in write(path, SIZE // 10, form)]
    raw = path.read_bytes()
    if form == "gz":
        raw = gzip.decompress(raw)
    elif form == "zst":
        raw = pytest.importorskip("backports.zstd").decompress(raw)
    assert raw == b"".join(text + b"\n" for text in texts)


def test_the_command_writes_data_and_answers(tmp_path: Path) -> None:
    out, answers = tmp_path / "log.ndjson", tmp_path / "answers.ndjson"
    command = [sys.executable, "-m", "bench.data", "--size", "20M", "--seed", "2"]
    subprocess.run([*command, "--answers", answers, out], cwd=ROOT, check=True, timeout=120)
    log = out.read_bytes().splitlines()
    found = [orjson.loads(line) for line in answers.read_bytes().splitlines()]
    assert found
    for answer in found:
        event = view(orjson.loads(log[answer["line"] - 1]))
        assert [str(address) for address in event.read("destination.ip").values] == [
            answer["destination"]
        ]


def test_sizes_are_read_with_their_units() -> None:
    assert [parse_size(text) for text in ("5", "2K", "1000M", "4g")] == [5, 2000, 10**9, 4 * 10**9]
