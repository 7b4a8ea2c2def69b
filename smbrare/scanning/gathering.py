"""From inputs to what the judgement needs: planned as tasks, read anywhere, and merged.

Small inputs are decoded whole. Of large NDJSON, arrays and EVTX only the records that could match
are, and a sample of the others tells what the input holds. A plain file of NDJSON is cut into
ranges; the results of its ranges, in their order, are that of the file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial as bind
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from smbrare.detection.examine import count_contents, judge_contents
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Row, Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.discovery import Input, anywhere
from smbrare.inputs.readers.ndjson import read_range
from smbrare.inputs.unpack.compression import is_packed
from smbrare.records.event import Contents, Item, Skipped
from smbrare.records.read_options import Grain, ReadOptions
from smbrare.scanning import planning
from smbrare.scanning.planning import (
    Task,
    check_identity,
    empty_partial,
    join_small,
    lost_part,
    may_have_ranges,
    plan,
    portions,
)
from smbrare.scanning.reading import (
    Progress,
    check_length,
    open_raw,
    read_inputs,
    silent,
    unreadable,
)
from smbrare.scanning.workers import Executor, Here, Processes, Work

if TYPE_CHECKING:
    from smbrare.scanning.cluster import Cluster

HandleContents: TypeAlias = Callable[[Contents, ReadOptions, InputSurvey, Partial], None]
"""Judges or counts what was read of an input; a function of a module."""

Keep: TypeAlias = Callable[[Iterable[Row]], None]
"""Takes rows of sightings, so that a part that was read need not hold them any more."""

KEPT_CONTACTS = 10_000
"""After how many rows of an input they are kept, where one process reads."""


def gather(
    inputs: Iterable[Input | Skipped],
    options: ReadOptions,
    progress: Progress,
    keep: Keep | None = None,
) -> Partial:
    """Read every input and return all that the judgement needs.

    Trouble with an input or a record is counted in its survey and never stops the others. An input
    whose sample leaves something unjudged is read again, whole.

    Args:
        inputs: What was discovered for the user's paths.
        options: How to read.
        progress: Called as bytes are read.
        keep: Called with rows as they are found, none of which is then returned.

    Raises:
        UsageError: If the cluster cannot be used, or an input cannot be read by another machine.
    """
    if options.cluster is None:
        return _gather(list(inputs), options, progress, keep)
    # Most scans do without.
    from smbrare.scanning.cluster import connected  # noqa: PLC0415

    found = [each if isinstance(each, Skipped) else anywhere(each) for each in inputs]
    with connected(options.cluster) as cluster:
        return _gather(found, options, progress, keep, cluster)


def _gather(
    inputs: Sequence[Input | Skipped],
    options: ReadOptions,
    progress: Progress,
    keep: Keep | None,
    cluster: "Cluster | None" = None,
) -> Partial:
    if keep is not None:
        # Rows name no events.
        options = replace(options, grain=Grain(by="nothing"))
    tasks = plan_all(inputs, options, cluster)
    if keep is None:
        whole = _read_tasks(tasks, judge_contents, options, progress, cluster)
    else:
        whole = empty_partial(options)
        for some in [tasks] if cluster else portions(tasks):
            alone = cluster is None and isinstance(_local(some, options), Here)
            handle = judge_and_keep(keep) if alone else judge_contents
            part = _read_tasks(some, handle, options, progress, cluster)
            keep_rows(part, keep)
            whole.merge(part)
    if doubtful := inputs_in_doubt(whole, inputs):
        again = replace(options, thorough=True)
        tasks = plan_all(doubtful, again, cluster)
        correct(whole, _read_tasks(tasks, count_contents, again, silent, cluster))
    return whole


def plan_all(
    inputs: Sequence[Input | Skipped], options: ReadOptions, cluster: "Cluster | None"
) -> list[Task]:
    """Return the tasks of the inputs, in their order; a cluster looks into the large ones."""
    executor: Executor = cluster or Here()
    large = [found for found in inputs if may_have_ranges(found, options)]
    work = Work(do=bind(plan, options=options), lost=lambda found: [Task(found)])
    looked = executor.map(work, large)
    plans = {id(found): tasks for found, tasks in zip(large, looked, strict=True)}
    return join_small(task for found in inputs for task in plans.get(id(found), [Task(found)]))


def _read_tasks(
    tasks: Sequence[Task],
    handle: HandleContents,
    options: ReadOptions,
    progress: Progress,
    cluster: "Cluster | None",
) -> Partial:
    """Return what all tasks give, done by this process, by several, or by a cluster."""
    executor = cluster or _local(tasks, options)
    # In this process progress is told as bytes are read, from others as tasks end.
    here = isinstance(executor, Here)
    work: Work[Task, Partial] = Work(
        do=bind(
            read,
            handle=handle,
            options=options,
            progress=progress if here else silent,
            ahead=executor.has_spare_cores,
        ),
        lost=bind(lost_part, options=options),
        done=(lambda _: None) if here else (lambda task: progress(task.size)),
        merge=merge_all,
    )
    return merge_all(executor.map(work, tasks), empty_partial(options))


def _local(tasks: Sequence[Task], options: ReadOptions) -> Executor:
    """Return what does tasks on this machine."""
    jobs = planning.jobs(tasks, options)
    if jobs == 1:
        return Here()
    # What talks to object storage is a thread.
    fork = not any(isinstance(task.found, Input) and task.found.is_remote for task in tasks)
    return Processes(jobs, fork=fork)


def read(
    task: Task, handle: HandleContents, options: ReadOptions, progress: Progress, *, ahead: bool
) -> Partial:
    """Do one task.

    Args:
        task: What to read.
        handle: What to do with what it holds.
        options: How to read.
        progress: Called as bytes are read.
        ahead: Whether there is a core for a thread that unpacks.
    """
    if task.identity is not None:
        return _read_range(task, handle, options, progress)
    can_go_ahead = isinstance(task.found, Input) and task.found.can_be_read_again
    if ahead and can_go_ahead and not task.more:
        partial = _read_whole(task, handle, options, progress, ahead=True)
        if not any(survey.cut and is_packed(survey.container) for survey in partial.surveys):
            return partial
        # What unpacks ahead loses more before damage.
        progress = silent
    return _read_whole(task, handle, options, progress, ahead=False)


def _read_whole(
    task: Task,
    handle: HandleContents,
    options: ReadOptions,
    progress: Progress,
    *,
    ahead: bool,
) -> Partial:
    partial = empty_partial(options)

    def handle_part(contents: Contents, survey: InputSurvey) -> None:
        handle(contents, options, survey, partial)

    reading = planning.reader_options(options)
    partial.surveys += read_inputs(task.inputs, reading, progress, handle_part, ahead=ahead)
    return partial


def _read_range(
    task: Task, handle: HandleContents, options: ReadOptions, progress: Progress
) -> Partial:
    """Read a range of a plain file."""
    found = task.found
    assert isinstance(found, Input)  # noqa: S101 - only these have ranges
    partial = empty_partial(options)
    survey = InputSurvey(found.path, "ndjson", found.named, start=task.start)
    partial.surveys.append(survey)
    reading = replace(
        planning.reader_options(options),
        sample_every=task.sample_every,
        sample_seed=task.sample_seed,
    )
    try:
        with open_raw(found) as raw:
            check_identity(found, raw, task, options)
            items = read_range(raw, found.path, reading, task.start, task.end)
            handle(Contents(items, bool(task.sample_every)), options, survey, partial)
            check_length(found, raw)
    except (OSError, MemoryError) as error:
        survey.skip(unreadable(found.path, survey.lines, error))
    survey.size = task.size
    progress(task.size)
    return partial


def merge_all(parts: Iterable[Partial], whole: Partial | None = None) -> Partial:
    """Return neighbouring parts, in the order of the inputs, merged into a whole or the first."""
    for part in parts:
        if whole is None:
            whole = part
        else:
            whole.merge(part)
    return Partial() if whole is None else whole


def inputs_in_doubt(whole: Partial, inputs: Iterable[Input | Skipped]) -> list[Input]:
    """Return the inputs of which a sample leaves something unjudged, if they can be read again."""
    paths = {path for survey in _in_doubt(whole) for path in (survey.path, survey.input)}
    return [
        found
        for found in inputs
        if isinstance(found, Input) and found.size is not None and found.path in paths
    ]


def correct(whole: Partial, counted: Partial) -> None:
    """Put the counts of a whole reading in the place of those that a sample leaves in doubt.

    What the first reading could not judge stays so: the second counts, and judges nothing.
    """
    exact = {survey.path: survey for survey in counted.surveys}
    doubted = {survey.path for survey in _in_doubt(whole)}
    whole.surveys = [
        _corrected(survey, exact[survey.path])
        if survey.path in doubted and survey.path in exact
        else survey
        for survey in whole.surveys
    ]
    whole.span.merge(counted.span)
    whole.resolutions.merge(counted.resolutions)
    whole.answers.merge(counted.answers)


def _corrected(sampled: InputSurvey, exact: InputSurvey) -> InputSurvey:
    trouble = sampled if sampled.cut or sampled.lost else exact
    # Every match was judged, so the first reading knows all that have no time.
    undated = {kind: odd for kind, odd in sampled.odd_times.items() if kind == "undated"}
    return replace(
        exact,
        odd_times=exact.odd_times | undated,
        size=sampled.size,
        skipped=trouble.skipped,
        lost=trouble.lost,
        cut=trouble.cut,
        located=trouble.located,
    )


def _in_doubt(whole: Partial) -> list[InputSurvey]:
    return [survey for survey in whole.surveys if survey.in_doubt]


def keep_rows(partial: Partial, keep: Keep) -> None:
    """Have the rows of a part kept, which then holds none of its sightings any more."""
    keep(partial.sightings.rows())
    partial.sightings = Sightings(partial.sightings.grain)


def judge_and_keep(keep: Keep) -> HandleContents:
    """Return what judges an input and has its rows kept in between."""

    def handle(
        contents: Contents, options: ReadOptions, survey: InputSurvey, partial: Partial
    ) -> None:
        def items() -> Iterator[Item]:
            for item in contents.items:
                yield item
                if len(partial.sightings.index) >= KEPT_CONTACTS:
                    keep_rows(partial, keep)

        judge_contents(replace(contents, items=items()), options, survey, partial)

    return handle
