"""JSON documents are streamed, keep their numbers, and give what came before damage."""

import io
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from smbrare.inputs.readers import document
from smbrare.limits import Limits
from smbrare.records.event import Record, Skipped
from smbrare.records.fields import Malformed, long
from tests.conftest import ROOT


def read(text: str | bytes, **limits: int) -> list[Record | Skipped]:
    content = text.encode() if isinstance(text, str) else text
    return list(document.read(io.BytesIO(content), "x", Limits(**limits)))


def documents(text: str | bytes, **limits: int) -> list[Any]:
    return [item.document for item in read(text, **limits) if isinstance(item, Record)]


def skipped(text: str | bytes, **limits: int) -> list[Skipped]:
    return [item for item in read(text, **limits) if isinstance(item, Skipped)]


def test_records_are_counted_from_one() -> None:
    numbers = [item.origin.number for item in read('[{"a":1},{"a":2}]{"a":3}')]
    assert numbers == [1, 2, 3]


def test_values_of_all_shapes_may_follow_one_another() -> None:
    text = '{"a":1}{"a":2}\n[{"a":3}]\n\n{"took":1,"hits":{"hits":[{"_id":"1","_source":{"a":4}}]}}'
    assert documents(text) == [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}]


def test_an_event_is_one_record_whatever_it_nests() -> None:
    event = {"@timestamp": "x", "events": ["a"], "hits": {"b": [1, [2, {"c": None}]]}}
    assert documents(json.dumps(event, indent=2)) == [event]


def test_a_key_behind_the_events_that_shows_an_event_is_not_lost() -> None:
    assert documents('{"events":[{"a":1}],"@timestamp":"x"}') == [{"a": 1}, {"@timestamp": "x"}]


def test_what_is_no_object_is_skipped_and_counted() -> None:
    found = skipped('[{"a":1},2,"x",null,[3]]')
    assert [item.reason for item in found] == [
        "no object: int",
        "no object: str",
        "no object: NoneType",
        "no object: list",
    ]
    assert not any(item.ends_input for item in found)
    assert [item.could_matter for item in found] == [False, True, False, True]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("99926275868403174266", 99926275868403174266),
        ("1726275868403174267", 1726275868403174267),
        ("-9223372036854775808", -(2**63)),
        ("445.0", Decimal("445.0")),
        ("4.45e2", Decimal(445)),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
    ],
)
def test_a_number_keeps_its_meaning(text: str, value: object) -> None:
    (found,) = documents(f'{{"a": {text}}}')
    assert found["a"] == value


def test_a_port_may_be_written_as_any_number() -> None:
    (found,) = documents('{"a": [445, 445.0, 4.45e2, 445.7]}')
    assert [long(port) for port in found["a"]] == [445] * 4


@pytest.mark.parametrize("number", ["1e1000000", "9" * 5_000, "9" * 100_000, "1e400"])
def test_a_number_beyond_every_type_costs_neither_time_nor_its_neighbours(number: str) -> None:
    text = f'[{{"a":1}},{{"a":{number},"b":2}},{{"a":3}}]'
    first, middle, last = documents(text)
    assert (first, middle["b"], last) == ({"a": 1}, 2, {"a": 3})
    with pytest.raises(Malformed):
        long(middle["a"])


def test_a_number_that_no_type_can_write_ends_the_input_after_what_came_before() -> None:
    text = '[{"a":1},{"a":1e99999999999999999999},{"a":3}]'
    assert documents(text) == [{"a": 1}]
    (end,) = skipped(text)
    assert end.ends_input


DAMAGE = {
    "cut off in an element": '[{"a":1},{"a":2},{"a":',
    "cut off between elements": '[{"a":1},{"a":2},',
    "cut off before its end": '[{"a":1},{"a":2}',
    "a bad token": '[{"a":1},{"a":2},{"a":nope},{"a":3}]',
    "a constant of no language": '[{"a":1},{"a":2},{"a":nan}]',
    "an escape of no kind": '[{"a":1},{"a":2},{"a":"x\\y"}]',
    "a control character outside of a text": '[{"a":1},{"a":2},\x01{"a":3}]',
    "no comma between members": '[{"a":1},{"a":2},{"a":3 "b":4}]',
    "no comma between texts": '[{"a":1},{"a":2},{"a":["b" "c"]}]',
    "two commas": '[{"a":1},{"a":2},,{"a":3}]',
    "a comma and no element": '[{"a":1},{"a":2},{"a":[,]}]',
    "zero bytes between members": '[{"a":1},{"a":2},{"a":{},\0\0"b":4}]',
    "zero bytes for a value": '[{"a":1},{"a":2},{"a":\0\0{}}]',
    "zero bytes": '[{"a":1},{"a":2},\0\0\0',
    "an envelope cut off": '{"hits":{"hits":[{"a":1},{"_id":"2","_source":{"a":2}},{',
    "objects cut off": '{"a":1}{"a":2}{"a"',
}


