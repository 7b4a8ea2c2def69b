"""EVTX: damage is counted and located, and reading goes on behind it."""

import io
from pathlib import Path

import pytest

from smbrare.inputs.readers import evtx_log
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.records.event import Record, Skipped
from tests.support.container_world import WORLD, evtx_file, expected, read, seen

HEADER, CHUNK = 4096, 65_536


def outcome(content: bytes, limits: Limits | None = None) -> tuple[list[Record], list[Skipped]]:
    options = ReaderOptions(limits or Limits())
    contents = evtx_log.read(io.BytesIO(content), "x", options)
    items = [item for item in contents.items if isinstance(item, Record | Skipped)]
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


EMPTY = bytes(CHUNK)
DIRTY = 120


def log(*chunks: bytes, promised: int | None = None, dirty: bool = False) -> bytes:
    """Return a log of chunks, with what its header says of them."""
    header = bytearray(evtx_file(WORLD)[:HEADER])
    header[42:44] = (len(chunks) if promised is None else promised).to_bytes(2, "little")
    header[DIRTY] = dirty
    return bytes(header) + b"".join(chunks)


def written() -> list[bytes]:
    content = evtx_file(WORLD)
    return [content[at : at + CHUNK] for at in range(HEADER, len(content), CHUNK)]


CHUNKS = written()
FIRST, SECOND, THIRD, *_, LAST = CHUNKS
FRESH = {
    "full, going on at its start": log(*CHUNKS[3:], *CHUNKS[:3]),
    "full, its oldest chunks overwritten": log(*CHUNKS[5:], *CHUNKS[2:5]),
    "begun again, its first records gone": log(*CHUNKS[4:]),
    "reserved chunks at the end": log(*CHUNKS, EMPTY, EMPTY, promised=8),
    "its header written long ago": log(*CHUNKS, EMPTY, promised=1, dirty=True),
    "in use, chunks of several rounds": log(LAST, SECOND, *CHUNKS[4:6], dirty=True),
    "empty chunks between, no number passed over": log(FIRST, EMPTY, SECOND, promised=2),
    "empty chunks before the first record": log(EMPTY, FIRST, promised=1),
    "full, an empty chunk where it goes on": log(EMPTY, *CHUNKS[3:], *CHUNKS[:3], promised=8),
    "nothing was ever written": log(EMPTY, promised=0),
}


@pytest.mark.parametrize("content", FRESH.values(), ids=FRESH)
def test_a_log_that_wraps_or_is_in_use_is_no_damage(content: bytes) -> None:
    _, skipped = outcome(content)
    assert skipped == []


LOSSES = {
    "one in the middle": (log(FIRST, EMPTY, THIRD), "chunk 1 with records"),
    "several": (log(FIRST, EMPTY, EMPTY, *CHUNKS[3:]), "chunks 1 to 2 with records"),
    "in several places": (
        log(FIRST, EMPTY, THIRD, EMPTY, *CHUNKS[4:]),
        ", chunk 3 with records",
    ),
    "in many places": (log(*(one for each in CHUNKS[1::2] for one in (EMPTY, each))), "1 more"),
    "the first": (log(EMPTY, *CHUNKS[1:]), "chunk 0 with records 1 to"),
    "the last": (log(*CHUNKS[:-1], EMPTY), "1 of 8 chunks"),
    "in a log in use": (log(FIRST, EMPTY, THIRD, dirty=True, promised=1), "chunk 1 with"),
    "in a full log": (log(*CHUNKS[4:6], EMPTY, *CHUNKS[7:], *CHUNKS[:4]), "chunk 2 with records"),
    "the oldest of a full log": (log(*CHUNKS[4:], EMPTY, *CHUNKS[1:4]), "lost: chunk 4"),
    "cut out": (log(FIRST, THIRD), "lost: records"),
    "cut out, and cut off": (log(FIRST, THIRD, promised=8), "cut off in chunk 2; lost: records"),
    "its first sector": (
        log(FIRST, bytes(512) + SECOND[512:], THIRD),
        "chunk 1 with records",
    ),
}


@pytest.mark.parametrize(("content", "told"), LOSSES.values(), ids=LOSSES)
def test_chunks_lost_between_written_ones_end_the_log_after_all_that_is_there(
    content: bytes, told: str
) -> None:
    records, skipped = outcome(content)
    assert told in skipped[-1].reason
    assert [item.ends_input for item in skipped].count(True) == 1
    assert skipped[-1].ends_input
    kept = [seen(record.document) for record in records]
    assert sorted(kept) == [each for each in sorted(expected()) if each in kept]
    assert len(kept) > 40


def test_chunks_that_were_lost_are_named_by_the_records_in_them() -> None:
    whole, _ = outcome(log(*CHUNKS))
    first, _ = outcome(log(FIRST))
    both, _ = outcome(log(FIRST, SECOND))
    _, (skipped,) = outcome(log(FIRST, EMPTY, *CHUNKS[2:]))
    assert skipped.reason == f"lost: chunk 1 with records {len(first) + 1} to {len(both)}"
    assert len(whole) == len(WORLD)


def test_many_zeroed_chunks_cost_nothing_but_their_reading() -> None:
    records, skipped = outcome(log(FIRST, *[EMPTY] * 1_000, *CHUNKS[2:], promised=8))
    assert "chunks 1 to 1000 with records" in skipped[-1].reason
    assert len(records) > 250
