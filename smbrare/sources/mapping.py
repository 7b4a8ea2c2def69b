"""How a source's table turns a vendor's record into ECS fields, one field at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, TypeAlias

from smbrare.event import Document, Reading
from smbrare.fields import DATES, TYPES, Malformed, Moment, date, is_missing, keyword, leaves

MISSING = Reading()


@dataclass(frozen=True, slots=True)
class Take:
    """One way to fill an ECS field.

    Attributes:
        path: The vendor's field, as a path into the record; empty for a constant.
        convert: Turns a vendor's value into ECS; may raise `Malformed`, and a `Moment` that it
            returns is taken as it is. None leaves the value alone.
        constant: What the vendor's format implies, where there is no path.
        when: Whether this way applies to a record at all; None for always.
        inferred: What the value rests on where the exporter left the field out; empty where the
            vendor gives it. ``--literal`` does without these.
    """

    path: str = ""
    convert: Callable[[Any], Any] | None = None
    constant: Any = None
    when: Callable[[Document], bool] | None = None
    inferred: str = ""


Table: TypeAlias = Mapping[str, tuple[Take, ...]]
"""ECS field → the ways to fill it; the first that finds a value is taken."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How records are read.

    Attributes:
        zone: The zone of times that name none.
        literal: Whether inferred fields are left out.
        time_field: ``@timestamp``, or ``event.ingested`` where present.
    """

    zone: tzinfo = UTC
    literal: bool = False
    time_field: str = "@timestamp"


@dataclass(frozen=True, slots=True)
class View:
    """A record seen as an ECS event through its source's table; each field is read once.

    Attributes:
        source: The name of the source.
        kind: What kind of record it is, for people (``Sysmon event 3``).
        document: The record that the table's paths lead into.
        table: The source's table.
        settings: How to read.
    """

    source: str
    kind: str
    document: Document
    table: Table
    settings: Settings = field(default_factory=Settings)
    _readings: dict[str, Reading] = field(default_factory=dict, compare=False, repr=False)

    def read(self, field: str) -> Reading:
        """Return what the record says about an ECS field, typed as Elasticsearch types it."""
        reading = self._readings.get(field)
        if reading is None:
            reading = self._readings[field] = self._take(field)
        return reading

    def time(self) -> Reading:
        """Return the event's time as `Moment` values; empty if it has none that can be read."""
        chosen = self.read(self.settings.time_field)
        return chosen if chosen.values else self.read("@timestamp")

    def _take(self, field: str) -> Reading:
        for take in self.table.get(field, ()):
            if take.inferred and self.settings.literal:
                continue
            if take.when is not None and not take.when(self.document):
                continue
            raw = leaves(self.document, take.path) if take.path else _listed(take.constant)
            values, malformed = self._typed(field, take, raw)
            if values or malformed:
                return Reading(tuple(values), take.path, take.inferred, tuple(malformed))
        return MISSING

    def _typed(self, field: str, take: Take, raw: list[Any]) -> tuple[list[Any], list[Any]]:
        values: list[Any] = []
        malformed: list[Any] = []
        for given in raw:
            if is_missing(given):
                continue
            try:
                value = take.convert(given) if take.convert is not None else given
                if is_missing(value):
                    continue
                values.append(self._type(field, value))
            except Malformed:
                malformed.append(given)
        return values, malformed

    def _type(self, field: str, value: object) -> Any:
        if field in DATES:
            return value if isinstance(value, Moment) else date(value, self.settings.zone)
        return TYPES.get(field, keyword)(value)


def _listed(constant: Any) -> list[Any]:
    if isinstance(constant, tuple):
        return list(constant)
    return [] if constant is None else [constant]


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
