"""From inputs to what the judgement needs: in one piece, or in parts that any process may read.

Small inputs are read whole. Of large NDJSON only the lines that could match are decoded, and a
sample of the others tells what the input holds. A plain file is cut into ranges; the results of
its ranges, in their order, are that of the file.
"""

import io
import os
from collections.abc import Iterable, Sequence
from functools import partial as bind
from typing import Any, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare import cluster, envelope, merging, workers
from smbrare.containers import Part, to_the_end
from smbrare.dns import Resolutions
from smbrare.early import undecided
from smbrare.event import Document, Origin, Record, Skipped
from smbrare.examine import Partial, admit, count, cover, examine, judge_alone
from smbrare.inputs import Input, anywhere
from smbrare.limits import DEFAULT, MIB, Limits
from smbrare.readers import ndjson
from smbrare.readers.ndjson_blocks import Sample, Tally, read_blocks
from smbrare.reading import Progress, check_length, events_of, open_raw, parts, read_all, unreadable
from smbrare.sightings import Moments, Sightings
from smbrare.sources.mapping import Settings
from smbrare.survey import InputSurvey
from smbrare.unpack.streams import Stream
from smbrare.workers import Steps

LARGE_BYTES = 32 * MIB
"""From this size on (decompressed), NDJSON is sifted instead of decoded whole."""

WORTH_A_PROCESS = 200 * MIB
"""Bytes to read in all from which more than one process pays."""

RANGE_BYTES = 32 * MIB
"""Bytes of a plain file that one task reads."""

_SAMPLES = 500
_SAMPLE_EVERY_AT_LEAST = MIB // 4
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class How(Struct, frozen=True):
    """How to read.

    Attributes:
        settings: How records are read as events.
        limits: What is too large to read.
        thorough: Whether every record is decoded, however large the input.
        every_moment: Whether to keep every sighting's time, and not only the hours.
        jobs: How many processes may read; None to decide by the size of the inputs.
        names: Patterns of the names whose addresses DNS events are to tell.
        ahead: Whether a large plain file is read in a thread of its own. What unpacks a packed one
            is too much Python for that.
        cluster: The address of a Dask scheduler whose workers are to read; None for this machine.
    """

    settings: Settings = field(default_factory=Settings)
    limits: Limits = DEFAULT
    thorough: bool = False
    every_moment: bool = False
    jobs: int | None = None
    names: frozenset[str] = frozenset()
    ahead: bool = False
    cluster: str | None = None

    def empty(self) -> Partial:
        """Return what nothing was gathered in yet."""
        return Partial(
            Sightings(moments=Moments() if self.every_moment else None),
            resolutions=Resolutions(self.names),
        )


class Task(Struct, frozen=True):
    """What one process reads at a time: an input, or a range of a plain NDJSON file.

    Attributes:
        found: The input, or why a path gives none.
        start: First byte of the range.
        end: The byte past the range; None for the end of the file.
        sample_every: Bytes between sampled records of the range; 0 where all is read.
        identity: What the file of a range was when its ranges were made.
    """

    found: Input | Skipped
    start: int = 0
    end: int | None = None
    sample_every: int = 0
    identity: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """Bytes to read, as far as is known."""
        size = self.found.size or 0 if isinstance(self.found, Input) else 0
        return (size if self.end is None else self.end) - self.start


def gather(inputs: Iterable[Input | Skipped], how: How, progress: Progress) -> Partial:
    """Read every input and return all that the judgement needs.

    Trouble with an input or a record is counted in its survey and never stops the others. An input
    whose sample leaves something unjudged is read again, whole.

    Args:
        inputs: What was discovered for the user's paths.
        how: How to read.
        progress: Called as bytes are read.

    Raises:
        UsageError: If the cluster cannot be used, or an input cannot be read by another machine.
    """
    if how.cluster is None:
        return _gather(list(inputs), how, progress)
    found = [each if isinstance(each, Skipped) else anywhere(each) for each in inputs]
    with cluster.connected(how.cluster) as client:
        return _gather(found, how, progress, client)


