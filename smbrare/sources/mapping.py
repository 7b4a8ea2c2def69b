"""Turns a vendor's record into ECS fields by the table of its source, one field at a time."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.records.event import Document, Reading
from smbrare.records.fields import Malformed, keyword
from smbrare.records.paths import at, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, date
from smbrare.sources.compiled import CompiledTable, FieldNotes, compiled_table
from smbrare.sources.event_kinds import CONNECTION, NETWORK, kind_of_document
from smbrare.sources.field_rules import FieldRule, FieldTable

_DRIVE = re.compile(r"[A-Za-z]:\\")

T = TypeVar("T")

ANY_ORIGIN = "ecs"
"""The source of ECS documents that no other source claims."""

Marks: TypeAlias = tuple[tuple[str, ...], ...]
"""What identifies a record's source: of each group of paths, the first that the record has."""

Places: TypeAlias = Mapping[str, tuple[str, ...]]
"""Name that a table uses → where an exporter keeps it, the first that has it first."""


def place_table(
    table: FieldTable, places: Places, spelling: Callable[[str], str] | None = None
) -> FieldTable:
    """Return a table whose paths lead into one exporter's records.

    A path ``data.ProcessId`` becomes ``winlog.event_data.ProcessId`` where ``data`` lies at
    ``winlog.event_data``, and ``ProcessId`` where it lies at the top (an empty place). Rules whose
    name the exporter has no place for are dropped. A spelling turns ``ProcessId`` into what the
    exporter calls it.
    """
    return {name: tuple(_place_rules(rules, places, spelling)) for name, rules in table.items()}


def _place_rules(
    rules: tuple[FieldRule, ...], places: Places, spelling: Callable[[str], str] | None
) -> list[FieldRule]:
    found: list[FieldRule] = []
    for rule in rules:
        if rule.path:
            name, _, rest = rule.path.partition(".")
            if spelling is not None and name == "data":
                rest = spelling(rest)
            found.extend(
                replace(rule, path=".".join(filter(None, (place, rest))))
                for place in places.get(name, ())
            )
        else:
            found.append(rule)
    return found


class View(Struct, frozen=True, gc=False):
    """A record seen as an ECS event through its source's table; each field is read once.

    Attributes:
        source: The name of the source.
        kind: What kind of record it is, for people (``Sysmon event 3``).
        document: The record that the table's paths lead into.
        table: The source's table.
        options: How to read.
        marks: By which of its fields the source recognized it.
        known_kind: What the event is about (see `event_kinds`), where the source knows it.
        compiled: The table, compiled.
        layers: The keys of the record inside of which the event was found; none if it is it.
        lend: Returns what the records around it say of a field that it lacks.
    """

    source: str
    kind: str
    document: Document
    table: FieldTable
    options: ReadOptions
    marks: Marks
    known_kind: str
    compiled: CompiledTable
    layers: tuple[str, ...] = ()
    lend: Callable[[str], Reading] | None = None
    _readings: dict[Any, Any] = field(default_factory=dict)

    def read(self, field: str) -> Reading:
        """Return what the record says about an ECS field, typed as Elasticsearch types it."""
        reading: Reading | None = self._readings.get(field)
        if reading is None:
            reading = self.compiled[field](self.document)
            if self.lend is not None and not reading.values and not reading.malformed:
                reading = self.lend(field)
            self._readings[field] = reading
        return reading

    def noted(self, notes: FieldNotes[T]) -> list[T]:
        """Return what is noted of some fields, in their order."""
        found: list[T] | None = self._readings.get(notes)
        if found is None:
            document = self.document
            if self.lend is None:
                found = [read(document) for read in self.compiled.noting(notes)]
            else:
                found = [notes.note(name, self.read(name)) for name in notes.fields]
            self._readings[notes] = found
        return found

    def time(self) -> Reading:
        """Return the event's time as `Moment` values; empty if it has none that can be read."""
        chosen = self.read(self.options.time_field)
        return chosen if chosen.values else self.read("@timestamp")

    def host(self) -> str:
        """Return the host's name, or its id where it has none; empty without either."""
        names = self.read("host.name").values or self.read("host.id").values
        return str(names[0]) if names else ""

    def identified_by(self) -> dict[str, Any]:
        """Return the fields by which the source recognized the record: path and raw value."""
        document, found = self.document, dict[str, Any]()
        for group in self.marks:
            # A key that holds nothing identifies some records too.
            present = [path for path in group if leaves(document, path)] or [
                path for path in group if path in document
            ]
            for path in present[:1]:
                raw = at(document, path)
                found[path] = raw if raw is not None else leaves(document, path) or None
        return found

    def event_kind(self) -> str:
        """Return what the network event is about; see `event_kinds`."""
        kind = self.known_kind or kind_of_document(self)
        # Of documents of any origin nobody can say what they always have.
        return NETWORK if kind == CONNECTION and self.source == ANY_ORIGIN else kind

    def too_long(self, field: str) -> bool:
        """Return whether a number has no value because its text exceeds the limit."""
        most = self.options.limits.number_digits
        return any(isinstance(v, str) and len(v) > most for v in self.read(field).malformed)


