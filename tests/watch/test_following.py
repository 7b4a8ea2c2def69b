"""Files are followed through renaming, truncation and removal; trouble with one stops no other."""

import errno
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smbrare.detection.criteria import Criteria
from smbrare.limits import Limits
from smbrare.records.read_options import ReadOptions
from smbrare.watch import following, tails
from smbrare.watch.messages import RateLimiter
from smbrare.watch.watch import Hooks, Watch
from tests.support.watching import Watched, add, line, opened, watched

ONE, TWO, THREE = "45.83.122.10", "91.219.236.18", "185.220.101.4"


def moved(log: Path) -> Path:
    """Rename a log as rotation does, and return where it is."""
    target = log.with_name("app.ndjson.1")
    shutil.move(log, target)
    return target


# Rotation by renaming


@pytest.mark.parametrize("watching", ["the file", "its folder"])
def test_a_renamed_file_is_read_to_its_end_and_then_the_new_one(
    log: Path, kept: Path, watching: str
) -> None:
    add(log, line("10.20.1.9"))

    def rotate() -> None:
        add(log, line(ONE))
        add(moved(log), line(TWO, 1))
        add(log, line(THREE, 2))

    def write_on() -> None:
        # A logger that still holds the old file.
        add(log.with_name("app.ndjson.1"), line("20.60.40.9", 3))

    paths = [log] if watching == "the file" else [log.parent]
    result = watched(paths, kept, rotate, write_on)
    assert result.destinations == [ONE, TWO, THREE, "20.60.40.9"]
    assert result.told == []


@pytest.mark.parametrize("watching", ["the file", "its folder"])
def test_a_file_renamed_while_nobody_watched_is_read_to_its_end(
    log: Path, kept: Path, watching: str
) -> None:
    paths = [log] if watching == "the file" else [log.parent]
    add(log, line(ONE))
    watched(paths, kept)
    add(log, line(TWO, 1))
    moved(log)
    add(log, line(THREE, 2))
    result = watched(paths, kept)
    assert sorted(result.destinations) == sorted([TWO, THREE])
    assert result.told == []


def test_a_file_that_is_gone_for_long_is_followed_no_more(log: Path, kept: Path) -> None:
    add(log, line(ONE))
    open_files: list[int] = []

    def count() -> None:
        open_files.append(len([*Path("/proc/self/fd").iterdir()]))

    def rotate() -> None:
        moved(log)
        add(log, line(TWO))

    result = watched([log], kept, count, rotate, lambda: None, count, gone_seconds=0)
    assert result.destinations == [ONE, TWO]
    if Path("/proc/self/fd").is_dir():
        assert open_files[0] == open_files[1]
    again = watched([log], kept)
    assert (again.destinations, again.told) == ([], [])


def test_a_last_line_without_an_end_counts_once_its_file_is_gone(log: Path, kept: Path) -> None:
    add(log, line(ONE), line(TWO).rstrip("\n"))
    result = watched([log], kept, log.unlink, lambda: None, gone_seconds=0)
    assert result.destinations == [ONE, TWO]


def test_a_last_line_that_is_cut_off_is_told_once_its_file_is_gone(log: Path, kept: Path) -> None:
    add(log, line(ONE), line(TWO)[:100])
    result = watched([log], kept, log.unlink, lambda: None, gone_seconds=0)
    assert result.destinations == [ONE]
    assert [text for text in result.told if f"{log}:2: skipped: cut off" in text]


def test_a_file_replaced_while_nobody_watched_is_told_once(log: Path, kept: Path) -> None:
    add(log, line(ONE))
    watched([log], kept)
    other = log.with_name("new")
    add(other, line(TWO))
    other.replace(log)
    first, second = watched([log], kept, once=True), watched([log], kept, once=True)
    assert first.destinations == [TWO]
    assert [text for text in first.told if f"{log}:1: not read to its end: replaced" in text]
    assert second.told == []


# Rotation by copying and truncating


