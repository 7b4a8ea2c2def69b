"""From inputs to what the judgement needs: in one piece, or in parts that any process may read.

Small inputs are read whole. Of large NDJSON, arrays and EVTX only the records that could match are
decoded, and a sample of the others tells what the input holds. A plain file of NDJSON is cut into
ranges; the results of its ranges, in their order, are that of the file.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial as bind
from itertools import chain
from typing import IO, TYPE_CHECKING, Protocol, TypeAlias

from msgspec.structs import replace

from smbrare.detection.destination_sieve import undecided
from smbrare.detection.examine import admit, count, cover, examine, judge_alone
from smbrare.detection.partial import Partial
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.containers import Part, to_the_end
from smbrare.inputs.discovery import Input, anywhere
from smbrare.inputs.readers import arrays, evtx_lines, evtx_log, ndjson
from smbrare.inputs.readers.array_lines import begins_array
from smbrare.inputs.readers.arrays import Sifted
from smbrare.inputs.readers.ndjson_blocks import Sample, Tally, read_blocks, read_lines
from smbrare.inputs.unpack.compression import is_packed
from smbrare.inputs.unpack.streams import Stream, blocks
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Origin, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import merge, planning, workers
from smbrare.scanning.planning import Task, check_identity, empty, may_have_ranges, plan
from smbrare.scanning.reading import (
    Progress,
    check_length,
    events_of,
    open_raw,
    read_all,
    unreadable,
)
from smbrare.scanning.workers import Steps

if TYPE_CHECKING:
    from smbrare.scanning.cluster import Cluster


def gather(inputs: Iterable[Input | Skipped], options: ReadOptions, progress: Progress) -> Partial:
    """Read every input and return all that the judgement needs.

    Trouble with an input or a record is counted in its survey and never stops the others. An input
    whose sample leaves something unjudged is read again, whole.

    Args:
        inputs: What was discovered for the user's paths.
        options: How to read.
        progress: Called as bytes are read.

    Raises:
        UsageError: If the cluster cannot be used, or an input cannot be read by another machine.
    """
    if options.cluster is None:
        return _gather(list(inputs), options, progress)
    # Most scans do without.
    from smbrare.scanning.cluster import connected  # noqa: PLC0415

    found = [each if isinstance(each, Skipped) else anywhere(each) for each in inputs]
    with connected(options.cluster) as cluster:
        return _gather(found, options, progress, cluster)


_Take: TypeAlias = Callable[[Iterator[Sifted], InputSurvey], None]


class _Work(Protocol):
    """A function of this module that does one task."""

    def __call__(
        self, task: Task, options: ReadOptions, progress: Progress, *, ahead: bool
    ) -> Partial: ...


def _gather(
    inputs: Sequence[Input | Skipped],
    options: ReadOptions,
    progress: Progress,
    cluster: "Cluster | None" = None,
) -> Partial:
    groups = _planned(inputs, options, cluster)
    whole = _reduced(groups, read, options, progress, cluster)
    if doubtful := merge.doubtful(whole, inputs):
        again = _planned(doubtful, replace(options, thorough=True), cluster)
        merge.correct(whole, _reduced(again, recount, options, _silent, cluster))
    return whole


def _planned(
    inputs: Sequence[Input | Skipped], options: ReadOptions, cluster: "Cluster | None"
) -> list[list[Task]]:
    """Return the tasks of each input; on a cluster, its workers look into the large ones."""
    if cluster is None:
        return [plan(found, options) for found in inputs]
    large = [found for found in inputs if may_have_ranges(found, options)]
    looked = cluster.each(bind(plan, options=options), large, lambda found: [Task(found)])
    plans = {id(found): tasks for found, tasks in zip(large, looked, strict=True)}
    return [plans.get(id(found), [Task(found)]) for found in inputs]


def _reduced(
    groups: Sequence[Sequence[Task]],
    work: _Work,
    options: ReadOptions,
    progress: Progress,
    cluster: "Cluster | None",
) -> Partial:
    """Return what all tasks give, done by this process, by several, or by a cluster."""
    tasks = [task for group in groups for task in group]
    jobs = planning.jobs(tasks, options)
    ahead = cluster is None and 2 * jobs <= workers.cores()
    # In this process progress is told as bytes are read, from others as tasks end.
    here = cluster is None and jobs == 1
    steps: Steps[Task, Partial] = Steps(
        work=bind(work, options=options, progress=progress if here else _silent, ahead=ahead),
        join=merge.joined,
        merge=bind(_merged, options=options),
        done=(lambda _: None) if here else (lambda task: progress(task.size)),
        lost=lambda task: merge.lost(task.found, task.start, empty(options)),
    )
    if cluster is not None:
        return cluster.reduce(groups, steps)
    # What talks to object storage is a thread.
    fork = not any(isinstance(task.found, Input) and task.found.is_remote for task in tasks)
    return workers.reduce(groups, steps, jobs, fork=fork)


def _merged(parts: Iterable[Partial], options: ReadOptions) -> Partial:
    return merge.merged(parts, empty(options))


def _silent(_count: int) -> None:
    """Tell no progress: another process cannot reach the bar."""


def read(task: Task, options: ReadOptions, progress: Progress, *, ahead: bool = False) -> Partial:
    """Do one task."""
    if task.identity is not None:
        partial = empty(options)

        def take(items: Iterator[Sifted], survey: InputSurvey) -> None:
            survey.sampled = task.sample_every > 0
            _take_any(items, survey, options, partial)

        _read_range(task, options, partial, progress, take)
        return partial
    if ahead and _can_be_read_again(task.found):
        partial = _read_whole(task.found, options, progress, ahead=True)
        if not any(survey.cut and is_packed(survey.container) for survey in partial.surveys):
            return partial
        # What unpacks ahead loses more before damage.
        progress = _silent
    return _read_whole(task.found, options, progress, ahead=False)


def _can_be_read_again(found: Input | Skipped) -> bool:
    return isinstance(found, Input) and found.size is not None and not found.is_remote


def _read_whole(
    found: Input | Skipped, options: ReadOptions, progress: Progress, *, ahead: bool
) -> Partial:
    partial = empty(options)

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        examine(document, origin, options, survey, partial)

    def read_part(part: Part, survey: InputSurvey) -> bool:
        return not options.decodes_all and _sift_part(part, survey, options, partial)

    partial.surveys += read_all([found], options.limits, progress, take, read_part, ahead=ahead)
    return partial


def _read_range(
    task: Task, options: ReadOptions, partial: Partial, progress: Progress, take: _Take
) -> None:
    """Read a range of a plain file, and have what it holds taken with its survey."""
    found = task.found
    assert isinstance(found, Input)  # noqa: S101 - only these have ranges
    survey = InputSurvey(found.path, "ndjson", found.named)
    partial.surveys.append(survey)
    try:
        with open_raw(found) as raw:
            check_identity(found, raw, task, options)
            take(_items(raw, found.path, task, options), survey)
            check_length(found, raw)
    except OSError as error:
        survey.skip(unreadable(found.path, survey.lines, error))
    survey.size = task.size
    progress(task.size)


def _items(raw: io.RawIOBase, path: str, task: Task, options: ReadOptions) -> Iterator[Sifted]:
    if not task.sample_every:
        return read_lines(raw, path, task.start, task.end, options.limits)
    return read_blocks(
        raw,
        path,
        task.start,
        task.end,
        options.limits,
        sample_every=task.sample_every,
        undecided=undecided,
    )


def _sift_part(part: Part, survey: InputSurvey, options: ReadOptions, partial: Partial) -> bool:
    """Read a part that can be sifted, and sift it if it is large; return whether it was one."""
    if part.file is not None:
        _take_any(part.file(bind(_evtx, survey=survey)), survey, options, partial)
        return True
    if part.text is None:
        return False
    kind = part.container.rpartition(" ")[2]
    is_array = kind == "json" and begins_array(part.text.head)
    if kind != "ndjson" and not is_array:
        return False
    whole = arrays.read if is_array else ndjson.read
    head = part.text.read(planning.LARGE_BYTES)
    if len(head) < planning.LARGE_BYTES:
        text = Stream([head], part.text)
        decoded = whole(text, part.path, options.limits)
        _take_any(to_the_end(decoded, text, part.path), survey, options, partial)
        return True
    items = (_sifted_array if is_array else _sifted_lines)(part.text, part.path, head, options)
    take_sifted(to_the_end(items, part.text, part.path), survey, options, partial)
    return True


def _evtx(file: IO[bytes], path: str, limits: Limits, survey: InputSurvey) -> Iterator[Sifted]:
    survey.sampled = file.seek(0, io.SEEK_END) >= planning.LARGE_BYTES
    if not survey.sampled:
        return evtx_log.read(file, path, limits)
    return evtx_lines.read_sifted(
        file, path, limits, sample_every=planning.SAMPLE_EVERY_AT_LEAST, undecided=undecided
    )


def _sifted_array(text: Stream, path: str, head: bytes, options: ReadOptions) -> Iterator[Sifted]:
    return arrays.read_sifted(
        Stream(chain([head], blocks(text)), text),
        path,
        options.limits,
        sample_every=planning.SAMPLE_EVERY_AT_LEAST,
        undecided=undecided,
    )


def _sifted_lines(text: Stream, path: str, head: bytes, options: ReadOptions) -> Iterator[Sifted]:
    return read_blocks(
        text,
        path,
        limits=options.limits,
        sample_every=planning.SAMPLE_EVERY_AT_LEAST,
        undecided=undecided,
        head=head,
    )


def take_sifted(
    items: Iterable[Sifted],
    survey: InputSurvey,
    options: ReadOptions,
    partial: Partial,
) -> None:
    """Judge what the sieve left of an input, and count the rest by what was sampled of it."""
    survey.sampled = True
    _take_any(items, survey, options, partial)


def _take_any(
    items: Iterable[Sifted], survey: InputSurvey, options: ReadOptions, partial: Partial
) -> None:
    """Judge what was read of an input: all that it holds, or a sample and what could match."""
    for item in items:
        if isinstance(item, Tally):
            survey.lines += item.lines
            survey.records += item.records if survey.sampled else 0
        elif isinstance(item, Sample):
            for document in envelope.events(item.record.document):
                count(document, options, survey, partial)
        else:
            judge_it = judge_alone if survey.sampled else examine
            for document, origin in events_of(item, survey):
                judge_it(document, origin, options, survey, partial)


def recount(
    task: Task, options: ReadOptions, progress: Progress, *, ahead: bool = False
) -> Partial:
    """Do one task for its counts and the time covered alone."""
    counted = empty(options)
    del ahead

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        del origin
        view = admit(document, options, survey)
        if not isinstance(view, str):
            cover(view, survey, counted)

    def take_range(items: Iterator[Sifted], survey: InputSurvey) -> None:
        for item in items:
            if isinstance(item, Tally):
                survey.lines += item.lines
            elif not isinstance(item, Sample):
                for document, origin in events_of(item, survey):
                    take(document, origin, survey)

    if task.identity is None:
        counted.surveys = read_all([task.found], options.limits, progress, take)
    else:
        _read_range(task, options, counted, progress, take_range)
    return counted
