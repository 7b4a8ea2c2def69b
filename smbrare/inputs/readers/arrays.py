"""JSON documents by the fastest way that gives the same: arrays of objects as lines, else tokens.

Of an array a window of the text is cut behind its last element, and what lies before the cut is
checked as one array: a cut inside of an element or of a string cannot be JSON. What is in doubt is
not guessed at: the lines end before it, and the rest goes on as a document, its elements counted
on.
"""

import io
import re
from collections.abc import Iterator
from itertools import chain

import msgspec
import stringzilla

from smbrare.inputs.json_tokens import Readable, has_long_number
from smbrare.inputs.readers import document, ndjson
from smbrare.inputs.readers.ndjson import records
from smbrare.inputs.readers.reader import ReaderOptions, without_offset
from smbrare.inputs.unpack.streams import Layer, Stream, blocks
from smbrare.limits import DEFAULT, KIB, MIB, Limits
from smbrare.records import envelope
from smbrare.records.event import Contents, Item, Origin, Record, Sample, Skipped, Tally

WINDOW_BYTES = MIB // 2
"""Text that is cut at a time."""

_TAIL_BYTES = 32 * KIB
"""Where the last element's end is looked for before the whole window is."""

_BEGINNING = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?=\{)")
_BETWEEN = re.compile(rb"\}[ \t\r\n]*+,[ \t\r\n]*+(?=\{)")

_TOKENS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?'  # a string, or what there is of it
    rb"|\}[ \t\r\n]*+,[ \t\r\n]*+(?=\{)|[\[\]{}]",
    re.DOTALL,
)

_QUOTE = ord('"')

# No JSON text holds this character, so it can stand between elements until their own line ends,
# which only white space has, are blanks.
_APART = b"\x1e"
_BLANK_LINE_ENDS = bytes.maketrans(b"\n" + _APART, b" \n")
_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode


def begins_array(head: bytes) -> bool:
    """Return whether a text begins with an array whose first element is an object."""
    return _BEGINNING.match(head) is not None


class ArrayLines:
    """The elements of an array, as far as they can be given as lines.

    Attributes:
        elements: How many were given.
        complete: Whether that was the whole text.
    """

    def __init__(
        self, stream: Readable, limits: Limits = DEFAULT, window_bytes: int = WINDOW_BYTES
    ) -> None:
        """Begin to read.

        Args:
            stream: UTF-8 text, from its start.
            limits: The longest element to hold in memory, and the longest number.
            window_bytes: Bytes to cut at a time; a window grows for an element that is longer.
        """
        self.elements = 0
        self.complete = False
        self._stream = stream
        self._limits = limits
        self._window_bytes = min(window_bytes, limits.record_bytes)
        self._rest = b""
        self._failure: OSError | None = None

    def blocks(self) -> Iterator[bytes]:
        """Yield lines that hold an object each, whole lines at a time."""
        text = self._rest = self._read_on(self._window_bytes)
        beginning = _BEGINNING.match(text)
        if beginning is None:
            return
        ended = len(text) < self._window_bytes
        text = text[beginning.end() :]
        while not ended:
            cut = self._cut(text)
            lines, past = cut or (b"", 0)
            if past:
                yield self._counted(lines)
                text = text[past:]
            elif len(text) >= self._limits.record_bytes:
                break
            wanted = self._window_bytes if past else max(len(text), self._window_bytes)
            more = self._read_on(wanted)
            text += more
            ended = len(more) < wanted
            if cut is None and not ended:
                break
        lines = self._lines(b"[" + text) if ended else b""
        self.complete = bool(lines) and self._failure is None
        self._rest = b"[]" if lines else b"[" + text
        if lines:
            yield self._counted(lines)

    def rest(self) -> Readable:
        """Return the text from the first element that was not given, as an array of its own."""
        return _Rest(self._rest, self._stream, self._failure)

    def _counted(self, lines: bytes) -> bytes:
        self.elements += stringzilla.count(lines, b"\n")
        return lines

    def _read_on(self, size: int) -> bytes:
        """Return up to so many bytes; a failure is kept for whoever reads the rest."""
        parts: list[bytes] = []
        try:
            while size > 0 and (part := self._stream.read(size)):
                parts.append(part)
                size -= len(part)
        except OSError as error:
            self._failure = error
        return b"".join(parts)

    def _cut(self, text: bytes) -> tuple[bytes, int] | None:
        """Cut a text between two elements, as late as possible.

        Returns:
            The lines before the cut, and where the element behind it begins; nothing and 0 if the
            first element goes on behind the text, None if the text is no array of objects.
        """
        first = last = None
        for last in _BETWEEN.finditer(text, max(len(text) - _TAIL_BYTES, 0)):
            first = first or last
        if first and last:
            if lines := self._lines_before(text, last):
                return lines, last.end()
            # A string or an inner array may hold what looks like the end of an element.
            outer = _outermost(text, first.start())[0]
            if outer and (lines := self._lines_before(text, outer)):
                return lines, outer.end()
        found, depth, lowest = _outermost(text, 0)
        if lowest < 0:
            return None
        if found is None or depth:
            return b"", 0
        lines = self._lines_before(text, found)
        return (lines, found.end()) if lines else None

    def _lines_before(self, text: bytes, place: re.Match[bytes]) -> bytes:
        past = place.start() + 1
        return self._lines(b"".join((b"[", memoryview(text)[:past], b"]")))

    def _lines(self, array: bytes) -> bytes:
        """Return the elements of an array as lines, nothing if it is in doubt."""
        try:
            elements: list[msgspec.Raw | bytes] = [*_decode(array)]
        except (ValueError, RecursionError):
            return b""
        count = len(elements)
        elements.append(b"")
        lines = b"\n".join(elements)
        if stringzilla.count(lines, b"\n") != count:
            lines = stringzilla.translate(_APART.join(elements), _BLANK_LINE_ENDS)
        others = not lines.startswith(b"{") or stringzilla.count(lines, b"\n{") != count - 1
        return b"" if others or self._exceeds(lines) else lines

    def _exceeds(self, lines: bytes) -> bool:
        """Return whether a line or a number is longer than the limits allow."""
        longest = self._limits.record_bytes
        if len(lines) > longest and max(map(len, lines.split(b"\n"))) > longest:
            return True
        return has_long_number(lines, self._limits.number_digits)


