"""The fast path over NDJSON gives what the plain one gives, whatever the blocks and ranges."""

import io
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs.readers.ndjson import is_blank, read_range, records, too_long
from smbrare.inputs.readers.reader import EVERY, ReaderOptions
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Mention, Origin, Record, Sample, Skipped, Suspect, Tally, shift
from smbrare.rule.port_sieve import may_match, scan_block

PATH = "log.ndjson"
Item = Record | Skipped

LINES = (
    b'{"a":1}',
    b'{"port":445}',
    b'{"port":"139","list":[1,2,3]}',
    b'{"a":"' + b"x" * 40 + b'"}',
    b'{"port":445,"a":"' + b"x" * 80 + b'"}',
    b'{"port":445',
    b'"port":445}',
    b'{"port":445 broken}',
    b'{"a" broken}',
    b'{"a":1},{"b":2}',
    b'{"a":"\\ud800"}',
    b' {"a":2} ',
    b'\xef\xbb\xbf{"a":3}',
    b"",
    b" \t",
    b"7",
    b"null",
    b'{"a":4},',
    b'{"port":445}{"port":139}',
    b'{"port":445}{"port":',
    b'\0\0{"port":445}',
    b'{"a":NaN}',
    b"[445]",
    b"\x00\xff\x00",
)
ENDS = (b"\n", b"\r\n")

lines = st.builds(lambda line, end: line + end, st.sampled_from(LINES), st.sampled_from(ENDS))
files = st.builds(
    lambda whole, last: b"".join(whole) + last,
    st.lists(lines, max_size=12),
    st.just(b"") | st.sampled_from(LINES),
)
limits = st.just(Limits()) | st.integers(4, 110).map(Limits)


FAR = 1 << 40
"""A distance that no second sample lies in."""


def sifting(limits: Limits = DEFAULT) -> ReaderOptions:
    return ReaderOptions(limits, sample_every=FAR)


def every_line(content: bytes, most: Limits) -> Iterator[Item]:
    offset = 0
    for number, line in enumerate(io.BytesIO(content), 1):
        origin = Origin(PATH, number, offset)
        offset += len(line)
        if len(line.removesuffix(b"\n")) > most.record_bytes:
            yield too_long(origin, most)
        elif not is_blank(line):
            yield from records(line, origin, most)


