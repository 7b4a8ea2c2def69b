"""From an input to its records: peek, unpack, choose the reader. Content decides, never the name.

Layers of compression and archives are taken off one after the other until a reader recognizes
what is left. Whatever ends a layer early becomes the last `Skipped` of the part that it cut short.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial as bind
from itertools import islice
from typing import IO, BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from smbrare.inputs.readers import csv_table, readers
from smbrare.inputs.readers.reader import Reader, ReaderOptions
from smbrare.inputs.unpack import archive_header, compression
from smbrare.inputs.unpack.streams import (
    HEAD_BYTES,
    Budget,
    Damaged,
    Stream,
    as_read,
    as_utf_8,
    blocks,
    frame_around,
    spool,
    without_frame,
)
from smbrare.limits import DEFAULT, Limits
from smbrare.records.event import Contents, Item, Origin, Record, Skipped, Suspect
from smbrare.rule.might_match import might_match_anywhere

EMPTY = "empty"
"""The container of a stream that holds nothing."""


class Part(Struct, frozen=True):
    """What one input holds in one place: the input itself, or a member of an archive.

    Attributes:
        path: The input's name; members of archives follow after ``!``.
        container: The layers from outside to inside and what they hold, for example
            ``gzip ndjson``; `EMPTY` after the layers where that is nothing, and the empty string
            where it is unknown.
        read: Returns what it holds, once. The input is read as the items are asked for, so one
            part has to be read before the next is asked for.
        is_junk: Whether it is only what an archiver leaves behind.
    """

    path: str
    container: str
    read: Callable[[ReaderOptions], Contents]
    is_junk: bool = False


def _nothing(_options: ReaderOptions) -> Contents:
    """Return what an empty part holds."""
    return Contents(iter(()))


UNREADABLE: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"MSCF", "cab"),
    (b"PAR1", "parquet"),
)
"""Formats that may well hold events and that no reader here reads, by their first bytes."""

_JUNK_FOLDER = "__MACOSX"
_JUNK_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_JUNK_PREFIX = "._"


def parts(
    stream: BinaryIO,
    path: str,
    limits: Limits = DEFAULT,
    *,
    ahead: bool = False,
    may_be_endless: bool = False,
    columns: csv_table.Names = frozenset,
) -> Iterator[Part]:
    """Yield the parts of an input, one unless it is an archive.

    Nothing is raised for what the input holds: damage, encryption and exceeded limits are
    `Skipped` with ``ends_input`` after the good records before them, in the part concerned, and in
    a part of the archive's own path where the archive itself cannot be read on.

    Args:
        stream: The input from its start; a pipe will do.
        path: Its name.
        limits: What may be held in memory and unpacked.
        ahead: Whether to unpack quickly, so that more may be lost before damage.
        may_be_endless: Whether content of no known format is looked into only at its beginning.
        columns: Returns the columns that tables of events have; without, no table is known.
    """
    budget = Budget(limits)
    seekable = stream if stream.seekable() and not stream.tell() else None
    yield from _unpacked(
        Stream(blocks(stream, budget)),
        path,
        _Context(seekable, budget, columns, ahead=ahead, may_be_endless=may_be_endless),
    )


class _Context(Struct, frozen=True):
    """What the layers of one input share.

    Attributes:
        input: The input's own stream, if it can be read at any place.
        budget: What it may expand to.
        columns: Returns the columns that tables of events have.
        layers: The layers that were taken off.
        is_member: Whether an archive gave the stream.
        ahead: Whether to unpack quickly.
        may_be_endless: Whether the input may have no end, as a device.
    """

    input: IO[bytes] | None
    budget: Budget
    columns: csv_table.Names
    layers: tuple[str, ...] = ()
    is_member: bool = False
    ahead: bool = False
    may_be_endless: bool = False

    def inside(self, layer: str, *, is_member: bool = False) -> "_Context":
        layers, is_member = (*self.layers, layer), is_member or self.is_member
        return replace(self, layers=layers, is_member=is_member)

    def named(self, *what: str) -> str:
        return " ".join((*self.layers, *what))


def _unpacked(stream: Stream, path: str, context: _Context) -> Iterator[Part]:
    """Yield the parts of a stream under whatever layers there are."""
    head = stream.head
    packed = compression.recognize(head)
    layer = packed.name if packed else archive_header.recognize(head)
    if layer and len(context.layers) >= context.budget.limits.layers:
        most = context.budget.limits.layers
        reason = f"more than {most} layers inside one another (limit layers)"
        yield Part(path, context.named(layer), _failed(path, reason))
    elif packed:
        unpacked = compression.decompressed(stream, packed, context.budget, ahead=context.ahead)
        # A thread that unpacks ends with who reads, if only a part of what it gives was wanted.
        with closing(unpacked):
            yield from _unpacked(Stream(unpacked, stream), path, context.inside(layer))
    elif layer:
        yield from _archive(stream, layer, path, context)
    else:
        yield _plain(stream, head, path, context)


def _archive(stream: Stream, kind: str, path: str, context: _Context) -> Iterator[Part]:
    """Yield the parts of an archive's members, then what is wrong with the archive itself."""
    inside = context.inside(kind, is_member=True)
    copy: IO[bytes] | None = None
    # Most inputs are none, and do without the libraries.
    from smbrare.inputs.unpack import archives, zip_archive  # noqa: PLC0415

    found = False
    try:
        if kind == archive_header.ZIP:
            copy = _seekable(stream, context)
            members = zip_archive.zip_members(copy, stream, context.budget)
        else:
            members = archives.tar_members(stream, context.budget)
        for member in members:
            found = True
            yield from _unpacked(member.stream, f"{path}!{member.name}", inside)
        trouble = stream.trouble
    except Damaged as damage:
        trouble = stream.trouble or str(damage)
    finally:
        if copy is not None and copy is not context.input:
            copy.close()
    if trouble:
        yield Part(path, inside.named(), _failed(path, trouble))
    elif not found:
        yield Part(path, inside.named(EMPTY), _nothing)


