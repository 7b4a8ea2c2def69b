"""What is to be read, and how: inputs cut into tasks that any process may do."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from smbrare.detection.destination_sieve import needs_decoding
from smbrare.detection.dns import Resolutions
from smbrare.detection.partial import Partial
from smbrare.detection.schedule import Moments
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import EVERY, ReaderOptions, sample_seed
from smbrare.inputs.unpack.streams import HEAD_BYTES, is_utf_16
from smbrare.limits import KIB, MIB
from smbrare.records.event import Origin, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import workers
from smbrare.scanning.reading import open_raw, parts, silent

LARGE_BYTES = 8 * MIB
"""From this size on (decompressed), NDJSON, arrays and EVTX are pre-filtered, not decoded whole: to
decode as much takes as long as to pre-filter some 100 MB."""

WORTH_A_PROCESS = 200 * MIB
"""Bytes to pre-filter in all from which more than one process pays."""

_DECODED = 25
"""How many times as long a byte takes that is decoded, not only pre-filtered. Of an input that is
no plain NDJSON nobody knows beforehand how much will be."""

RANGE_BYTES = 32 * MIB
"""Bytes of a plain file that one task pre-filters."""

CLUSTER_RANGE_BYTES = 128 * MIB
"""The same on a cluster, whose scheduler and worker take some 10 ms for any task."""

DECODED_RANGE_BYTES = 2 * MIB
"""Bytes of a plain file that one task decodes whole, at the least."""

_DECODED_RANGES = 256
"""How many ranges are decoded whole before they become longer."""

SMALL_BYTES = 64 * KIB
"""Up to this size (as stored) inputs share a task: one of its own would cost more than they do."""

MOST_TOGETHER = 500
"""How many inputs share a task."""

KEPT_BYTES = 256 * MIB
"""Bytes of input between two times that several processes are waited for, where rows are kept."""

_SAMPLES = 1_000
SAMPLE_EVERY_AT_LEAST = 4 * KIB
"""Bytes between sampled records, however small the input: hardly fewer than of a larger one."""


def reader_options(options: ReadOptions) -> ReaderOptions:
    """Return how readers are to read an input of unknown length."""
    return ReaderOptions(
        options.limits,
        sample_every=EVERY if options.decodes_all else SAMPLE_EVERY_AT_LEAST,
        sampled_from=LARGE_BYTES,
        needs_decoding=needs_decoding,
    )


def empty_partial(options: ReadOptions) -> Partial:
    """Return a partial result that holds nothing yet."""
    return Partial(
        Sightings(options.grain, Moments() if options.every_moment else None),
        resolutions=Resolutions(options.names),
    )


class Task(Struct, frozen=True):
    """What one process reads at a time: inputs, or a range of a plain NDJSON file.

    Attributes:
        found: The input, or why a path gives none.
        more: The inputs behind it that are read with it, all of them small.
        start: First byte of the range.
        end: The byte past the range; None for the end of the file.
        sample_every: Bytes between sampled records of the range; 0 where all are decoded.
        sample_seed: What the places of the sampled records follow from.
        identity: What the file of a range was when its ranges were made; None for a whole input.
    """

    found: Input | Skipped
    more: tuple[Input | Skipped, ...] = ()
    start: int = 0
    end: int | None = None
    sample_every: int = 0
    sample_seed: int = 0
    identity: tuple[int, int] | None = None

    @property
    def inputs(self) -> tuple[Input | Skipped, ...]:
        """All the inputs that it reads."""
        return (self.found, *self.more)

    @property
    def size(self) -> int:
        """Bytes to read, as far as is known."""
        size = sum(found.size or 0 for found in self.inputs if isinstance(found, Input))
        return (size if self.end is None else self.end) - self.start


def plan(found: Input | Skipped, options: ReadOptions) -> list[Task]:
    """Return the tasks of an input: ranges of plain NDJSON, unless one job reads it all."""
    plain = None
    if isinstance(found, Input) and may_have_ranges(found, options):
        plain = _plain_ndjson(found, options)
    if plain is None or not isinstance(found, Input):
        return [Task(found)]
    identity, seed = plain
    size = found.size or 0
    every = 0 if _decodes_all(size, options) else max(size // _SAMPLES, SAMPLE_EVERY_AT_LEAST)
    length = _range_bytes(size, options)
    # The last range begins before the last line, unless that is longer, so it can sample that.
    starts = range(0, max(size - length // 32, 1), size if _is_alone(options) else length)
    return [
        Task(
            found,
            start=start,
            end=None if start == starts[-1] else start + length,
            sample_every=every,
            sample_seed=seed,
            identity=identity,
        )
        for start in starts
    ]


def join_small(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks in their order, neighbours joined that read small inputs."""
    joined: list[Task] = []
    for task in tasks:
        last = joined[-1] if joined and _is_small(task) else task
        if last is not task and _is_small(last) and len(last.inputs) < MOST_TOGETHER:
            joined[-1] = Task(last.found, (*last.more, task.found))
        else:
            joined.append(task)
    return joined


