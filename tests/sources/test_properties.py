"""Whatever the JSON, a record gives a documented result, and never an error."""

import copy
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.records.event import Reading
from smbrare.records.fields import ADDRESSES, DATES, LONGS
from smbrare.records.paths import at
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import Moment
from smbrare.rule.predicate import failing
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.mapping import View
from tests.support.forms import FORMS, OTHERS
from tests.support.forms.connection import Connection
from tests.support.forms.reading import FIELDS

RECORDS = [form(Connection()) for form in FORMS.values()] + [
    other(Connection()) for others in OTHERS.values() for other in others
]


def keys_of(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in keys_of(value)}
    if isinstance(node, list):
        return {key for value in node for key in keys_of(value)}
    return set()


KEYS = sorted(set().union(*map(keys_of, RECORDS)) | {"kibana", "kibana.alert", "signal", "smbrare"})

leaf = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            *("3", 3, 22, 5156, "445", "4", "-", "", "tcp", "windows", "network"),
            *("10.0.0.1", "::ffff:45.83.122.10", "fe80::1%", "Microsoft-Windows-Sysmon"),
            *("Microsoft-Windows-Sysmon/Operational", "Security", "ConnectionSuccess"),
            *("2026-11-16 08:00:00.123", "/Date(99999999999999999)/", "1e1000000"),
            *("{", '{"EventData": 3}', '{"direction": "In"}', "<Event", "<EventData></EventData>"),
            *("endpoint.events.network", "m365_defender.event", "AdvancedHunting-", "a\\b"),
        ]
    )
)
tree = st.recursive(
    leaf,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
anything = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), tree, max_size=12)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Return a record of a known form with some of its values replaced by anything."""
    record = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(1, 4))):
        node: Any = record
        while isinstance(node, dict) and node:
            key = draw(st.sampled_from(sorted(node)))
            if not isinstance(node[key], dict | list) or draw(st.booleans()):
                node[key] = draw(tree)
                break
            node = node[key]
    return record


def check(document: dict[str, Any], settings: ReadOptions) -> None:
    before = copy.deepcopy(document)
    assert is_alert(document) in {True, False}
    view = recognize(document, settings)
    assert view is None or isinstance(view, View)
    if view is not None:
        for field in FIELDS:
            check_reading(view.read(field), field)
        assert all(isinstance(value, Moment) for value in view.time().values)
        assert list(failing(view)) is not None
        assert view.source
        assert view.kind
    assert repr(document) == repr(before)


def check_reading(reading: Reading, field: str) -> None:
    wanted: Any = str
    if field in DATES:
        wanted = Moment
    elif field in ADDRESSES:
        wanted = IPv4Address | IPv6Address
    elif field in LONGS:
        wanted = int
    assert all(isinstance(value, wanted) for value in reading.values)
    assert not any(value in {"", "-"} for value in reading.values)
    if reading.malformed:
        assert reading.path


@given(document=anything, literal=st.booleans())
@settings(max_examples=300)
def test_any_json_object_gives_a_documented_result(
    document: dict[str, Any], *, literal: bool
) -> None:
    check(document, ReadOptions(literal=literal))


@given(document=damaged(), literal=st.booleans())
@settings(max_examples=500)
def test_a_damaged_record_gives_a_documented_result_and_is_identified_by_fields_of_its_own(
    document: dict[str, Any], *, literal: bool
) -> None:
    check(document, ReadOptions(literal=literal))
    view = recognize(document, ReadOptions())
    if view is not None:
        found = view.identified_by()
        # A Windows event without a number and a log is recognized by nothing but its objects.
        assert found or view.kind == "Windows event None"


def without(node: Any, path: str) -> Any:
    """Return a document without a field, however its path is spelled."""
    if not isinstance(node, dict):
        return [without(element, path) for element in node] if isinstance(node, list) else node
    return {
        key: without(value, path[len(key) + 1 :]) if path.startswith(f"{key}.") else value
        for key, value in node.items()
        if key != path
    }


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_not_recognized_without_the_fields_that_identify_it(
    record: dict[str, Any],
) -> None:
    view = recognize(record, ReadOptions())
    assert view is not None
    found = view.identified_by()
    assert found == {path: at(view.document, path) for path in found}
    assert None not in found.values()
    fewer = record
    layers = [layer.partition(" ")[0] for layer in view.layers]
    for path in [".".join(layers)] if layers else [p for group in view.marks for p in group]:
        fewer = without(fewer, path)
    again = recognize(fewer, ReadOptions())
    assert again is None or (again.kind, again.layers) != (view.kind, view.layers)


def test_deep_nesting_is_read_without_end() -> None:
    deep: Any = "network"
    for _ in range(900):
        deep = [deep]
    nested: Any = {"EventData": 1}
    for _ in range(900):
        nested = {"EventData": nested}
    for document in (
        {"event": {"category": deep}, "source": {"ip": deep}, "destination": {"ip": deep}},
        {"EventID": 3, "Channel": "Microsoft-Windows-Sysmon/Operational", "EventData": nested},
        {"kibana": nested},
    ):
        view = recognize(document, ReadOptions())
        assert not is_alert(document)
        if view is not None:
            assert list(failing(view))


@given(document=anything)
@settings(max_examples=100)
def test_a_record_that_is_not_looked_into_is_as_unknown_as_one_that_is(
    document: dict[str, Any],
) -> None:
    quick = recognize(document, ReadOptions())
    # A message that is no text tells nothing, but every source is asked.
    asked = recognize({"message": 7, **document}, ReadOptions())
    assert (quick and (quick.source, quick.kind)) == (asked and (asked.source, asked.kind))
