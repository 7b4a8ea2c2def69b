"""A machine that gives little is read with little: few files, no shared memory, a quota."""

import concurrent.futures
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from smbrare.scanning import workers
from smbrare.scanning.workers import Processes, Work, cores, quota
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
def test_a_scan_needs_few_files(tmp_path: Path, jobs: str) -> None:
    for number in range(30):
        (tmp_path / f"{number}.ndjson").write_bytes(SAMPLE.read_bytes())
    done = limited(16, "scan", tmp_path, "-j", jobs, "-f", "ndjson")
    assert done.returncode == 1, done.stderr
    assert done.stdout.count(b"\n") == 3
    assert b"oo many open files" not in done.stderr.replace(b"read with one process", b"\n", 1)


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
