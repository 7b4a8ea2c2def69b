"""Work spread over the workers of a Dask cluster, its results merged there as a tree.

The shape of the tree depends on the tasks alone, so neither the workers nor the order in which they
end show in the result. What a task or a merge gives is kept as pickled bytes: merging changes its
first argument, and Dask may run a step again on what an earlier run of it was given.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial as bind
from importlib import import_module
from typing import Any, TypeAlias
from uuid import uuid4

from msgspec import Struct

from smbrare import __version__
from smbrare.errors import UsageError, need
from smbrare.scanning.workers import Given, Result, Work

FAN_IN = 32
"""How many results one merge takes."""

_SECONDS_TO_CONNECT = 20
_SECONDS_FOR_A_WORKER = 60
_MERGES_FIRST = 10


@contextmanager
def connected(address: str) -> Iterator["Cluster"]:
    """Give the cluster whose scheduler has an address, made sure that it can work.

    Raises:
        UsageError: If the library is not installed, the cluster cannot be reached or has no
            worker, or any part of it has no smbrare or another version.
    """
    need("--cluster", "cluster", "distributed")
    distributed = import_module("distributed")
    import logging  # noqa: PLC0415 - only a cluster needs it

    # Its client logs what this module raises as well, and what it cancels by itself.
    for name in ("distributed", "distributed.client", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        # The client would report a wrong address only after waiting for its own threads.
        distributed.comm.get_address_host_port(address)
        client = distributed.Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"the cluster at {address} cannot be reached: {error}") from None
    gone = UsageError(f"the cluster at {address} has gone")
    try:
        try:
            _check(client, address)
        except OSError:  # A new connection that nobody answered in time.
            raise gone from None
        yield Cluster(client)
    except (distributed.CancelledError, distributed.comm.CommClosedError):
        raise gone from None
    finally:
        client.close(timeout=1)


class Cluster(Struct):
    """A cluster that can work.

    Attributes:
        client: Dask's client of it.
    """

    client: Any

    @property
    def has_spare_cores(self) -> bool:
        """Return False: Dask decides what runs on a worker's other cores."""
        return False

    def map(self, work: Work[Given, Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield what each task gives, or what all of them give, merged as a tree.

        A task that a worker did not end, because it died, is done by another. One that more workers
        died with than Dask's ``allowed-failures`` says is lost, even if it only waited for them.

        Raises:
            UsageError: If a worker has another version, or the cluster has gone.
        """
        tree = Tree(len(tasks), is_merged=work.merge is not None)
        distributed = import_module("distributed")
        futures = self.client.map(
            bind(do_packed, work.do, __version__), tasks, key=_keys("read", len(tasks))
        )
        places = {future.key: (0, number) for number, future in enumerate(futures)}
        ended = distributed.as_completed(futures, loop=self.client.loop)
        del futures
        for future in ended:
            level, number = places.pop(future.key)
            lost = None if level else bind(work.lost, tasks[number])
            given = _result_of(future, lost, distributed.KilledWorker)
            if not level:
                work.done(tasks[number])
            if (ready := tree.add((level, number), given)) is not None:
                place, parts = ready
                (key,) = _keys("merge", 1)
                places[key] = place
                # Before tasks that wait: what is merged is no longer lost with one worker each.
                ended.add(self._merge(work.merge, parts, key))
        for given in tree.roots():
            packed_result = given if isinstance(given, bytes) else given.result()
            yield pickle.loads(packed_result)  # noqa: S301 - our own, from our own workers

    def _merge(self, merge: Any, parts: list[Any], key: str) -> Any:
        return self.client.submit(
            _merge_packed, merge, __version__, parts, key=key, priority=_MERGES_FIRST
        )


MergePlace: TypeAlias = tuple[int, int]
"""A result's level in the tree, from the tasks up, and its number there."""


class Tree:
    """The results that wait to be merged: of neighbours, level by level, until one is left."""

    def __init__(self, tasks: int, *, is_merged: bool) -> None:
        """Count the results of each level; without a merge the tasks are all there is."""
        self._counts = [tasks]
        while is_merged and self._counts[-1] > 1:
            self._counts.append(-(-self._counts[-1] // FAN_IN))
        self._waiting: dict[MergePlace, Any] = {}

    def add(self, place: MergePlace, given: Any) -> tuple[MergePlace, list[Any]] | None:
        """Add a result; return the place of a merge, and what it takes, once all that is there."""
        self._waiting[place] = given
        level, number = place
        if level == len(self._counts) - 1:
            return None
        first = number // FAN_IN * FAN_IN
        taken = [(level, n) for n in range(first, min(first + FAN_IN, self._counts[level]))]
        if not all(each in self._waiting for each in taken):
            return None
        return (level + 1, number // FAN_IN), [self._waiting.pop(each) for each in taken]

    def roots(self) -> list[Any]:
        """Return what the tree gives, in the order of the tasks."""
        return [self._waiting[len(self._counts) - 1, n] for n in range(self._counts[-1])]


def _result_of(future: Any, lost: Callable[[], Any] | None, killed: type[Exception]) -> Any:
    """Return where a result is, or what stands for it.

    Args:
        future: What ended.
        lost: Gives the result of a task whose workers died; None for a merge.
        killed: What Dask raises for either.

    Raises:
        UsageError: If a worker has no smbrare or another version, or the cluster has gone.
    """
    if future.status == "finished":
        return future
    try:
        future.result()
    except killed:
        if lost is not None:
            return pickle.dumps(lost())
        raise UsageError("the cluster lost a merge several times") from None
    except (ImportError, AttributeError) as error:
        raise UsageError(f"a worker lacks what a scan needs: {error}") from None
    except RuntimeError as error:
        if "deserialization" not in str(error):
            raise
        raise UsageError("the scheduler or a worker has other code than this machine") from None
    return future


def _keys(what: str, count: int) -> list[str]:
    """Return names for tasks: new ones, since results are not to outlive their scan."""
    scan = uuid4().hex
    return [f"smbrare-{what}-{scan}-{number}" for number in range(count)]


def do_packed(work: Callable[[Any], Any], version: str, given: Any) -> bytes:
    """Do a task, on a worker.

    Raises:
        UsageError: If the worker has another version.
    """
    _check_version(version)
    return pickle.dumps(work(given))


def _merge_packed(fold: Callable[[Any], Any], version: str, parts: Sequence[bytes]) -> bytes:
    """Merge, on a worker."""
    _check_version(version)
    return pickle.dumps(fold([pickle.loads(part) for part in parts]))  # noqa: S301 - our own


def _check_version(version: str) -> None:
    # A worker may have joined after the first look at all of them.
    if version != __version__:
        raise UsageError(f"a worker of the cluster has smbrare {__version__}, and not {version}")


def _check(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_SECONDS_FOR_A_WORKER)
    except TimeoutError:
        raise UsageError(f"the cluster at {address} has no worker") from None

    def installed() -> str:
        # It is sent by value, so it runs where there is no smbrare.
        try:
            import smbrare  # noqa: PLC0415
        except ImportError:
            return ""
        return smbrare.__version__

    versions = {"the scheduler": client.run_on_scheduler(installed)}
    versions |= {f"worker {worker}": version for worker, version in client.run(installed).items()}
    for where, version in versions.items():
        if version != __version__:
            has = f"has smbrare {version}" if version else "has no smbrare"
            raise UsageError(f"{where} {has}: every part of the cluster needs {__version__}")
