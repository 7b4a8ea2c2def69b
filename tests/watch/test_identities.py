"""A file is known again by what it is: not by the name of a device, nor by what an output was."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smbrare.watch import following, tails
from smbrare.watch.following import Following
from tests.conftest import Run
from tests.support.watching import Watched, add, line, watched

ONE, TWO = "45.83.122.10", "91.219.236.18"


def followed(following: Following) -> set[str]:
    """Return the names of the files that are followed after another look."""
    assert list(following.refresh()) == []
    return {Path(tail.path).name for tail in following.tails.values() if not tail.gone}


@pytest.fixture
def number(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give another number to the device that all files are on."""

    def give(device: int) -> None:
        for module in (following, tails):
            monkeypatch.setattr(module, "identity_of", lambda status: f"{device}:{status.st_ino}")

    return give


def records(result: Watched) -> int:
    assert result.outcome is not None
    return sum(survey.records for survey in result.outcome.report.inputs)


def test_what_was_an_output_is_none_once_another_has_its_name(tmp_path: Path) -> None:
    log, output = tmp_path / "events.ndjson", tmp_path / "found.ndjson"
    add(log, line("8.8.8.8"))
    output.touch()
    following = Following([str(tmp_path)], {}, (output,))
    assert followed(following) == {"events.ndjson"}
    # The logger takes over what was the output, inode and all.
    output.rename(tmp_path / "more.ndjson")
    output.touch()
    assert followed(following) == {"events.ndjson", "more.ndjson"}


@pytest.mark.parametrize("emptied", [False, True])
def test_a_log_with_the_inode_of_a_rotated_output_is_read(
    run: Run, tmp_path: Path, *, emptied: bool
) -> None:
    output, log = tmp_path / "found.ndjson", tmp_path / "app.ndjson"
    command = ("watch", tmp_path, "--baseline", tmp_path / "kept.db", "--once", "-o", output)
    add(tmp_path / "other.ndjson", line(ONE))
    assert run(*command).code == 1
    inode = output.stat().st_ino
    output.rename(log)
    if emptied:
        os.truncate(log, 0)
    add(log, line(TWO))
    assert log.stat().st_ino == inode
    assert run(*command).code == 1
    found = [json.loads(each)["destination"]["ip"] for each in output.read_text().splitlines()]
    assert found == [TWO]


def test_a_device_with_another_number_is_no_other_file(
    tmp_path: Path, number: Callable[[int], None]
) -> None:
    log, kept = tmp_path / "events.ndjson", tmp_path / "kept.db"
    add(log, line("8.8.8.8"))
    assert watched([log], kept, once=True).destinations == ["8.8.8.8"]
    for device in range(3):
        number(device)
        result = watched([log], kept, once=True)
        assert (records(result), result.told) == (0, [])
        number(device + 7)
        add(log, line(f"8.8.4.{device}"))
        result = watched([log], kept, once=True)
        assert (result.destinations, result.told) == ([f"8.8.4.{device}"], [])
        assert records(result) == 1


@pytest.mark.parametrize("given", ["the file", "its folder"])
def test_a_device_that_gets_another_number_during_a_watch_is_no_other_file(
    log: Path, kept: Path, number: Callable[[int], None], given: str
) -> None:
    add(log, line(ONE))
    paths = [log if given == "the file" else log.parent]

    def mount(device: int, *lines: str) -> Callable[[], None]:
        def step() -> None:
            number(device)
            add(log, *lines)

        return step

    steps = [mount(7, line(TWO, 1)), mount(8), mount(9), mount(7, line("10.20.1.9", 2))]
    result = watched(paths, kept, *steps)
    assert (result.destinations, result.told) == ([ONE, TWO], [])
    assert records(result) == 3
    assert records(watched(paths, kept, once=True)) == 0


def test_a_log_renamed_before_its_device_got_another_number_is_read_to_its_end(
    log: Path, kept: Path, number: Callable[[int], None]
) -> None:
    add(log, line(ONE))
    watched([log], kept, once=True)
    add(log, line(TWO, 1))
    log.rename(log.with_name("app.ndjson.1"))
    add(log, line("185.220.101.4", 2))
    number(7)
    result = watched([log], kept, once=True)
    assert sorted(result.destinations) == ["185.220.101.4", TWO]
    assert result.told == []


def test_another_file_with_the_same_number_on_another_device_is_another_file(
    log: Path, kept: Path, number: Callable[[int], None]
) -> None:
    add(log, line(ONE))

    def mount() -> None:
        number(7)
        inode = log.stat().st_ino
        log.write_text(line(TWO, 1) + line("10.20.1.9", 2))
        assert log.stat().st_ino == inode

    result = watched([log], kept, mount)
    assert result.destinations == [ONE, TWO]
