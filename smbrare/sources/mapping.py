"""Turns a vendor's record into ECS fields by the table of its source, one field at a time."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.records.event import Document, Reading
from smbrare.records.fields import (
    ADDRESSES,
    DATES,
    LONGS,
    SERVICE_NAMES,
    Malformed,
    ip,
    keyword,
    long,
)
from smbrare.records.paths import MISSING_MARKS, at, is_missing, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, date
from smbrare.sources.event_kinds import CONNECTION, NETWORK, kind_of_document
from smbrare.sources.ordinary_values import is_ordinary, respell

MISSING = Reading()

_DRIVE = re.compile(r"[A-Za-z]:\\")

ANY_ORIGIN = "ecs"
"""The source of ECS documents that no other source claims."""

SERVICE_NAME = "the name of the service on the port"

ZONE_ASSUMED = "a time without a zone, read in the one of --input-tz"

ORDER_ASSUMED = "a date whose month and day could be the other way round, read month first"


class FieldRule(Struct, frozen=True):
    """One rule by which a source fills an ECS field.

    Attributes:
        path: The vendor's field, as a path into the record; empty for a constant.
        convert: Turns a vendor's value into ECS; may raise `Malformed`, None that it returns is no
            value, and a `Moment` is taken as it is. None leaves the value alone.
        constant: What the vendor's format implies, where there is no path.
        when: Whether the rule applies to a record at all; None for always.
        inferred: What the value rests on where the exporter left the field out; empty where the
            vendor gives it. ``--literal`` does without these.
        word: The value that the rule wants, where the vendor's may spell it differently; then it is
            inferred. A value that is no ordinary one of the field leaves it to the rules behind.
    """

    path: str = ""
    convert: Callable[[Any], Any] | None = None
    constant: Any = None
    when: Callable[[Document], bool] | None = None
    inferred: str = ""
    word: str = ""


FieldTable: TypeAlias = Mapping[str, tuple[FieldRule, ...]]
"""ECS field → the rules that fill it; the first that finds a value counts.

Where a port, an address or a process id is malformed, the rules behind may still supply it.
"""

Marks: TypeAlias = tuple[tuple[str, ...], ...]
"""What identifies a record's source: of each group of paths, the first that the record has."""

Places: TypeAlias = Mapping[str, tuple[str, ...]]
"""Name that a table uses → where an exporter keeps it, the first that has it first."""


def place_table(table: FieldTable, places: Places) -> FieldTable:
    """Return a table whose paths lead into one exporter's records.

    A path ``data.ProcessId`` becomes ``winlog.event_data.ProcessId`` where ``data`` lies at
    ``winlog.event_data``, and ``ProcessId`` where it lies at the top (an empty place). Rules whose
    name the exporter has no place for are dropped.
    """
    return {name: tuple(_place_rules(rules, places)) for name, rules in table.items()}


def _place_rules(rules: tuple[FieldRule, ...], places: Places) -> list[FieldRule]:
    found: list[FieldRule] = []
    for rule in rules:
        if rule.path:
            name, _, rest = rule.path.partition(".")
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
    """

    source: str
    kind: str
    document: Document
    table: FieldTable
    options: ReadOptions = field(default_factory=ReadOptions)
    marks: Marks = ()
    known_kind: str = ""
    _readings: dict[str, Reading] = field(default_factory=dict)

    def read(self, field: str) -> Reading:
        """Return what the record says about an ECS field, typed as Elasticsearch types it."""
        reading = self._readings.get(field)
        if reading is None:
            reading = self._readings[field] = self._find(field)
        return reading

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

    def _find(self, field: str) -> Reading:
        document, options = self.document, self.options
        unsettled = MISSING
        for rule in self.table.get(field, ()):
            if rule.inferred and options.literal:
                continue
            if rule.when is not None and not rule.when(document):
                continue
            raw = leaves(document, rule.path) if rule.path else _constants(rule.constant)
            if raw:
                reading = _reading(field, rule, raw, options)
                if reading is MISSING:
                    continue
                if unsettled is not MISSING:
                    reading = _joined(unsettled, reading)
                if reading.values and (not rule.word or rule.word in reading.values):
                    return reading
                if _settles(field, rule, reading):
                    return reading
                unsettled = reading
        return unsettled


def _settles(field: str, rule: FieldRule, reading: Reading) -> bool:
    """Return whether a reading leaves nothing to the rules behind."""
    if not reading.values:
        return field not in _NUMBERS
    return not rule.word or is_ordinary(field, reading.values)


def _joined(unsettled: Reading, reading: Reading) -> Reading:
    """Return a later reading with what was malformed before; the former if it has no values."""
    if not reading.values:
        return unsettled
    return replace(reading, malformed=unsettled.malformed + reading.malformed)


def _reading(field: str, rule: FieldRule, raw: list[Any], options: ReadOptions) -> Reading:
    values: list[Any] = []
    malformed: list[Any] = []
    as_type, convert = _TYPES.get(field, _keyword), rule.convert
    inferred = rule.inferred
    for given in raw:
        if given in MISSING_MARKS:
            continue
        value = given
        try:
            value = given if convert is None else convert(given)
            if convert is None or not is_missing(value):
                values.append(as_type(value, options))
        except Malformed:
            port = None if options.literal else _port_of_service(field, value)
            if port is None:
                malformed.append(given)
            else:
                values.append(port)
                inferred = inferred or SERVICE_NAME
    if not values and not malformed:
        return MISSING
    if as_type is _date:
        inferred = inferred or _assumption(values)
    reading = Reading(tuple(values), rule.path, inferred, tuple(malformed))
    if rule.word and rule.word not in values and not options.literal:
        return respell(reading, rule.word)
    return reading


def _port_of_service(field: str, value: object) -> int | None:
    if field != "destination.port" or not isinstance(value, str):
        return None
    return service_port(value)


def _keyword(value: object, _options: ReadOptions) -> str:
    return value if isinstance(value, str) else keyword(value)


def _date(value: object, options: ReadOptions) -> Moment:
    if isinstance(value, Moment):
        return value
    return date(value, options.zone, options.time_unit)


_TYPES: Mapping[str, Callable[[object, ReadOptions], Any]] = {
    **dict.fromkeys(DATES, _date),
    **dict.fromkeys(LONGS, lambda value, options: long(value, options.limits.number_digits)),
    **dict.fromkeys(ADDRESSES, lambda value, _options: ip(value)),
}
"""How the values of a field become its type, where that is not keyword."""

_NUMBERS = LONGS | ADDRESSES


def _constants(constant: Any) -> list[Any]:
    if isinstance(constant, tuple):
        return list(constant)
    return [] if constant is None else [constant]


def _assumption(moments: list[Any]) -> str:
    if not moments:
        return ""
    assumed = ((moments[0].zone_assumed, ZONE_ASSUMED), (moments[0].order_assumed, ORDER_ASSUMED))
    return "; ".join(text for is_assumed, text in assumed if is_assumed)


def service_port(name: object) -> int | None:
    """Return the port of an SMB service by its name, None for any other name."""
    return SERVICE_NAMES.get(keyword(name).strip().lower())


def utc(value: object) -> Moment:
    """Return a date whose field says UTC by its name, so that a text without a zone is no gap.

    Raises:
        Malformed: If it is no date.
    """
    return replace(date(value), zone_assumed=False)


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
