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
from typing import Any
from uuid import uuid4

from msgspec import Struct, field

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
        # Of a wrong address the client would only tell after it had waited for its own threads.
        distributed.comm.get_address_host_port(address)
        client = distributed.Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"the cluster at {address} cannot be reached: {error}") from None
    try:
        _check(client, address)
        yield Cluster(client)
    except (distributed.CancelledError, distributed.comm.CommClosedError):
        raise UsageError(f"the cluster at {address} has gone") from None
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
        """Return False: what a worker has besides is Dask's to say."""
        return False

    def map(self, work: Work[Given, Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield what each task gives, or what all of them give, merged as a tree.

        A task that a worker did not end, because it died, is done by another. One that more workers
        died with than Dask's ``allowed-failures`` says is lost, even if it only waited for them.

        Raises:
            UsageError: If a worker has another version, or the cluster has gone.
        """
        leaves = [Node(task) for task in tasks]
        if work.merge is not None:
            grow(leaves, work.merge)
        distributed = import_module("distributed")
        futures = self.client.map(
            bind(do_packed, work.do, __version__), tasks, key=_keys("read", len(leaves))
        )
        owners = {future.key: leaf for future, leaf in zip(futures, leaves, strict=True)}
        ended = distributed.as_completed(futures, loop=self.client.loop)
        del futures
        roots: dict[int, Any] = {}
        for future in ended:
            node = owners.pop(future.key)
            given = _result_of(future, node, work, distributed.KilledWorker)
            if node.fold is None:
                work.done(node.task)
            if node.above is None:
                roots[id(node)] = given
                continue
            ready = node.above.add(node.place, given)
            if ready is not None:
                (key,) = _keys("merge", 1)
                owners[key] = node.above
                # Before tasks that wait: what is merged is no longer lost with one worker each.
                ended.add(self._merge(node.above, ready, key))
        # Without a merge each leaf is a root, in the order of the tasks.
        in_order = [id(leaf) for leaf in leaves if leaf.above is None] or list(roots)
        for root in in_order:
            given = roots[root]
            packed_result = given if isinstance(given, bytes) else given.result()
            yield pickle.loads(packed_result)  # noqa: S301 - our own, from our own workers

    def _merge(self, node: "Node", parts: list[Any], key: str) -> Any:
        return self.client.submit(
            _merge_packed, node.fold, __version__, parts, key=key, priority=_MERGES_FIRST
        )


@contextmanager
def _explained_failures() -> Iterator[None]:
    """Say what a worker's trouble with the code of a task means.

    Raises:
        UsageError: If it has no smbrare, or other code.
    """
    try:
        yield
    except (ImportError, AttributeError) as error:
        raise UsageError(f"a worker lacks what a scan needs: {error}") from None
    except RuntimeError as error:
        if "deserialization" not in str(error):
            raise
        raise UsageError("the scheduler or a worker has other code than this machine") from None


class Node(Struct, eq=False):
    """A task, or a merge of what several give.

    Attributes:
        task: The task.
        fold: What merges; None for a task.
        above: The merge that takes its result; None for the last.
        place: Its place among those that the merge takes.
        parts: What was given for a merge so far, by place.
        expected: How many results a merge takes.
    """

    task: Any = None
    fold: Callable[[Any], Any] | None = None
    above: "Node | None" = None
    place: int = 0
    parts: dict[int, Any] = field(default_factory=dict)
    expected: int = 0

    def add(self, place: int, given: Any) -> list[Any] | None:
        """Add a result, and return all in their order, and forget them, once they are there."""
        self.parts[place] = given
        if len(self.parts) < self.expected:
            return None
        parts, self.parts = self.parts, {}
        return [parts[place] for place in sorted(parts)]


def grow(level: list[Node], fold: Callable[[Any], Any]) -> None:
    """Put merges of neighbours above nodes until there is one root."""
    while len(level) > 1:
        above = []
        for start in range(0, len(level), FAN_IN):
            nodes = level[start : start + FAN_IN]
            merge = Node(fold=fold, expected=len(nodes))
            for place, node in enumerate(nodes):
                node.above, node.place = merge, place
            above.append(merge)
        level = above


def _result_of(future: Any, node: Node, work: Work[Any, Any], killed: type[Exception]) -> Any:
    """Return where a result is, or what stands for it.

    Raises:
        UsageError: If a worker has no smbrare or another version, or the cluster has gone.
    """
    if future.status == "finished":
        return future
    try:
        with _explained_failures():
            future.result()
    except killed:
        if node.fold is None:
            return pickle.dumps(work.lost(node.task))
        raise UsageError("the cluster lost a merge several times") from None
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
