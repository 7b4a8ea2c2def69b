"""Windows event XML: one event, ``<Events>``, or many events without a root, as a stream.

Events are found by their tags and parsed one at a time, so that a broken one costs only itself and
no document is ever held whole.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from smbrare.limits import DEFAULT, KIB, MIB, Limits, longer_than
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.event_xml import BadXml, parse
from smbrare.rule.port_sieve import may_match_wide

_BLOCK_BYTES = 64 * KIB
_OUTSIDE_BYTES = 1 * MIB
_HIDDEN_BYTES = 1 * MIB
_LONGEST_MARK = 32
_EVENT_BEGINS = re.compile(rb"<Event(?=[\s/>])")
_MARK = re.compile(_EVENT_BEGINS.pattern + rb"|</Event\s{0,16}>|<!\[CDATA\[|<!--")
_CLOSING = {b"<![CDATA[": b"]]>", b"<!--": b"-->"}
_ROOT_TAG = re.compile(rb"<(?:\?xml\b|/?Events\b)[^<>]*>")
_WINDOWS_EVENT = re.compile(rb"<Event(?:\s[^<>]*)?>\s*<System[\s>]")
_TAG = re.compile(rb"<[A-Za-z]")
_SEVERAL = 2
_DOCUMENT_TYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def recognizes(head: bytes, whole: bool) -> bool:  # noqa: FBT001 - as `Reader` asks
    """Return whether a text is Windows event XML.

    An event is its first element, or the first in its first, whatever is declared before it. Where
    something else comes first, several events have to follow: a page may show one as an example.

    Args:
        head: The first bytes.
        whole: Whether they are all there is; XML is known without that.
    """
    del whole
    if not head.lstrip().startswith(b"<"):
        return False
    first = _EVENT_BEGINS.search(head)
    if first is None or b"<System" not in head[first.end() :]:
        return False
    around = _TAG.findall(_outside_markup(head[: first.start()]))
    return len(around) <= 1 or len(_WINDOWS_EVENT.findall(head)) >= _SEVERAL


def read(stream: BinaryIO, path: str, limits: Limits = DEFAULT) -> Iterator[Record | Skipped]:
    """Yield the events of an XML stream, and what had to be skipped, as a `Reader` does.

    Origins count events.
    """
    number = 0
    for piece in _Splitter(stream, limits).pieces():
        if piece.kind == "outside" and not _outside_markup(piece.text):
            continue
        number += 1
        yield _record(piece, Origin(path, number, piece.offset), limits)


class _Piece(Struct, frozen=True):
    """A part of the stream.

    Attributes:
        kind: ``event``, ``unended`` (the next one begins first), ``cut`` (the stream ends first),
            ``long`` (dropped), or ``outside`` of any event.
        offset: Where it begins.
        text: What it is; empty for a long one.
    """

    kind: str
    offset: int
    text: bytes = b""


def _record(piece: _Piece, origin: Origin, limits: Limits) -> Record | Skipped:
    could_matter = piece.kind == "long" or may_match_wide(piece.text)
    if piece.kind == "event":
        try:
            return Record(origin, parse(piece.text, limits))
        except BadXml as bad:
            return Skipped(origin, str(bad), could_matter)
    if piece.kind == "cut":
        return Skipped(origin, "cut off inside of an event", could_matter=True, ends_input=True)
    if piece.kind == "long":
        return Skipped(origin, longer_than(limits), could_matter)
    if piece.kind == "unended":
        return Skipped(origin, "an event that does not end", could_matter)
    if _DOCUMENT_TYPE.search(piece.text):
        return Skipped(origin, "a document type, which is not read", could_matter)
    return Skipped(origin, "text outside of any event", could_matter)


def _outside_markup(text: bytes) -> bytes:
    """Return what is left of a text without comments, XML declarations and the root's tags."""
    parts: list[bytes] = []
    at = 0
    while (start := text.find(b"<!--", at)) >= 0 and (end := text.find(b"-->", start + 4)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    parts.append(text[at:])
    return _ROOT_TAG.sub(b"", b"".join(parts)).strip()


class _Splitter:
    """Cuts a stream into events and what stands between them.

    Tags inside of CDATA and comments are none. A CDATA section or comment that does not end within
    1 MiB is damage, and hides nothing: what follows its beginning is looked at like any text.
    Every byte is looked at a bounded number of times.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._text = bytearray()
        self._offset = 0  # Of the first byte held.
        self._at = 0  # Up to where the text held was looked at.
        self._unhidden = 0  # The offset up to which CDATA and comments hide nothing.
        self._inside = False  # Whether the text held begins with an event's tag.
        self._dropping = False  # Whether it is what is left of one that was too long.

    def pieces(self) -> Iterator[_Piece]:
        while True:
            mark = _MARK.search(self._text, self._at)
            if mark is None:
                self._at = max(self._at, len(self._text) - _LONGEST_MARK)
                yield from self._too_long()
                if not self._more():
                    break
            elif mark[0] in _CLOSING:
                self._at = self._behind_hidden(mark)
            elif mark[0].startswith(b"</"):
                self._at = mark.end()
                yield from self._take("event" if self._inside else "outside", mark.end())
                self._inside = False
            else:
                yield from self._take("unended" if self._inside else "outside", mark.start())
                self._inside = True
                self._at = len(mark[0])
        yield from self._take("cut" if self._inside else "outside", len(self._text))

    def _more(self) -> bool:
        block = self._stream.read(_BLOCK_BYTES)
        self._text += block
        return bool(block)

    def _take(self, kind: str, end: int) -> Iterator[_Piece]:
        """Yield the text held up to a place, and let go of it."""
        if end and not self._dropping:
            yield _Piece(kind, self._offset, bytes(self._text[:end]))
        self._dropping = False
        self._drop(end)

    def _drop(self, end: int) -> None:
        del self._text[:end]
        self._offset += end
        self._at -= end

    def _too_long(self) -> Iterator[_Piece]:
        """Let go of text that has grown too long without a tag."""
        if self._inside and len(self._text) > self._limits.record_bytes:
            yield _Piece("long", self._offset)
            self._inside = False
            self._dropping = True
            self._drop(self._at)
        elif self._dropping:
            self._drop(self._at)
        elif not self._inside and self._at > _OUTSIDE_BYTES:
            yield from self._take("outside", self._at)

    def _behind_hidden(self, mark: re.Match[bytes]) -> int:
        """Return where a CDATA section or comment ends, or its text begins if it hides nothing."""
        if self._offset + mark.start() < self._unhidden:
            return mark.end()
        closing = _CLOSING[mark[0]]
        search_from = mark.end()
        while (end := self._text.find(closing, search_from)) < 0:
            search_from = max(mark.end(), len(self._text) - len(closing) + 1)
            if len(self._text) - mark.start() > _HIDDEN_BYTES or not self._more():
                self._unhidden = self._offset + len(self._text)
                return mark.end()
        return end + len(closing)
