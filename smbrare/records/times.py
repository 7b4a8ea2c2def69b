"""Times as Elasticsearch and the vendors write them, read as integer microseconds, UTC."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from msgspec import Struct

from smbrare.records.fields import SCALARS, Malformed


def seconds(micros: int) -> int:
    """Return microseconds as whole seconds."""
    return micros // MICROSECONDS


MICROSECONDS = 1_000_000
"""Microseconds in a second: all times inside the program are integer microseconds, UTC."""

HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
HOUR = HOUR_SECONDS * MICROSECONDS


DAY = 24 * HOUR

_MILLISECONDS = re.compile(r"-?[0-9]{1,17}")

_MICROSOFT_JSON_DATE = re.compile(r"/Date\((-?[0-9]{1,17})(?:[+-][0-9]{4})?\)/")

_DISPLAYED_DATE = re.compile(
    r"(?P<kibana>[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4} @ [0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"\.(?P<kibana_fraction>[0-9]{1,9})"
    r"|(?P<azure>[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}, [0-9]{1,2}:[0-9]{2}:[0-9]{2})"
    r"\.(?P<azure_fraction>[0-9]{1,9}) (?P<half>[AP]M)"
)


_FURTHEST = 10**18

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)

_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class Moment(Struct, frozen=True):
    """A point in time.

    Attributes:
        time: Microseconds since 1970-01-01 UTC.
        zone_assumed: Whether the text named no zone, so that the caller's was taken.
    """

    time: int
    zone_assumed: bool = False


def date(value: object, zone: tzinfo = UTC) -> Moment:
    """Return a value as a ``date``.

    Read are ISO 8601 with 0 to 9 fraction digits and a blank or T before the time; epoch
    milliseconds, as a number or as text; what Kibana displays (``Jul 12, 2019 @ 00:00:00.000``),
    what the Azure portal does (``10/25/2023, 9:43:21.990 AM``, month first), and Microsoft's JSON
    date (``/Date(1595374458918)/``). Digits beyond the microsecond are cut off.

    Args:
        value: Text, or a number of milliseconds since 1970.
        zone: The zone of a text that names none.

    Raises:
        Malformed: If it is no date, or one that the proleptic calendar 0001 to 9999 lacks.
    """
    if isinstance(value, bool) or not isinstance(value, SCALARS):
        raise Malformed(f"no date: {type(value).__name__}")
    if not isinstance(value, str):
        return from_number(value, 1_000)
    text = value.strip()
    if text[4:5] != "-":  # What has a dash there is no number.
        if _MILLISECONDS.fullmatch(text):
            return from_number(int(text), 1_000)
        if text.startswith("/") and (encoded := _MICROSOFT_JSON_DATE.fullmatch(text)):
            return from_number(int(encoded[1]), 1_000)
    return _written_date(text, zone)


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
        if not -_FURTHEST <= value <= _FURTHEST:
            raise Malformed("date out of range")
        # Integer arithmetic for integers: a float loses microseconds of a FILETIME.
        if isinstance(value, int):
            micros = value * MICROSECONDS // per_second
        else:
            micros = round(value * MICROSECONDS / per_second)
        return Moment((epoch + timedelta(microseconds=micros) - _EPOCH) // _MICROSECOND)
    except (OverflowError, ArithmeticError):
        raise Malformed("date out of range") from None


def _written_date(text: str, zone: tzinfo) -> Moment:
    try:
        displayed = _DISPLAYED_DATE.fullmatch(text)
        moment = _displayed(displayed) if displayed else datetime.fromisoformat(text)
        assumed = moment.tzinfo is None
        if assumed:
            moment = moment.replace(tzinfo=zone)
        time = (moment - _EPOCH) // _MICROSECOND
    except (OverflowError, ValueError):
        raise Malformed("no date") from None
    if not _EARLIEST <= time <= _LATEST:
        # An offset can carry the first and the last day out of the calendar.
        raise Malformed("date out of range")
    return Moment(time, zone_assumed=assumed)


def _displayed(parts: re.Match[str]) -> datetime:
    if parts["kibana"]:
        moment = datetime.strptime(parts["kibana"], "%b %d, %Y @ %H:%M:%S")  # noqa: DTZ007
        fraction = parts["kibana_fraction"]
    else:
        text = f"{parts['azure']} {parts['half']}"
        moment = datetime.strptime(text, "%m/%d/%Y, %I:%M:%S %p")  # noqa: DTZ007
        fraction = parts["azure_fraction"]
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))


def format_time(time: int) -> str:
    """Return a time as RFC 3339 in UTC with 0, 3 or 6 fraction digits, the fewest that hold it."""
    moment = _EPOCH + timedelta(microseconds=time)
    fraction = time % MICROSECONDS
    precision = (
        "seconds" if not fraction else "microseconds" if fraction % 1_000 else "milliseconds"
    )
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
