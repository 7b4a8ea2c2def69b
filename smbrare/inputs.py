"""Temporary."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smbrare.event import Origin, Skipped


@dataclass(frozen=True, slots=True)
class Input:
    path: str
    named: bool = True
    size: int | None = None


def discover(paths: Sequence[str]) -> Iterator[Input | Skipped]:
    for path in paths:
        try:
            yield Input(path, True, None if path == "-" else os.stat(path).st_size)
        except OSError as error:
            yield Skipped(Origin(path, 0), error.strerror or "", True, True)
