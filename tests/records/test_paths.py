"""Paths into a document: the quick walk and every spelling, against a flattened document."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smbrare.records.paths import first, is_missing, leaves

keys = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a.b.c", "c.a"])
trees = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def flattened(node: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return every value, objects included, with the path that leads to it."""
    if isinstance(node, list):
        return [pair for element in node for pair in flattened(element, path)]
    found = [] if node is None else [(path, node)]
    if isinstance(node, dict):
        for key, value in node.items():
            found += flattened(value, f"{path}.{key}" if path else key)
    return found


@given(trees | st.dictionaries(keys, trees), keys)
@example({"a": {"b": {"c": 1}}}, "a.b.c")
@example({"a": {"b": {"c": 1}}, "a.b": {"c": 2}, "a.b.c": [3]}, "a.b.c")
@example({"a": {"b": 1}}, "a.b.c")
@example({"a": {"b": {"c": [1, None, [2]]}}}, "a.b.c")
def test_leaves_are_those_of_the_flattened_document(document: Any, path: str) -> None:
    wanted = [repr(value) for name, value in flattened(document) if name == path]
    assert Counter(map(repr, leaves(document, path))) == Counter(wanted)


def test_values_of_an_array_keep_their_order_and_nested_spelling_comes_first() -> None:
    document = {"a.b": [3, [4]], "a": [{"b": 1}, {"b": [2]}]}
    assert leaves(document, "a.b") == [1, 2, 3, 4]


def test_arrays_may_nest_deeper_than_calls() -> None:
    document: Any = 1
    for _ in range(5_000):
        document = [document]
    assert leaves({"a": document}, "a") == [1]


@pytest.mark.parametrize("document", [None, 7, "a", [], [7]])
def test_what_is_no_object_has_no_leaves(document: Any) -> None:
    assert leaves(document, "a") == []


def test_first_passes_over_what_is_missing() -> None:
    assert first({"a": [None, "", "-"], "b": ["-", 0]}, "c", "a", "b") == 0
    assert first({"a": "-"}, "a") is None


@pytest.mark.parametrize("value", [None, "", "-"])
def test_null_empty_and_a_dash_are_missing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, False, " ", "--", [], {}])
def test_nothing_else_is_missing(value: Any) -> None:
    assert not is_missing(value)