class Trickle(io.RawIOBase):
    """A stream that gives as few bytes as chance says, and cannot seek."""

    def __init__(self, content: bytes, random: Random) -> None:
        self._content = io.BytesIO(content)
        self._random = random

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill some of the buffer."""
        view = memoryview(buffer)
        return self._content.readinto(view[: self._random.randrange(1, 30)])


def gathered(
    ranges: Iterable[Iterable[Item | Sample | Mention | Tally | Suspect]],
) -> tuple[list[Item], int, int]:
    """Return what ranges that follow one another gave: items as of the file, lines, blank lines."""
    items: list[Item] = []
    count = blank = 0
    for found in ranges:
        before = count
        for item in found:
            if isinstance(item, Tally):
                count += item.lines
                blank += item.blank
            elif isinstance(item, Record):
                items.append(Record(shift(item.origin, before), item.document, item.mended))
            elif isinstance(item, Skipped):
                origin = shift(item.origin, before)
                items.append(Skipped(origin, item.reason, item.could_matter, item.ends_input))
    return items, count, blank


def is_object(line: bytes) -> bool:
    """Return whether a line is an object in braces, as strict a parser reads it."""
    try:
        return isinstance(orjson.loads(line), dict) and not scan_block(line).odd
    except orjson.JSONDecodeError:
        return False


def expected(content: bytes, most: Limits) -> tuple[list[Item], int, int]:
    """Return the same by way of the plain reader, less the objects that the sieve lets go."""
    whole = content.split(b"\n")
    if not whole[-1]:
        whole.pop()
    ended = content.endswith(b"\n")

    def is_kept(item: Item) -> bool:
        line = whole[item.origin.number - 1]
        last = item.origin.number == len(whole) and not ended
        is_long = len(line) > most.record_bytes
        return last or is_long or may_match(line) or not is_object(line)

    items = [item for item in every_line(content, most) if is_kept(item)]
    return items, len(whole), sum(not line.strip() for line in whole)


@given(files, limits, st.lists(st.integers(0, 500), max_size=4), st.integers(1, 200))
def test_ranges_and_blocks_change_nothing(
    content: bytes, most: Limits, cuts: list[int], block_bytes: int
) -> None:
    edges = [0, *sorted(cuts), None]
    ranges = (
        read_range(
            io.BytesIO(content), PATH, sifting(most), start or 0, end, block_bytes=block_bytes
        )
        for start, end in pairwise(edges)
    )
    assert gathered(ranges) == expected(content, most)


@given(files, limits, st.lists(st.integers(0, 500), max_size=4), st.integers(1, 200))
def test_ranges_and_blocks_that_are_decoded_whole_change_nothing(
    content: bytes, most: Limits, cuts: list[int], block_bytes: int
) -> None:
    ranges = (
        read_range(
            io.BytesIO(content),
            PATH,
            ReaderOptions(most, sample_every=EVERY),
            start or 0,
            end,
            block_bytes=block_bytes,
        )
        for start, end in pairwise([0, *sorted(cuts), None])
    )
    items, count, _ = gathered(ranges)
    assert items == list(every_line(content, most))
    assert count == len(list(io.BytesIO(content)))


@given(files, limits, st.integers(0, 2**32).map(Random), st.integers(1, 200))
def test_a_stream_that_trickles_gives_the_same(
    content: bytes, most: Limits, random: Random, block_bytes: int
) -> None:
    stream = Trickle(content, random)
    found = read_range(stream, PATH, sifting(most), block_bytes=block_bytes)
    assert gathered([found]) == expected(content, most)


def test_a_line_that_ends_where_the_range_does_belongs_to_it() -> None:
    content = b'{"port":445}\n{"port":139}\n'
    first = gathered([read_range(io.BytesIO(content), PATH, sifting(), 0, 13)])
    second = gathered([read_range(io.BytesIO(content), PATH, sifting(), 13, 26)])
    assert first == ([Record(Origin(PATH, 1, 0), {"port": 445})], 1, 0)
    assert second == ([Record(Origin(PATH, 1, 13), {"port": 139})], 1, 0)


@pytest.mark.parametrize("options", [sifting(), ReaderOptions()])
def test_every_object_of_a_joined_line_is_counted(options: ReaderOptions) -> None:
    content = b'{"a":1}\n{"port":445}{"port":139}{"b":1}\n{"port":445}{"port":\n\n'
    found = list(read_range(io.BytesIO(content), PATH, options))
    assert sum(item.records for item in found if isinstance(item, Tally)) == 5
    assert sum(isinstance(item, Skipped) for item in found) == 1


def test_a_line_that_is_cut_off_ends_the_input() -> None:
    content = b'{"a":1}\n{"a":{"b":1}'
    items, count, _ = gathered([read_range(io.BytesIO(content), PATH, sifting())])
    assert count == 2
    assert isinstance(items[0], Skipped)
    assert items[0].ends_input
    assert items[0].origin == Origin(PATH, 2, 8)


class Failing(io.RawIOBase):
    """A stream that fails behind its first bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or raise OSError at the end."""
        count = self._content.readinto(buffer)
        if not count:
            raise OSError("device lost")
        return count


def test_lines_before_a_failure_are_counted_and_given() -> None:
    found = read_range(Failing(b'{"a":1}\n{"port":445}\n{"port":'), PATH, sifting())
    assert next(found) == Record(Origin(PATH, 2, 8), {"port": 445})
    assert isinstance(next(found), Sample)
    assert next(found) == Tally(2, 0)
    with pytest.raises(OSError, match="device lost"):
        next(found)


class Counting(io.BytesIO):
    """A stream that remembers how much was asked of it each time, and how much it gave in all."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked: list[int] = []
        self.total = 0

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer."""
        count = super().readinto(buffer)
        self.asked.append(len(memoryview(buffer)))
        self.total += count
        return count


@pytest.mark.parametrize("most", [10_000, 10_000_000])
def test_a_long_line_takes_memory_up_to_the_limit_and_gives_it_back(most: int) -> None:
    long = b'{"port":445,"a":"' + b"x" * 1_000_000 + b'"}\n'
    stream = Counting(b'{"a":1}\n' + long + b'{"a":1}\n' * 100_000)
    found = read_range(stream, PATH, sifting(Limits(record_bytes=most)), block_bytes=1000)
    tracemalloc.start()
    try:
        items, count, _ = gathered([found])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The line twice while it grows, and thirteen times what it takes to decode it.
    assert peak <= 20 * min(most, len(long)) + 200_000
    assert max(stream.asked) <= 8_000
    assert count == 100_002
    assert [type(item) for item in items] == [Record if most > len(long) else Skipped]


def test_samples_grow_far_apart_where_the_length_is_unknown() -> None:
    line = b'{"n":1000}\n'
    counts = []
    for times in (1, 2, 4, 8):
        stream = io.BytesIO(line * 1_024 * times)
        found = read_range(stream, PATH, ReaderOptions(sample_every=len(line)), block_bytes=1000)
        counts.append(sum(isinstance(item, Sample) for item in found))
    # Each doubling adds half as many as there were at first, and the last line is one more.
    assert counts == [1_024 + 512 * doubled + 1 for doubled in range(4)]


def test_a_range_within_a_long_line_reads_no_further_than_its_end() -> None:
    stream = Counting(b"x" * 1_000_000 + b'\n{"port":445}\n')
    assert gathered([read_range(stream, PATH, sifting(), 1000, 5000, block_bytes=1000)]) == (
        [],
        0,
        0,
    )
    assert stream.total <= 6000


def test_bytes_are_read_once() -> None:
    content = b'{"a":1}\n{"port":445}\n' * 10_000
    stream = Counting(content)
    _, count, _ = gathered([read_range(stream, PATH, sifting(), block_bytes=4096)])
    assert count == 20_000
    assert stream.total == len(content)


def log(count: int) -> bytes:
    return b"".join(b'{"n":%d}\n' % number for number in range(count))


def sampled(content: bytes, every: int, *cuts: int, block_bytes: int = 4096) -> list[Record]:
    """Return the sampled records of a file that is read in ranges."""
    return [
        item.record
        for start, end in pairwise([0, *cuts, None])
        for item in read_range(
            io.BytesIO(content),
            PATH,
            ReaderOptions(sample_every=every),
            start or 0,
            end,
            block_bytes=block_bytes,
        )
        if isinstance(item, Sample)
    ]


def test_no_grid_tells_where_the_sample_lies() -> None:
    """A log laid around the samples of another log is sampled elsewhere."""
    content = log(10_000)
    options = ReaderOptions(sample_every=1_000)
    one, two = (
        {*options.with_seed(head).sample_places(1, len(content))}
        for head in (content, b"x" + content)
    )
    assert len(one) > 80
    assert len(one & two) < 10
    assert {mark // 1_000 for mark in one} == {mark // 1_000 for mark in two}


def numbers(records: Iterable[Record]) -> list[int]:
    return [record.document["n"] for record in records]


def test_a_sample_is_spread_evenly_and_holds_the_first_and_the_last() -> None:
    content = log(100_000)
    found = numbers(sampled(content, len(content) // 100))
    assert found[0] == 0
    assert found[-1] == 99_999
    assert 100 <= len(found) <= 102
    assert max(after - before for before, after in pairwise(found)) < 2200


@given(
    st.integers(1, 300),
    st.integers(1, 100),
    st.lists(st.integers(1, 3000), max_size=4).map(sorted),
    st.integers(1, 200),
)
def test_a_sample_is_the_same_whatever_the_ranges_and_blocks(
    count: int, every: int, cuts: list[int], block_bytes: int
) -> None:
    content = log(count)
    whole = sampled(content, every)
    parted = sampled(content, every, *cuts, block_bytes=block_bytes)
    # The last record is sampled by the last range, which may hold none.
    assert set(numbers(parted)) | {count - 1} == set(numbers(whole))


@given(files, st.integers(1, 200))
def test_a_sample_holds_whole_records_and_knows_where_they_stand(
    content: bytes, every: int
) -> None:
    for found in sampled(content, every):
        assert found.origin.offset is not None
        line = content[found.origin.offset :].split(b"\n")[0] + b"\n"
        assert found.document in [
            item.document for item in records(line, found.origin) if isinstance(item, Record)
        ]
        assert found.origin.offset == 0 or content[found.origin.offset - 1 :][:1] == b"\n"


def test_a_line_that_cannot_match_is_not_decoded() -> None:
    content = b'{"port":445,"n":1}\n{"port":445,"n":2}\n'
    options = ReaderOptions(
        sample_every=FAR,
        needs_decoding=lambda lines: [
            n for n, line in enumerate(lines) if b'"n":1' not in bytes(line)
        ],
    )
    found = read_range(io.BytesIO(content), PATH, options)
    records = [item for item in found if isinstance(item, Record)]
    assert numbers(records) == [2]
    assert records[0].origin.number == 2