@pytest.mark.parametrize("after", [1, 5], ids=["shorter", "longer than before"])
def test_a_truncated_file_is_read_from_its_start(log: Path, kept: Path, after: int) -> None:
    add(log, line(ONE), line("10.20.1.9", 1))

    def rotate() -> None:
        shutil.copy(log, log.parent.parent / "copy")
        os.truncate(log, 0)
        add(log, *[line(TWO, hour) for hour in range(2, 2 + after)])

    result = watched([log], kept, rotate)
    assert result.destinations == [ONE, TWO]
    assert result.findings[1].sighting.origin.number == 1
    assert result.told == [f"{log}: truncated or replaced, read from its start"]


def test_a_file_truncated_while_nobody_watched_is_read_from_its_start(
    log: Path, kept: Path
) -> None:
    add(log, line(ONE))
    watched([log], kept)
    os.truncate(log, 0)
    add(log, line(TWO), line(ONE, 1), line(THREE, 1))
    assert watched([log], kept).destinations == [TWO, THREE]


def test_a_copy_in_a_watched_folder_is_read_for_what_was_missed_and_repeats_nothing(
    log: Path, kept: Path
) -> None:
    add(log, line(ONE))

    def rotate() -> None:
        add(log, line(TWO, 1))  # Nobody looks between this and the truncation.
        shutil.copy(log, log.with_name("app.ndjson.1"))
        os.truncate(log, 0)
        add(log, line(THREE, 2))

    result = watched([log.parent], kept, rotate)
    assert sorted(result.destinations) == sorted([ONE, TWO, THREE])
    assert len(set(result.ids)) == 3


def test_what_is_read_while_a_file_is_truncated_is_not_taken_for_its_continuation(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, line(ONE))
    fresh = [line(TWO, hour) for hour in range(9)]
    read_at = tails.read_at

    def race(file: object, offset: int, count: int) -> bytes:
        if offset and count == tails.CHUNK_BYTES:
            os.truncate(log, 0)
            add(log, *fresh)
        return read_at(file, offset, count)  # type: ignore[arg-type]

    def arm() -> None:
        monkeypatch.setattr(tails, "read_at", race)
        add(log, line("10.20.1.9"))

    result = watched([log], kept, arm)
    assert result.destinations == [ONE, TWO]
    assert result.findings[1].sighting.origin.number == 1


# Which files there are


def test_new_files_in_a_folder_are_followed_from_their_beginning(log: Path, kept: Path) -> None:
    below = log.parent / "host-2" / "app.ndjson"

    def make() -> None:
        below.parent.mkdir()
        add(below, line(ONE))

    result = watched([log.parent], kept, make, lambda: add(below, line(TWO)))
    assert result.destinations == [ONE, TWO]


def test_a_file_that_is_not_there_yet_is_waited_for(log: Path, kept: Path) -> None:
    log.unlink()
    result = watched([log], kept, lambda: None, lambda: add(log, line(ONE)))
    assert result.destinations == [ONE]
    assert result.told == [f"{log}: not read to its end: No such file or directory"]


def test_files_of_other_formats_are_named_once_and_stop_no_other(log: Path, kept: Path) -> None:
    (log.parent / "old.ndjson.gz").write_bytes(gzip.compress(line(TWO).encode()))
    (log.parent / "events.csv").write_text("@timestamp,destination.ip\n1,2\n")
    (log.parent / "utf16.ndjson").write_text(line(TWO), encoding="utf-16")
    (log.parent / "notes.txt").write_text("nothing\n")
    add(log, line(ONE))
    result = watched([log.parent], kept, lambda: None)
    assert result.destinations == [ONE]
    named = {"events.csv": "csv", "old.ndjson.gz": "gzip", "utf16.ndjson": "UTF-16 text"}
    lines = [
        f"{log.parent}/{name}: not read to its end: {what}, not followed: only NDJSON is; scan it"
        for name, what in named.items()
    ]
    what = "no log that is known, not followed: only NDJSON is; scan it"
    lines.append(f"{log.parent}/notes.txt: skipped: {what}")
    assert sorted(result.told) == sorted(lines)


