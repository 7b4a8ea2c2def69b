"""The worst that a log can do to a scan."""

import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import orjson

from bench.data import START
from bench.events import SHAPES
from bench.network import Connection, Network
from bench.process import MEGABYTE, ROOT, run, scan

_LINES = 200_000
_TINY = 10_000_000
_LONG_BYTES = 500_000_000
_NESTED = 200_000


@dataclass(frozen=True, slots=True)
class Case:
    """A log, and what it has to give.

    Attributes:
        name: As the table shows it.
        write: Gives its lines.
        code: The exit code of its scan.
        decoded: Whether decoding each of its lines with orjson makes sense.
    """

    name: str
    write: Callable[[], Iterator[bytes]]
    code: int
    decoded: bool


def _internal() -> Iterator[bytes]:
    """Yield SMB within the network by the kernel: each line holds the port of the rule."""
    return _events(Network.internal_smb)


def _matching() -> Iterator[bytes]:
    """Yield SMB to the internet: each line is a sighting."""
    return _events(Network.matching)


def _events(connection: Callable[[Network], Connection]) -> Iterator[bytes]:
    network = Network(Random(7))
    shapes = [shape for shape in SHAPES if shape.network]
    for number in range(_LINES):
        shape = shapes[number % len(shapes)]
        time = START + timedelta(milliseconds=100 * number)
        yield orjson.dumps(shape.build(network, connection(network), time)) + b"\n"


def _tiny() -> Iterator[bytes]:
    block = b'{"p":445}\n' * 10_000
    for _ in range(_TINY // 10_000):
        yield block


def _long() -> Iterator[bytes]:
    yield b'{"p":445,"text":"'
    for _ in range(_LONG_BYTES // MEGABYTE):
        yield b"x" * MEGABYTE
    yield b'"}\n'


def _nested() -> Iterator[bytes]:
    yield b'{"p":445,"a":' + b"[" * _NESTED + b"]" * _NESTED + b"}\n"


def _values() -> Iterator[bytes]:
    """Yield a record within the limits of as many values as it can have."""
    yield b'{"p":445,"a":['
    for _ in range(20):
        yield b"[]," * MEGABYTE
    yield b"0]}\n"


def _archives() -> Iterator[bytes]:
    """Yield a zip of zips of empty members, more of them in all than an input may have."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.ndjson", b"")
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(100):
            archive.writestr(f"{number}.zip", inner.getvalue())
    yield outer.getvalue()


def _destinations() -> Iterator[bytes]:
    """Yield one event with many destinations, each of which is a finding."""
    network = Network(Random(7))
    event = SHAPES[0].build(network, network.matching(), START)
    event["destination"]["ip"] = [f"8.{n // 2_500}.{n // 250 % 10}.{n % 250}" for n in range(7_000)]
    yield orjson.dumps(event) + b"\n"


CASES = (
    Case("lines of internal SMB, all left by the sieve", _internal, 0, decoded=True),
    Case("sightings", _matching, 1, decoded=True),
    Case("10,000,000 lines of ten bytes that hold 445", _tiny, 4, decoded=True),
    Case("one line of 500 MB: skipped, being over a limit", _long, 3, decoded=False),
    Case("arrays 200,000 deep: skipped", _nested, 3, decoded=False),
    Case("a record of 20,000,000 empty arrays: skipped", _values, 3, decoded=False),
    Case("2,000,000 empty members of zips in a zip: a limit", _archives, 3, decoded=False),
    Case("an event with 7,000 destinations", _destinations, 1, decoded=False),
)


def measure(case: Case, path: Path) -> str:
    """Write a case's log, scan it with one job, and return its row of the table.

    Raises:
        SystemExit: If the scan ends with another exit code than it has to.
    """
    with path.open("wb") as file:
        file.writelines(case.write())
    run(["wc", "-l", str(path)])
    done = run(scan(path, "--quiet", "--format=ndjson", "--jobs=1"), keep=False)
    if done.code != case.code:
        raise SystemExit(f"{case.name}: exit code {done.code} instead of {case.code}")
    orjson_lines = str(ROOT / "bench" / "queries" / "orjson_lines.py")
    decoded = run([sys.executable, orjson_lines, str(path)]).seconds if case.decoded else None
    size = path.stat().st_size / MEGABYTE
    return (
        f"| {case.name} | {size:,.1f} | {done.seconds:.2f} "
        f"| {'-' if decoded is None else f'{decoded:.2f}'} | {done.peak / MEGABYTE:,.0f} |"
    )


def table(folder: Path) -> str:
    """Return the table of all cases."""
    rows = [
        "| | MB | seconds | orjson on every line | peak memory, MB |",
        "|---|---:|---:|---:|---:|",
    ]
    path = folder / "worst.ndjson"
    for case in CASES:
        rows.append(measure(case, path))
        path.unlink()
    return "\n".join(rows)
