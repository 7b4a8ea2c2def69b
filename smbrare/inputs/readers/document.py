"""JSON documents that are no NDJSON: pretty-printed, concatenated, one huge array, envelopes.

They are read as a stream of tokens, which cannot go on behind damage: damage ends the input.
"""

import codecs
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from smbrare.inputs.json_tokens import Readable, Token, cut_numbers, tokens
from smbrare.limits import DEFAULT, KIB, TOO_DEEP, Limits, longer_than
from smbrare.records import tables
from smbrare.records.envelope import ARRAYS, Path, element, events, holds_event
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.json_mending import JsonMender
from smbrare.records.json_text import FREE_VALUES, LEAST_VALUE_BYTES, TOO_MANY_VALUES, BadJson

_BLOCK_BYTES = 64 * KIB
_CONTAINERS: dict[str, Callable[[], Any]] = {"start_map": dict, "start_array": list}
_ENDS = frozenset({"end_map", "end_array"})
_STRUCTURE = _ENDS.union(_CONTAINERS)
_AROUND_ARRAYS = frozenset(path[:length] for path in ARRAYS for length in range(1, len(path)))
"""Where an object has to be looked into to come to an array of events."""


def read(
    stream: Readable, path: str, limits: Limits = DEFAULT, *, before: int = 0
) -> Iterator[Record | Skipped]:
    """Yield the records of a JSON stream, and what had to be skipped.

    Arrays at the top and in envelopes are read an element at a time. The records are what
    `envelope.events` makes of the elements, so that it need not be applied again.

    Args:
        stream: Decompressed UTF-8 bytes, from their start.
        path: The input's name, for the records' origins, which count elements.
        limits: The longest element to hold in memory, and how deep it may nest.
        before: How many elements came before the stream, and are counted with it.

    Raises:
        OSError: If the stream fails; records before that were yielded.
    """
    number = before
    feed = _Feed(stream, limits)
    last: Iterable[Record | Skipped] = ()
    try:
        for value in _top_level(feed, limits.nesting):
            yield from last
            number += 1
            feed.element_bytes = feed.element_tokens = 0
            last = _records(value, Origin(path, number))
            if feed.mender.flaws:
                last = _marked(last, feed.mender.take_flaws())
    except OSError:
        yield from last
        raise
    except _TooLarge as error:
        reason = str(error)
    except BadJson as bad:
        reason = str(bad)
    else:
        # Flaws behind all elements count as the last one's.
        yield from _marked(last, feed.mender.take_flaws())
        return
    yield from last
    origin = Origin(path, number + 1)
    yield Skipped(origin, f"{reason}; the rest was not read", could_matter=True, ends_input=True)


class _TooLarge(Exception):  # noqa: N818 - says what the element is
    """An element that exceeds the limits; the message says which, for the user."""


_TOO_DEEP = object()
"""Stands for a value that nests too deeply."""

_NO_EVENT = object()
"""Stands for an element of an envelope that can hold no event: a number, or null."""


