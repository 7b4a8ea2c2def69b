"""Work spread over processes, with the results in the order of the tasks.

The work is one function of one task, so the same function runs here, in a process, or elsewhere.
"""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

Task = TypeVar("Task")
Result = TypeVar("Result")


class Steps(Struct, Generic[Task, Result], frozen=True):
    """From tasks in groups to one result, wherever each step is done.

    Attributes:
        work: Does one task.
        join: Makes one result of those of a group, in the order of its tasks. What it gives of
            some neighbours may stand for them among the others.
        merge: Makes one result of those of several groups; it merges its own results as well.
        done: Called here as each task ends, in any order.
        lost: Gives the result of a task whose process died, here.
    """

    work: Callable[[Task], Result]
    join: Callable[[Sequence[Result]], Result]
    merge: Callable[[Iterable[Result]], Result]
    done: Callable[[Task], None]
    lost: Callable[[Task], Result]


def reduce(
    groups: Sequence[Sequence[Task]], steps: Steps[Task, Result], jobs: int, *, fork: bool = True
) -> Result:
    """Return what all tasks give together.

    Args:
        groups: Tasks, in groups none of which is empty.
        steps: What to do.
        jobs: How many processes do it; 1 for this one alone.
        fork: As for `run`.
    """
    tasks = [task for group in groups for task in group]
    results = run(tasks, steps.work, jobs, steps.done, steps.lost, fork=fork)
    return steps.merge(steps.join([next(results) for _ in group]) for group in groups)


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Neither macOS nor Windows has it.
        return os.cpu_count() or 1


def run(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    jobs: int,
    done: Callable[[Task], None],
    lost: Callable[[Task], Result],
    *,
    fork: bool = True,
) -> Iterator[Result]:
    """Yield the result of each task, in the order of the tasks.

    Args:
        tasks: What to do; with several jobs they are sent to other processes.
        work: Does one; with several jobs a function of a module.
        jobs: How many processes to use; 1 for this one alone.
        done: Called as each task ends, in any order.
        lost: Gives the result of a task whose process died. It cannot be told which task killed
            it, so all that had not ended are lost.
        fork: Whether processes may be forked, where that is usual: a fork copies what other
            threads hold locked.
    """
    if jobs <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield work(task)
            done(task)
        return
    yield from _in_processes(tasks, work, min(jobs, len(tasks)), done, lost, fork=fork)


def _in_processes(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    jobs: int,
    done: Callable[[Task], None],
    lost: Callable[[Task], Result],
    *,
    fork: bool,
) -> Iterator[Result]:
    # Only work for several processes pays for the modules that start them.
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import Future, ProcessPoolExecutor, as_completed  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    # Where processes are no forks, Python would look for modules in the folder of the logs first.
    os.environ["PYTHONSAFEPATH"] = "1"
    context = multiprocessing.get_context(None if fork else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
    try:
        futures: list[Future[Result] | None] = []
        for task in tasks:
            try:
                futures.append(pool.submit(work, task))
            except BrokenProcessPool:
                futures.append(None)
        ended = {future: task for future, task in zip(futures, tasks, strict=True) if future}
        for future in as_completed(ended):
            done(ended[future])
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
            result = lost(task) if each is None else each.result()
        except BrokenProcessPool:
            result = lost(task)
        yield result


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