class _Work(Protocol):
    """A function of this module that does one task."""

    def __call__(self, task: Task, how: How, progress: Progress) -> Partial: ...


def _gather(
    inputs: Sequence[Input | Skipped], how: How, progress: Progress, client: Any = None
) -> Partial:
    groups = _planned(inputs, how, client)
    whole = _reduced(groups, read, how, progress, client)
    if doubtful := merging.doubtful(whole, inputs):
        again = [[Task(found)] for found in doubtful]
        merging.correct(whole, _reduced(again, recount, how, _silent, client))
    return whole


def _planned(inputs: Sequence[Input | Skipped], how: How, client: Any) -> list[list[Task]]:
    """Return the tasks of each input; on a cluster, its workers look into the large ones."""
    if client is None:
        return [plan(found, how) for found in inputs]
    large = [found for found in inputs if _may_have_ranges(found, how)]
    looked = cluster.each(client, bind(plan, how=how), large, lambda found: [Task(found)])
    plans = {id(found): tasks for found, tasks in zip(large, looked, strict=True)}
    return [plans.get(id(found), [Task(found)]) for found in inputs]


def _reduced(
    groups: Sequence[Sequence[Task]],
    work: _Work,
    how: How,
    progress: Progress,
    client: Any,
) -> Partial:
    """Return what all tasks give, done by this process, by several, or by a cluster."""
    tasks = [task for group in groups for task in group]
    jobs = min(_jobs(tasks, how), max(len(tasks), 1))
    how = replace(how, ahead=client is None and 2 * jobs <= workers.cores())
    # In this process progress is told as bytes are read, from others as tasks end.
    here = client is None and jobs == 1
    steps: Steps[Task, Partial] = Steps(
        work=bind(work, how=how, progress=progress if here else _silent),
        join=merging.joined,
        merge=bind(_merged, how=how),
        done=(lambda _: None) if here else (lambda task: progress(task.size)),
        lost=lambda task: merging.lost(task.found, task.start, how.empty()),
    )
    if client is not None:
        return cluster.reduce(client, groups, steps)
    # What talks to object storage is a thread.
    fork = not any(isinstance(task.found, Input) and task.found.is_remote for task in tasks)
    return workers.reduce(groups, steps, jobs, fork=fork)


def _merged(parts: Iterable[Partial], how: How) -> Partial:
    return merging.merged(parts, how.empty())


