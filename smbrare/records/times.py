"""Times as Elasticsearch and the vendors write them, read as integer microseconds, UTC."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from msgspec import Struct

from smbrare.records import date_forms
from smbrare.records.fields import Malformed


def seconds(micros: int) -> int:
    """Return microseconds as whole seconds."""
    return micros // MICROSECONDS


MICROSECONDS = 1_000_000
"""Microseconds in a second: all times inside the program are integer microseconds, UTC."""

HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
HOUR = HOUR_SECONDS * MICROSECONDS

DAY = 24 * HOUR

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Units of numbers that count from 1970, as units in a second."""

_INTEGER = re.compile(r"-?[0-9]+")
_MOST_DIGITS = 20
_DECIMAL = re.compile(r"-?[0-9]{1,19}\.[0-9]{1,9}")
_MICROSOFT_JSON_DATE = re.compile(r"/Date\((-?[0-9]{1,17})(?:[+-][0-9]{4})?\)/")
_FURTHEST_SECONDS = 10**12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The first and the last moment of the calendar: no text tells others."""

YEAR_2000 = 946_684_800 * MICROSECONDS
"""Logs that the rule reads begin later: an earlier time was probably read wrongly."""

YEAR_2100 = 4_102_444_800 * MICROSECONDS


class Moment(Struct, frozen=True):
    """A point in time.

    Attributes:
        time: Microseconds since 1970-01-01 UTC.
        zone_assumed: Whether the text named no zone, so that the caller's was taken.
        order_assumed: Whether month and day could be the other way round, so that the month was
            taken to come first.
    """

    time: int
    zone_assumed: bool = False
    order_assumed: bool = False


def date(value: object, zone: tzinfo = UTC, unit: int | None = None) -> Moment:
    """Return a value as a ``date``.

    Read are ISO 8601 with 0 to 9 fraction digits and a blank or T before the time, the forms of
    `date_forms`, Microsoft's JSON date (``/Date(1595374458918)/``), and numbers, also as text.
    Digits beyond the microsecond are cut off.

    A number counts milliseconds, as Elasticsearch's ``epoch_millis``. One that would then lie
    beyond the calendar counts micro- or nanoseconds if that makes it a time from 2000 to 2099: no
    other reading of it is one. Seconds look like milliseconds of 1970 and need ``unit``.

    Args:
        value: Text or a number.
        zone: The zone of a text that names none.
        unit: Units in a second of a number since 1970, one of `UNITS`; None to go by its size.

    Raises:
        Malformed: If it is no date, or one that the proleptic calendar 0001 to 9999 lacks.
    """
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise Malformed(f"no date: {type(value).__name__}")
        return _from_epoch(value, unit)
    text = value.strip()
    if text[4:5] != "-":  # What has a dash there is no number.
        if _INTEGER.fullmatch(text):
            if len(text) > _MOST_DIGITS:
                raise Malformed("date out of range")
            return _from_epoch(int(text), unit)
        if unit is not None and _DECIMAL.fullmatch(text):
            return from_number(Decimal(text), unit)
        if text.startswith("/") and (encoded := _MICROSOFT_JSON_DATE.fullmatch(text)):
            return from_number(int(encoded[1]), 1_000)
    return _written_date(text, zone)


def _from_epoch(value: float | Decimal, unit: int | None) -> Moment:
    return from_number(value, _unit_by_size(value) if unit is None else unit)


def _unit_by_size(value: float | Decimal) -> int:
    try:
        if value < YEAR_2000:
            return UNITS["ms"]
        # A FILETIME and .NET's ticks of this century lie outside of both ranges.
        for unit in (UNITS["us"], UNITS["ns"]):
            if YEAR_2000 <= value * MICROSECONDS // unit < YEAR_2100:
                return unit
    except (OverflowError, ArithmeticError):
        pass  # No number, or one that `from_number` refuses.
    return UNITS["ms"]


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
        # Decided before converting: a Decimal with a huge exponent takes minutes to become an int.
        furthest = _FURTHEST_SECONDS * per_second
        if not -furthest <= value <= furthest:
            raise Malformed("date out of range")
        # Integer arithmetic for integers: a float loses microseconds of a FILETIME.
        if isinstance(value, int):
            micros = value * MICROSECONDS // per_second
        else:
            micros = round(value * MICROSECONDS / per_second)
    except (OverflowError, ArithmeticError):
        raise Malformed("date out of range") from None
    time = micros if epoch is _EPOCH else micros + (epoch - _EPOCH) // _MICROSECOND
    if not EARLIEST <= time <= LATEST:
        raise Malformed("date out of range")
    return Moment(time)


def _written_date(text: str, zone: tzinfo) -> Moment:
    order_assumed = False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            written = date_forms.parse(text)
        except ValueError:
            raise Malformed("no date") from None
        moment, order_assumed = written.moment, written.guessed
    assumed = moment.tzinfo is None
    try:
        if assumed:
            moment = moment.replace(tzinfo=zone)
        since = moment - _EPOCH
    except (OverflowError, ValueError):
        raise Malformed("no date") from None
    # Half as long as a division by a microsecond.
    time = (since.days * DAY_SECONDS + since.seconds) * MICROSECONDS + since.microseconds
    if not EARLIEST <= time <= LATEST:
        # An offset can carry the first and the last day out of the calendar.
        raise Malformed("date out of range")
    return Moment(time, assumed, order_assumed)


def format_time(time: int) -> str:
    """Return a time as RFC 3339 in UTC with 0, 3 or 6 fraction digits, the fewest that hold it.

    What is reckoned beyond the years 1 to 9999, such as a run after the last event, is shown as the
    nearest moment of them.
    """
    time = min(max(time, EARLIEST), LATEST)
    moment = _EPOCH + timedelta(microseconds=time)
    fraction = time % MICROSECONDS
    precision = (
        "seconds" if not fraction else "microseconds" if fraction % 1_000 else "milliseconds"
    )
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