def _plain(stream: Stream, head: bytes, path: str, context: _Context) -> Part:
    """Return the part of a stream that no further layer wraps."""
    for magic, name in UNREADABLE:
        if head.startswith(magic):
            reason = f"{name} is not read here: unpack or convert it first"
            return Part(path, context.named(name), _failed(path, reason))
    if reader := _recognized(head, context, reads_file=True):
        of_file = bind(_read_file, reader, stream, path, context)
        return Part(path, context.named(reader.name), of_file)
    text = as_utf_8(stream)
    mark, head = head, text.head
    if frame := frame_around(head):
        text, context = Stream(without_frame(text), text), context.inside(frame)
        head = text.head
    if reader := _recognized(head, context, reads_file=False):
        of_text = bind(_read_text, reader, text, path)
        return Part(path, context.named(reader.name), of_text)
    if text.trouble:
        return Part(path, context.named(), _failed(path, text.trouble))
    if len(head) < HEAD_BYTES and not head.strip():
        return Part(path, context.named(EMPTY), _nothing)
    of_unknown = bind(_read_unknown, text, mark, path, context)
    return Part(path, "", of_unknown, is_junk=context.is_member and _is_junk(path))


def _is_junk(path: str) -> bool:
    """Return whether a member's name is one that only archivers and desktops give.

    It is asked of members alone whose content is unknown: a name must not hide evidence.
    """
    folders = path.rpartition("!")[2].split("/")
    name = folders[-1]
    return _JUNK_FOLDER in folders or name in _JUNK_FILES or name.startswith(_JUNK_PREFIX)


def _seekable(stream: Stream, context: _Context) -> IO[bytes]:
    """Return a stream's bytes where they can be read at any place: the input, or a copy.

    Raises:
        Damaged: If there is no room for the copy.
    """
    if not context.layers and context.input is not None:
        context.budget.taken = context.input.seek(0, io.SEEK_END)
        context.input.seek(0)
        return context.input
    return spool(stream, context.budget.limits)


def _recognized(head: bytes, context: _Context, *, reads_file: bool) -> Reader | None:
    """Return the reader of files, or of text, that knows a stream by its first bytes."""
    whole = len(head) < HEAD_BYTES
    for reader in readers(context.columns):
        if reader.reads_file == reads_file and reader.recognizes(head, whole):
            return reader
    return None


def _read_text(reader: Reader, text: Stream, path: str, options: ReaderOptions) -> Contents:
    contents = reader.read(text, path, options)
    return replace(contents, items=_to_the_end(contents.items, text, path))


def _read_unknown(
    text: Stream, mark: bytes, path: str, context: _Context, options: ReaderOptions
) -> Contents:
    """Return whether content of no known format might hold a match, and where."""
    if options.texts:
        return _nothing(options)

    def items() -> Iterator[Item]:
        chunks = islice(as_read(text, mark), 64 if context.may_be_endless else None)
        place = might_match_anywhere(chunks)
        if place is not None:
            yield Suspect(Origin(path, 0, place))

    return Contents(_to_the_end(items(), text, path))


def _read_file(
    reader: Reader, stream: Stream, path: str, context: _Context, options: ReaderOptions
) -> Contents:
    """Return what a reader gives of a stream that it reads at any place."""
    try:
        file = _seekable(stream, context)
    except Damaged as damage:
        return _failed(path, stream.trouble or str(damage))(options)
    contents = reader.read(file, path, options)

    def items() -> Iterator[Item]:
        try:
            yield from _to_the_end(contents.items, stream, path)
        finally:
            if file is not context.input:
                file.close()

    return replace(contents, items=items())


def _to_the_end(items: Iterable[Item], stream: Stream, path: str) -> Iterator[Item]:
    """Yield what a reader gives, and last why its stream ended before its end, if it did.

    That is the cause of a last record that is cut off, so only one of them is reported.

    Args:
        items: Records, skipped records, and what else the reader tells.
        stream: What it reads.
        path: The part's name.
    """
    last = Origin(path, 0)
    cut_off: Skipped | None = None
    try:
        for item in items:
            if isinstance(item, Record | Skipped):
                last = item.origin
            if isinstance(item, Skipped) and item.ends_input:
                cut_off = item
            else:
                yield item
        trouble = stream.trouble
    except OSError as error:
        trouble = f"cannot be read: {error.strerror or error}"
    if trouble:
        yield Skipped(last, trouble, could_matter=True, ends_input=True)
    elif cut_off is not None:
        yield cut_off


def _failed(path: str, reason: str) -> Callable[[ReaderOptions], Contents]:
    """Return how a part reads that cannot be read: nothing, and why."""
    skipped = Skipped(Origin(path, 0), reason, could_matter=True, ends_input=True)
    return lambda _: Contents(iter((skipped,)))
