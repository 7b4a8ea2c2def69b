"""Values as Elasticsearch types them: paths into a document, keyword, long, ip and date.

The types follow Elasticsearch's field types of the same names with ``ignore_malformed``: a
value that does not fit is dropped alone, and the caller is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from smbrare.event import Document

Address = IPv4Address | IPv6Address

MICROSECONDS = 1_000_000
"""Microseconds in a second: all times inside the program are integer microseconds, UTC."""

HOUR = 3600 * MICROSECONDS

MISSING_MARKS = frozenset({"", "-"})
"""What exporters write for a value that is not there (Sysmon 10 and later write ``-``)."""

_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
_LONG_DIGITS = 19
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_KIBANA_DATE = re.compile(r"[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4} @ [0-9:.]+")
_MILLISECONDS = re.compile(r"-?[0-9]{1,17}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Malformed(ValueError):  # noqa: N818 - Elasticsearch's word for it
    """A value that its field's type does not accept."""


def leaves(document: object, path: str) -> list[Any]:
    """Return every value at an ECS path, in document order.

    Dotted keys and nested objects in any mix name the same field, arrays and arrays of objects
    flatten, and null is no value, as in an Elasticsearch mapping.

    Args:
        document: A decoded JSON value.
        path: A dotted field name, for example ``destination.ip``.
    """
    found: list[Any] = []
    pending: list[tuple[object, str]] = [(document, path)]
    while pending:
        node, remaining = pending.pop()
        if isinstance(node, list):
            pending.extend((element, remaining) for element in reversed(node))
        elif not remaining:
            if node is not None:
                found.append(node)
        elif isinstance(node, dict):
            pending.extend(reversed(list(_steps(node, remaining))))
    return found


def _steps(node: dict[str, Any], path: str) -> list[tuple[object, str]]:
    """Return the children of an object that a path leads to, with what remains of the path."""
    steps: list[tuple[object, str]] = []
    dot = path.find(".")
    while dot != -1:
        child = node.get(path[:dot])
        if child is not None:
            steps.append((child, path[dot + 1 :]))
        dot = path.find(".", dot + 1)
    child = node.get(path)
    if child is not None:
        steps.append((child, ""))
    return steps


def first(document: Document, *paths: str) -> Any:
    """Return the first value at any of the paths that is not missing, else None."""
    for path in paths:
        for value in leaves(document, path):
            if not is_missing(value):
                return value
    return None


def is_missing(value: object) -> bool:
    """Return whether a value only marks a gap: null, empty text or a dash."""
    return value is None or (isinstance(value, str) and value in MISSING_MARKS)


def keyword(value: object) -> str:
    """Return a value as a ``keyword``: text as it is, numbers and booleans as JSON spells them.

    Raises:
        Malformed: If the value is an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Malformed(f"no keyword: {type(value).__name__}")


def long(value: object) -> int:
    """Return a value as a ``long``: text is converted, fractions are cut off (``coerce``).

    The size is decided from the exponent before any conversion, so that a number such as
    ``1e1000000`` costs nothing.

    Raises:
        Malformed: If it is no number or lies outside of signed 64 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Malformed(f"no number: {type(value).__name__}")
    if isinstance(value, int):
        number = value
    else:
        text = value if isinstance(value, str) else repr(value)
        number = _truncated(str(value) if isinstance(value, Decimal) else text)
    if not _LONG_MIN <= number <= _LONG_MAX:
        raise Malformed("beyond 64 bits")
    return number


@lru_cache(maxsize=65_536)
def _truncated(text: str) -> int:
    if len(text) <= _LONG_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise Malformed("no number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Malformed("exponent out of range") from None
    if number.is_zero() or number.adjusted() < 0:
        return 0
    if number.adjusted() >= _LONG_DIGITS:
        raise Malformed("beyond 64 bits")
    return int(number.to_integral_value(rounding=ROUND_DOWN))


def ip(value: object) -> Address:
    """Return a value as an ``ip``; an IPv4-mapped IPv6 address is its IPv4 address.

    A zone (``fe80::1%12``) is ignored; leading zeros, short forms, ports and numbers are no
    address.

    Raises:
        Malformed: If it is no address.
    """
    if not isinstance(value, str):
        raise Malformed(f"no address: {type(value).__name__}")
    address = _address(value)
    if address is None:
        raise Malformed("no address")
    return address


@lru_cache(maxsize=262_144)
def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return IPv6Address(int(address))
    return address


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time.

    Attributes:
        time: Microseconds since 1970-01-01 UTC.
        zone_assumed: Whether the text named no zone, so that the caller's was taken.
    """

    time: int
    zone_assumed: bool = False


def date(value: object, zone: tzinfo = UTC) -> Moment:
    """Return a value as a ``date``: ISO 8601, Kibana's display form, or epoch milliseconds.

    Digits beyond the microsecond are cut off.

    Args:
        value: Text, or a number of milliseconds since 1970 (as text too).
        zone: The zone of a text that names none.

    Raises:
        Malformed: If it is no date, or one that the proleptic calendar 0001 to 9999 lacks.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Malformed(f"no date: {type(value).__name__}")
    if isinstance(value, str):
        text = value.strip()
        if not _MILLISECONDS.fullmatch(text):
            return _written_date(text, zone)
        return from_number(int(text), 1_000)
    return from_number(value, 1_000)


def from_number(value: float | Decimal, per_second: int, epoch: datetime = _EPOCH) -> Moment:
    """Return the moment that lies a number of units after an epoch.

    Args:
        value: The number of units.
        per_second: Units in a second: 1 for seconds, 1,000 for milliseconds, 10,000,000 for the
            100 ns units of a Windows FILETIME.
        epoch: Where counting starts (1601-01-01 for a FILETIME).

    Raises:
        Malformed: If the result lies outside of the years 1 to 9999.
    """
    try:
        # Integer arithmetic for integers: a float loses microseconds of a FILETIME.
        if isinstance(value, int):
            micros = value * MICROSECONDS // per_second
        else:
            micros = round(value * MICROSECONDS / per_second)
        return Moment((epoch + timedelta(microseconds=micros) - _EPOCH) // _MICROSECOND)
    except (OverflowError, ValueError, InvalidOperation):
        raise Malformed("date out of range") from None


def _written_date(text: str, zone: tzinfo) -> Moment:
    try:
        if _KIBANA_DATE.fullmatch(text):
            moment = datetime.strptime(text, "%b %d, %Y @ %H:%M:%S.%f")  # noqa: DTZ007 - see below
        else:
            moment = datetime.fromisoformat(text)
        assumed = moment.tzinfo is None
        if assumed:
            moment = moment.replace(tzinfo=zone)
        return Moment((moment - _EPOCH) // _MICROSECOND, zone_assumed=assumed)
    except (OverflowError, ValueError):
        raise Malformed("no date") from None


def format_time(time: int) -> str:
    """Return a time as RFC 3339 in UTC with 0, 3 or 6 fraction digits, the fewest that hold it."""
    moment = _EPOCH + timedelta(microseconds=time)
    fraction = time % MICROSECONDS
    precision = (
        "seconds" if not fraction else "microseconds" if fraction % 1_000 else "milliseconds"
    )
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


TYPES: dict[str, Callable[[object], Any]] = {
    "process.pid": long,
    "source.port": long,
    "destination.port": long,
    "source.ip": ip,
    "destination.ip": ip,
}
"""The ECS fields read here that are not of type keyword (dates have a parser of their own)."""

DATES = frozenset({"@timestamp", "event.ingested"})
