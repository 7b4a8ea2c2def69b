"""The events that may become findings, kept in little room until it is known which of them do.

A finding shows its event whole, and a log may hold a finding in every line. So events are packed
by the block, and each is made again only when it is asked for.
"""

import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import orjson
from msgspec import Struct, field, msgpack
from msgspec.structs import replace

from smbrare.detection.event_fields import event_fields
from smbrare.detection.source_survey import INFERRED, MARKS
from smbrare.records.event import Origin, shift
from smbrare.sources.mapping import View

_T = TypeVar("_T")

_BLOCK_EVENTS = 32
_BLOCK_BYTES = 65_536
"""An event as large as this is packed by itself."""

_PACKED_FAST = 1


class KeptEvent(Struct, frozen=True, gc=False, array_like=True):
    """What a finding shows of the event that stands for it.

    Attributes:
        rank: Host, source address, source port and event id: which of several at a time is first.
        own_time: The event's own time where its event.ingested is judged, else None.
        ecs: The event's ECS fields by dotted name, as canonical JSON.
        event_source: The source (exporter) of the event.
        inferred: ECS fields that the exporter left out and smbrare supplied.
        origin: Where the record stands.
    """

    rank: tuple[str, str, int, str]
    own_time: int | None
    ecs: bytes
    event_source: str
    inferred: tuple[str, ...]
    origin: Origin

    @property
    def order(self) -> tuple[tuple[str, str, int, str], int, bytes, str, str, int]:
        """What decides which of several events at a time stands for them: the least of these.

        Host, source address, source port and event id, then content; only between copies of the
        same event does the place decide.
        """
        origin = self.origin
        # A range of a file knows the offset of its lines, but not yet their number in the file.
        place = origin.number if origin.offset is None else origin.offset
        return (self.rank, self.own_time or 0, self.ecs, self.event_source, origin.path, place)


def kept_event(view: View, pair: tuple[str, str], origin: Origin) -> KeptEvent:
    """Return what a finding shows of an event, given its host and source address."""
    return KeptEvent(
        rank=(*pair, _first(view, "source.port", 0), _first(view, "event.id", "")),
        own_time=_own_time(view),
        # A copy: what orjson returns keeps the room of its buffer, several times its length.
        ecs=bytes(memoryview(orjson.dumps(event_fields(view)))),
        event_source=view.source,
        inferred=_inferred(view),
        origin=origin,
    )


def _own_time(view: View) -> int | None:
    """Return the event's own time where another is judged, which is its own if it has none."""
    field = view.options.time_field
    if field == "@timestamp":
        return None
    judged = view.read(field).values
    own = view.read("@timestamp").values or judged
    return own[0].time if judged else None


def _inferred(view: View) -> tuple[str, ...]:
    marks = zip(MARKS.fields, view.noted(MARKS), strict=True)
    times = dict.fromkeys(("@timestamp", view.options.time_field))
    return (
        *(name for name, mark in marks if mark & INFERRED),
        *(name for name in times if view.read(name).inferred),
    )


def _first(view: View, field: str, default: Any) -> Any:
    values = view.read(field).values
    return values[0] if values else default