class _Feed:
    """A stream as ijson reads it: mended, bytes that are no UTF-8 are U+FFFD, no element endless.

    Attributes:
        mender: What mends it.
        element_bytes: How much was read since an element ended.
        element_tokens: How many tokens that was.
    """

    def __init__(self, stream: Readable, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self.mender = JsonMender()
        self.element_bytes = self.element_tokens = 0
        self._pieces = self.mender.pieces(self._blocks())

    def read(self, size: int, /) -> bytes:
        return next(self._pieces, b"") if size else b""

    def count(self, tokens: int) -> None:
        """Count tokens that were read: two a value, more or less."""
        self.element_tokens += tokens
        values = self.element_tokens // 2
        if values > max(FREE_VALUES, self.element_bytes // LEAST_VALUE_BYTES):
            raise _TooLarge(TOO_MANY_VALUES)

    def _blocks(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while block := self._stream.read(_BLOCK_BYTES):
            self.element_bytes += len(block)
            yield cut_numbers(decoder.decode(block).encode(), self._limits.number_digits)
            if self.element_bytes > self._limits.record_bytes:
                raise _TooLarge(longer_than(self._limits))
        yield decoder.decode(b"", final=True).encode()


def _marked(items: Iterable[Record | Skipped], flaw: str) -> Iterator[Record | Skipped]:
    """Yield what an element holds, its first record marked as mended if a flaw was."""
    for item in items:
        if flaw and isinstance(item, Record):
            yield replace(item, mended=", ".join(filter(None, [item.mended, flaw])))
            flaw = ""
        else:
            yield item


def _records(value: object, origin: Origin) -> Iterator[Record | Skipped]:
    if isinstance(value, dict):
        for document in events(value):
            yield Record(origin, document)
    elif value is _NO_EVENT:
        return
    elif value is _TOO_DEEP:
        yield Skipped(origin, TOO_DEEP, could_matter=True)
    else:
        # A list may hold an event, and a text one in JSON; a number or null cannot.
        yield Skipped(origin, f"no object: {type(value).__name__}", isinstance(value, list | str))


def _top_level(feed: _Feed, nesting: int) -> Iterator[object]:
    """Yield the values at the top, and the elements of arrays and envelopes there."""
    stream = tokens(feed, feed.count)
    for token in stream:
        feed.mender.inside = True
        if token[0] == "start_array":
            for first in stream:
                if first[0] == "end_array":
                    break
                yield _value(stream, first, nesting)
        elif token[0] == "start_map":
            document, opened = yield from _object(stream, (), nesting)
            # An envelope's own keys are no event, unless one in it says so.
            if not opened or holds_event(document):
                yield document
        else:
            yield token[1]
        feed.mender.inside = False


def _object(
    tokens: Iterator[Token], path: Path, nesting: int
) -> Generator[object, None, tuple[dict[str, Any], bool]]:
    """Yield the events of an envelope one by one; return the rest of it.

    Returns:
        The object without the arrays whose elements were yielded, and whether there were any.
    """
    members: dict[str, Any] = {}
    opened = False
    for kind, key in tokens:
        if kind == "end_map":
            break
        token = next(tokens)
        place = (*path, key)
        if token[0] == "start_map" and place in _AROUND_ARRAYS:
            members[key], inner = yield from _object(tokens, place, nesting)
            opened = opened or inner
            continue
        value: Any
        if token[0] == "start_array" and (columns := _columns(members, place)):
            value = yield from _rows(tokens, columns, nesting)
            if value is None:
                opened = True
                continue
        elif token[0] == "start_array" and place in ARRAYS:
            value = yield from _events(tokens, place, nesting)
            if not value:
                opened = True
                continue
        else:
            value = _value(tokens, token, nesting)
        if value is _TOO_DEEP:
            yield value
        else:
            members[key] = value
    return members, opened


def _columns(members: dict[str, Any], place: Path) -> tuple[str, ...] | None:
    """Return the columns of the rows that stand in an array, if it is one of a table's."""
    return tables.columns_of(members) if len(place) == 1 and place[0] in tables.ROWS else None


def _rows(
    tokens: Iterator[Token], columns: tuple[str, ...], nesting: int
) -> Generator[object, None, list[object] | None]:
    """Yield the rows of a table as objects one by one.

    Returns:
        The array if its first element is no such row, so that it is a value like any other.
    """
    waiting: list[object] = []
    are_rows = False
    for token in tokens:
        if token[0] == "end_array":
            break
        value = _value(tokens, token, nesting)
        row = tables.row_object(columns, value)
        are_rows = are_rows or (row is not None and not waiting)
        if are_rows or value is _TOO_DEEP:
            yield value if row is None else row or _NO_EVENT
        else:
            waiting.append(value)
    return None if are_rows else waiting


def _events(
    tokens: Iterator[Token], path: Path, nesting: int
) -> Generator[object, None, list[object]]:
    """Yield the elements of an envelope's array one by one, from the first object on.

    Returns:
        The array if it is not empty and holds no object, so that it is a value like any other.
    """
    waiting: list[object] = []
    opened = False
    for token in tokens:
        if token[0] == "end_array":
            break
        value = _value(tokens, token, nesting)
        if value is _TOO_DEEP:
            yield value
            continue
        waiting.append(value)
        opened = opened or isinstance(value, dict)
        if opened:
            for each in waiting:
                found = element(each, path)
                yield _NO_EVENT if found is None else found
            waiting.clear()
    return waiting


def _value(tokens: Iterator[Token], token: Token, nesting: int) -> Any:
    """Return the value that a token begins; `_TOO_DEEP` if it nests too deeply."""
    kind, value = token
    if kind not in _CONTAINERS:
        return value
    current: Any = _CONTAINERS[kind]()
    is_map = kind == "start_map"
    above: list[Any] = []
    key = ""
    for kind, value in tokens:  # One pass for each key and value: the hot loop of this reader.
        if kind == "map_key":
            key = value
        elif kind not in _STRUCTURE:
            if is_map:
                current[key] = value
            else:
                current.append(value)
        elif kind in _CONTAINERS:
            child = _CONTAINERS[kind]()
            if is_map:
                current[key] = child
            else:
                current.append(child)
            above.append(current)
            if len(above) >= nesting:
                return _pass_over(tokens, len(above) + 1)
            current = child
            is_map = kind == "start_map"
        elif above:
            current = above.pop()
            is_map = current.__class__ is dict
        else:
            break
    return current


def _pass_over(tokens: Iterator[Token], depth: int) -> object:
    """Read on until so many containers have ended, and keep nothing."""
    for kind, _ in tokens:
        depth += (kind in _CONTAINERS) - (kind in _ENDS)
        if not depth:
            break
    return _TOO_DEEP
