"""Files that change, or go away, while they are read: what may have been missed is never silent."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smbrare.detection.partial import Partial
from smbrare.inputs.discovery import Input, discover
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import gathering, planning
from smbrare.scanning.gathering import gather
from tests.conftest import ROOT, Run
from tests.support.container_world import TEXTS, WORLD
from tests.support.events import matching
from tests.support.rights import give_up_roots_rights

LINES = "".join(
    json.dumps(matching(destination__ip=f"45.83.{n // 250}.{n % 250}")) + "\n" for n in range(400)
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text(LINES)
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large, and ranges of a few lines."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "RANGE_BYTES", 9_000)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 2_000)


def gathered_after(change: Callable[[Path], object], path: Path, **how: Any) -> Partial:
    """Return what is gathered of a file that changes behind its discovery and the first bytes."""
    inputs = list(discover([str(path)]))
    planned = gathering.plan_all

    def change_then(*given: Any) -> list[planning.Task]:
        tasks = planned(*given)
        change(path)
        return tasks

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "plan_all", change_then)
        return gather(inputs, ReadOptions(**how), lambda _: None)


def shrink(path: Path) -> None:
    """Cut a file between two lines, so that nothing in it looks cut off."""
    os.truncate(path, LINES.index("\n", len(LINES) // 2) + 1)


def replace(path: Path) -> None:
    """Put another file in its place, no shorter, as rotation by name does."""
    other = path.with_suffix(".new")
    other.write_text(LINES + LINES)
    other.replace(path)


REASONS: dict[Callable[[Path], object], str] = {
    shrink: "it became shorter while it was read",
    Path.unlink: "No such file or directory",
    replace: "another file took its place while it was read",
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("change", REASONS, ids=lambda change: change.__name__)
def test_a_large_file_that_changes_while_it_is_read_is_not_read_to_its_end(
    log: Path, change: Callable[[Path], object], jobs: int
) -> None:
    (survey,) = gathered_after(change, log, jobs=jobs).surveys
    assert survey.cut
    (told,) = [skipped for skipped in survey.located if skipped.ends_input]
    assert told.reason == REASONS[change]
    assert survey.skipped == 1


@pytest.mark.usefixtures("small")
def test_a_file_that_is_replaced_between_two_ranges_is_not_read_to_its_end(log: Path) -> None:
    replaced: list[bool] = []

    def progress(_count: int) -> None:
        if not replaced:
            replace(log)
            replaced.append(True)

    (survey,) = gather(list(discover([str(log)])), ReadOptions(), progress).surveys
    assert survey.cut
    assert 0 < survey.lines < 400


@pytest.mark.parametrize("text", ["ndjson", "Kibana CSV", "event XML without a root"])
def test_a_small_file_that_shrinks_between_two_records_is_not_read_to_its_end(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "log"
    path.write_text(TEXTS[text](WORLD))
    shorter = TEXTS[text](WORLD[:5]).encode()
    (survey,) = gathered_after(lambda log: log.write_bytes(shorter), path).surveys
    assert survey.cut
    assert survey.records == 5 + survey.skipped - 1


@pytest.mark.usefixtures("small")
def test_what_a_growing_file_held_at_first_is_all_read(log: Path) -> None:
    more = json.dumps(matching(destination__ip="91.219.236.18")) + "\n"

    def grow(path: Path) -> None:
        with path.open("a") as file:
            file.write(more * 10)

    partial = gathered_after(grow, log, jobs=2)
    assert not partial.surveys[0].cut
    assert len(partial.sightings) >= 400


@pytest.mark.usefixtures("small")
def test_a_growing_file_whose_last_line_is_half_written_is_not_read_to_its_end(log: Path) -> None:
    def grow(path: Path) -> None:
        with path.open("a") as file:
            file.write('{"destination": {"ip"')

    (survey,) = gathered_after(grow, log).surveys
    assert survey.cut
    assert survey.located[-1].reason.startswith("cut off")


def test_a_scan_of_a_file_that_shrinks_is_exit_3_with_the_findings_before(
    run: Run, tmp_path: Path, log: Path
) -> None:
    # The pipe holds the scan up between the discovery of the file and its reading.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "smbrare", "scan", str(pipe), str(log), "-f", "ndjson"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        with pipe.open("w") as writer:
            writer.write(LINES[: LINES.index("\n") + 1])
            writer.flush()
            _wait_until_read(process.pid, pipe)
            shrink(log)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert 200 <= out.count(b"\n") <= 202
    assert str(log) in err.decode()
    assert "not read to its end: it became shorter while it was read" in err.decode()
    assert run("scan", log).code == 1


def _wait_until_read(pid: int, pipe: Path) -> None:
    """Wait until a process has a pipe open: it knows its other inputs by then."""
    folder = Path(f"/proc/{pid}/fd")
    for _ in range(500):
        if any(link.exists() and link.samefile(pipe) for link in folder.iterdir()):
            return
        time.sleep(0.01)
    pytest.fail("the pipe was not opened")


def test_a_file_that_may_not_be_read_is_exit_3_and_the_others_are_scanned(log: Path) -> None:
    folder = log.parent / "evidence"
    (folder / "below").mkdir(parents=True)
    log.rename(folder / "events.ndjson")
    (folder / "locked.ndjson").write_text(LINES)
    (folder / "locked.ndjson").chmod(0)
    (folder / "below").chmod(0)
    done = subprocess.run(
        [sys.executable, "-m", "smbrare", "scan", folder, "-f", "ndjson"],
        capture_output=True,
        cwd=ROOT,
        check=False,
        preexec_fn=give_up_roots_rights,
    )
    (folder / "below").chmod(0o755)
    assert done.returncode == 3
    assert done.stdout.count(b"\n") == 400
    said = " ".join(done.stderr.decode().split())
    for name in ("locked.ndjson", "below"):
        assert f"cannot read {folder / name}: permission denied" in said


def test_a_folder_with_loops_of_links_and_a_pipe_is_scanned_to_its_end(run: Run, log: Path) -> None:
    folder = log.parent / "evidence"
    folder.mkdir()
    log.rename(folder / "events.ndjson")
    (folder / "loop").symlink_to(folder)
    (folder / "below").mkdir()
    (folder / "below" / "up").symlink_to("..")
    (folder / "itself").symlink_to("itself")
    os.mkfifo(folder / "pipe")
    result = run("scan", folder, "-f", "ndjson")
    assert result.out.count("\n") == 400
    assert f"{folder / 'pipe'}: skipped: a pipe, not opened" in result.err
    assert f"{folder / 'itself'}: skipped: a link to nothing" in result.err
    assert result.code == 1


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_a_device_that_is_named_is_read_within_the_limits(run: Run, path: str) -> None:
    result = run("scan", path)
    assert (result.code, result.out) == (4, "")
    assert path in result.err


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_no_process_outlives_a_scan_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, time\n"
        "from smbrare.scanning import workers\n"
        "def work(task):\n"
        '    os.write(1, f"{os.getpid()}\\n".encode())\n'
        "    time.sleep(60)\n"
        "list(workers.Processes(2).map(workers.Work(work, print), [1, 2]))\n"
    )
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("the function is not one that another process could import")
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert [pid for pid in pids if _runs(pid)] == []
    assert list(tmp_path.iterdir()) == []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_input_of_no_size_is_not_said_to_have_shrunk(run_process: Run) -> None:
    assert run_process("scan", "-", "-f", "ndjson", stdin=LINES.encode()).out.count("\n") == 400
    assert list(discover(["-"])) == [Input("-", named=True, size=None)]