class Numbered(Struct, Generic[_T]):
    """Values, each once and by a number."""

    values: list[_T] = field(default_factory=list)
    _numbers: dict[_T, int] = field(default_factory=dict)

    def number(self, value: _T) -> int:
        """Return the number of a value, which is a new one if it was not among them."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class KeptEvents(Struct):
    """Events by the number of their slot, in the order in which they were added.

    Attributes:
        times: The time of each in microseconds since 1970 UTC, 0 where it has none.
        lines: The number of its line or record: a part of a file learns only when it is merged
            which it has in the file.
        places: The number of its path.
        paths: The paths.
        blocks: Events, packed together.
        starts: The first slot of each block.
    """

    times: "array[int]" = field(default_factory=lambda: array("q"))
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("I"))
    paths: Numbered[str] = field(default_factory=Numbered)
    blocks: list[bytes] = field(default_factory=list)
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    _open: list[KeptEvent] = field(default_factory=list)
    _open_bytes: int = 0

    def __len__(self) -> int:
        return len(self.times)

    def add(self, event: KeptEvent, time: int | None) -> int:
        """Take in an event, and return its slot; of one with several destinations the same."""
        if self._open and event is self._open[-1]:
            return len(self) - 1
        if len(self._open) >= _BLOCK_EVENTS or self._open_bytes >= _BLOCK_BYTES:
            self.pack()
        self.times.append(time or 0)
        self.lines.append(event.origin.number)
        self.places.append(self.paths.number(event.origin.path))
        self._open.append(event)
        self._open_bytes += len(event.ecs)
        return len(self) - 1

    def event(self, slot: int) -> KeptEvent:
        """Return the event of a slot."""
        at = slot - len(self) + len(self._open)
        if at >= 0:
            found = self._open[at]
        else:
            block = bisect_right(self.starts, slot) - 1
            found = _unpacked(self.blocks[block])[slot - self.starts[block]]
        path = self.paths.values[self.places[slot]]
        return replace(found, origin=Origin(path, self.lines[slot], found.origin.offset))

    def is_less(self, slot: int, other: int) -> bool:
        """Return whether the event of a slot stands for both, and not that of the other."""
        if self.times[slot] != self.times[other]:
            return self.times[slot] < self.times[other]
        return self.event(slot).order < self.event(other).order

    def extend(self, other: "KeptEvents") -> int:
        """Take in all events of another part of the scan, and return the slot of the first."""
        self.pack()
        other.pack()
        before = len(self)
        paths = [*map(self.paths.number, other.paths.values)]
        self.times.extend(other.times)
        self.lines.extend(other.lines)
        self.places.extend(paths[place] for place in other.places)
        self.blocks += other.blocks
        self.starts.extend(before + start for start in other.starts)
        return before

    def only(self, slots: Iterable[int]) -> "KeptEvents":
        """Return some of the events, in slots from 0 on."""
        chosen = KeptEvents()
        for slot in slots:
            chosen.add(self.event(slot), self.times[slot])
        return chosen

    def renumber(self, path: str, lines_before: int | None) -> None:
        """Count the lines of an input from its start, and not from that of its range."""
        for slot, place in enumerate(self.places):
            if self.paths.values[place] == path:
                self.lines[slot] = shift(Origin(path, self.lines[slot]), lines_before).number

    def pack(self) -> None:
        """Pack what is not yet."""
        if self._open:
            self.starts.append(len(self) - len(self._open))
            # Path and line stand beside, and a path may be no Unicode.
            events = [replace(e, origin=Origin("", 0, e.origin.offset)) for e in self._open]
            self.blocks.append(zlib.compress(msgpack.encode(events), _PACKED_FAST))
            self._open.clear()
            self._open_bytes = 0


_DECODER = msgpack.Decoder(list[KeptEvent])


# Findings are read again and again while they are written, and nearly in the order of the events.
@lru_cache(maxsize=64)
def _unpacked(block: bytes) -> list[KeptEvent]:
    return _DECODER.decode(zlib.decompress(block))


class Sighting(Struct, frozen=True, gc=False, eq=False):
    """One destination of one event that matches the rule.

    Attributes:
        destination: The address on the internet, in canonical text.
        source: The private address that connected, in canonical text.
        host: The host key: host.name, else host.hostname, else host.id, in lower case.
        time: The time that is judged, in microseconds since 1970 UTC; None if the event has none
            that can be read.
        kept: Where its event is kept.
        slot: And its number there.
    """

    destination: str
    source: str
    host: str
    time: int | None
    kept: KeptEvents
    slot: int

    @property
    def event(self) -> KeptEvent:
        """What is shown of its event."""
        return self.kept.event(self.slot)

    @property
    def own_time(self) -> int | None:
        """The event's own time where its event.ingested is judged, else None."""
        return self.event.own_time

    @property
    def event_time(self) -> int | None:
        """When it happened, by the event's own time."""
        own_time = self.own_time
        return self.time if own_time is None else own_time

    @property
    def event_source(self) -> str:
        """The source (exporter) of the event."""
        return self.event.event_source

    @property
    def inferred(self) -> tuple[str, ...]:
        """ECS fields that the exporter left out and smbrare supplied."""
        return self.event.inferred

    @property
    def origin(self) -> Origin:
        """Where the record stands."""
        return self.event.origin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sighting) and self._essence == other._essence

    def __hash__(self) -> int:
        return hash(self._essence)

    @property
    def _essence(self) -> tuple[str, str, str, int | None, KeptEvent]:
        return (self.destination, self.source, self.host, self.time, self.event)
