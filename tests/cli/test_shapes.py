"""A match in a shape that is not read is never an all-clear, wherever it lies."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.conftest import SHARED, Result, Run
from tests.support.events import matching

SHAPES = sorted((SHARED / "cases" / "shapes").glob("[0-9]*")) if SHARED.is_dir() else []

WITHOUT_A_MATCH = ("155-", "156-")
"""Files that hold no connection at all."""

INTERNAL = "".join(
    json.dumps(matching(destination__ip=f"10.20.0.{number}", timestamp=f"2026-11-16T0{number}:00Z"))
    + "\n"
    for number in range(1, 9)
)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with a file in which everything is evaluated and nothing is found."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "good.ndjson").write_text(INTERNAL)
    return folder


def assert_seen(result: Result, name: str) -> None:
    """Check that a match was found, or that the file is named as one that may hold it."""
    assert result.code in {1, 3, 4}
    if result.code != 1:
        assert name in result.err


def holds_a_match(shape: Path) -> bool:
    return not shape.name.startswith(WITHOUT_A_MATCH)


@pytest.mark.skipif(not SHAPES, reason="no published shapes beside the repository")
def test_the_shapes_are_there() -> None:
    assert len(SHAPES) > 40


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.name)
def test_a_shape_alone_is_found_or_refused(shape: Path, run: Run) -> None:
    assert_seen(run("scan", shape, "--quiet"), shape.name)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.name)
def test_a_shape_in_a_folder_is_found_or_named(shape: Path, good: Path, run: Run) -> None:
    shutil.copy(shape, good)
    result = run("scan", good, "--quiet")
    if holds_a_match(shape):
        assert_seen(result, shape.name)
    else:
        assert result.code == 0


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.name)
def test_a_shape_in_an_archive_is_found_or_named(shape: Path, good: Path, run: Run) -> None:
    archive = good / "export.zip"
    with zipfile.ZipFile(archive, "w") as members:
        members.write(good / "good.ndjson", "good.ndjson")
        members.write(shape, shape.name)
    result = run("scan", archive, "--quiet")
    if holds_a_match(shape):
        assert_seen(result, f"export.zip!{shape.name}")
    else:
        assert result.code == 0


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if shape.suffix != ".zip"], ids=lambda path: path.name
)
def test_a_shape_behind_good_lines_is_found_or_named(shape: Path, good: Path, run: Run) -> None:
    file = good / "good.ndjson"
    file.write_bytes(INTERNAL.encode() + shape.read_bytes())
    result = run("scan", file, "--quiet")
    if holds_a_match(shape):
        assert_seen(result, "good.ndjson")
    else:
        assert result.code == 0


READ = (
    "02",
    "11",
    "16",
    "18",
    "19",
    "21",
    "30",
    "42",
    "43",
    "45",
    "47",
    "49",
    "60",
    "77",
    "89",
    "92",
)
"""Numbers of the wrappers, tables and frames that are opened."""


@pytest.mark.parametrize("number", READ)
@pytest.mark.skipif(not SHAPES, reason="no published shapes beside the repository")
def test_a_wrapper_or_table_is_opened(number: str, run: Run) -> None:
    (shape,) = (path for path in SHAPES if path.name.startswith(f"{number}-"))
    result = run("scan", shape, "--format", "json")
    assert result.code == 1
    (finding,) = json.loads(result.out)["findings"]
    assert finding["destination"]["ip"] == "45.83.122.10"
    assert finding["@timestamp"].startswith("2026-11-18T")
    assert finding["host"]["name"].lower().startswith("ws-07")
