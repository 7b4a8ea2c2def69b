"""A machine that gives little is read with little: few files, no shared memory, a quota."""

import concurrent.futures
import json
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smbrare.scanning import planning, workers
from smbrare.scanning.workers import Here, Processes, Work, cores, quota
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.events import matching

SAMPLE = FIXTURES / "sample.ndjson"


def limited(files: int, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run the program where it may open no more than so many files."""
    command = [sys.executable, "-m", "smbrare", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
        timeout=120,
    )


def test_a_watch_follows_more_files_than_it_may_open(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(600):
        event = matching(destination__ip=f"45.83.{number // 250}.{number % 250}")
        (logs / f"{number}.ndjson").write_text(json.dumps(event) + "\n")
    done = limited(64, "watch", logs, "--baseline", tmp_path / "b.db", "--once")
    assert done.returncode == 1, done.stderr
    assert done.stdout.count(b"\n") == 600
    assert b"oo many open files" not in done.stderr


@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("size", [0, planning.SMALL_BYTES], ids=["small", "a task each"])
def test_a_scan_needs_few_files(tmp_path: Path, jobs: str, size: int) -> None:
    text = SAMPLE.read_bytes() + b" " * size + b"\n"
    for number in range(30 if not size else 6):
        (tmp_path / f"{number}.ndjson").write_bytes(text)
    done = limited(16, "scan", tmp_path, "-j", jobs, "-f", "ndjson")
    assert done.returncode == 1, done.stderr
    assert done.stdout.count(b"\n") == 3
    # Only the processes may find too few of them, not the files that are read.
    told = done.stderr.count(b"read with one process: ")
    assert done.stderr.count(b"oo many open files") == told <= 1


@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(30, "no"), ImportError("no")])
def test_without_shared_memory_one_process_reads(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", refused)
    expected = run("scan", SAMPLE, SAMPLE.with_name("poor.ndjson"), "-f", "ndjson", "-j", "1")
    result = run("scan", SAMPLE, SAMPLE.with_name("poor.ndjson"), "-f", "ndjson", "-j", "4")
    assert (result.code, result.out) == (expected.code, expected.out)
    work = Work(do=str, lost=str)
    assert list(Processes(2).map(work, [1, 2, 3])) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "5000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_counts_as_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert quota(tmp_path) == expected
    monkeypatch.setattr(workers, "_CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3))
    assert cores() == min(3, expected or 3)


def test_no_more_processes_than_windows_can_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(200))
    monkeypatch.setattr(workers, "_CGROUP", Path("/nowhere"))
    assert cores() == 200
    monkeypatch.setattr(workers, "_IS_WINDOWS", True)
    assert cores() == 61


LONG = "n" * 250


@pytest.fixture(scope="module")
def large_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip that, out of a pipe, is copied to the disk."""
    path = tmp_path_factory.mktemp("zip") / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.ndjson", SAMPLE.read_bytes() + 40 * (b" " * 1_000_000 + b"\n"))
    return path


def piped(zipped: Path, folder: Path, **surroundings: Any) -> subprocess.CompletedProcess[bytes]:
    """Scan a zip out of a pipe, and a file beside it, with an output and a baseline."""
    command = [sys.executable, "-m", "smbrare", "scan", "-", str(SAMPLE.with_name("poor.ndjson"))]
    command += ["-q", "-f", "csv", "-o", str(folder / "found"), "-j", "2"]
    copy = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer)"
    with subprocess.Popen([sys.executable, "-c", copy, zipped], stdout=subprocess.PIPE) as pipe:
        return subprocess.run(
            [*command, "--baseline", str(folder / "kept.db")],
            cwd=ROOT,
            stdin=pipe.stdout,
            capture_output=True,
            check=False,
            timeout=120,
            **surroundings,
        )


@pytest.mark.parametrize(
    "name",
    ["/nonexistent/tmp", "nowhere", f"/{LONG}/{LONG}", f"/{LONG}{LONG}", str(SAMPLE), ""],
)
def test_a_folder_for_temporary_files_that_cannot_be_used_changes_nothing(
    tmp_path: Path, large_zip: Path, name: str
) -> None:
    done = piped(large_zip, tmp_path, env=os.environ | {"TMPDIR": name})
    assert (done.returncode, done.stdout) == (1, b""), done.stderr
    assert (tmp_path / "found").read_bytes().count(b"\n") == 4
    assert b"Errno" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found", "kept.db"]


def test_a_small_folder_for_temporary_files_costs_only_what_is_copied_there(
    tmp_path: Path, large_zip: Path
) -> None:
    most = 20_000_000  # As a file system that has no more room.
    done = piped(
        large_zip,
        tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.count(b"WARNING  cannot read -: no room for a temporary copy: ") == 1
    assert b"Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found", "kept.db"]


def test_what_each_of_many_processes_gets_is_small_whatever_a_run_looks_up(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list[int]()
    used = list[int]()

    def noted(tasks: list[Any], work: Work[Any, Any], jobs: int, **_: Any) -> Iterator[Any]:
        given.extend(len(pickle.dumps((work.do, task))) for task in tasks)
        used.append(jobs)
        return Here().map(work, tasks)

    monkeypatch.setattr(workers, "_in_processes", noted)
    monkeypatch.setattr(planning, "SMALL_BYTES", 0)
    addresses = [f"9.{n >> 8}.{n % 256}.7" for n in range(20_000)]
    (tmp_path / "intel").write_text("\n".join(addresses))
    text = '[[exclusion]]\nreason = "x"\ndestination = "{}"\n'
    (tmp_path / "exclusions").write_text("".join(map(text.format, addresses[:2_000])))
    (tmp_path / "labels.csv").write_text("".join(f"{each},x\n" for each in addresses))
    baseline = tmp_path / "kept.db"
    assert run("baseline", "learn", baseline, FIXTURES / "week").code == 0
    lists = ["--intel", tmp_path / "intel", "--labels", tmp_path / "labels.csv"]
    lists += ["--exclusions", tmp_path / "exclusions", "--baseline", baseline]
    poor = SAMPLE.with_name("poor.ndjson")
    assert run("scan", SAMPLE, poor, *lists, "-j", "64").code in {0, 1}
    assert used
    assert max(used) <= 2
    assert max(given) < 10_000
