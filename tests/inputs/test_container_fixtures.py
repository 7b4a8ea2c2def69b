"""The samples of every container are current, and all of them are read."""

import pytest

from tests.support.container_fixtures import CONNECTIONS, FOLDER, files
from tests.support.container_world import expected, read

FILES = files()


def test_every_sample_is_written_by_the_script_and_none_is_left_over() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_current(name: str) -> None:
    content = (FOLDER / name).read_bytes()
    if name.rpartition(".")[2] in {"json", "ndjson", "csv", "xml", "evtx"}:
        assert content == FILES[name]
    # Other releases of a compressor may write other bytes.
    assert read(content).documents == read(FILES[name]).documents


@pytest.mark.parametrize("name", FILES)
def test_a_sample_holds_the_three_connections(name: str) -> None:
    outcome = read((FOLDER / name).read_bytes())
    assert not outcome.skipped
    assert outcome.seen == expected(CONNECTIONS) * (2 if name == "day.zip" else 1)