@pytest.mark.parametrize("text", DAMAGE.values(), ids=DAMAGE)
def test_damage_ends_the_input_after_what_came_before(text: str) -> None:
    assert documents(text) == [{"a": 1}, {"a": 2}]
    (end,) = skipped(text)
    assert end.ends_input
    assert end.could_matter
    assert end.origin.number == 3
    assert "\n" not in end.reason


def test_bytes_that_are_no_utf_8_do_not_hide_their_event() -> None:
    assert documents(b'[{"a":"x\xff\xed\xa0\x80","b":1},{"b":2}]')[1] == {"b": 2}
    assert documents('[{"a":"\\ud800","b":1}]') == [{"a": "?", "b": 1}]


def test_a_character_may_lie_across_any_two_reads() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size, 1) if size is not None and size > 0 else size)

    found = list(document.read(Slow('[{"ä€😀":"ü"}]'.encode()), "x"))
    assert [item.document for item in found if isinstance(item, Record)] == [{"ä€😀": "ü"}]


def test_an_element_that_nests_too_deeply_costs_only_itself() -> None:
    for opening, closing in (("[", "]"), ('{"x":', "}")):
        deep = opening * 60 + "1" + closing * 60
        text = f'[{{"a":1}},{{"a":{deep}}},{{"a":3}}]'
        assert documents(text, nesting=50) == [{"a": 1}, {"a": 3}]
        (reason,) = skipped(text, nesting=50)
        assert reason.could_matter
        assert not reason.ends_input
        assert len(documents(text, nesting=70)) == 3


def test_a_member_that_nests_too_deeply_is_counted_and_its_event_stays() -> None:
    text = '{"a":1,"deep":' + "[" * 60 + "]" * 60 + ',"b":2}'
    assert documents(text, nesting=50) == [{"a": 1, "b": 2}]
    assert len(skipped(text, nesting=50)) == 1


@pytest.mark.parametrize(
    "text",
    ['[{"a":1},{"a":"' + "x" * 400_000 + '"}]', '[{"a":1},{"a":[' + "1," * 200_000 + "1]}]"],
    ids=["text", "array"],
)
def test_an_element_that_is_too_long_ends_the_input(text: str) -> None:
    assert documents(text, record_bytes=200_000) == [{"a": 1}]
    (end,) = skipped(text, record_bytes=200_000)
    assert end.ends_input
    assert "longer than" in end.reason


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert documents('{"a":1,"a":2}\n{"b":{"a":1,"a":2}}') == [{"a": 2}, {"b": {"a": 2}}]


MEASURE = """
import io
from pathlib import Path
from smbrare.inputs.containers import parts
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.records.event import Record

element = {element!r}
between = b","
count = 150 * 1024 * 1024 // len(element)

class Huge(io.RawIOBase):
    def __init__(self):
        self.left = count
        self.rest = {opening!r}
        self.closed_off = False
    def readable(self):
        return True
    def readinto(self, buffer):
        while len(self.rest) < len(buffer) and self.left > 0:
            take = min(self.left, 200)
            self.left -= take
            self.rest += (element + between) * take
        if self.left == 0 and not self.closed_off:
            self.rest = self.rest[:-1] + {closing!r}
            self.closed_off = True
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size

(part,) = parts(io.BufferedReader(Huge()), "x")
found = 0
for item in part.read(ReaderOptions()).items:
    assert isinstance(item, Record), item
    found += 1
assert found == count, (found, count)
# Not getrusage: its maximum survives the exec, and is that of the test run.
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
print(part.container, int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"took":1,"hits":{"total":1,"hits":[', b"]}}")],
    ids=["array", "search response"],
)
def test_a_huge_document_on_one_line_is_read_in_bounded_memory(
    opening: bytes, closing: bytes
) -> None:
    element = json.dumps(
        {
            "_index": "x",
            "_id": "1",
            "_source": {"message": "m" * 20_000, "list": [1, {"a": 2}] * 50},
        }
    ).encode()
    program = MEASURE.format(element=element, opening=opening, closing=closing)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    container, megabytes = done.stdout.split()
    assert container == "json"
    assert int(megabytes) < 100
