"""``scan --dry-run``: what the inputs are, from their first records, and no more is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from smbrare.diagnostics.preview import FIRST_EVENTS, look
from smbrare.inputs.discovery import discover
from smbrare.records.read_options import ReadOptions
from tests.conftest import FIXTURES, Run
from tests.support.events import matching

SAMPLE = FIXTURES / "sample.ndjson"
POOR = FIXTURES / "poor.ndjson"


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def test_the_table_lists_container_size_and_sources(run: Run) -> None:
    result = run("scan", "--dry-run", SAMPLE, POOR)
    assert result.code == 0
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    size = f"{SAMPLE.stat().st_size:,}"
    assert lines[0] == "Path Container Bytes Sources of the first 100 events Note"
    assert f"{SAMPLE} ndjson {size} 20 elastic_defend, 9 sysmon, 8 winlogbeat" in lines
    assert result.err == ""


def test_json_lists_the_same(run: Run) -> None:
    document = json.loads(run("scan", "--dry-run", POOR, "--format", "json").out)
    assert document["exit_code"] == 0
    assert document["inputs"] == [
        {
            "path": str(POOR),
            "bytes": POOR.stat().st_size,
            "readable": True,
            "recognized": True,
            "problem": "",
            "parts": [
                {
                    "path": str(POOR),
                    "container": "ndjson",
                    "sources": {"elastic_defend": 14, "unrecognized": 1, "winlogbeat": 5},
                    "skipped": 0,
                    "complete": True,
                    "archiver_junk": False,
                    "problem": "",
                }
            ],
        }
    ]


def test_no_more_is_read_than_the_first_records(tmp_path: Path) -> None:
    line = json.dumps(matching()) + "\n"
    path = tmp_path / "large.ndjson"
    path.write_text(line * 40_000)
    read: list[int] = []
    (found,) = look(discover([str(path)]), ReadOptions(), read.append)
    assert found.size == path.stat().st_size
    assert found.parts[0].sources == {"ecs": FIRST_EVENTS}
    assert not found.parts[0].complete
    assert sum(read) < path.stat().st_size / 4


def test_no_baseline_is_touched_and_nothing_is_judged(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    result = run("scan", "--dry-run", SAMPLE, "--baseline", baseline)
    assert result.code == 0
    assert not baseline.exists()


def test_an_output_file_is_written(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "inputs.json"
    assert run("scan", "--dry-run", SAMPLE, "-f", "json", "-o", output).out == ""
    assert json.loads(output.read_text())["inputs"][0]["recognized"]


def test_exit_2_for_a_format_of_findings(run: Run) -> None:
    assert run("scan", "--dry-run", SAMPLE, "--format", "csv").code == 2


def test_exit_3_for_what_cannot_be_read(run: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson"
    cut.write_text(json.dumps(matching()) + '\n{"cut')
    result = run("scan", "--dry-run", SAMPLE, cut, tmp_path / "gone.ndjson")
    assert result.code == 3
    assert "No such file or directory" in result.out
    assert "cut off" in result.out
    assert "9 sysmon" in result.out


@pytest.mark.parametrize("documents", [[], [{"message": "hello"}]])
def test_exit_4_where_a_named_input_is_of_no_source_of_the_rule(
    run: Run, tmp_path: Path, documents: list[Any]
) -> None:
    path = write(tmp_path / "x.ndjson", *documents)
    assert run("scan", "--dry-run", path, SAMPLE).code == 4
    assert ("empty" in run("scan", "--dry-run", path).out) == (not documents)
