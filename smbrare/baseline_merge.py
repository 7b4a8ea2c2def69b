"""Merging baselines: what any of them has seen."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from smbrare.baseline.exchange import Export, is_export
from smbrare.baseline.location import locate
from smbrare.baseline.store import Baseline
from smbrare.errors import BaselineError

Memory: TypeAlias = Baseline | Export
"""What was learnt: a baseline, or an export of one."""


def opened(name: str) -> Memory:
    """Return a baseline by its name or file, or an export by its file.

    Raises:
        BaselineError: If it is neither, or damaged.
    """
    path = locate(name)
    return Export(path) if is_export(path) else Baseline(path)


def merge(sources: Sequence[Memory], path: Path) -> Baseline:
    """Write what any of some baselines has seen into one file, in one transaction.

    Args:
        sources: What to merge; all of them kept with the same settings.
        path: The file. If it exists, it has to be one of the sources, and takes in the others.

    Raises:
        BaselineError: If settings differ, the file is another one, or anything cannot be read
            or written; the file is unchanged then.
    """
    first, *others = sources
    for other in others:
        if other.settings != first.settings:
            raise BaselineError(
                f"{other.path} is kept with {_listed(other)}, {first.path} with {_listed(first)}"
            )
    if path.exists() and not any(_is_same(source.path, path) for source in sources):
        raise BaselineError(f"{path} exists; to add to it, name it among those to merge")
    target = Baseline(path, first.settings)
    added = [source for source in sources if not (path.exists() and _is_same(source.path, path))]
    hours: dict[int, bool] = {}
    for source in added:
        for hour, sampled in source.covered().items():
            hours[hour] = sampled and hours.get(hour, True)
    target.check_writable()
    target.commit(chain.from_iterable(source.rows() for source in added), hours)
    return target


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _listed(memory: Memory) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in sorted(memory.settings.items()))
