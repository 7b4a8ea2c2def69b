"""Content that might contain a match is never taken for harmless, and little else is suspected."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smbrare.records.json_text import decode
from smbrare.rule.might_match import WINDOW, might_match, might_match_anywhere
from smbrare.rule.predicate import matches
from tests.rule.test_port_sieve import TEXT_SHAPES, port_texts
from tests.support.events import view
from tests.support.spelling import Packed, json_text

PRIVATE = "10.20.1.17"
INTERNET = "45.83.122.10"
FIELDS = ("destination.port", "process.pid", "source.ip", "destination.ip")

randoms = st.integers(0, 2**32).map(Random)
pids = st.sampled_from(("4", "004", "4.0", "4.7", "+4", "4e0", "System"))
privates = (
    st.integers(0, 2**24 - 1).map(lambda number: str(IPv4Address(number + (10 << 24))))
    | st.integers(0, 2**20 - 1).map(lambda number: f"::ffff:{IPv4Address(number + 0xAC100000)}")
    | st.integers(0, 2**16 - 1).map(lambda number: str(IPv4Address(number + 0xC0A80000)))
    | st.integers(0, 2**16 - 1).map(lambda number: str(IPv6Address(number + 0xFFFFC0A80000)))
)
internets = st.sampled_from(
    (
        "8.8.8.8",
        INTERNET,
        "0.0.0.1",
        "2001:db8::1",
        "fd12:3456::9",
        "::ffff:8.8.8.8",
        "8.8.8.8%eth0",
    )
) | st.integers(2**125, 2**126 - 1).map(lambda number: str(IPv6Address(number)))


def record(port: str, pid: str, source: str, destination: str) -> dict[str, Any]:
    return {"a": {"p": port, "who": pid}, "b": [source, {"to": destination}], "Level": "x"}


@given(st.sampled_from(TEXT_SHAPES), port_texts, randoms)
def test_no_record_that_matches_is_taken_for_harmless(
    shape: Any, port: str, random: Random
) -> None:
    line = json_text(shape(port), random).encode()
    assert matches(view(decode(line)))
    assert might_match(line)
    assert might_match_anywhere([line]) is not None


@given(st.builds(record, port_texts, pids, privates, internets), st.integers(0, 2), randoms)
def test_no_spelling_of_a_match_is_taken_for_harmless(
    value: dict[str, Any], depth: int, random: Random
) -> None:
    for _ in range(depth):
        value = {"message": Packed(value)}
    line = json_text(value, random).encode()
    assert might_match(line)
    assert might_match_anywhere([line.decode().encode("utf-16-le")]) is not None
    assert might_match_anywhere([line.decode().encode("utf-16-be")]) is not None


SOUND = record("445", "4", PRIVATE, INTERNET)
LACKING: dict[str, dict[str, Any]] = {
    "destination.port": record("443", "4", PRIVATE, INTERNET),
    "process.pid": record("445", "900", PRIVATE, INTERNET),
    "source.ip": record("445", "4", "45.83.122.9", INTERNET),
    "destination.ip": record("445", "4", PRIVATE, "10.20.0.5"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_part_is_wanted(field: str) -> None:
    line = json_text(LACKING[field], Random(0)).encode()
    assert might_match(json_text(SOUND, Random(0)).encode())
    assert not might_match(line)
    assert might_match_anywhere([line]) is None


def beside(value: str) -> bytes:
    return f"port 445 from {PRIVATE} to {INTERNET} {value}".encode()


@pytest.mark.parametrize(
    "value",
    [
        '"pid":4,',
        "pid:4",
        "param1:4",
        "process.a:4",
        "ProcessId::4",
        "\t4\t",
        "004",
        "4.0",
        "4.",
        "3.99999999999999999",
        "&#52;",
        "&#x34;",
        ">4<",
        r"\u0034",
        r"\t4\r\n",
        r"\\\"4\\\"",
        ";4;",
        "[4]",
        "PID=4",
        "4/System",
        "System",
        "Image: System\r\n",
        r"\\\"System\\\"",
        ">System<",
    ],
)
def test_the_pid_is_seen_as_a_value(value: str) -> None:
    assert might_match(beside(value))
    assert might_match_anywhere([beside(value)]) is not None


@pytest.mark.parametrize(
    "value",
    [
        "14",
        "41",
        "1.4",
        "-4",
        "0x4",
        "IPv4",
        "10:4",
        "4:30",
        "10:04:11",
        "+04:00",
        "UTC+4",
        "4 PM",
        "2026-11-4",
        "2026-11-04T09:11:18",
        "11/4/2026",
        "4/11/2026",
        "04/Nov/2026:09:11:18",
        "Nov  4 09:11:18",
        "Nov 4, 2026",
        "4 November 2026",
        "10.0.0.4",
        "4.10.0.1",
        "1.4.5",
        "10.0.0.1:4",
        "fe80::4",
        "fe80::d:4",
        "ip:2001:db8::4",
        "4::1",
        "<4>kernel",
        "%4",
        '"System":',
        r"\"System\": {",
        "<System>",
        r"NT AUTHORITY\\SYSTEM",
        r"C:\\Windows\\System32",
        "the Operating System is",
        "using System;",
        "System.Diagnostics",
    ],
)
def test_what_is_part_of_something_else_is_no_pid(value: str) -> None:
    assert not might_match(beside(value))


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("10.20.1.17.3", INTERNET),
        ("v10.20.1.17", INTERNET),
        (PRIVATE, "45.83.122"),
        (PRIVATE, "300.1.1.1"),
        (PRIVATE, "203.0.113.9"),
        (PRIVATE, "fe80::1"),
        (PRIVATE, "0.0.0.0"),  # noqa: S104 - an address in a log
        (PRIVATE, "[::]:0"),
        (PRIVATE, "std::vector, Foo::Bar, d::x"),
        (PRIVATE, "aa:bb:cc:dd:ee:ff"),
        (PRIVATE, "09:11:18"),
    ],
)
def test_what_is_no_address_of_a_match_is_let_go(source: str, destination: str) -> None:
    text = f"4 445 {source} {destination}".encode()
    assert not might_match(text)
    assert might_match_anywhere([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        f"TCP  {PRIVATE}:50017  {INTERNET}:445  ESTABLISHED  4",
        f"src={PRIVATE} dst=[2001:db8::1]:445 pid=4",
        f"dst:2001:db8:1:2:3:4:5:6 {PRIVATE} 445 4",
        f"{PRIVATE};4;{INTERNET};445",
    ],
)
def test_other_formats_are_suspected(text: str) -> None:
    assert might_match(text.encode())


def filler(size: int, random: Random) -> bytes:
    words = (b"lorem", b"1445", b"{", b"2026-11-16T08:00:00.445Z", b"10:44", b"ab\n", "ä".encode())
    text = b""
    while len(text) < size:
        text += b" " + random.choice(words)
    return text[:size]


def parts(random: Random) -> list[bytes]:
    found = [b'"445"', b"pid:4,", PRIVATE.encode(), INTERNET.encode()]
    random.shuffle(found)
    return found


@given(st.integers(0, 120_000), st.integers(0, WINDOW - 200), randoms)
def test_a_match_is_seen_wherever_it_lies_and_however_the_content_is_cut(
    before: int, gap: int, random: Random
) -> None:
    one, *others = parts(random)
    match = one + b" " + filler(gap, random) + b" " + b" ".join(others)
    content = filler(before, random) + b" " + match + b" " + filler(9_000, random)
    place = might_match_anywhere(_cut(content, random))
    assert place is not None
    assert abs(place - before) < 2 * WINDOW


@given(st.integers(0, 50_000), randoms)
def test_a_match_in_utf_16_is_seen_wherever_it_lies(before: int, random: Random) -> None:
    content = filler(before, random) + b" " + b" ".join(parts(random)) + b" "
    utf_16 = (content + filler(5_000, random)).decode("latin-1").encode("utf-16-le")
    assert might_match_anywhere(_cut(utf_16, random)) is not None


@given(st.integers(0, 70_000), randoms)
def test_parts_that_stand_far_from_each_other_are_no_match(before: int, random: Random) -> None:
    one, *others = parts(random)
    far = b"-x" * (WINDOW // 2)
    content = filler(before, random) + b" " + one + b" " + far + b" " + b" ".join(others)
    assert might_match_anywhere(_cut(content + filler(9_000, random), random)) is None


@given(st.integers(0, 70_000), randoms)
def test_the_edge_of_a_window_cuts_no_number(before: int, random: Random) -> None:
    long = b"1" + b"0" * random.randrange(1_500) + b"44510.20.1.17x4x45.83.122.10x"
    content = filler(before, random) + long * 40 + filler(9_000, random)
    assert might_match_anywhere(_cut(content, random)) is None


def _cut(content: bytes, random: Random) -> Iterator[bytes]:
    places = sorted(random.randrange(len(content) + 1) for _ in range(random.randrange(6)))
    for start, end in pairwise([0, *places, len(content)]):
        yield content[start:end]


@given(st.binary(max_size=300), randoms)
def test_any_bytes_are_answered(noise: bytes, random: Random) -> None:
    text = noise + beside("4") + noise
    assume(b"\0" not in noise)
    might_match(noise)
    might_match_anywhere(_cut(text, random))


def test_a_record_is_one_however_long_it_is() -> None:
    far = "x " * WINDOW
    assert might_match(f"445 {far} 4 {far} {PRIVATE} {far} {INTERNET}".encode())


@pytest.mark.parametrize("value", ["139.162.0.9", "Chrome/139.0.0.0", "1.445.2.3", "445.1.2"])
def test_what_is_part_of_an_address_or_a_version_is_no_port(value: str) -> None:
    text = f"pid 4 from {PRIVATE} to {INTERNET} {value}".encode()
    assert not might_match(text)
    assert might_match(text + b" 139.0")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_match_in_wide_characters_is_seen(encoding: str) -> None:
    text = json_text(SOUND, Random(0))
    assert might_match_anywhere([text.encode(encoding)]) is not None
