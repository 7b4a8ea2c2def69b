"""Temporary."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from smbrare.event import Record, Skipped
from smbrare.limits import DEFAULT, Limits
from smbrare.readers import ndjson


@dataclass(frozen=True, slots=True)
class Part:
    path: str
    container: str
    records: Iterator[Record | Skipped]
    litter: bool = False


def parts(stream: BinaryIO, path: str, limits: Limits = DEFAULT) -> Iterator[Part]:
    yield Part(path, "ndjson", ndjson.read(io.BufferedReader(stream), path, limits))