def _is_small(task: Task) -> bool:
    found = task.found
    # Of what has no size nobody knows how long it takes.
    size = found.size if isinstance(found, Input) else 0
    return task.identity is None and size is not None and size <= SMALL_BYTES


def may_have_ranges(found: Input | Skipped, options: ReadOptions) -> bool:
    """Return whether an input is large enough for ranges, if it is plain NDJSON."""
    if not isinstance(found, Input) or found.size is None:
        return False
    if not _decodes_all(found.size, options):
        return True
    worth_it = found.size >= 2 * _range_bytes(found.size, options)
    return worth_it and not found.is_remote and not _is_alone(options)


def _decodes_all(size: int, options: ReadOptions) -> bool:
    return options.decodes_all or size < LARGE_BYTES


def _range_bytes(size: int, options: ReadOptions) -> int:
    if not _decodes_all(size, options):
        return RANGE_BYTES if options.cluster is None else CLUSTER_RANGE_BYTES
    if options.cluster is not None:
        return RANGE_BYTES
    return min(max(size // _DECODED_RANGES, DECODED_RANGE_BYTES), RANGE_BYTES)


def _is_alone(options: ReadOptions) -> bool:
    return options.jobs == 1 and options.cluster is None


def jobs(tasks: Sequence[Task], options: ReadOptions) -> int:
    """Return how many processes are to do some tasks."""
    wanted = 1 if any(_is_here_alone(task.found) for task in tasks) else options.jobs
    if wanted is None:
        effort = sum(task.size * (1 if task.sample_every else _DECODED) for task in tasks)
        wanted = workers.cores() if effort >= WORTH_A_PROCESS else 1
    return min(wanted, max(len(tasks), 1))


def _is_here_alone(found: Input | Skipped) -> bool:
    """Return whether only this process can read an input: others have other standard streams."""
    if not isinstance(found, Input) or found.is_remote:
        return False
    return found.size is None or found.path.startswith(("/dev/", "/proc/"))


def _plain_ndjson(found: Input, options: ReadOptions) -> tuple[tuple[int, int], int] | None:
    """Return which file an input of plain NDJSON is, and its seed; None for anything else."""
    try:
        with open_raw(found) as raw:
            if not raw.seekable():
                return None
            identity = _identity(found, raw, options)
            with io.BufferedReader(raw) as buffered:
                head = buffered.read(HEAD_BYTES)
            if is_utf_16(head):
                return None
        with parts(found, options.limits, silent) as (_, each):
            part = next(each, None)
            is_plain = part is not None and part.container == "ndjson"
            return (identity, sample_seed(head)) if is_plain else None
    except OSError:
        # Reading it will meet the same trouble, and tell.
        return None


def _identity(found: Input, raw: io.RawIOBase, options: ReadOptions) -> tuple[int, int]:
    """Return what identifies a file, whatever its name.

    An object has only its name, and each machine of a cluster numbers a shared file in its own way.
    """
    if found.is_remote or options.cluster is not None:
        return 0, 0
    status = os.fstat(raw.fileno())
    return status.st_dev, status.st_ino


def check_identity(found: Input, raw: io.RawIOBase, task: Task, options: ReadOptions) -> None:
    """Make sure that a range is one of the file that the ranges were made for.

    Raises:
        OSError: If not.
    """
    if _identity(found, raw, options) != task.identity:
        raise OSError("another file took its place while it was read")


def portions(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """Yield the tasks in their order, in lists of a size that processes are to be waited for."""
    some: list[Task] = []
    size = 0
    for task in tasks:
        some.append(task)
        size += task.size
        if size >= KEPT_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def lost_part(task: Task, options: ReadOptions) -> Partial:
    """Return what stands for a task whose process died: its inputs, not read to their end."""
    partial = empty_partial(options)
    reason = "the process that read it died"
    for found in task.inputs:
        path = found.path if isinstance(found, Input) else found.origin.path
        survey = InputSurvey(path, start=task.start)
        origin = Origin(path, 0, task.start)
        survey.skip(Skipped(origin, reason, could_matter=True, ends_input=True))
        partial.surveys.append(survey)
    return partial