class Layout(Struct, eq=False):
    """How the records of one kind are read: all that a `View` holds beside its record.

    Attributes:
        source: The name of the source.
        kind: What kind of record it is, for people.
        table: The source's table.
        marks: By which of its fields the source recognized it.
        known_kind: What the event is about, where the source knows it.
        unpack: Returns the record with what it packs in a list or a text; may raise `Malformed`.
        packed: The path of what that decodes.
    """

    source: str
    kind: str
    table: FieldTable
    marks: Marks = ()
    known_kind: str = ""
    unpack: Callable[[Document], Document] | None = None
    packed: str = ""
    _compiled: CompiledTable | None = None
    _unreadable: "Layout | None" = None

    def view(self, document: Document, options: ReadOptions) -> View:
        """Return a record of this kind as an event.

        What cannot be unpacked makes the destination's port malformed, so that the record is
        counted as one that could not be judged.
        """
        compiled = self._compiled
        if compiled is None or compiled.options is not options:
            compiled = self._compiled = compiled_table(self.table, options)
        if self.unpack is not None:
            try:
                document = self.unpack(document)
            except Malformed:
                return self._of_unreadable().view(document, options)
        return View(
            self.source,
            self.kind,
            document,
            self.table,
            options,
            self.marks,
            self.known_kind,
            compiled,
        )

    def _of_unreadable(self) -> "Layout":
        if self._unreadable is None:
            table = {**self.table, "destination.port": (FieldRule(self.packed, _refuse),)}
            self._unreadable = replace(self, table=table, unpack=None, _compiled=None)
        return self._unreadable


def _refuse(_packed: Any) -> NoReturn:
    raise Malformed("cannot be decoded")


def utc(value: object) -> Moment:
    """Return a date whose field says UTC by its name, so that a text without a zone is no gap.

    Raises:
        Malformed: If it is no date.
    """
    moment = date(value)
    return Moment(moment.time, order_assumed=moment.order_assumed)


def lower(value: object) -> str:
    """Return a keyword in lower case.

    Raises:
        Malformed: If the value is an object.
    """
    return keyword(value).lower()


def account_domain(value: object) -> str | None:
    r"""Return the domain of ``DOMAIN\\user``, or None where the text has another form."""
    parts = keyword(value).split("\\")
    return parts[0] if len(parts) == 2 else None  # noqa: PLR2004 - domain and user


def account_name(value: object) -> str | None:
    r"""Return the user of ``DOMAIN\\user``, or None where the text has another form."""
    parts = keyword(value).split("\\")
    return parts[1] if len(parts) == 2 else None  # noqa: PLR2004 - domain and user


def file_name(value: object) -> str | None:
    """Return what follows the last backslash of a path, or None where there is none."""
    head, backslash, tail = keyword(value).rpartition("\\")
    return tail if backslash and head else None


def one_of(spellings: Mapping[str, str]) -> Callable[[object], str | None]:
    """Return a conversion that translates a vendor's words, case ignored; others are no value."""
    return lambda value: spellings.get(keyword(value).lower())


def windows_path(path: object) -> str | None:
    """Return ``windows`` for a path that begins with a drive, None for any other."""
    return "windows" if _DRIVE.match(keyword(path)) else None
