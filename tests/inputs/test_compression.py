"""What a thread unpacks ahead is what is unpacked step by step, and damage is noticed as well."""

import io
import sys
import threading
from collections.abc import Generator, Iterator
from random import Random
from typing import cast

import pytest

from smbrare.inputs.containers import parts
from smbrare.inputs.unpack.compression import decompressed, recognize
from smbrare.inputs.unpack.streams import Budget, Damaged, Stream, blocks
from smbrare.limits import DEFAULT, Limits
from tests.support.container_world import packed

COMPRESSED = ("gzip", "bzip2", "xz", "zstd")
_RANDOM = Random(7)
CONTENT = b"".join(b'{"n":%d}\n' % _RANDOM.getrandbits(64) for _ in range(80_000))


def unpacked(stream: bytes, limits: Limits = DEFAULT, *, ahead: bool) -> Iterator[bytes]:
    compression = recognize(stream)
    assert compression is not None
    budget = Budget(limits)
    return decompressed(
        Stream(blocks(io.BytesIO(stream), budget)), compression, budget, ahead=ahead
    )


@pytest.mark.parametrize("name", COMPRESSED)
def test_unpacking_ahead_changes_nothing(name: str) -> None:
    members = (packed(name, content) for content in (CONTENT, b"", b"the last member"))
    stream = b"".join(members) + bytes(512)
    assert b"".join(unpacked(stream, ahead=True)) == CONTENT + b"the last member"
    assert b"".join(unpacked(stream, ahead=False)) == CONTENT + b"the last member"


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99999])
def test_a_cut_is_noticed_ahead(name: str, share: float) -> None:
    whole = packed(name, CONTENT)
    given: list[bytes] = []
    with pytest.raises(Damaged):
        given.extend(unpacked(whole[: int(len(whole) * share)], ahead=True))
    assert CONTENT.startswith(b"".join(given))


@pytest.mark.parametrize("name", COMPRESSED)
def test_something_else_behind_the_data_is_noticed_ahead(name: str) -> None:
    with pytest.raises(Damaged):
        list(unpacked(packed(name, CONTENT) + b"something else", ahead=True))


@pytest.mark.parametrize("name", COMPRESSED)
def test_what_is_unpacked_ahead_is_bounded(name: str) -> None:
    most = len(CONTENT) // 2
    given: list[bytes] = []
    with pytest.raises(Damaged, match="decompressed-bytes"):
        given.extend(unpacked(packed(name, CONTENT), Limits(decompressed_bytes=most), ahead=True))
    assert len(b"".join(given)) <= most


def test_no_thread_is_left_where_the_content_is_unknown() -> None:
    before, interval = threading.active_count(), sys.getswitchinterval()
    for _ in range(3):
        stream = io.BufferedReader(io.BytesIO(packed("gzip", bytes(8_000_000))))
        assert [part.container for part in parts(stream, "noise.gz", ahead=True)] == [""]
        assert threading.active_count() == before
    assert sys.getswitchinterval() == interval


def test_the_thread_ends_with_who_reads() -> None:
    before = threading.active_count()
    found = unpacked(packed("gzip", CONTENT), ahead=True)
    next(found)
    assert threading.active_count() == before + 1
    cast("Generator[bytes]", found).close()
    assert threading.active_count() == before
