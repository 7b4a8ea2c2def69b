"""A large EVTX file that is sifted gives what one gives whose every record is decoded."""

import errno
import gzip
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare.inputs.readers import evtx_log
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Origin, Skipped
from smbrare.scanning import planning
from tests.scanning.test_gathering import documents, gathered
from tests.support.container_world import WORLD, Connection, event_data
from tests.support.evtx_writer import evtx

_START_OF_SECOND_CHUNK = 4096 + 65_536


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large, and sample few records."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 20_000)


@cache
def log(world: tuple[Connection, ...] = WORLD) -> bytes:
    """Return events of which every second is a match."""
    changed = [
        {"DestinationPort": "443"},
        {"Image": "ü" * 300},
        {"DestinationIp": "10.20.0.9"},
        {},
        {"ProcessId": "5120"},
        {"DestinationPort": "00445"},
    ]
    return evtx(event_data(one) | changed[n % len(changed)] for n, one in enumerate(world))


def same(path: Path, *, findings: bool = False, limits: Limits = DEFAULT) -> None:
    sifted = gathered(path, limits=limits)
    thorough = gathered(path, limits=limits, thorough=True)
    (counted,), (read,) = sifted.surveys, thorough.surveys
    assert counted.sampled
    assert documents(sifted) == documents(thorough)
    assert documents(sifted) or not findings
    assert sifted.near_misses == thorough.near_misses
    assert counted.located == read.located
    assert (counted.records, counted.skipped, counted.lost, counted.cut) == (
        read.records,
        read.skipped,
        read.lost,
        read.cut,
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data,
        lambda data: data[:-100_000],
        lambda data: data[:5_000],
        lambda data: data[:100],
        # The beginning of a record, and the magic of a chunk.
        lambda data: data[:6_000] + bytes(3_000) + data[9_000:],
        lambda data: data[:_START_OF_SECOND_CHUNK] + bytes(8) + data[_START_OF_SECOND_CHUNK + 8 :],
    ],
)
def test_sifting_gives_what_a_thorough_reading_gives(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(damage(log()))
    same(path)


@pytest.mark.usefixtures("small")
def test_a_member_of_an_archive_is_sifted_alike(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Sysmon.evtx", log())
    same(path, findings=True)


@pytest.mark.usefixtures("small")
def test_trouble_of_a_layer_around_it_is_told_alike(tmp_path: Path) -> None:
    path = tmp_path / "Sysmon.evtx.gz"
    path.write_bytes(gzip.compress(log()) + b"something else")
    same(path, findings=True)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("most", [1024, 1025, 1300])
def test_a_limit_counts_bytes_however_it_is_read(tmp_path: Path, most: int) -> None:
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(log())
    same(path, limits=Limits(record_bytes=most))


@pytest.mark.usefixtures("small")
def test_a_file_that_fails_gives_the_records_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(log())
    texts = evtx_log.texts

    def failing(*given: Any) -> Iterator[Any]:
        yield from islice(texts(*given), 100)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(evtx_log, "texts", failing)
    same(path, findings=True)


def test_damage_takes_no_memory() -> None:
    # As many records as a file can hold, none of which can be read.
    broken = [Skipped(Origin("x", number), "broken", could_matter=True) for number in range(9_000)]
    assert max(map(len, evtx_log._batches(broken))) <= 512  # noqa: SLF001 - what is held at once
    assert sum(map(len, evtx_log._batches(broken))) == len(broken)  # noqa: SLF001


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(4096, 300_000), st.binary(min_size=1, max_size=40))
def test_damage_anywhere_is_told_alike(small: None, tmp_path: Path, at: int, noise: bytes) -> None:
    del small
    data = log()
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    same(path)
