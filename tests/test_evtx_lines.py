"""A large EVTX file that is sifted gives what one gives whose every record is decoded."""

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare import planning
from tests.container_world import WORLD, Connection, event_data
from tests.evtx_writer import evtx
from tests.test_gathering import documents, gathered

_START_OF_SECOND_CHUNK = 4096 + 65_536


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large, and sample few records."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 20_000)


def log(world: Iterable[Connection] = WORLD) -> bytes:
    """Return events of which every third is a match, and one in five goes to another address."""
    changed = [
        {"DestinationPort": "443"},
        {},
        {"DestinationIp": "10.20.0.9"},
        {},
        {"ProcessId": "5120"},
        {"DestinationPort": "00445"},
    ]
    return evtx(event_data(one) | changed[n % len(changed)] for n, one in enumerate(world))


def same(path: Path, *, findings: bool = False) -> None:
    sifted, thorough = gathered(path), gathered(path, thorough=True)
    (counted,), (read,) = sifted.surveys, thorough.surveys
    assert counted.sampled
    assert documents(sifted) == documents(thorough)
    assert documents(sifted) or not findings
    assert sifted.one_clause_away == thorough.one_clause_away
    assert sorted(map(repr, counted.located)) == sorted(map(repr, read.located))
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


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(4096, 300_000), st.binary(min_size=1, max_size=40))
def test_damage_anywhere_is_told_alike(small: None, tmp_path: Path, at: int, noise: bytes) -> None:
    del small
    data = log()
    path = tmp_path / "Sysmon.evtx"
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    same(path)
