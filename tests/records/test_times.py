"""Dates as exporters write them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.date_forms import shows_day_first, with_year_first
from smbrare.records.fields import Malformed
from smbrare.records.times import UNITS, date, format_time, from_number


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


YEAR_1601, YEAR_9000 = map(datetime.fromisoformat, ("1601-01-02", "9000-01-01"))


@pytest.mark.parametrize("separator", ["T", " "])
@pytest.mark.parametrize(
    ("zone", "hours"), [("Z", 0), ("+00:00", 0), ("+02:00", -2), ("-0530", 5.5)]
)
@given(
    moment=st.datetimes(YEAR_1601, YEAR_9000),
    fraction=st.from_regex(re.compile(r"[0-9]{0,9}", re.ASCII), fullmatch=True),
)
def test_iso_is_read_with_any_fraction_blank_and_offset(
    separator: str, zone: str, hours: float, moment: datetime, fraction: str
) -> None:
    text = f"{moment:%m-%dT%H:%M:%S}".replace("T", separator)
    text = f"{moment.year:04d}-{text}" + (f".{fraction}" if fraction else "") + zone
    wanted = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=UTC)
    wanted += timedelta(hours=hours)
    read = date(text)
    assert format_time(read.time).rstrip("Z") == wanted.replace(tzinfo=None).isoformat(
        timespec="seconds"
        if not wanted.microsecond
        else "milliseconds"
        if wanted.microsecond % 1000 == 0
        else "microseconds"
    )
    assert not read.zone_assumed


@given(st.datetimes())
def test_a_time_that_is_written_is_read_again(moment: datetime) -> None:
    time = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert date(format_time(time)).time == time


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_epoch_milliseconds_are_read_as_number_and_as_text(number: int) -> None:
    for value in (number, str(number), Decimal(number), f"/Date({number})/"):
        assert date(value).time == number * 1000
        assert not date(value).zone_assumed


@given(st.integers(-11_644_473_600, 4_102_444_800), st.integers(0, 999_999))
def test_epoch_seconds_keep_their_microseconds(seconds: int, micros: int) -> None:
    value = Decimal(seconds) + Decimal(micros).scaleb(-6)
    assert from_number(value, 1).time == seconds * 1_000_000 + micros
    assert abs(from_number(float(value), 1).time - (seconds * 1_000_000 + micros)) <= 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Jul 12, 2019 @ 00:00:00.000", "2019-07-12T00:00:00Z"),
        ("Jul 2, 2019 @ 13:05:06.789", "2019-07-02T13:05:06.789Z"),
        ("Dec 31, 1999 @ 23:59:59.123456789", "1999-12-31T23:59:59.123456Z"),
        ("10/25/2023, 9:43:21.990 AM", "2023-10-25T09:43:21.990Z"),
        ("1/2/2023, 12:00:00.000 AM", "2023-01-02T00:00:00Z"),
        ("1/2/2023, 12:00:00.000 PM", "2023-01-02T12:00:00Z"),
        ("2020-08-05 02:09:51", "2020-08-05T02:09:51Z"),
        (" 2019-03-18 16:57:47.847 ", "2019-03-18T16:57:47.847Z"),
        ("1601-01-01T00:00:00", "1601-01-01T00:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_read_in_the_zone_given(text: str, wanted: str) -> None:
    assert format_time(date(text).time) == wanted
    assert date(text).zone_assumed
    east = timezone(timedelta(hours=3))
    assert date(text, east).time == date(text).time - 3 * 3600 * 1_000_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2022-04-04T18:52:21Z", "2022-04-04T18:52:21Z"),
        ("2022-04-04T18:52:00.6007809Z", "2022-04-04T18:52:00.600780Z"),
        ("2020-03-03T19:08:32.74626000Z", "2020-03-03T19:08:32.746260Z"),
        ("2019-03-18T16:57:49.089723100Z", "2019-03-18T16:57:49.089723Z"),
        ("1601-01-01T00:00:00.000Z", "1601-01-01T00:00:00Z"),
        ("/Date(1595374458918+0200)/", "2020-07-21T23:34:18.918Z"),
        ("/Date(-11644473600000)/", "1601-01-01T00:00:00Z"),
    ],
)
def test_a_time_with_its_zone_assumes_none(text: str, wanted: str) -> None:
    moment = date(text, timezone(timedelta(hours=9)))
    assert format_time(moment.time) == wanted
    assert not moment.zone_assumed


def offset(minutes: int) -> str:
    sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
    return f"{sign}{minutes // 60:02}{minutes % 60:02}"


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
LONG_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def half_day(moment: datetime, mark: str = " {}M") -> str:
    half = mark.format("A" if moment.hour < 12 else "P")
    return f"{moment.hour % 12 or 12}:{moment:%M:%S}{half}"


FORMS: dict[str, Callable[[datetime], str]] = {
    "word UTC": lambda t: f"{t:%Y-%m-%d %H:%M:%S} UTC",
    "word UTC, fraction": lambda t: f"{t:%Y-%m-%d %H:%M:%S.%f} UTC",
    "word GMT": lambda t: f"{t:%Y-%m-%d %H:%M:%S} GMT",
    "comma": lambda t: f"{t:%Y-%m-%d %H:%M:%S},{t.microsecond:06}",
    "year first": lambda t: f"{t:%Y/%m/%d %H:%M:%S}",
    "year first, T": lambda t: f"{t:%Y/%m/%dT%H:%M:%S.%f}Z",
    "RFC 1123": lambda t: f"{DAYS[t.weekday()]}, {t:%d} {MONTHS[t.month - 1]} {t:%Y %H:%M:%S} GMT",
    "no weekday": lambda t: f"{t.day} {MONTHS[t.month - 1]} {t:%Y %H:%M:%S} +0000",
    "ctime": lambda t: f"{DAYS[t.weekday()]} {MONTHS[t.month - 1]} {t.day:2} {t:%H:%M:%S} {t:%Y}",
    "date(1)": lambda t: (
        f"{DAYS[t.weekday()]} {MONTHS[t.month - 1]} {t.day:2} {t:%H:%M:%S} UTC {t:%Y}"
    ),
    "common log": lambda t: f"{t:%d}/{MONTHS[t.month - 1]}/{t:%Y:%H:%M:%S} +0000",
    "java": lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f}Z[UTC]",
    "script": lambda t: (
        f"{DAYS[t.weekday()]} {MONTHS[t.month - 1]} {t:%d %Y %H:%M:%S} GMT+0000 (Some Time)"
    ),
    "portal": lambda t: f"{MONTHS[t.month - 1]} {t.day}, {t.year} {half_day(t)}",
    "portal, long": lambda t: f"{LONG_MONTHS[t.month - 1]} {t.day}, {t.year} {half_day(t)}",
    "kibana": lambda t: f"{MONTHS[t.month - 1]} {t.day}, {t.year} @ {t:%H:%M:%S.%f}",
    "month first": lambda t: f"{t.month}/{t.day}/{t.year}, {half_day(t)}",
    "lower case": lambda t: f"{t.month}/{t.day}/{t.year}, {half_day(t).lower()}",
    "narrow blank": lambda t: f"{t.month}/{t.day}/{t.year}, {half_day(t, chr(0x202F) + '{}M')}",
    "points": lambda t: f"{t.month}/{t.day}/{t.year}, {half_day(t, ' {}.M.').lower()}",
    "dots": lambda t: f"{t.day}.{t.month}.{t.year} {t:%H:%M:%S}",
    "dashes, name": lambda t: f"{t.day}-{MONTHS[t.month - 1].upper()}-{t.year} {t:%H:%M:%S}",
}


@pytest.mark.parametrize("form", FORMS)
@given(moment=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001
def test_a_form_that_programs_write_is_read_as_it_was_meant(form: str, moment: datetime) -> None:
    text = FORMS[form](moment)
    wanted = moment if str(moment.microsecond).zfill(6) in text else moment.replace(microsecond=0)
    assert format_time(date(text).time) == format_time(micros(wanted.replace(tzinfo=UTC)))


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001
    minutes=st.integers(-14 * 60, 14 * 60),
    form=st.sampled_from(
        [
            "{t:%Y-%m-%dT%H:%M:%S.%f}{offset}",
            "{t:%Y-%m-%d %H:%M:%S} {offset}",
            "{t:%Y-%m-%d %H:%M:%S.%f} {offset}",
            "{t:%Y/%m/%d %H:%M:%S} {offset}",
            "{t:%Y-%m-%dT%H:%M:%S}{offset}[Europe/Berlin]",
            "{t:%d %b %Y %H:%M:%S} {offset}",
            "{t:%b %d %Y %H:%M:%S} GMT{offset}",
            "{t:%b %d %H:%M:%S} {offset} {t:%Y}",
        ]
    ),
)
def test_an_offset_is_taken_off(moment: datetime, minutes: int, form: str) -> None:
    moment = moment if "%f" in form else moment.replace(microsecond=0)
    read = date(form.format(t=moment, offset=offset(minutes)), timezone(timedelta(hours=5)))
    zone = timezone(timedelta(minutes=minutes))
    assert read.time == micros(moment.replace(tzinfo=zone))
    assert not read.zone_assumed


@given(moment=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001
def test_day_and_month_are_told_apart_where_one_of_them_is_no_month(moment: datetime) -> None:
    """The naive reading: a date that only one of two orders can mean is read in that one."""
    wanted = micros(moment.replace(microsecond=0, tzinfo=UTC))
    day_first = f"{moment.day}/{moment.month}/{moment.year} {moment:%H:%M:%S}"
    month_first = f"{moment.month}/{moment.day}/{moment.year} {moment:%H:%M:%S}"
    decided = moment.day > 12 or moment.day == moment.month
    assert date(month_first).time == wanted
    assert date(month_first).order_assumed is not decided
    assert date(day_first).order_assumed is not decided
    assert (date(day_first).time == wanted) is decided
    assert shows_day_first(day_first) is (True if moment.day > 12 else None)
    assert shows_day_first(month_first) is (False if moment.day > 12 else None)
    for text, first in ((day_first, True), (month_first, False)):
        sorted_out = date(with_year_first(text, day_first=first))
        assert sorted_out.time == wanted
        assert not sorted_out.order_assumed


@given(st.integers(946_684_800_000_000, 4_102_444_799_999_999), st.integers(0, 999))
def test_micro_and_nanoseconds_are_known_by_their_size(number: int, nanos: int) -> None:
    for value in (number, str(number), Decimal(number)):
        assert date(value).time == number
    assert date(number * 1000 + nanos).time == number
    assert date(str(number * 1000 + nanos)).time == number


@pytest.mark.parametrize("unit", UNITS)
@given(seconds=st.integers(0, 4_102_444_799), digits=st.integers(0, 10**9 - 1))
def test_a_unit_that_is_given_holds_for_every_number(unit: str, seconds: int, digits: int) -> None:
    per_second = UNITS[unit]
    count = seconds * per_second + digits % per_second
    wanted = count * 1_000_000 // per_second
    assert date(count, unit=per_second).time == wanted
    assert date(str(count), unit=per_second).time == wanted
    assert date("2026-11-18T09:11:18Z", unit=per_second) == date("2026-11-18T09:11:18Z")


def test_a_text_of_seconds_with_a_fraction_needs_the_unit() -> None:
    with pytest.raises(Malformed):
        date("1795079478.123")
    assert format_time(date("1795079478.123", unit=1).time) == "2026-11-19T09:11:18.123Z"
    assert format_time(date(1795079478.123, unit=1).time) == "2026-11-19T09:11:18.123Z"


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-18T09:11:18[Europe/Berlin]", "2026-11-18 09:11:18 CET", "18/11/26 09:11:18"),
        *("18/18/2026 09:11:18", "Foo 18, 2026 9:11:18 AM", "Nov 18, 2026 13:11:18 PM"),
        *("18/11-2026 09:11:18", "Nov 31, 2026 9:11:18 AM", "2026/13/01 00:00:00", "18/11/2026"),
        *("2026-11-18 09:11:18 +99:99", "2026-11-18 09:61:18 UTC", "Nov 18, 2026"),
        "2026-11-18 09:11:18 UTC" + " " * 10**6 + "x",
        "1" * 10**6,
        "(" * 70,
    ],
)
def test_what_could_mean_several_times_or_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        date(text)


@pytest.mark.parametrize(
    "value",
    [
        *(True, None, [], {}, "", "-", "now", "18:32:29.466", "2019-13-01", "2019-02-29T00:00:00Z"),
        *("Foo 12, 2019 @ 00:00:00.000", "Jul 42, 2019 @ 00:00:00.000", "13/13/2023, 9:43:21.9 AM"),
        *("0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "/Date(x)/", "1e12"),
        *(
            float("nan"),
            float("inf"),
            1e300,
            10**400,
            -(10**18),
            "9" * 17,
            "131762381493039760",
            "639000000000000000",
            "/Date(99999999999999999)/",
        ),
        *(Decimal("1e1000000"), Decimal("-1e1000000"), Decimal("NaN"), Decimal("sNaN")),
    ],
)
def test_what_is_no_date_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        date(value)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_000, "1970-01-01T00:00:00.001Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_written_with_the_fewest_digits_that_hold_it(time: int, text: str) -> None:
    assert format_time(time) == text