def plan(found: Input | Skipped, how: How) -> list[Task]:
    """Return the tasks of an input: ranges of large plain NDJSON, unless one job reads it all."""
    size, identity = 0, None
    if isinstance(found, Input) and _may_have_ranges(found, how):
        size, identity = found.size or 0, _plain_ndjson(found, how)
    if identity is None:
        return [Task(found)]
    every = max(size // _SAMPLES, _SAMPLE_EVERY_AT_LEAST)
    alone = how.jobs == 1 and how.cluster is None
    # The last range begins before the last line, unless that is longer, so it can sample that.
    starts = range(0, max(size - RANGE_BYTES // 32, 1), size if alone else RANGE_BYTES)
    return [
        Task(found, start, None if start == starts[-1] else start + RANGE_BYTES, every, identity)
        for start in starts
    ]


def _may_have_ranges(found: Input | Skipped, how: How) -> bool:
    size = found.size if isinstance(found, Input) else None
    return not how.thorough and size is not None and size >= LARGE_BYTES


def read(task: Task, how: How, progress: Progress) -> Partial:
    """Do one task."""
    partial = how.empty()
    if isinstance(task.found, Input) and task.sample_every:
        _read_range(task.found, task, how, partial, progress)
        return partial

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        examine(document, origin, how.settings, survey, partial)

    def read_part(part: Part, survey: InputSurvey) -> bool:
        return not how.thorough and _sift_part(part, survey, how, partial)

    partial.surveys += read_all([task.found], how.limits, progress, take, read_part)
    return partial


def _silent(_count: int) -> None:
    """Tell no progress: another process cannot reach the bar."""


def _jobs(tasks: Sequence[Task], how: How) -> int:
    if how.jobs is not None:
        return how.jobs
    return workers.cores() if sum(task.size for task in tasks) >= WORTH_A_PROCESS else 1


def _plain_ndjson(found: Input, how: How) -> tuple[int, int] | None:
    """Return which file an input of plain NDJSON is; None for anything else."""
    try:
        with open_raw(found) as raw:
            if not raw.seekable() or raw.read(2) in _UTF_16_MARKS:
                return None
            identity = _identity(found, raw, how)
        with parts(found, how.limits, _silent) as (_, each):
            part = next(each, None)
            return identity if part is not None and part.container == "ndjson" else None
    except OSError:
        # Reading it will meet the same trouble, and tell.
        return None


def _identity(found: Input, raw: io.RawIOBase, how: How) -> tuple[int, int]:
    """Return by what a file is known whatever its name.

    An object has its name alone, and the machines of a cluster number a shared file each their way.
    """
    if found.is_remote or how.cluster is not None:
        return 0, 0
    status = os.fstat(raw.fileno())
    return status.st_dev, status.st_ino


def _check_identity(found: Input, raw: io.RawIOBase, task: Task, how: How) -> None:
    """Make sure that a range is one of the file that the ranges were made for.

    Raises:
        OSError: If not.
    """
    if _identity(found, raw, how) != task.identity:
        raise OSError("another file took its place while it was read")


def _read_range(found: Input, task: Task, how: How, partial: Partial, progress: Progress) -> None:
    survey = InputSurvey(found.path, "ndjson", found.named)
    partial.surveys.append(survey)
    try:
        with open_raw(found) as raw:
            _check_identity(found, raw, task, how)
            items = read_blocks(
                raw,
                found.path,
                task.start,
                task.end,
                how.limits,
                sample_every=task.sample_every,
                undecided=undecided,
                ahead=how.ahead,
            )
            take_sifted(items, survey, how, partial)
            check_length(found, raw)
    except OSError as error:
        survey.skip(unreadable(found.path, survey.lines, error))
    survey.size = task.size
    progress(task.size)


def _sift_part(part: Part, survey: InputSurvey, how: How, partial: Partial) -> bool:
    """Read a part of NDJSON, sifting it if it is large, and return whether it was one."""
    if part.text is None or part.container.rpartition(" ")[2] != "ndjson":
        return False
    head = part.text.read(LARGE_BYTES)
    if len(head) < LARGE_BYTES:
        text = Stream([head], part.text)
        for item in to_the_end(ndjson.read(text, part.path, how.limits), text, part.path):
            for document, origin in events_of(item, survey):
                examine(document, origin, how.settings, survey, partial)
        return True
    items = read_blocks(
        part.text,
        part.path,
        limits=how.limits,
        sample_every=_SAMPLE_EVERY_AT_LEAST,
        undecided=undecided,
        head=head,
    )
    take_sifted(to_the_end(items, part.text, part.path), survey, how, partial)
    return True


def take_sifted(
    items: Iterable[Record | Skipped | Sample | Tally],
    survey: InputSurvey,
    how: How,
    partial: Partial,
) -> None:
    """Judge what the sieve left of an input, and count the rest by what was sampled of it."""
    survey.sampled = True
    for item in items:
        if isinstance(item, Tally):
            survey.lines += item.lines
            survey.records += item.lines - item.blank
        elif isinstance(item, Sample):
            for document in envelope.events(item.record.document):
                count(document, how.settings, survey, partial)
        else:
            survey.records -= isinstance(item, Skipped)
            for document, origin in events_of(item, survey):
                judge_alone(document, origin, how.settings, survey, partial)


def recount(task: Task, how: How, progress: Progress) -> Partial:
    """Read an input whole, for its counts and the time covered alone."""
    counted = how.empty()

    def take(document: Document, origin: Origin, survey: InputSurvey) -> None:
        del origin
        view = admit(document, how.settings, survey)
        if not isinstance(view, str):
            cover(view, survey, counted)

    counted.surveys = read_all([task.found], how.limits, progress, take)
    return counted
