"""Write seeded logs of an invented network: ``python -m bench.data --size 1000M OUT``.

The same arguments give the same bytes. One line in 5,000 matches the rule; ``--answers`` lists
those, so that every measurement can check what it measured.
"""

import argparse
import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson

from bench.events import SHAPES
from bench.network import Network

START = datetime(2026, 11, 16, tzinfo=UTC)
DAY = timedelta(days=1)
MATCHING_SHARE = 0.0002
DISORDER_SECONDS = 30
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the data.

    Attributes:
        text: JSON without a line end.
        destination: The address that matches the rule, empty where the line does not match.
        time: The time of the event, RFC 3339 in UTC with microseconds.
    """

    text: bytes
    destination: str
    time: str


def lines(size: int, seed: int = 1) -> Iterator[Line]:
    """Yield lines of about a kilobyte until they hold a number of bytes, over one day.

    Args:
        size: Bytes to reach, line ends counted.
        seed: Makes the data.
    """
    network = Network(Random(seed))
    random = network.random
    shapes = random.choices(SHAPES, [shape.weight for shape in SHAPES], k=4096)
    holding = [shape for shape in SHAPES if shape.network]
    written = 0
    while written < size:
        matches = random.random() < MATCHING_SHARE
        shape = random.choice(holding if matches else shapes)
        connection = network.matching() if matches else network.ordinary()
        late = timedelta(seconds=random.random() * DISORDER_SECONDS)
        time = START + DAY * (written / size) + late
        time -= timedelta(microseconds=time.microsecond % shape.unit)
        text = orjson.dumps(shape.build(network, connection, time))
        written += len(text) + 1
        yield Line(text, connection.destination if matches else "", f"{time:%FT%T.%fZ}")


def parse_size(text: str) -> int:
    """Return a number of bytes from text such as ``1000M``.

    Raises:
        ValueError: If it is none.
    """
    unit = UNITS.get(text[-1:].upper())
    return int(text[:-1]) * unit if unit else int(text)


def _zstandard(path: Path) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415 - only this format needs it
    else:
        from backports import zstd  # noqa: PLC0415 - only this format needs it

    return zstd.ZstdFile(path, "wb")


FORMATS: dict[str, Callable[[Path], Any]] = {
    "ndjson": lambda path: path.open("wb"),
    "gz": lambda path: gzip.GzipFile(path, "wb", compresslevel=6, mtime=0),
    "zst": _zstandard,
}


def write(path: Path, size: int, form: str = "ndjson", seed: int = 1) -> Iterator[tuple[int, Line]]:
    """Write a file of lines, and yield each with its number, counted from 1, once written."""
    with FORMATS[form](path) as out:
        for number, line in enumerate(lines(size, seed), 1):
            out.write(line.text + b"\n")
            yield number, line


def main() -> None:
    """Write a file, and its answers where asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--size", type=parse_size, default="1000M", help="default: 1000M")
    parser.add_argument("--format", choices=FORMATS, default="ndjson", help="default: ndjson")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--answers", type=Path, help="list the matching lines here, as NDJSON")
    arguments = parser.parse_args()
    matching = number = 0
    with ExitStack() as stack:
        answers = stack.enter_context(arguments.answers.open("wb")) if arguments.answers else None
        for number, line in write(arguments.out, arguments.size, arguments.format, arguments.seed):
            if not line.destination:
                continue
            matching += 1
            if answers is not None:
                answer = {"line": number, "destination": line.destination, "time": line.time}
                answers.write(orjson.dumps(answer) + b"\n")
    sys.stderr.write(f"{arguments.out}: {number:,} lines, {matching:,} match the rule\n")


if __name__ == "__main__":
    main()
