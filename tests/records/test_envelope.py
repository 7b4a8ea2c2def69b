"""An envelope gives its events; an event stays itself."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.inputs.readers import document
from smbrare.records.envelope import ARRAYS, events
from smbrare.records.event import Record

ONE, TWO = {"destination": {"ip": "45.83.122.10"}}, {"a": [1, {"b": None}]}


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def hit(**parts: Any) -> dict[str, Any]:
    return {"_index": "logs", "_id": "1", "_score": None} | parts


@pytest.mark.parametrize("path", sorted(ARRAYS), ids=".".join)
def test_the_events_of_every_envelope_come_out_in_order(path: tuple[str, ...]) -> None:
    assert list(events({"took": 1} | nested(path, [ONE, TWO]))) == [ONE, TWO]


def test_a_hit_is_its_source_or_else_its_fields() -> None:
    fields = {"destination.ip": ["45.83.122.10"]}
    assert list(events(hit(_source=ONE, fields=fields))) == [ONE]
    assert list(events(hit(fields=fields))) == [fields]
    assert list(events(hit(_source={}, fields=fields))) == [fields]
    assert list(events({"_id": "1", "_source": ONE})) == [ONE]


def test_envelopes_inside_one_another_are_opened_all_the_way() -> None:
    response = {"hits": {"hits": [hit(_source={"records": [ONE]}), hit(_source=TWO)]}}
    assert list(events({"responses": [response, response]})) == [ONE, TWO, ONE, TWO]


@pytest.mark.parametrize(
    "event",
    [
        {"events": 5},
        {"records": ["a", "b"]},
        {"results": {"a": 1}},
        {"hits": 3},
        {"hits": {"hits": "many"}},
        {"fields": {"environment": "test"}},
        {"_source": {"a": 1}},
        {"@timestamp": "2026-11-16T08:00:00Z", "events": ["a"]},
        {},
    ],
    ids=json.dumps,
)
def test_an_event_with_the_key_of_an_envelope_stays_itself(event: dict[str, Any]) -> None:
    assert list(events(event)) == [event]


@pytest.mark.parametrize("mark", ["@timestamp", "timestamp", "destination.ip", "EventID"])
@pytest.mark.parametrize("key", ["records", "events", "value"])
def test_a_key_of_an_event_costs_neither_the_list_nor_the_event(mark: str, key: str) -> None:
    assert list(events({mark: 3, key: [ONE, TWO]})) == [ONE, TWO, {mark: 3}]
    assert list(events({key: [ONE, TWO], mark: 3})) == [ONE, TWO, {mark: 3}]


def test_an_envelope_without_events_gives_none() -> None:
    assert list(events({"took": 1, "hits": {"total": 0, "hits": []}})) == []
    assert list(events({"records": []})) == []


def test_all_arrays_of_an_envelope_are_opened() -> None:
    assert sorted(map(str, events({"records": [ONE], "events": [TWO]}))) == [str(TWO), str(ONE)]


def test_of_elements_that_are_no_objects_only_texts_and_lists_may_hold_an_event() -> None:
    array = [ONE, None, 7, True, "a", [TWO], TWO]
    assert list(events({"records": array})) == [ONE, {"records": "a"}, TWO, TWO]


KEYS = st.sampled_from(
    [
        *("hits", "response", "responses", "records", "events", "value"),
        *("_index", "_id", "_source", "fields", "@timestamp", "timestamp", "a", "a.b"),
    ]
)
VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.just("x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_came_out_of_envelopes_needs_no_second_pass(value: dict[str, Any]) -> None:
    once = list(events(value))
    assert [again for event in once for again in events(event)] == once


@settings(max_examples=500)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_streamed_document_gives_the_events_of_a_decoded_one(value: dict[str, Any]) -> None:
    text = json.dumps(value).encode()
    found = list(document.read(io.BytesIO(text), "x"))
    assert [item.document for item in found if isinstance(item, Record)] == list(events(value))
    assert [item for item in found if not isinstance(item, Record)] == []


def test_a_hit_behind_an_array_of_its_own_is_not_lost_when_streamed() -> None:
    text = json.dumps({"records": [TWO]} | hit(_source=ONE)).encode()
    found = [item for item in document.read(io.BytesIO(text), "x") if isinstance(item, Record)]
    assert [item.document for item in found] == [TWO, ONE]


def test_an_envelope_whose_first_element_is_no_object_is_still_one() -> None:
    event = {"destination": {"ip": "45.83.122.10"}}
    assert list(events({"records": [None, event]})) == [event]
    assert list(events({"results": [3, event, 7]})) == [event]


def test_a_hit_is_the_union_of_its_source_and_its_fields() -> None:
    fields = {"destination.ip": ["45.83.122.10"]}
    source = {"@timestamp": "x", "destination": {"port": 445}}
    assert list(events({"_id": "1", "_source": source, "fields": fields})) == [source | fields]
    whole = {"destination": {"ip": "10.0.0.1"}}
    assert list(events({"_id": "1", "_source": whole, "fields": fields})) == [whole]


def test_what_stands_beside_the_events_is_given_if_it_may_hold_some() -> None:
    inner = {"inner_hits": {"others": {"hits": {"hits": [{"_source": ONE}]}}}}
    assert list(events(hit(_source=TWO, **inner))) == [TWO, inner]
    assert list(events(hit(_source=TWO, highlight={"event.category": ["x"]}, sort=[1]))) == [TWO]
    buckets = {"aggregations": {"by": {"buckets": [{"key": {"destination.ip": "45.83.122.10"}}]}}}
    nothing: dict[str, Any] = {"hits": {"total": 0, "hits": []}}
    assert list(events(nothing | buckets)) == [{"hits": {"total": 0}} | buckets]
    tuples = {"aggregations": {"by": {"buckets": [{"key_as_string": "4|10.0.0.5|45.83.122.10"}]}}}
    assert list(events(nothing | tuples)) == [{"hits": {"total": 0}} | tuples]
    stream = io.BytesIO(json.dumps(nothing | buckets).encode())
    assert [
        record.document for record in document.read(stream, "x") if isinstance(record, Record)
    ] == [{"hits": {"total": 0}} | buckets]
    assert list(events({"took": 1, "_shards": {"total": 1}, "hits": {"hits": [ONE]}})) == [ONE]
