"""Scans on a Dask cluster of separate processes: the same bytes, whatever happens to a worker."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare import __version__
from smbrare.errors import UsageError
from smbrare.scanning import cluster, planning
from tests.conftest import FIXTURES, Run
from tests.support.dask_cluster import Cluster, dask_cluster
from tests.support.events import matching
from tests.support.object_store import Web, free_port, object_store, web_server
from tests.support.reports import document, report

for _library in ("distributed", "s3fs", "moto", "aiohttp"):
    pytest.importorskip(_library)

# One cluster for all of them, where tests are spread over processes by groups.
pytestmark = pytest.mark.xdist_group("cluster")

SAMPLE = (FIXTURES / "sample.ndjson").read_bytes()
ALLOWED_FAILURES = 1
SITES = sorted((FIXTURES / "week").glob("*.ndjson"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with (
        object_store() as store,
        dask_cluster(
            tmp_path_factory.mktemp("cluster"),
            2,
            {
                **store.environment,
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(ALLOWED_FAILURES),
            },
        ) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in store.environment.items():
            patch.setenv(name, value)
        system = store.system()
        system.mkdir("sites")
        for path in SITES:
            system.pipe(f"sites/{path.name}", path.read_bytes())
        yield running


def test_a_cluster_gives_the_bytes_of_a_local_scan(run: Run, running: Cluster) -> None:
    given = ("fixtures/week", "fixtures/containers", "fixtures/no-such-file", "-f", "json")
    there = run("scan", *given, "--cluster", running.address, "-q")
    here = run("scan", *given, "-q")
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    assert there.code == 3
    assert "45.83.122.10" in there.out


def test_objects_and_files_are_read_on_the_cluster_alike(running: Cluster) -> None:
    given = ("s3://sites/", FIXTURES / "week")
    there, here = report(*given, cluster=running.address), report(*given)
    assert document(there) == document(here)
    assert json.loads(document(there))["scan"]["records"] == 2 * 37


def test_ranges_of_a_large_file_are_joined_on_the_cluster(running: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "large.ndjson"
    noise = json.dumps(matching(destination__ip="10.0.0.9", message="x" * 120_000)) + "\n"
    block = noise * 100 + SAMPLE.decode() + "{broken\n"
    path.write_text(block * 23)
    assert path.stat().st_size > 2 * planning.CLUSTER_RANGE_BYTES
    there, here = report(path, cluster=running.address), report(path)
    assert document(there) == document(here)
    assert json.loads(document(there))["scan"]["skipped"] == 23
    path.unlink()  # pytest would keep it.


@pytest.mark.parametrize("kills", [1, 2])
def test_a_killed_worker_changes_nothing_and_an_input_that_kills_several_is_named(
    running: Cluster, kills: int
) -> None:
    reached, go_on = threading.Semaphore(0), threading.Event()

    def hold(path: str) -> None:
        if path == "/5.ndjson":
            reached.release()
            go_on.wait(60)

    def kill() -> None:
        for _ in range(kills):
            assert reached.acquire(timeout=60)
            running.kill_busy_worker()
        web.before = lambda _: None
        go_on.set()

    known = running.addresses()
    while len(known) <= kills:  # One has to be left.
        running.start_worker()
        known |= running.joined(known)
    web = Web({f"/{number}.ndjson": path.read_bytes() for number, path in enumerate(SITES)})
    with web_server(web) as address:
        urls = [f"{address}{path}" for path in web.files]
        here = report(*urls)
        web.before = hold
        killer = threading.Thread(target=kill)
        killer.start()
        there = report(*urls, cluster=running.address)
        killer.join()
    if kills <= ALLOWED_FAILURES:
        assert document(there) == document(here)
        assert there.exit_code == 1
    else:
        assert there.exit_code == 3
        # What waited for a worker that was killed counts as one of its tasks to Dask.
        cut = {survey.path: survey for survey in there.inputs if survey.cut}
        assert f"{address}/5.ndjson" in cut
        assert {survey.located[0].reason for survey in cut.values()} == {
            "the process that read it died"
        }
        assert [survey for survey in there.inputs if not survey.cut] == [
            survey for survey in here.inputs if survey.path not in cut
        ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_progress_is_shown_as_tasks_end(running: Cluster, tmp_path: Path) -> None:
    from tests.support.terminal import shown  # noqa: PLC0415 - not on Windows

    line = json.dumps(matching(destination__ip="10.0.0.9", message="x" * 60_000)) + "\n"
    count, files = 250, 5
    for number in range(files):
        (tmp_path / f"{number}.ndjson").write_text(line * count)
    options = ("--no-baseline", "--cluster", running.address)
    code, sent = shown(["scan", tmp_path, *options])
    megabytes = len(line) * count / 1_000_000
    told = [float(done) for done in re.findall(r"([0-9.]+)/[0-9.]+ MB", sent)]
    # Each file is a task; the bar is drawn at most five times a second, and once more at its end.
    assert told == sorted(told)
    assert told[-1] == pytest.approx(files * megabytes, abs=0.1)
    assert next(done for done in told if done) == pytest.approx(megabytes, abs=0.1)
    assert "No SMB to the internet" in sent
    assert code == 0


def test_baselines_by_site_learnt_on_a_cluster_merge_to_that_of_one_scan(
    run: Run, running: Cluster, tmp_path: Path
) -> None:
    sites: list[Path] = []
    for keys in (SITES[:4], SITES[3:]):
        sites.append(tmp_path / f"site-{len(sites)}.db")
        urls = [f"s3://sites/{path.name}" for path in keys]
        result = run("baseline", "learn", sites[-1], *urls, "--cluster", running.address)
        assert result.code == 0
    merged, whole = tmp_path / "merged.db", tmp_path / "whole.db"
    assert run("baseline", "merge", *sites, "-o", merged).code == 0
    assert run("scan", FIXTURES / "week", "--baseline", whole, "-q").code == 1
    exports = [run("baseline", "export", each).out for each in (merged, whole)]
    assert exports[0] == exports[1]
    assert "45.83.122.10" in exports[0]


@pytest.mark.parametrize(
    ("module", "told"),
    [('__version__ = "9.9"', "has smbrare 9.9"), ("raise ImportError", "has no smbrare")],
)
def test_a_worker_with_another_version_or_none_ends_the_run(
    running: Cluster, tmp_path: Path, module: str, told: str
) -> None:
    (tmp_path / "smbrare").mkdir()
    (tmp_path / "smbrare" / "__init__.py").write_text(f"{module}\n")
    known = running.addresses()
    other = running.start_worker(PYTHONPATH=str(tmp_path))
    (joined,) = running.joined(known)
    try:
        needs = f"worker {joined} {told}: every part of the cluster needs {__version__}"
        with pytest.raises(UsageError, match=needs), cluster.connected(running.address):
            pass
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize(
    ("place", "moment"),
    [("cluster", "_check"), ("cluster", "_result_of"), ("Cluster", "map"), ("Cluster", "_merge")],
)
def test_a_scheduler_that_goes_away_is_one_line_and_wrong_usage(
    tmp_path: Path, place: str, moment: str
) -> None:
    with dask_cluster(tmp_path, 1, {}) as going:
        assert going.scheduler is not None
        program = (
            "import os, sys\nfrom smbrare.cli import run\nfrom smbrare.scanning import cluster\n"
            "from smbrare.scanning.cluster import Cluster\n"
            f"go_on = {place}.{moment}\n"
            "def without_scheduler(*given, **options):\n"
            f"    os.kill({going.scheduler.pid}, 9)\n"
            "    return go_on(*given, **options)\n"
            f"{place}.{moment} = without_scheduler\nsys.exit(run())"
        )
        given: list[Any] = [
            "scan",
            *SITES,
            "--cluster",
            going.address,
            "--no-baseline",
            "-f",
            "ndjson",
        ]
        # So that there is more than one task, and so a merge.
        large = tmp_path / "large.ndjson"
        large.write_bytes(SAMPLE * 20)
        done = subprocess.run(
            [sys.executable, "-c", program, *given, large],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"smbrare: the cluster at {going.address} has gone\n"


def test_a_scheduler_that_no_longer_answers_has_gone(
    running: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(*_: object) -> None:
        raise OSError("Timed out trying to connect")

    monkeypatch.setattr(cluster, "_check", time_out)
    with (
        pytest.raises(UsageError, match=f"{running.address} has gone"),
        cluster.connected(running.address),
    ):
        pass


# Without a cluster


def test_a_worker_that_joined_late_refuses_a_task_of_another_version() -> None:
    with pytest.raises(UsageError, match=f"has smbrare {__version__}, and not 9.9"):
        cluster.do_packed(len, "9.9", "given")


@given(st.lists(st.integers(), min_size=1, max_size=40), st.randoms())
def test_the_tree_keeps_the_order_of_tasks_whatever_ends_first(
    tasks: list[int], chance: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "FAN_IN", 3)
        tree = cluster.Tree(len(tasks), is_merged=True)
        ended = [((0, number), [task]) for number, task in enumerate(tasks)]
        while ended:
            place, result = ended.pop(chance.randrange(len(ended)))
            if (ready := tree.add(place, result)) is not None:
                place, parts = ready
                assert len(parts) <= 3
                ended.append((place, [task for part in parts for task in part]))
        assert tree.roots() == [tasks]


@given(st.lists(st.integers(), max_size=40), st.randoms())
def test_without_a_merge_results_have_the_order_of_tasks(tasks: list[int], chance: Any) -> None:
    tree = cluster.Tree(len(tasks), is_merged=False)
    for number in chance.sample(range(len(tasks)), len(tasks)):
        assert tree.add((0, number), tasks[number]) is None
    assert tree.roots() == tasks


def test_what_is_no_address_is_wrong_usage(run: Run) -> None:
    result = run("scan", FIXTURES / "week", "--cluster", "nonsense")
    assert (result.code, result.out) == (2, "")
    assert "smbrare: the cluster at nonsense cannot be reached: " in result.err


@pytest.mark.parametrize("address", ["foo://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:{}"])
def test_a_cluster_that_is_not_there_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 0.2)
    address = address.format(free_port())
    with pytest.raises(UsageError, match="cannot be reached"), cluster.connected(address):
        pass


def test_standard_input_is_no_matter_for_a_cluster(run_process: Run) -> None:
    result = run_process("scan", "-", "--cluster", "127.0.0.1:1", stdin=SAMPLE)
    assert result.code == 2
    assert "standard input can be read by this machine alone" in result.err


def test_a_missing_library_is_wrong_usage_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"smbrare\[cluster\]"), cluster.connected("any:1"):
        pass
