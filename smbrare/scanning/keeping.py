"""Rows that are kept elsewhere while inputs are read, so that memory does not grow with them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from smbrare.detection.examine import judge_contents
from smbrare.detection.partial import Partial
from smbrare.detection.sightings import Row, Sightings
from smbrare.detection.survey import InputSurvey
from smbrare.limits import MIB
from smbrare.records.event import Contents, Item
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.planning import Task

Keep: TypeAlias = Callable[[Iterable[Row]], None]
"""Takes rows of sightings, so that a part that was read need not hold them any more."""

KEPT_BYTES = 256 * MIB
"""Bytes of input between two times that several processes are waited for, where rows are kept."""

KEPT_CONTACTS = 10_000
"""After how many rows of an input they are kept, where one process reads."""


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


def keep_rows(partial: Partial, keep: Keep) -> None:
    """Have the rows of a part kept, which then holds none of its sightings any more."""
    keep(partial.sightings.rows())
    partial.sightings = Sightings(partial.sightings.grain)


def judge_and_keep(keep: Keep) -> Callable[[Contents, ReadOptions, InputSurvey, Partial], None]:
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
