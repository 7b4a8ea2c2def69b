"""Cut off or damaged at any byte: a record is there as it was, or its loss is told."""

import gzip
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.baseline.store import Baseline
from smbrare.errors import BaselineError
from tests.support.baselines import SETTINGS, SEVERAL, content, made
from tests.support.container_world import PACKED, TEXTS, WORLD, evtx_file, expected, read, seen

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NDJSON = TEXTS["ndjson"](WORLD).encode()
_RECOGNIZED = 600
"""Bytes from which on every kind here is known for what it is; a shorter file is of no known kind,
which is exit code 4."""


def with_checksum(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


KINDS = ("gzip", "bzip2", "xz", "zstd", "zip", "tar", "gzip tar gzip", "evtx")


@cache
def packed(kind: str) -> bytes:
    if kind == "evtx":
        return evtx_file(WORLD)
    return with_checksum(NDJSON) if kind == "zstd" else PACKED[kind](NDJSON)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_off_anywhere_gives_what_came_before_and_tells_the_rest(
    kind: str, share: float
) -> None:
    whole = packed(kind)
    if kind == "tar":
        whole = whole.rstrip(b"\0")  # What follows the end mark is padding.
    end = _RECOGNIZED + int((len(whole) - _RECOGNIZED) * share)
    outcome = read(whole[:end])
    # Of EVTX, the record that the cut goes through may come without its last values.
    sound = outcome.documents[:-1] if kind == "evtx" else outcome.documents
    assert list(map(seen, sound)) == expected()[: len(sound)]
    assert outcome.skipped
    assert outcome.skipped[-1].ends_input
    assert outcome.skipped[-1].could_matter


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"tar", "evtx"}])
@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_changes_no_record_in_silence(
    kind: str, share: float, bit: int
) -> None:
    whole = bytearray(packed(kind))
    whole[int(len(whole) * share)] ^= 1 << bit
    outcome = read(bytes(whole))
    told = bool(outcome.skipped) or "" in outcome.containers
    assert told or outcome.seen == expected()


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_evtx_loses_no_record_in_silence(share: float, bit: int) -> None:
    # Its checksums are stale in logs taken from a running system, so a changed value is not seen.
    whole = bytearray(packed("evtx"))
    whole[int(len(whole) * share)] ^= 1 << bit
    outcome = read(bytes(whole))
    told = bool(outcome.skipped) or outcome.containers != ["evtx"]
    assert told or len(outcome.documents) == len(WORLD)


def test_a_file_of_several_members_tells_a_cut_in_any_of_them() -> None:
    members = gzip.compress(NDJSON[:3_000]) * 3
    one = len(members) // 3
    for end in range(one + 11, len(members), 7):
        if end % one > 10 or end % one == 0:
            outcome = read(members[:end])
            assert bool(outcome.skipped) == (end % one != 0), end


@cache
def baseline_bytes(folder: Path) -> bytes:
    return made(folder / "whole.db", SEVERAL[:60]).read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("baseline")


@settings(max_examples=150)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_verify_finds_a_flipped_bit_wherever_it_changes_what_was_learnt(
    folder: Path, share: float, bit: int
) -> None:
    whole = bytearray(baseline_bytes(folder))
    digest = Baseline(folder / "whole.db").verify()
    place = int(len(whole) * share)
    whole[place] ^= 1 << bit
    path = folder / "flipped.db"
    path.write_bytes(whole)
    try:
        verified = Baseline(path, SETTINGS).verify()
    except BaselineError:
        assert path.read_bytes() == whole
        return
    assert verified == digest
    assert content(path) == content(folder / "whole.db")
    assert path.read_bytes() == whole


def test_verify_finds_every_flipped_byte_of_a_row(folder: Path) -> None:
    whole = baseline_bytes(folder)
    path = folder / "flipped.db"
    for row in SEVERAL[:60]:
        at = whole.index(row.destination.encode() + row.source.encode())
        for place in range(at, at + len(row.destination + row.source), 5):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(BaselineError):
                Baseline(path).verify()
