"""A file is known again by what it is: not by the name of a device, nor by what an output was."""

from pathlib import Path

import pytest

from smbrare.watch import tails
from smbrare.watch.following import Following
from tests.support.watching import add, line, watched


def followed(following: Following) -> set[str]:
    """Return the names of the files that are followed after another look."""
    assert list(following.refresh()) == []
    return {Path(tail.path).name for tail in following.tails.values() if not tail.gone}


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


def test_a_device_with_another_number_is_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, kept = tmp_path / "events.ndjson", tmp_path / "kept.db"
    add(log, line("8.8.8.8"))
    assert watched([log], kept, once=True).destinations == ["8.8.8.8"]
    for number in range(3):
        monkeypatch.setattr(
            "smbrare.watch.following.identity_of", lambda status, n=number: f"{n}:{status.st_ino}"
        )
        monkeypatch.setattr(tails, "identity_of", lambda status, n=number: f"{n}:{status.st_ino}")
        add(log, line(f"8.8.4.{number}"))
        result = watched([log], kept, once=True)
        assert (result.destinations, result.told) == ([f"8.8.4.{number}"], [])
        assert result.outcome is not None
        assert sum(survey.records for survey in result.outcome.report.inputs) == 1
