"""Damage ends an input as a counted value, after the good records before it; never silently."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smbrare.limits import Limits
from tests.support.container_world import (
    MULTIPLE,
    PACKED,
    WORLD,
    Outcome,
    Pipe,
    evtx_file,
    expected,
    packed,
    read,
    tarred,
    told,
    zipped,
)

NDJSON = told("ndjson").encode()
COMPRESSED = ("gzip", "bzip2", "xz", "zstd")


def last_reason(outcome: Outcome) -> str:
    """Return why reading ended, which has to be said last and once for the part."""
    assert outcome.skipped
    assert outcome.skipped[-1].ends_input
    assert outcome.skipped[-1].could_matter
    return outcome.skipped[-1].reason


def noise(size: int) -> bytes:
    """Return lines that no compression makes much of, so that cuts fall between many blocks."""
    state = 1
    lines = []
    while size > 0:
        state = state * 6_364_136_223_846_793_005 % 2**64
        lines.append(b'{"n":"%016x"}\n' % state)
        size -= len(lines[-1])
    return b"".join(lines)


LONG = noise(2_000_000)


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.999])
def test_a_stream_that_is_cut_off_gives_what_came_before(name: str, share: float) -> None:
    stream = packed(name, LONG)
    outcome = read(stream[: int(len(stream) * share)])
    assert "cut off" in last_reason(outcome)
    assert len(outcome.skipped) == 1
    lines = LONG.splitlines()
    # The best that a format with blocks of 900 kB can do.
    assert len(outcome.documents) >= len(lines) * share - 1_100_000 / len(lines[0])
    assert [b'{"n":"%s"}' % document["n"].encode() for document in outcome.documents] == (
        lines[: len(outcome.documents)]
    )


@pytest.mark.parametrize("name", COMPRESSED)
def test_every_cut_of_a_small_stream_is_noticed(name: str) -> None:
    stream = PACKED[name](b'{"a":1}\n{"a":2}\n')
    for end in range(11, len(stream)):
        assert "cut off" in last_reason(read(stream[:end])), end


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_cut_between_two_members_is_no_damage_and_one_inside_of_the_second_is(name: str) -> None:
    first = PACKED[name](NDJSON)
    assert read(first).skipped == ()
    outcome = read(first + PACKED[name](NDJSON)[:-7])
    assert "cut off" in last_reason(outcome)
    assert outcome.seen[: len(WORLD)] == expected()


@pytest.mark.parametrize("name", COMPRESSED)
def test_something_else_behind_the_data_is_named(name: str) -> None:
    outcome = read(PACKED[name](NDJSON) + b"something else")
    assert "follows" in last_reason(outcome)
    assert outcome.seen == expected()


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_a_flipped_byte_is_noticed(name: str) -> None:
    stream = bytearray(packed(name, LONG))
    stream[len(stream) * 2 // 3] ^= 0xFF
    outcome = read(bytes(stream))
    assert "damaged" in last_reason(outcome)
    assert len(outcome.documents) > len(LONG.splitlines()) // 4


def test_a_wrong_checksum_of_gzip_is_noticed_after_its_records() -> None:
    stream = bytearray(packed("gzip", LONG))
    stream[-6] ^= 0xFF
    outcome = read(bytes(stream))
    assert "damaged gzip data" in last_reason(outcome)
    assert len(outcome.documents) >= len(LONG.splitlines()) - 1000


def test_damage_that_decompresses_to_noise_does_not_make_the_input_unknown() -> None:
    packed = bytearray(PACKED["bzip2"](LONG[:500_000]))
    packed[200] ^= 0xFF
    outcome = read(bytes(packed))
    assert outcome.containers == ["bzip2"]
    assert "damaged" in last_reason(outcome)


def test_a_wrong_checksum_in_a_zip_costs_only_that_member() -> None:
    archive = bytearray(zipped({"a.json": LONG, "b.json": NDJSON}))
    stored_at = archive.index(b"PK\x01\x02") + 16
    archive[stored_at] ^= 0xFF
    outcome = read(bytes(archive))
    (skipped,) = outcome.skipped
    assert skipped.ends_input
    assert skipped.origin.path == "input!a.json"
    assert len(outcome.documents) >= len(LONG.splitlines()) - 400 + len(WORLD)


@pytest.mark.parametrize("method", ["encrypted", "unknown"])
def test_a_member_that_cannot_be_opened_is_named(method: str) -> None:
    archive = bytearray(zipped({"a.json": NDJSON, "b.json": NDJSON}))
    for mark, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = archive.index(mark) + flags
        if method == "encrypted":
            archive[at] |= 1
        else:
            archive[at + 2] = 9
    outcome = read(bytes(archive))
    (skipped,) = outcome.skipped
    assert skipped.ends_input
    assert skipped.origin.path == "input!a.json"
    assert method == "unknown" or "encrypted" in skipped.reason
    assert outcome.seen == expected()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_zip_without_its_list_of_members_is_named(keep: float) -> None:
    archive = zipped({"a.json": NDJSON})
    outcome = read(archive[: int(len(archive) * keep)])
    assert outcome.containers == ["zip"]
    assert "damaged zip" in last_reason(outcome)


def test_every_cut_of_a_tar_is_noticed() -> None:
    archive = tarred({"a.json": NDJSON[:3000], "b.json": NDJSON[:700]})
    end = len(archive.rstrip(b"\0"))
    for size in range(600, end + 1, 97):
        outcome = read(archive[:size])
        assert last_reason(outcome), size
        assert outcome.skipped[-1].origin.path == "input"


def test_the_records_of_a_tar_before_its_cut_are_read() -> None:
    archive = tarred({"a.json": LONG})
    outcome = read(archive[:1_000_000])
    assert len(outcome.documents) == (1_000_000 - 512) // len(LONG.splitlines(keepends=True)[0])


def test_a_damaged_header_of_a_tar_is_not_its_end() -> None:
    archive = bytearray(tarred({"a.json": NDJSON, "b.json": NDJSON}))
    archive[archive.index(b"b.json")] ^= 1
    outcome = read(bytes(archive))
    assert outcome.seen == expected()
    assert "no end mark" in last_reason(outcome)


def test_a_second_tar_behind_the_first_is_not_passed_over() -> None:
    archive = tarred({"a.json": NDJSON})
    outcome = read(archive + archive)
    assert outcome.seen == expected()
    assert "follows the end" in last_reason(outcome)


def test_a_cut_of_what_lies_around_a_tar_is_noticed_behind_its_end() -> None:
    packed = gzip.compress(tarred({"a.json": NDJSON}))
    outcome = read(packed[:-4])
    assert outcome.seen == expected()
    assert "gzip data is cut off" in last_reason(outcome)


def test_a_stream_that_the_system_cannot_read_on_gives_what_came_before() -> None:
    class Failing(Pipe):
        def readinto(self, buffer: Any, /) -> int:
            count = super().readinto(buffer)
            if not count:
                raise OSError(5, "Input/output error")
            return count

    outcome = read(io.BufferedReader(Failing(NDJSON)))
    assert "Input/output error" in last_reason(outcome)
    assert outcome.seen == expected()


BOMBS = {name: pack for name, pack in PACKED.items() if name not in {"", "tar"}}


@pytest.mark.parametrize("layers", BOMBS)
def test_a_bomb_ends_as_a_counted_failure(layers: str) -> None:
    limits = Limits(expansion_free_bytes=500_000, expansion=20)
    bomb = BOMBS[layers](b'{"a":"' + b" " * 5_000_000 + b'"}\n')
    assert "times its size" in last_reason(read(bomb, limits))


def test_a_bomb_of_many_members_is_bounded_as_a_whole() -> None:
    limits = Limits(decompressed_bytes=10 * len(NDJSON))
    outcome = read(zipped({f"{number}.json": NDJSON for number in range(30)}), limits)
    assert len(outcome.seen) <= 10 * len(WORLD)
    assert f"more than {10 * len(NDJSON)} bytes" in last_reason(outcome)


def test_a_short_file_of_equal_lines_is_no_bomb() -> None:
    outcome = read(gzip.compress(b'{"a":1}\n' * 100_000))
    assert outcome.skipped == ()
    assert len(outcome.documents) == 100_000


def test_layers_inside_one_another_are_bounded() -> None:
    content = NDJSON
    for _ in range(4):
        content = gzip.compress(content)
    assert read(content).seen == expected()
    outcome = read(gzip.compress(content))
    assert outcome.seen == []
    assert "layers" in last_reason(outcome)


def test_members_of_an_archive_are_bounded() -> None:
    for pack in (zipped, tarred):
        archive = pack({f"{number}.json": b'{"a":1}\n' for number in range(12)})
        outcome = read(archive, Limits(archive_members=10))
        assert len(outcome.documents) == 10
        assert "more than 10 members" in last_reason(outcome)


def test_the_list_of_members_of_a_zip_is_bounded_before_it_is_read() -> None:
    archive = zipped({f"{number}.json": b"" for number in range(100)})
    outcome = read(archive, Limits(archive_directory_bytes=1000))
    assert "list of members" in last_reason(outcome)


def test_a_header_of_a_tar_that_does_not_end_is_not_held_in_memory() -> None:
    header = bytearray(tarred({"a": b""})[:512])
    header[124:136] = b"00777777777\0"  # A size of 1 GiB …
    header[156:157] = b"x"  # … for attributes of the next member.
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    outcome = read(gzip.compress(bytes(header) + bytes(20_000_000)))
    assert "a header that does not end" in last_reason(outcome)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped({"a": content})])
def test_a_copy_of_an_evtx_file_is_bounded(pack: Callable[[bytes], bytes]) -> None:
    outcome = read(pack(evtx_file(WORLD)), Limits(spool_bytes=100_000))
    assert "longer than 100000 bytes" in last_reason(outcome)


def test_no_member_of_an_archive_is_written_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for pack in (zipped, tarred):
        outcome = read(pack({"../../evil.json": NDJSON, "/tmp/evil.json": NDJSON}))  # noqa: S108
        assert len(outcome.seen) == 2 * len(WORLD)
    assert list(tmp_path.rglob("*")) == []


def test_members_of_a_zip_that_overlap_are_no_way_around_the_bounds() -> None:
    file = io.BytesIO(zipped({"a.json": NDJSON}))
    with zipfile.ZipFile(file, "a") as archive:
        (info,) = archive.filelist
        archive.filelist += [info] * 50
        archive._didModify = True  # type: ignore[attr-defined]  # noqa: SLF001
    outcome = read(file.getvalue(), Limits(decompressed_bytes=5 * len(NDJSON)))
    assert len(outcome.seen) <= 5 * len(WORLD)
    assert last_reason(outcome)


@pytest.mark.parametrize("name", MULTIPLE)
def test_a_damaged_second_member_leaves_the_first(name: str) -> None:
    outcome = read(PACKED[name](NDJSON) + packed(name, LONG)[:20] + bytes([1, 2, 3]) * 100)
    assert outcome.seen[: len(WORLD)] == expected()
    assert last_reason(outcome)
