"""A Dask cluster of separate processes on loopback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

_SECONDS_TO_START = 60
_WORKER = ("distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        folder: Where its scheduler says where it is.
        environment: What its processes run in.
        processes: All of them, to be ended with it.
        workers: Those of its workers, the killed ones too.
        address: Of its scheduler.
        scheduler: The process of that.
    """

    folder: Path
    environment: Mapping[str, str]
    processes: ExitStack
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    address: str = ""
    scheduler: "subprocess.Popen[bytes] | None" = None

    @property
    def file(self) -> Path:
        """What the scheduler writes and workers read."""
        return self.folder / "scheduler.json"

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a process of the cluster."""
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--scheduler-file", str(self.file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**self.environment, **environment},
            cwd=self.folder,
        )
        self.processes.callback(process.wait)
        self.processes.callback(process.kill)
        return process

    def start_worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a worker of one thread."""
        local = ("--host", "127.0.0.1", "--local-directory", str(self.folder))
        self.workers.append(self.start(*_WORKER, *local, **environment))
        return self.workers[-1]

    def addresses(self) -> set[str]:
        """Return where its workers are."""
        from distributed import Client  # noqa: PLC0415 - not every environment has it

        with Client(self.address, set_as_default=False) as client:
            return set(client.nthreads())

    def joined(self, known: set[str]) -> set[str]:
        """Wait for workers besides those that are known, and return where they are."""
        while not (new := self.addresses() - known):
            time.sleep(0.05)
        return new

    def kill_busy_worker(self) -> None:
        """Kill the worker that is the only one with a task, once there is one, by its id."""
        from distributed import Client  # noqa: PLC0415 - not every environment has it

        with Client(self.address, set_as_default=False) as client:
            busy: list[str] = []
            while len(busy) != 1:
                time.sleep(0.02)
                busy = [worker for worker, tasks in client.processing().items() if tasks]
            number = client.run(os.getpid, workers=busy)[busy[0]]
        (process,) = [worker for worker in self.workers if worker.pid == number]
        process.kill()
        process.wait()


@contextmanager
def dask_cluster(folder: Path, workers: int, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """Run a scheduler and workers; they end at the latest with the block.

    Args:
        folder: Theirs.
        workers: How many to start with.
        environment: Variables besides those of this process.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with ExitStack() as processes:
        cluster = Cluster(folder, variables, processes)
        cluster.scheduler = cluster.start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        for _ in range(workers):
            cluster.start_worker()
        end = time.monotonic() + _SECONDS_TO_START
        while not cluster.address and time.monotonic() < end:
            time.sleep(0.05)
            # It may be half written.
            if cluster.file.exists() and (text := cluster.file.read_text()).rstrip().endswith("}"):
                cluster.address = json.loads(text)["address"]
        yield cluster
