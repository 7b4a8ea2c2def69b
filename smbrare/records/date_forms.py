"""Dates as programs and people write them, beside ISO 8601.

A form is read where it can mean one time only, the zone aside. What has no zone is returned
without one. Of ``5/6/2026`` nothing shows which number is the day: `DateParts.guessed` says so.

The forms, and who writes them:

- ``2026-11-18 09:11:18.123 UTC``: BigQuery, Plaso, Ruby's ``Time#to_s``.
- ``2026-11-18 09:11:18.123 +0000``: Splunk's ``%Q %z``, Ruby.
- ``2026-11-18T09:11:18.123+01:00[Europe/Berlin]``: Java's ``ZonedDateTime``, RFC 9557. The offset
  decides; a zone in brackets without an offset is no date.
- ``2026/11/18 09:11:18``: fluentd's Windows plugins, Sysinternals, Go's ``log``.
- ``Wed, 18 Nov 2026 09:11:18 GMT``: RFC 1123 and RFC 5322 with their numeric offsets.
- ``18/Nov/2026:09:11:18 +0000``: the common log format.
- ``Wed Nov 18 09:11:18 UTC 2026``: C's ``ctime``, ``date``, Ruby.
- ``Nov 18, 2026 9:11:18 AM``, ``Nov 18, 2026 @ 09:11:18.123``: browsers, Kibana's Discover.
- ``11/18/2026, 9:11:18.123 am``, ``18/11/2026, 09:11:18``, ``18.11.2026 09:11:18``: browsers by
  the user's language, the Azure and Defender portals, Excel. Dots are day first everywhere.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

from msgspec import Struct

_LONGEST = 80
"""No form is longer; a text that is would only be searched in vain."""

_MONTHS = {
    name: number
    for number, full in enumerate(
        (
            *("january", "february", "march", "april", "may", "june"),
            *("july", "august", "september", "october", "november", "december"),
        ),
        start=1,
    )
    for name in (full, full[:3])
} | {"sept": 9}

# Browsers write a narrow or a no-break blank before AM, and some marks of direction around dates.
_BLANKS = {0x00A0: " ", 0x202F: " ", 0x2009: " ", 0x200E: None, 0x200F: None}

_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?"
)
_ZONE = (
    r"(?P<zone> ?(?:z|utc|gmt|ut))?"
    r"(?P<offset> ?(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)?"
    r"(?P<comment> ?(?:\[[a-z0-9/_+-]{1,40}\]|\([^()]{1,40}\)))?"
)
_YEAR = "(?P<year>[0-9]{4})"
_DAY = "(?P<day>[0-9]{1,2})"
_MONTH = r"(?P<name>[a-z]{3,9})\.?"
_TIME = rf"(?:t|,? {{1,2}}|:| @ ){_CLOCK}{_ZONE}"
_YEAR_FIRST = rf"{_YEAR}(?P<mark>[-/])(?P<month>[0-9]{{1,2}})(?P=mark){_DAY}{_TIME}"
_NUMBERS = rf"(?P<left>[0-9]{{1,2}})(?P<mark>[-/.])(?P<right>[0-9]{{1,2}})(?P=mark){_YEAR}{_TIME}"
_MONTH_FIRST = rf"{_WEEKDAY}{_MONTH} {_DAY},? {_YEAR}{_TIME}"
_DAY_FIRST = rf"{_WEEKDAY}{_DAY}(?P<mark>[-/ ]){_MONTH}(?P=mark){_YEAR}{_TIME}"
_YEAR_LAST = rf"{_WEEKDAY}{_MONTH} {{1,2}}{_DAY} {_CLOCK}{_ZONE} {_YEAR}"
_FLAGS = re.IGNORECASE | re.ASCII


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    """Return the forms, compiled when one is first met: that takes as long as much of a start."""
    return (
        re.compile(_YEAR_FIRST, _FLAGS),
        re.compile(_NUMBERS, _FLAGS),
        re.compile(_MONTH_FIRST, _FLAGS),
        re.compile(_DAY_FIRST, _FLAGS),
        re.compile(_YEAR_LAST, _FLAGS),
    )


_NUMERIC = re.compile(
    r"(?P<left>[0-9]{1,2})(?P<mark>[-/])(?P<right>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})(?P<rest>.*)",
    re.DOTALL | re.ASCII,
)
_MOST_MONTHS = 12
_NOON = 12


class WrittenDate(Struct, frozen=True):
    """A date read from one of the forms.

    Attributes:
        moment: The time; it has a zone only if the text has one.
        guessed: Whether month and day could be the other way round.
    """

    moment: datetime
    guessed: bool


def parse(text: str) -> WrittenDate:
    """Return the date of a text that has no blanks around it.

    Raises:
        ValueError: If it is in none of the forms, or names a day or an hour that is none.
    """
    if len(text) <= _LONGEST:
        text = text.translate(_BLANKS).strip()
        for form in _forms():
            if match := form.fullmatch(text):
                return _read(match.groupdict())
    raise ValueError("no form of date")


def _read(parts: dict[str, str | None]) -> WrittenDate:
    month, day, guessed = _month_and_day(parts)
    moment = datetime(
        int(parts["year"] or 0),
        month,
        day,
        _hour(int(parts["hour"] or 0), parts["half"]),
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int((parts["part"] or "")[:6].ljust(6, "0")),
        _zone(parts),
    )
    return WrittenDate(moment, guessed)


def _month_and_day(parts: dict[str, str | None]) -> tuple[int, int, bool]:
    if name := parts.get("name"):
        return _MONTHS.get(name.lower(), 0), int(parts["day"] or 0), False
    if parts.get("month"):
        return int(parts["month"] or 0), int(parts["day"] or 0), False
    left, right = int(parts["left"] or 0), int(parts["right"] or 0)
    if parts["mark"] == "." or left > _MOST_MONTHS:
        return right, left, False
    return left, right, right <= _MOST_MONTHS and left != right


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if hour > _NOON:
        raise ValueError("no hour of half a day")
    return hour % _NOON + (_NOON if half.lower() == "p" else 0)


def _zone(parts: dict[str, str | None]) -> tzinfo | None:
    if parts["offset"]:
        minutes = int(parts["hours"] or 0) * 60 + int(parts["minutes"] or 0)
        return timezone(timedelta(minutes=-minutes if parts["sign"] == "-" else minutes))
    if parts["zone"]:
        return UTC
    if parts["comment"]:
        raise ValueError("a zone by its name alone")
    return None


def shows_day_first(text: str) -> bool | None:
    """Return whether a date of numbers with the year last has its day first.

    Returns:
        None where month and day could be either way round, or the text is no such date.
    """
    parts = _NUMERIC.fullmatch(text)
    if parts is None:
        return None
    left, right = int(parts["left"]), int(parts["right"])
    if (left > _MOST_MONTHS) is (right > _MOST_MONTHS) or not _is_date(text):
        return None
    return left > _MOST_MONTHS


def is_ambiguous(text: str) -> bool:
    """Return whether a text is a date whose month and day could be the other way round."""
    return _NUMERIC.fullmatch(text) is not None and _is_date(text) and parse(text).guessed


def _is_date(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def with_year_first(text: str, *, day_first: bool) -> str:
    """Return a date of numbers with the year last as one that can be read in one way only."""
    parts = _NUMERIC.fullmatch(text)
    if parts is None:
        return text
    month, day = parts["left"], parts["right"]
    if day_first:
        month, day = day, month
    if int(month) > _MOST_MONTHS:
        return text  # It was written in the other order, and can be read in no other.
    return f"{parts['year']}/{month}/{day}{parts['rest']}"
