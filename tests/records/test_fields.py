"""Values as Elasticsearch types them, against a naive reference written from the list of rules."""

import re
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.limits import DEFAULT
from smbrare.records.fields import Malformed, ip, keyword, long

# keyword


@pytest.mark.parametrize(
    ("value", "text"),
    [("Tcp ", "Tcp "), (4, "4"), (True, "true"), (False, "false"), (4.5, "4.5"), ("", "")],
)
def test_a_keyword_is_taken_as_it_is(value: Any, text: str) -> None:
    assert keyword(value) == text


@pytest.mark.parametrize("value", [None, {}, {"a": 1}, []])
def test_an_object_is_no_keyword(value: Any) -> None:
    with pytest.raises(Malformed):
        keyword(value)


# long

_DIGITS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


def naive_long(text: str) -> int | None:
    """Return a number's integer part by moving the point by hand; None if it is malformed.

    Text that keeps more than 19 digits behind the point is 0, one with more than 19 zeros to
    append is malformed: so Elasticsearch spares itself huge numbers.
    """
    parts = _DIGITS.fullmatch(text)
    if parts is None or not ((parts[2] or "") + (parts[3] or "")):
        return None
    whole, fraction, exponent = parts[2] or "", parts[3] or "", int(parts[4] or "0")
    if abs(len(fraction) - exponent) > 19:
        return 0 if len(fraction) > exponent else None
    digits, point = whole + fraction, len(whole) + exponent
    kept = (digits[:point].ljust(point, "0") if point > 0 else "").lstrip("0")
    if len(kept) > len(str(2**63)):
        return None
    number = int(kept or "0") * (-1 if parts[1] == "-" else 1)
    return number if -(2**63) <= number < 2**63 else None


numbers = st.from_regex(
    re.compile(r"[+-]?[0-9]{0,22}(\.[0-9]{0,24})?([eE][+-]?[0-9]{1,2})?", re.ASCII), fullmatch=True
)


@given(numbers | st.text(alphabet="0123456789+-.eE x_", max_size=12))
def test_a_long_is_what_moving_the_point_by_hand_gives(text: str) -> None:
    wanted = naive_long(text)
    if wanted is None:
        with pytest.raises(Malformed):
            long(text)
    else:
        assert long(text) == wanted


@given(st.integers(-(2**64), 2**64))
def test_an_integer_is_itself_within_64_bits(number: int) -> None:
    if -(2**63) <= number < 2**63:
        assert long(number) == number == long(str(number))
    else:
        for spelling in (number, str(number), Decimal(number)):
            with pytest.raises(Malformed):
                long(spelling)


@given(st.floats(-1e15, 1e15))
def test_a_float_loses_its_fraction(number: float) -> None:
    assert long(number) == int(number) == long(Decimal(number))


@pytest.mark.parametrize(
    "value", ["4", "004", "+4", 4, 4.0, "4.0", "4e0", "4.7", 4.7, "0.4e1", "40E-1", Decimal("4.9")]
)
def test_four_has_many_spellings(value: Any) -> None:
    assert long(value) == 4


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, [], {}),
        *("0x4", " 4", "4 ", "4,5", "1_000", "٤", "four", "", "-", "+", ".", "e4", "4e", "4e1.5"),
        *("NaN", "Infinity", "inf", float("nan"), float("inf"), Decimal("NaN"), Decimal("Inf")),
        *(2**63, -(2**63) - 1, "9223372036854775808", 1e19, "1e19"),
    ],
)
def test_what_is_no_long_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        long(value)


@pytest.mark.parametrize(
    "text",
    [
        "1e1000000",
        "1e999999999999999999",
        "0e1000000",
        "0e20",
        "1e1000000000000000000000000",
        "-1e1000000",
        "1" + "0" * 10**5,
        "9" * 10**5 + "e-5",
    ],
)
def test_a_huge_number_is_malformed_without_being_computed(text: str) -> None:
    with pytest.raises(Malformed):
        long(text)


def test_a_number_that_is_no_text_may_have_any_digits_behind_the_point() -> None:
    assert long(Decimal("4." + "0" * 30)) == 4
    assert long(1e-30) == long(Decimal("0e30")) == 0


def test_a_decimal_with_a_huge_exponent_is_malformed_without_being_computed() -> None:
    with pytest.raises(Malformed):
        long(Decimal("1e1000000"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-1000000", 0),
        ("0" * 10**5 + "4", 4),
        ("4." + "0" * 19, 4),
        ("4." + "0" * 20, 0),
        ("445." + "0" * 10**5, 0),
        ("4." + "0" * 20 + "e1", 40),
        ("4" + "0" * 19 + "e-19", 4),
        ("4" + "0" * 10**5 + "e-100000", 0),
        ("9" * 18 + ".9", 999_999_999_999_999_999),
    ],
)
def test_a_long_spelling_of_a_small_number_is_read(text: str, number: int) -> None:
    assert long(text, most=2 * 10**5) == number
    if len(text) > DEFAULT.number_digits:
        with pytest.raises(Malformed):
            long(text)


# ip


@given(st.integers(0, 2**32 - 1))
def test_ipv4_is_itself_also_when_mapped_into_ipv6(number: int) -> None:
    address = IPv4Address(number)
    assert ip(str(address)) == address
    assert ip(f"::ffff:{address}") == address
    assert ip(f"0:0:0:0:0:FFFF:{number >> 16:x}:{number & 0xFFFF:x}") == address
    assert ip(f"::ffff:{address}%eth0") == address
    assert ip(f"{address}%eth0") == address


@given(st.integers(0, 2**128 - 1))
def test_ipv6_is_the_same_in_long_and_short_form_and_with_a_zone(number: int) -> None:
    address = IPv6Address(number)
    wanted = address.ipv4_mapped or address
    for text in (str(address), address.exploded, address.exploded.upper(), f"{address}%12"):
        assert ip(text) == wanted


@given(st.text(alphabet="0123456789abcdef.:%/ x", max_size=24))
def test_an_address_is_what_the_standard_library_says(text: str) -> None:
    before, percent, zone = text.partition("%")
    try:
        wanted: Any = ip_address(before + percent * (not zone))
    except ValueError:
        with pytest.raises(Malformed):
            ip(text)
        return
    mapped = getattr(wanted, "ipv4_mapped", None)
    assert ip(text) == (mapped or type(wanted)(int(wanted)))


@pytest.mark.parametrize(
    "value",
    [
        *("10.1", "10.0.0.01", "010.0.0.1", "10.0.0.1:445", "[::1]", "fe80::1%", "10.0.0.1%"),
        *("10.0.0.0/8", " 10.0.0.1", "10.0.0.1\n", "1.2.3.4.5", "256.0.0.1", "", "-", "localhost"),
        *("%eth0", "10.0.0.01%eth0", "10.0.0.1 %1"),
        *("::ffff:10.0.0.01", "1:2:3:4:5:6:7:8:9", 167772161, True, None, [], {}, 10.1),
    ],
)
def test_what_is_no_address_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        ip(value)


def test_a_long_zone_is_ignored_like_a_short_one() -> None:
    assert ip("fe80::1%" + "x" * 500) == IPv6Address("fe80::1")
    assert ip("10.0.0.9%" + "x" * 500 + "%") == IPv4Address("10.0.0.9")
