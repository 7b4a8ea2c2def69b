"""Where a large input is sampled: at places that follow from its own first bytes."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from hashlib import blake2b

from smbrare.limits import KIB

_EVENLY = 1_024
"""How many records are sampled at one distance before it doubles."""


def marks(first: int, past: int, every: int, seed: int) -> Iterator[int]:
    """Yield the places between two bytes of a stream, the second past the end, to be sampled at.

    Args:
        first: The first byte.
        past: The byte past the end.
        every: Bytes of a stretch, of which each holds one place; see `ReaderOptions`.
        seed: What the places follow from.
    """
    if first == 0 < past:
        yield 0
    for stretch in range(first // every, -(-past // every)):
        if stretch % (1 << (stretch // _EVENLY).bit_length()) == 0:
            place = stretch * every + _scattered(seed, stretch) % every
            if first <= place < past:
                yield place


def _scattered(seed: int, number: int) -> int:
    """Return a number that looks like chance, the same for the same numbers."""
    return int.from_bytes(blake2b(b"%d %d" % (seed, number), digest_size=8).digest())


HEAD_BYTES = 64 * KIB
"""Bytes from the start of an input that are enough for its seed."""

_SEED_BYTES = HEAD_BYTES // 2


def sample_seed(head: bytes) -> int:
    """Return what the places of an input's samples follow from: a hash of its first bytes."""
    # A stream of text has blanks where its file has a byte order mark.
    text = head.removeprefix(BOM_UTF8).lstrip()
    return int.from_bytes(blake2b(text[:_SEED_BYTES], digest_size=8).digest())
