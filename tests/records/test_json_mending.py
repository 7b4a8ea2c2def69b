"""Flawed JSON: mended where nothing has to be guessed, refused where anything would be."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.json_mending import mend
from smbrare.records.json_text import BadJson, decode

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=4)
junk = st.text("\0\ufeff \t", max_size=4)


@given(st.lists(objects, min_size=1, max_size=4), st.data())
def test_objects_are_found_between_junk_and_commas_as_they_were_written(
    written: list[Any], data: st.DataObject
) -> None:
    """The naive reading is what was put together, in its order."""
    parts = [data.draw(junk)]
    for each in written:
        parts += [json.dumps(each), data.draw(junk), data.draw(st.sampled_from(["", ","]))]
    found = mend("".join([*parts, data.draw(junk)]).encode())
    assert list(found.objects) == written
    assert not found.rest


@given(objects, objects, st.integers(0, 200))
def test_a_torn_object_behind_a_whole_one_costs_that_alone(
    first: Any, second: Any, cut: int
) -> None:
    torn = json.dumps(second)[: max(1, min(cut, len(json.dumps(second)) - 1))]
    found = mend((json.dumps(first) + torn).encode())
    assert found.objects == (first,)
    assert found.rest.rstrip() == torn.rstrip()


@given(objects)
def test_control_characters_in_texts_are_read_as_they_are(document: Any) -> None:
    strict = json.dumps(document, ensure_ascii=False)
    raw = re.sub(
        r"\\\\|\\u00([01][0-9a-f])|\\([tnrbf])",
        lambda found: (
            chr(int(found[1], 16))
            if found[1]
            else {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}[found[2]]
            if found[2]
            else found[0]
        ),
        strict,
    )
    if raw != strict:
        found = mend(raw.encode())
        assert found.objects == (document,)
        assert found.flaw == "control characters in a text"


@pytest.mark.parametrize(
    ("text", "documents", "flaw"),
    [
        ('{"a":1},', [{"a": 1}], "a comma behind an object"),
        ('{"a":1}{"b":2}', [{"a": 1}, {"b": 2}], "several objects on a line"),
        ('\0\0\0{"a":1}', [{"a": 1}], "NUL characters or a byte order mark"),
        ('{"a":1}\0\0', [{"a": 1}], "NUL characters or a byte order mark"),
        ('\0\ufeff{"a":1}', [{"a": 1}], "NUL characters or a byte order mark"),
        (
            '{"a":NaN,"b":-Infinity}',
            [{"a": None, "b": None}],
            "NaN for a number, Infinity for a number",
        ),
        ('{"a":"x\ty"}', [{"a": "x\ty"}], "control characters in a text"),
        ('{\t"a":1},', [{"a": 1}], "a comma behind an object"),
    ],
)
def test_what_was_mended_is_named(text: str, documents: list[Any], flaw: str) -> None:
    found = mend(text.encode())
    assert list(found.objects) == documents
    assert found.flaw == flaw


@pytest.mark.parametrize(
    "text",
    [
        *("", "\0\0", "{", "}", '"a":1}', '{"a":1}}', '{"a":1}]', '[{"a":1}]', "7", "7{}", "null"),
        *('{"a":1} nonsense', '{"a":1},,{"b":2}', ',{"a":1}x', '{"a":nan}', "{'a':1}", '{"a":01}'),
        "{" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_what_would_have_to_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(BadJson):
        mend(text.encode())


@given(st.binary(max_size=30) | st.text('{}[],:"\\0 a1Nan\n', max_size=20).map(str.encode))
def test_any_bytes_are_mended_or_refused(content: bytes) -> None:
    try:
        found = mend(content)
    except BadJson:
        return
    assert found.objects
    try:
        document = decode(content)
    except BadJson:
        return
    assert found.objects == (document,)