def test_a_file_that_cannot_be_opened_for_a_while_loses_nothing(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, line(ONE))
    other = log.with_name("other.ndjson")
    add(other, line(TWO))
    opened: Callable[..., object] = tails.Tail._open  # noqa: SLF001 - root may open every file

    def refuse(tail: tails.Tail) -> object:
        if tail.path == str(log) and not allowed:
            raise PermissionError(13, "Permission denied")
        return opened(tail)

    allowed: list[bool] = []
    monkeypatch.setattr(tails.Tail, "_open", refuse)
    result = watched([log.parent], kept, lambda: None, lambda: allowed.append(True))
    assert result.destinations == [TWO, ONE]
    assert result.told == [f"{log}: not read to its end: Permission denied"]


def test_more_files_than_may_be_open_are_followed(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_MOST_OPEN", 2)
    files = [log.with_name(f"{n}.ndjson") for n in range(6)]
    for path in files:
        add(path, line("10.20.1.9"))

    def write() -> None:
        for number, path in enumerate(files):
            add(path, line(f"45.83.122.{number}"))
        moved(files[0])

    result = watched(files, kept, write)
    assert sorted(result.destinations) == [f"45.83.122.{number}" for number in range(6)]


# Bad lines


def test_bad_lines_are_told_at_once_with_their_places_and_a_flood_is_counted(
    log: Path, kept: Path
) -> None:
    add(log, line(ONE))
    bad = ["{no json\n"] * 25
    result = Watched()
    seen: list[int] = []
    watched(
        [log],
        kept,
        lambda: add(log, *bad),
        lambda: seen.append(len(result.told)),
        lambda: add(log, *bad, line(TWO)),
        into=result,
    )
    assert seen == [10]
    assert result.told[0].startswith(f"{log}:2: skipped: ")
    assert result.told[-1] == f"{log}: and 40 more skipped"
    assert len(result.told) == 11
    assert result.destinations == [ONE, TWO]
    assert result.outcome is not None
    assert result.outcome.report.inputs[0].skipped == 50


def test_each_line_that_is_too_long_is_told_and_the_next_is_read(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "CHUNK_BYTES", 2000)
    options = ReadOptions(limits=Limits(record_bytes=3000))
    long = "x" * 5000

    def step(text: str) -> Callable[[], None]:
        return lambda: add(log, text)

    add(log, line(ONE), long)
    steps = [step(long), step(long + "\n" + line(TWO)), step(long + "\n"), step(line(THREE))]
    result = watched([log], kept, *steps, options=options)
    assert result.destinations == [ONE, TWO, THREE]
    assert [finding.sighting.origin.number for finding in result.findings] == [1, 3, 5]
    assert [text.split(":")[1] for text in result.told] == ["2", "4"]


def test_a_run_that_ends_inside_of_a_line_that_is_too_long_goes_on_behind_it(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "CHUNK_BYTES", 2000)
    options = ReadOptions(limits=Limits(record_bytes=3000))
    add(log, line(ONE), "x" * 5000)
    watched([log], kept, options=options)
    add(log, "x\n", line(TWO))
    result = watched([log], kept, options=options)
    assert result.destinations == [TWO]
    assert [text.split(":")[1] for text in result.told] == ["2"]


def test_a_source_that_lacks_a_field_of_the_rule_is_told_before_the_end(
    log: Path, kept: Path
) -> None:
    poor = [line(ONE, n / 60, process__pid=None) for n in range(120)]
    add(log, *poor)
    result = watched([log], kept, lambda: add(log, *poor))
    assert result.told == [f"{log} (ecs) not evaluated: process.pid missing in all 120 connections"]


def test_suppressed_messages_are_counted_anew_after_its_time() -> None:
    limiter = RateLimiter(most=2, span=60)
    assert [limiter.admits("a", 0), limiter.admits("a", 1), limiter.admits("a", 2)] == [
        True,
        True,
        False,
    ]
    assert limiter.admits("b", 2)
    limiter.suppress("a", 5, 3)
    assert [*limiter.expire(59)] == []
    assert [*limiter.expire(60)] == [("a", 6)]
    assert limiter.admits("a", 61)
    assert [*limiter.expire(None)] == []


# Files that end


def test_a_run_that_is_told_to_stop_ends_no_file_that_it_has_not_read(
    log: Path, kept: Path
) -> None:
    add(log, line("10.20.1.9"))
    watched([log], kept, once=True)
    add(moved(log), line(ONE), line(TWO, 1))
    log.touch()
    hooks = Hooks(report=_never, tell=_never, wait=lambda: None, stopping=lambda: True)
    Watch([str(log)], ReadOptions(), Criteria(), opened(kept), hooks).run(once=True)
    assert watched([log], kept, once=True).destinations == [ONE, TWO]


def _never(what: object) -> None:
    raise AssertionError(what)


def test_a_file_that_grows_while_it_is_ended_is_read_in_whole_lines(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, line("10.20.1.9"))
    whole, late = tails.Tail.read, [line(ONE), line(TWO, 1), line(THREE, 2)]

    def read(tail: tails.Tail, *arguments: Any) -> Any:
        item = whole(tail, *arguments)
        if item is None and tail.gone:
            # A logger that still holds the file writes between the look at it and its end.
            add(rotated, *late)
            late.clear()
        return item

    monkeypatch.setattr(tails.Tail, "read", read)
    rotated = log.with_name("app.ndjson.1")
    options = ReadOptions(limits=Limits(record_bytes=max(map(len, late))))

    def rotate() -> None:
        moved(log)
        log.touch()

    result = watched([log], kept, rotate, lambda: None, options=options, gone_seconds=0)
    assert result.destinations == [ONE, TWO, THREE]
    assert result.told == []


@pytest.mark.parametrize("spelling", ["logs/app.ndjson", "./logs/app.ndjson", "logs/../{}"])
def test_trouble_with_a_file_that_ended_counts_however_its_path_is_spelled(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    add(log, line("10.20.1.9"))
    watched([log], kept, once=True)
    other = log.with_name("other")
    add(other, line("10.20.1.9"))
    other.replace(log)
    monkeypatch.chdir(log.parents[1])
    path = spelling.format("logs/app.ndjson")
    result = watched([path], kept, once=True)
    assert result.outcome is not None
    assert result.outcome.report.exit_code == 3
    assert [text.split(": ")[:2] for text in result.told] == [
        [f"{path}:1", "not read to its end"],
    ]


def test_a_file_that_gets_its_name_back_is_followed_as_long_when_it_loses_it_again(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr("smbrare.watch.watch.time", SimpleNamespace(monotonic=lambda: next(clock)))
    add(log, line("10.20.1.9"))
    away = log.with_name("app.ndjson.1")

    def back() -> None:
        away.rename(log)

    steps = (lambda: moved(log), back, lambda: moved(log), lambda: add(away, line(ONE)))
    result = watched([log], kept, *steps, gone_seconds=20)
    assert result.destinations == [ONE]


@pytest.mark.parametrize("looks", ["one more", "none, but another run"])
def test_a_file_without_a_name_that_could_not_be_read_once_is_read_later(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, looks: str
) -> None:
    add(log, line("10.20.1.9"))
    whole, failing = tails.Tail.read, [False]

    def read(tail: tails.Tail, *arguments: Any) -> Any:
        if tail.gone and failing[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return whole(tail, *arguments)

    def rotate() -> None:
        add(moved(log), line(ONE))
        log.touch()
        failing[0] = True

    def mend() -> None:
        failing[0] = False

    monkeypatch.setattr(tails.Tail, "read", read)
    if looks == "one more":
        result = watched([log], kept, rotate, mend)
    else:
        result = watched([log], kept, rotate, lambda: None, gone_seconds=0)
        assert result.destinations == []
        mend()
        result = watched([log], kept, into=result)
    assert result.destinations == [ONE]
    assert len(result.told) == 1
    assert "Input/output error" in result.told[0]
