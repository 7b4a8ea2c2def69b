"""Work spread over processes, with the results in the order of the tasks.

The work is one function of one task, so the same function runs here, in a process, or elsewhere.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Given = TypeVar("Given")
Result = TypeVar("Result")

_CGROUP = Path("/sys/fs/cgroup")
_IS_WINDOWS = os.name == "nt"
_MOST_ON_WINDOWS = 61
"""Processes that Windows lets one wait for."""


class Work(Struct, Generic[Given, Result], frozen=True):
    """What to do with each of many tasks, wherever that is.

    Attributes:
        do: Does one; where other processes do it, a function of a module, or a bound one.
        lost: Gives the result of a task whose process died.
        done: Called here as each task ends, in any order.
        merge: Makes one result of those of neighbours, which stands for them among the others;
            None to keep each apart.
    """

    do: Callable[[Given], Result]
    lost: Callable[[Given], Result]
    done: Callable[[Given], None] = lambda _: None
    merge: Callable[[Sequence[Result]], Result] | None = None


class Executor(Protocol):
    """Whatever does tasks."""

    @property
    def has_spare_cores(self) -> bool:
        """Whether each task may use a thread of its own beside it."""

    def map(self, work: Work[Given, Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield what tasks give, in their order; of neighbours perhaps what they give merged."""


class Here(Struct, frozen=True):
    """This process alone."""

    @property
    def has_spare_cores(self) -> bool:
        """Whether there is another core."""
        return cores() > 1

    def map(self, work: Work[Given, Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield what each task gives."""
        for task in tasks:
            yield work.do(task)
            work.done(task)


class Processes(Struct, frozen=True):
    """Several processes of this machine.

    Attributes:
        jobs: How many.
        fork: Whether they may be forked, where that is usual: a fork copies what other threads
            hold locked.
    """

    jobs: int
    fork: bool = True

    @property
    def has_spare_cores(self) -> bool:
        """Whether there are two cores for each."""
        return 2 * self.jobs <= cores()

    def map(self, work: Work[Given, Result], tasks: Sequence[Given]) -> Iterator[Result]:
        """Yield what each task gives.

        It cannot be told which task killed a process, so all that had not ended are lost.
        """
        if len(tasks) <= 1:
            return Here().map(work, tasks)
        return _in_processes(tasks, work, min(self.jobs, len(tasks)), fork=self.fork)


def cores() -> int:
    """Return how many cores this process may use, by its affinity and a container's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # Neither macOS nor Windows has it.
        count = os.cpu_count() or 1
    return min(count, _MOST_ON_WINDOWS if _IS_WINDOWS else count, quota(_CGROUP) or count)


def quota(cgroup: Path) -> int | None:
    """Return the cores that a control group may use, part of one as one; None if all.

    Args:
        cgroup: Where Linux shows the groups, of version 2 or 1.
    """
    with suppress(OSError, ValueError, ZeroDivisionError):
        if (both := cgroup / "cpu.max").exists():
            most, period = both.read_text().split()
        else:
            most, period = (
                (cgroup / "cpu" / f"cpu.cfs_{what}_us").read_text() for what in ("quota", "period")
            )
        if most != "max" and int(most) > 0:
            return -(-int(most) // int(period))
    return None


def _in_processes(
    tasks: Sequence[Given], work: Work[Given, Result], jobs: int, *, fork: bool
) -> Iterator[Result]:
    # Only work for several processes pays for the modules that start them.
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import as_completed  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    problem = ""
    try:
        pool, futures = _started(tasks, work, jobs, fork=fork)
    except (OSError, ImportError, NotImplementedError) as error:
        # No shared memory for queues that can be written to, or no room for a process or a file.
        for process in multiprocessing.active_children():
            process.kill()
        problem = str(error) or type(error).__name__
    if problem:
        gc.collect()  # What was half made lets go of its files: there may be no others.
        sys.stderr.write(f"WARNING  read with one process: {problem}\n")
        yield from Here().map(work, tasks)
        return
    try:
        ended = {future: task for future, task in zip(futures, tasks, strict=True) if future}
        for future in as_completed(ended):
            work.done(ended[future])
    except BaseException:
        # What ends this process early ends all at once, not after the tasks under way.
        for process in multiprocessing.active_children():
            process.kill()
        # Not waited for: a pool that was interrupted while it started may never end by itself.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    # Before the first result is given: who takes them may stop at the last.
    pool.shutdown()
    for each, task in zip(futures, tasks, strict=True):
        try:
            result = work.lost(task) if each is None else each.result()
        except BrokenProcessPool:
            result = work.lost(task)
        yield result


def _started(
    tasks: Sequence[Given], work: Work[Given, Result], jobs: int, *, fork: bool
) -> "tuple[ProcessPoolExecutor, list[Future[Result] | None]]":
    """Return processes that were given all tasks, and None for each task that they died before."""
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    # Where processes are no forks, Python would look for modules in the folder of the logs first.
    os.environ["PYTHONSAFEPATH"] = "1"
    context = multiprocessing.get_context(None if fork else "spawn")
    jobs = min(jobs, _MOST_ON_WINDOWS) if _IS_WINDOWS else jobs
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
    futures: list[Future[Result] | None] = []
    for task in tasks:
        try:
            futures.append(pool.submit(work.do, task))
        except BrokenProcessPool:
            futures.append(None)
    return pool, futures


def _begin() -> None:
    """Let the terminal's Ctrl-C reach only the process that the user started; it ends the others.

    SIGTERM gets back its own meaning: a forked process has inherited the program's handler.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: it may have no time to tell."""
    import threading  # noqa: PLC0415 - only a process among several has a parent to watch
    from multiprocessing import connection, parent_process  # noqa: PLC0415

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
