"""The records of a large EVTX file as lines of NDJSON, of which only some have to be decoded."""

from collections.abc import Iterable, Iterator
from typing import IO

from msgspec.structs import replace

from smbrare.arrays import Sifted
from smbrare.event import Origin, Record, Skipped
from smbrare.limits import DEFAULT, MIB, Limits
from smbrare.readers.evtx_log import Text, texts
from smbrare.readers.ndjson_blocks import Tally, Undecided, read_blocks
from smbrare.unpack.streams import Layer

_CHARACTERS = MIB // 2
"""Text to sift at a time."""


def read_sifted(
    file: IO[bytes],
    path: str,
    limits: Limits = DEFAULT,
    *,
    sample_every: int,
    undecided: Undecided,
) -> Iterator[Sifted]:
    """Yield what `evtx_log.read` does, but only records that could match, and a sample.

    Args:
        file: The file, readable at any place; it stays open.
        path: The input's name, for the records' origins, which count as those of `evtx_log.read`.
        limits: The longest record to decode, and how deep it may nest.
        sample_every: Bytes of JSON between sampled records; see `read_blocks`.
        undecided: Which records are to be decoded; see `read_blocks`.
    """
    skipped: list[Skipped] = []
    lines = as_lines(file, path, skipped)
    number = 0
    for item in read_blocks(
        lines, path, limits=limits, sample_every=sample_every, undecided=undecided
    ):
        yield from _taken(skipped)
        if isinstance(item, Record | Skipped):
            yield replace(item, origin=replace(item.origin, offset=None))
        else:
            number += item.lines if isinstance(item, Tally) else 0
            yield item
    yield from _taken(skipped)
    if lines.trouble:
        yield Skipped(Origin(path, number), lines.trouble, could_matter=True, ends_input=True)


def as_lines(file: IO[bytes], path: str, skipped: list[Skipped]) -> Layer:
    """Return the records of an EVTX file as a stream of NDJSON, a line for each.

    Args:
        file: The file, readable at any place; it stays open.
        path: The input's name.
        skipped: Gets what was skipped; a blank line stands for it.
    """
    return Layer(_lines(texts(file, path), skipped))


def _lines(items: Iterable[Text | Skipped], skipped: list[Skipped]) -> Iterator[bytes]:
    lines: list[str] = []
    size = 0
    for item in items:
        if isinstance(item, Skipped):
            skipped.append(item)
            lines.append("")
        else:
            # Between two values a line end is as good as a blank, and inside of one there is none.
            lines.append(item.json.replace("\n", " "))
            size += len(item.json)
        if size >= _CHARACTERS:
            yield _encoded(lines)
            lines, size = [], 0
    if lines:
        yield _encoded(lines)


def _encoded(lines: list[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()


def _taken(skipped: list[Skipped]) -> Iterator[Sifted]:
    """Take and yield what was skipped."""
    for item in skipped:
        # It was counted as blank, and is a record that was skipped.
        yield Tally(0, -1)
        yield item
    skipped.clear()
