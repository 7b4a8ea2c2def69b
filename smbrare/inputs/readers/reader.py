"""What every reader of a format is: a name, a test of the first bytes, and a way to read.

A large input is sampled, at places that follow from its own first bytes.
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.limits import DEFAULT, KIB, Limits
from smbrare.records.event import Contents, Item, Record, Skipped

EVERY = 0
"""The distance between samples of what is decoded whole: every record is one."""

_SEED_BYTES = 32 * KIB
_EVENLY = 1_024
"""How many records are sampled at one distance before it doubles."""

NeedsDecoding: TypeAlias = Callable[[Sequence[memoryview]], Iterable[int]]
"""Tells which of some lines have to be decoded, by their place in the sequence."""


class ReaderOptions(Struct, frozen=True):
    """How a part of an input is to be read.

    Attributes:
        limits: What is too large to read.
        sample_every: Bytes between sampled records, where only records that might match the rule
            are decoded; `EVERY` to decode all. The first record is one, the last, and one in every
            stretch of the distance. Behind 1,024 of them the distance doubles, and again where the
            stream does: its length may be unknown. Neither ranges nor blocks change which they
            are, if the last range begins before the last line.
        sample_seed: What their places follow from, so that no log can be laid around them.
        sampled_from: Bytes from which on a part is sampled; of a shorter one every record is.
        needs_decoding: Asked which of the records that the port sieve leaves are to be decoded:
            all but those that are certainly well-formed and certainly no match.
        texts: Only records that hold one of these in whatever case are wanted, in lower case; none
            for all records. A format without lines gives all the same.
    """

    limits: Limits = DEFAULT
    sample_every: int = EVERY
    sample_seed: int = 0
    sampled_from: int = 0
    needs_decoding: NeedsDecoding = lambda lines: range(len(lines))
    texts: tuple[bytes, ...] = ()

    def with_seed(self, head: bytes) -> "ReaderOptions":
        """Return the same, for an input that begins with some bytes."""
        return replace(self, sample_seed=sample_seed(head))

    def for_beginning(self, head: bytes) -> "ReaderOptions":
        """Return the same, seeded; for every record if all bytes are fewer than are sampled."""
        if len(head) < self.sampled_from:
            return replace(self, sample_every=EVERY)
        return self.with_seed(head)

    def sample_places(self, first: int, past: int) -> Iterator[int]:
        """Yield the places between two bytes of a stream, the second past the end, to sample at."""
        if first == 0 < past:
            yield 0
        every = self.sample_every
        for stretch in range(first // every, -(-past // every)):
            if stretch % (1 << (stretch // _EVENLY).bit_length()) == 0:
                place = stretch * every + _scattered(self.sample_seed, stretch) % every
                if first <= place < past:
                    yield place


def _scattered(seed: int, number: int) -> int:
    """Return a number that looks like chance, the same for the same numbers."""
    return int.from_bytes(blake2b(b"%d %d" % (seed, number), digest_size=8).digest())


def sample_seed(head: bytes) -> int:
    """Return what the places of an input's samples follow from: a hash of its first bytes.

    Args:
        head: Those of `streams.HEAD_BYTES` that there are; fewer would do.
    """
    # A stream of text has blanks where its file has a byte order mark.
    text = head.removeprefix(BOM_UTF8).lstrip()
    return int.from_bytes(blake2b(text[:_SEED_BYTES], digest_size=8).digest())


class Reader(Struct, frozen=True):
    """A format of records.

    Attributes:
        name: What it is called in `Part.container`.
        recognizes: Whether a stream is of this format, by its first bytes and by whether they are
            all of it.
        read: Returns what a stream holds, given its decompressed bytes from their start, in UTF-8
            if they are text, the name of the input for the records' origins, and how to read.
            Raises OSError if the stream fails; later, when the items are read, behind those before.
        reads_file: Whether it is a file that it reads, at any place, instead of text.
    """

    name: str
    recognizes: Callable[[bytes, bool], bool]
    read: Callable[[Any, str, ReaderOptions], Contents]
    reads_file: bool = False


def of_all(
    read: Callable[[Any, str, Limits], Iterator[Record | Skipped]],
) -> Callable[[Any, str, ReaderOptions], Contents]:
    """Return a way to read for a format of which every record is decoded, whatever is asked."""
    return lambda stream, path, options: Contents(read(stream, path, options.limits))


def without_offset(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the same, without the places of lines that are not where their records stand."""
    for item in items:
        if isinstance(item, Record | Skipped):
            yield replace(item, origin=replace(item.origin, offset=None))
        else:
            yield item
