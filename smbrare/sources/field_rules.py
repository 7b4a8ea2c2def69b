"""The rules by which a source fills an ECS field, and what a record says by them.

`find` defines it for any record; `compiled` gives the same answers quicker.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from smbrare.records.event import Document, Reading
from smbrare.records.fields import (
    ADDRESSES,
    DATES,
    LONGS,
    SERVICE_NAMES,
    Malformed,
    ip,
    is_ordinary,
    keyword,
    long,
    words,
)
from smbrare.records.paths import MISSING_MARKS, is_missing, leaves
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment, date

MISSING = Reading()

SERVICE_NAME = "the name of the service on the port"

ZONE_ASSUMED = "a time without a zone, read in the one of --input-tz"

_SPELLED_DIFFERENTLY = "the same word in another case, or in a list written as text"

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


def find(
    field: str, rules: tuple[FieldRule, ...], document: Document, options: ReadOptions
) -> Reading:
    """Return what a record says about an ECS field, typed as Elasticsearch types it."""
    unsettled = MISSING
    for rule in rules:
        if rule.inferred and options.literal:
            continue
        if rule.when is not None and not rule.when(document):
            continue
        raw = leaves(document, rule.path) if rule.path else constants(rule)
        if raw:
            reading = read_raw(field, rule, raw, options)
            if reading is MISSING:
                continue
            if unsettled is not MISSING:
                reading = _joined(unsettled, reading)
            if settles(field, rule, reading):
                return reading
            unsettled = reading
    return unsettled


def settles(field: str, rule: FieldRule, reading: Reading) -> bool:
    """Return whether a reading leaves nothing to the rules behind."""
    if not reading.values:
        return field not in _NUMBERS
    wanted = not rule.word or rule.word in reading.values
    return wanted or is_ordinary(field, reading.values)


def _joined(unsettled: Reading, reading: Reading) -> Reading:
    """Return a later reading with what was malformed before; the former if it has no values."""
    if not reading.values:
        return unsettled
    return replace(reading, malformed=unsettled.malformed + reading.malformed)


def read_raw(field: str, rule: FieldRule, raw: list[Any], options: ReadOptions) -> Reading:
    """Return what a rule makes of the values at its path, `MISSING` if they are none."""
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
    if as_type is _date and values:
        inferred = inferred or _assumption(values[0])
    reading = Reading(tuple(values), rule.path, inferred, tuple(malformed))
    if rule.word and rule.word not in values and not options.literal:
        return _respelled(reading, rule.word)
    return reading


def _respelled(reading: Reading, word: str) -> Reading:
    """Return a reading with its values taken apart, if one of them spells a word differently."""
    found = tuple(dict.fromkeys(part for value in reading.values for part in words(value)))
    if word not in found:
        return reading
    return Reading(found, reading.path, _SPELLED_DIFFERENTLY, reading.malformed)


def read_time(rule: FieldRule, raw: str | int, options: ReadOptions) -> Reading:
    """Return what `read_raw` makes of one text or number at the path of a time.

    Raises:
        Malformed: If it is no time.
    """
    moment = raw if rule.convert is None else rule.convert(raw)
    if type(moment) is not Moment:
        moment = date(moment, options.zone, options.time_unit)
    inferred = rule.inferred
    if moment.zone_assumed or moment.order_assumed:
        inferred = inferred or _assumption(moment)
    return Reading((moment,), rule.path, inferred)


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


def constants(rule: FieldRule) -> list[Any]:
    """Return the values of a rule without a path."""
    constant = rule.constant
    if isinstance(constant, tuple):
        return list(constant)
    return [] if constant is None else [constant]


def _assumption(moment: Moment) -> str:
    assumed = ((moment.zone_assumed, ZONE_ASSUMED), (moment.order_assumed, ORDER_ASSUMED))
    return "; ".join(text for is_assumed, text in assumed if is_assumed)


def service_port(name: object) -> int | None:
    """Return the port of an SMB service by its name, None for any other name."""
    return SERVICE_NAMES.get(keyword(name).strip().lower())
