"""A raw Windows event in an exporter's record, whatever the exporter wrapped it in."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from smbrare.records.event import Document
from smbrare.records.fields import Malformed, long
from smbrare.records.paths import first, leaves
from smbrare.records.times import Moment, date, from_number
from smbrare.sources.collector_shapes import shape_of
from smbrare.sources.ecs import not_forwarded
from smbrare.sources.event_kinds import OTHER
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout, Marks, place_table, utc
from smbrare.sources.windows_shapes import WINLOGBEAT, Shape

SYSMON_CHANNEL = "microsoft-windows-sysmon/operational"
SYSMON_PROVIDER = "microsoft-windows-sysmon"
SECURITY_CHANNEL = "security"
SECURITY_PROVIDER = "microsoft-windows-security-auditing"

_CONNECTIONS = frozenset({3, 5156})
"""The numbers of connections in Sysmon's log and in the Security log."""

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


def _epoch_seconds(value: Any) -> Moment:
    if isinstance(value, str):
        return from_number(Decimal(value), 1) if _NUMBER.fullmatch(value) else date(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Malformed("no number of seconds")
    return from_number(value, 1)


RECORD: FieldTable = {
    "@timestamp": (
        FieldRule("utc_time", utc),
        FieldRule("epoch_time", _epoch_seconds),
        FieldRule("time"),
    ),
    "event.ingested": (FieldRule("ingested"),),
    "event.code": (FieldRule("event_id"),),
    "host.name": (FieldRule("computer"),),
    "host.id": (FieldRule("host_id", when=not_forwarded),),
    "host.os.type": (FieldRule(constant="windows"),),
}
"""What is read of every Windows event; of those that are no network events, nothing else."""


class WindowsEvent(Struct, frozen=True):
    """One raw Windows event.

    Attributes:
        shape: How the exporter wrote it.
        document: The record.
        event_id: The number of the event; None where the record has none.
        channel: The log's channel in lower case; empty where the record has none.
    """

    shape: Shape
    document: Document
    event_id: int | None
    channel: str

    @property
    def is_sysmon(self) -> bool:
        """Whether Sysmon wrote it: other channels number their events 3 too."""
        return self.channel == SYSMON_CHANNEL or self._provider == SYSMON_PROVIDER

    @property
    def is_security(self) -> bool:
        """Whether it stands in the Security log."""
        return self.channel == SECURITY_CHANNEL or (
            not self.channel and self._provider == SECURITY_PROVIDER
        )

    @property
    def may_be_connection(self) -> bool:
        """Whether it has the number of a connection, and nothing says that it is of another log.

        Neither no channel does, nor one that is abbreviated, nor any that names Sysmon.
        """
        if self.event_id not in _CONNECTIONS or self._provider:
            return False
        is_named = "-" in self.channel or "/" in self.channel
        return "sysmon" in self.channel or not is_named

    @property
    def _provider(self) -> str:
        return _text(self.document, self.shape.places.get("provider", ()))

    def layout(
        self,
        source: str,
        kind: str,
        table: FieldTable,
        *,
        event_kind: str = "",
        by: str = "channel",
    ) -> Layout:
        """Return how the event is read by a table that was placed for its shape.

        Args:
            source: The name of its source.
            kind: What kind of record it is, for people.
            table: The source's table for the event's shape.
            event_kind: What the event is about, if the source knows it.
            by: The part that identifies its log: channel or provider.
        """
        shape = self.shape
        return Layout(source, kind, table, self._marks(by), event_kind, shape.unpack, shape.packed)

    def record(
        self, source: str, kind: str, *, event_kind: str = OTHER, by: str = "channel"
    ) -> Layout:
        """Return how an event is read that is counted, not judged: no EventData is decoded."""
        return Layout(source, kind, _RECORDS[self.shape], self._marks(by), event_kind)

    def _marks(self, by: str) -> Marks:
        places = self.shape.places
        return (*self.shape.marks, places["event_id"], places.get(by, ()))


class TableByShape(dict[Shape, FieldTable]):
    """A table of event parts for every shape, with the paths of the shape's exporter.

    Each is made when it is first wanted: a log has one or two shapes, and there are a dozen.
    """

    def __init__(self, table: FieldTable) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, shape: Shape) -> FieldTable:
        self[shape] = made = place_table(self._table, shape.places, shape.spelling)
        return made


_RECORDS = TableByShape(RECORD)

LOST_KEY = "the rendered message, since the exporter lost the key"


def message_line(
    label: str, convert: Callable[[str], Any] | None = None
) -> Callable[[object], Any]:
    """Return a conversion that takes the rest of the message's first line that starts so.

    The rendered message repeats EventData as ``Label: value`` lines. Where it was rendered in a
    language whose labels differ, there is no such line, and so no value.
    """
    mark = f"{label}:"

    def rest_of_line(message: object) -> Any:
        text = _behind_mark(message, mark) if isinstance(message, str) else ""
        return (text if convert is None else convert(text)) if text else text

    return rest_of_line


def _behind_mark(message: str, mark: str) -> str | None:
    """Return the rest of the first line that begins with a mark, blanks aside."""
    searched = 0
    while (at := message.find(mark, searched)) >= 0:
        start = message.rfind("\n", searched, at) + 1
        is_first_of_line, searched = start > 0 or searched == 0, at + len(mark)
        if is_first_of_line and not message[start:at].strip(" \t"):
            end = message.find("\n", searched)
            line = message[searched:] if end < 0 else message[searched:end]
            return line.partition("\r")[0].lstrip(" \t")
    return None


def data_rules(
    name: str, convert: Callable[[Any], Any] | None = None, label: str = ""
) -> tuple[FieldRule, ...]:
    """Return the rules for one value of EventData, which a rendered message may hold instead.

    Args:
        name: Its name in EventData.
        convert: Turns it into ECS.
        label: What it is called in the message, if not by its name.
    """
    line = message_line(label or name, convert)
    return (
        FieldRule(f"data.{name}", convert),
        FieldRule("rendered", line),
        FieldRule("message", line, inferred=LOST_KEY),
    )


def unwrap(document: Document) -> WindowsEvent | None:
    """Return the raw Windows event that a record holds, or None if it holds none."""
    shape = shape_of(document)
    return None if shape is None else _event(shape, document)


def mapped_event(document: Document) -> WindowsEvent | None:
    """Return the Windows event that a pipeline made ECS of; None if it kept no ``winlog``."""
    event = _event(WINLOGBEAT, document)
    return event if event.channel else None


def _event(shape: Shape, document: Document) -> WindowsEvent:
    places = shape.places
    named = _text(document, places.get("channel", ()))
    channel = shape.channels.get(named, named)
    return WindowsEvent(shape, document, _number(document, places["event_id"]), channel)


def _number(document: Document, paths: tuple[str, ...]) -> int | None:
    for path in paths:
        for value in leaves(document, path):
            try:
                return long(value)
            except Malformed:
                continue
    return None


def _text(document: Document, paths: tuple[str, ...]) -> str:
    value = first(document, *paths)
    return value.lower() if isinstance(value, str) else ""
