"""NDJSON and other JSON are told apart by how a text begins."""

import json
from typing import Any

import pytest

from smbrare.inputs.json_tokens import DOCUMENT, NDJSON, shape
from smbrare.inputs.unpack.streams import HEAD_BYTES
from tests.support.container_world import read

EVENT = {"a": 1, "b": {"c": [1, 2, {"d": None}]}}
LINE = json.dumps(EVENT)
PRETTY = json.dumps(EVENT, indent=4)
FILLER = "x" * HEAD_BYTES

SHAPES = {
    "an object": (LINE, NDJSON),
    "a line": (LINE + "\n", NDJSON),
    "lines": ("\n\n" + (LINE + "\n") * 9, NDJSON),
    "lines with CR": ((LINE + "\r\n") * 9, NDJSON),
    "a line cut off": (LINE + "\n" + LINE[:9], NDJSON),
    "a bad first line": (LINE[:9] + "\n" + (LINE + "\n") * 2, NDJSON),
    "a first line cut in its middle": ('"c": 1}}\n' + (LINE + "\n") * 2, NDJSON),
    "a first line cut behind a key": ('{"a":\n' + (LINE + "\n") * 2, NDJSON),
    "a bad first line of two": ('{"a":\n' + LINE + "\n", NDJSON),
    "binary before the lines": ("\x00\x01\n" + (LINE + "\n") * 2, NDJSON),
    "a search response a line": ('{"hits":{"hits":[]}}\n', NDJSON),
    "pretty": (PRETTY, DOCUMENT),
    "pretty with CR": (PRETTY.replace("\n", "\r\n"), DOCUMENT),
    "pretty objects": ((PRETTY + "\n") * 3, DOCUMENT),
    "pretty objects without anything between": (PRETTY * 3, DOCUMENT),
    "more bad lines than good ones": ("{nonsense\n" * 25 + (LINE + "\n") * 2, NDJSON),
    "an envelope with a broken element": (
        f'{{"records":[\n{LINE},\n{LINE[:-1]},\n{LINE}\n]}}',
        DOCUMENT,
    ),
    "pretty and broken": (PRETTY[:-9] + "nope }", ""),
    "pretty objects, one of them broken": ((PRETTY + "\n") * 2 + PRETTY[:-9] + "nope }", DOCUMENT),
    "pretty and cut off": (PRETTY[:-9], DOCUMENT),
    "two objects a line": ((LINE + LINE + "\n") * 3, DOCUMENT),
    "an array": ("[" + LINE + "]", DOCUMENT),
    "an array, an element a line": (f"[\n{LINE},\n{LINE}\n]", DOCUMENT),
    "an envelope, an element a line": (f'{{"records":[\n{LINE},\n{LINE}\n]}}', DOCUMENT),
    "an empty array": ("[]", DOCUMENT),
    "text": ("hello", ""),
    "a number": ("7\n7\n", ""),
    "a list of texts": ('["a","b"]', ""),
    "a style sheet": ("{\n  color: red;\n}\n", ""),
    "nothing": ("", ""),
    "mostly text": ("a\nb\nc\n" + LINE + "\nd\ne\n", ""),
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_whole_text_has_its_shape(text: str, expected: str) -> None:
    assert shape(text.encode(), whole=True) == expected


LONG: dict[str, tuple[str, str]] = {
    "a long line": (json.dumps({"a": FILLER}), NDJSON),
    "a long line with an array": (json.dumps({"a": [{"b": 1}], "c": FILLER}), NDJSON),
    "a long event with an envelope's key": (
        json.dumps({"@timestamp": 1, "events": [{"b": 1}], "c": FILLER}),
        NDJSON,
    ),
    "a search response": (json.dumps({"took": 1, "hits": {"hits": [{"a": FILLER}]}}), DOCUMENT),
    "an array": (json.dumps([{"a": FILLER}]), DOCUMENT),
    "objects without anything between": (LINE * 9_000, DOCUMENT),
    "only blanks": (" \n" * HEAD_BYTES, NDJSON),
    "long numbers": ('{"a":' + "9" * HEAD_BYTES, NDJSON),
}


@pytest.mark.parametrize(("text", "expected"), LONG.values(), ids=LONG)
def test_a_text_of_which_only_the_beginning_is_seen_has_its_shape(text: str, expected: str) -> None:
    assert shape(text.encode()[:HEAD_BYTES], whole=False) == expected


def test_a_bad_first_line_costs_no_other_line() -> None:
    for bad in (b'{"a":\n', b"nonsense\n", b'{"a":1}}\n', b"\xfd\xff\x00\n"):
        outcome = read(bad + b'{"a":2}\n{"a":3}\n')
        assert [document["a"] for document in outcome.documents] == [2, 3], bad
        assert len(outcome.skipped) == 1


def test_lines_longer_than_what_is_peeked_at_are_read() -> None:
    events: list[dict[str, Any]] = [{"a": number, "text": FILLER * 2} for number in range(3)]
    outcome = read("".join(json.dumps(event) + "\n" for event in events).encode())
    assert outcome.containers == ["ndjson"]
    assert list(outcome.documents) == events
