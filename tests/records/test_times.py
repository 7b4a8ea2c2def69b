"""Dates as exporters write them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.fields import Malformed
from smbrare.records.times import date, format_time, from_number

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
            "9" * 18,
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