class _Rest:
    """Some text, and what a stream holds behind it."""

    def __init__(self, text: bytes, stream: Readable, failure: OSError | None) -> None:
        self._text = text
        self._stream = stream
        self._failure = failure

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, none at the end."""
        if not self._text and self._failure is not None:
            raise self._failure
        if not self._text:
            return self._stream.read(size)
        text, self._text = self._text[:size], self._text[size:]
        return text


def _outermost(text: bytes, start: int) -> tuple[re.Match[bytes] | None, int, int]:
    """Find where two objects of an array meet that lies in as few others as possible.

    Args:
        text: JSON text.
        start: Where to begin, outside of a string.

    Returns:
        The last such place, how many objects and arrays lie around it that began behind the
        start, and the least number of them anywhere: below 0 if more end than begin.
    """
    found: re.Match[bytes] | None = None
    depth = least = lowest = 0
    for token in _TOKENS.finditer(text, start):
        kind = token[0]
        if kind[0] == _QUOTE:
            continue
        if kind in {b"{", b"["}:
            depth += 1
            continue
        depth -= 1
        lowest = min(lowest, depth)
        if len(kind) > 1 and (found is None or depth <= least):
            found, least = token, depth
    return found, least, lowest


def read(stream: Stream, path: str, options: ReaderOptions) -> Contents:
    """Return what a JSON stream holds, as a `Reader` does; origins count elements.

    It is what `document.read` gives. Only numbers of an array's elements may be of another type,
    as `json_text.decode` gives them. Of a large array only the elements may be decoded that might
    match; what is no array of objects is always read whole.
    """
    if not begins_array(stream.head):
        return Contents(document.read(stream, path, options.limits))
    if options.texts:
        return Contents(elements(ArrayLines(stream, options.limits), path, options))
    if options.sample_every:
        head = stream.read(options.sampled_from)
        options = options.for_beginning(head)
        stream = Stream(chain([head], blocks(stream)), stream)
    array = ArrayLines(stream, options.limits)
    return Contents(elements(array, path, options), bool(options.sample_every))


def elements(array: ArrayLines, path: str, options: ReaderOptions) -> Iterator[Item]:
    """Yield what the elements of an array hold, and then what is no line of it."""
    limits = options.limits
    lines = Layer(array.blocks())
    if options.texts:
        yield from without_offset(ndjson.read_with(lines, path, options))
    elif options.sample_every:
        yield from without_offset(ndjson.read_range(lines, path, options))
    else:
        yield from _each(array, path, limits)
    if not array.complete:
        rest = document.read(array.rest(), path, limits, before=array.elements)
        yield from _all_sampled(rest) if options.sample_every else rest


def _each(array: ArrayLines, path: str, limits: Limits) -> Iterator[Item]:
    number = 0
    for block in array.blocks():
        for line in block.split(b"\n")[:-1]:
            number += 1
            for item in records(line, Origin(path, number), limits):
                if isinstance(item, Record):
                    for event in envelope.events(item.document):
                        yield Record(item.origin, event)
                else:
                    # Rare, and told in the words of documents.
                    alone = io.BytesIO(b"[" + line + b"]")
                    yield from document.read(alone, path, limits, before=number - 1)


def _all_sampled(items: Iterator[Record | Skipped]) -> Iterator[Item]:
    """Yield records that are all counted, each element once."""
    number = 0
    for item in items:
        if item.origin.number != number:
            number = item.origin.number
            yield Tally(1, 0, isinstance(item, Skipped))
        yield item
        if isinstance(item, Record):
            yield Sample(item)
