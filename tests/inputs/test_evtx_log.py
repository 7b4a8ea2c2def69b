"""EVTX: damage is counted and located, and reading goes on behind it."""

import io
from pathlib import Path

import pytest

from smbrare.inputs.readers import evtx_log
from smbrare.limits import Limits
from smbrare.records.event import Record, Skipped
from tests.support.container_world import WORLD, evtx_file, expected, read, seen

HEADER, CHUNK = 4096, 65_536


def outcome(content: bytes, limits: Limits | None = None) -> tuple[list[Record], list[Skipped]]:
    items = list(evtx_log.read(io.BytesIO(content), "x", limits or Limits()))
    records = [item for item in items if isinstance(item, Record)]
    assert [item.origin.number for item in items] == list(range(1, len(items) + 1))
    return records, [item for item in items if isinstance(item, Skipped)]


def test_a_published_log_with_damage_gives_its_358_records_and_8_errors(shared: Path) -> None:
    records, skipped = outcome((shared / "evtx" / "damaged-sysmon.evtx").read_bytes())
    assert len(records) == 358
    assert len(skipped) == 8
    assert all(f"chunk number {number}" in item.reason for number, item in enumerate(skipped, 9))
    assert not any(item.ends_input for item in skipped)


@pytest.mark.parametrize("name", ["smbmap_upload_exec_sysmon", "discovery_sysmon_3"])
def test_published_logs_are_read_whole(shared: Path, name: str) -> None:
    (path,) = (shared / "evtx").glob(f"{name}*.evtx")
    records, skipped = outcome(path.read_bytes())
    assert records
    assert skipped == []


def test_a_chunk_that_was_overwritten_costs_only_itself() -> None:
    content = bytearray(evtx_file(WORLD))
    content[HEADER + CHUNK : HEADER + CHUNK + 600] = b"x" * 600
    records, (skipped,) = outcome(bytes(content))
    assert skipped.could_matter
    kept = [seen(record.document) for record in records]
    assert kept == [each for each in expected() if each in kept]
    assert len(WORLD) - 100 < len(kept) < len(WORLD)


@pytest.mark.parametrize("size", [1, 24, 400])
def test_a_record_that_was_overwritten_is_noticed(size: int) -> None:
    content = bytearray(evtx_file(WORLD[:40]))
    for _ in range(20):
        at = content.index(b"**\0\0", HEADER + 20_000)
    content[at : at + size] = bytes(size)
    records, skipped = outcome(bytes(content))
    assert len(records) < 40
    assert skipped
    assert all(item.could_matter for item in skipped)


def test_chunks_that_were_never_written_are_no_damage() -> None:
    content = evtx_file(WORLD)
    records, skipped = outcome(content + bytes(3 * CHUNK) + bytes(1000))
    assert len(records) == len(WORLD)
    assert skipped == []


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.77, 0.9])
def test_a_log_that_is_cut_off_gives_what_came_before(share: float) -> None:
    content = evtx_file(WORLD)
    cut = int(len(content) * share)
    records, skipped = outcome(content[:cut])
    assert skipped[-1].ends_input
    assert "cut off" in skipped[-1].reason
    kept = [seen(record.document) for record in records]
    assert kept == expected()[: len(kept)]
    assert len(kept) >= int(len(WORLD) * share) - 90


def test_a_log_that_is_cut_off_between_chunks_is_noticed_by_its_header() -> None:
    content = evtx_file(WORLD)
    records, skipped = outcome(content[: HEADER + 2 * CHUNK])
    assert records
    assert [item.ends_input for item in skipped] == [True]


def test_a_log_that_is_cut_off_inside_of_a_chunk_gives_the_records_in_it() -> None:
    content = evtx_file(WORLD[:80])
    records, _ = outcome(content[: HEADER + CHUNK // 2])
    assert len(records) > 10


def test_what_is_no_log_behind_its_first_bytes_is_damage() -> None:
    for content in (b"ElfFile\0", b"ElfFile\0" + b"x" * 100_000):
        records, skipped = outcome(content)
        assert records == []
        assert skipped[-1].ends_input


def test_a_record_that_is_too_long_is_skipped() -> None:
    records, skipped = outcome(evtx_file(WORLD[:3]), Limits(record_bytes=100))
    assert records == []
    assert len(skipped) == 3


def test_a_log_out_of_an_archive_is_read_like_one_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(evtx_file(WORLD))
    with path.open("rb") as file:
        assert read(file).seen == expected()
