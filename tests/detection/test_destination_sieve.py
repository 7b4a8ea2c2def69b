"""The early rejection never loses an event that matches, or almost does."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.detection.destination_sieve import needs_decoding, stays_inside
from smbrare.records.envelope import ARRAYS, events
from smbrare.records.json_text import decode
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert
from tests.rule.test_port_sieve import SHAPES, evtx_ecmd
from tests.support.events import matching
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection
from tests.support.spelling import json_text

INSIDE = ("10.20.0.5", "192.168.1.2", "127.0.0.1", "fe80::1", "::ffff:10.0.0.1")
OUTSIDE = ("45.83.122.10", "2a02:cf40::1", "::ffff:45.83.122.10")

SYSMON = {"event_id": "3", "channel": "Microsoft-Windows-Sysmon/Operational"}
SECURITY = {"event_id": 5156, "channel": "Security"}
LOG = {"Channel": "Microsoft-Windows-Sysmon/Operational"}
INTERNAL = {"DestinationIp": "10.0.0.1"}

randoms = st.integers(0, 2**32).map(Random)
shapes = st.sampled_from([shape for shape in SHAPES if shape is not evtx_ecmd])
addresses = st.sampled_from(INSIDE + OUTSIDE)


def with_address(document: Any, address: str) -> Any:
    """Return a document with another destination, wherever it keeps it."""
    text = json.dumps(document).replace("45.83.122.10", address)
    return json.loads(text)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return two documents as one that may be taken for either."""
    both = dict(one)
    for key, value in other.items():
        mine = both.get(key)
        both[key] = (
            merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
        )
    return both


def is_of_interest(line: bytes) -> bool:
    """Return whether any event of a line matches the rule or is one clause away."""
    for document in events(decode(line)):
        view = None if is_alert(document) else recognize(document, ReadOptions())
        if view is not None:
            missed = predicate.obstacles(predicate.failing(view))
            if not missed or predicate.sole_obstacle(missed) is not None:
                return True
    return False


@given(shapes, shapes, addresses, addresses, randoms)
def test_what_is_rejected_is_of_no_interest(
    one: Any, other: Any, here: str, there: str, random: Random
) -> None:
    first = with_address(one("445"), here)
    second = with_address(other("445"), there)
    for document in (first, merged(first, second), merged(second, first)):
        line = json_text(document, random).encode()
        assert not (stays_inside(line) and is_of_interest(line))


@given(st.sampled_from(list(FORMS)), st.sampled_from(list(FORMS)), st.booleans(), randoms)
@settings(max_examples=400)
def test_no_sighting_of_any_form_is_lost_whatever_stands_beside_it(
    one: str,
    other: str,
    first: bool,  # noqa: FBT001
    random: Random,
) -> None:
    sighting = FORMS[one](Connection())
    inside = FORMS[other](Connection(destination=random.choice(INSIDE[:3])))
    for document in (sighting, merged(inside, sighting) if first else merged(sighting, inside)):
        line = json_text(document, random).encode()
        assert not (stays_inside(line) and is_of_interest(line))


@pytest.mark.parametrize("path", [*ARRAYS, ("_source",), ("fields",)], ids=".".join)
def test_an_envelope_around_a_sighting_is_kept_or_is_none(path: tuple[str, ...]) -> None:
    around: Any = matching() if path[0] in {"_source", "fields"} else [matching()]
    for key in reversed(path):
        around = {key: around}
    for shape in set(SHAPES) - {evtx_ecmd}:
        for mark in ({}, {"_id": "1", "_index": "logs"}):
            document = with_address(shape("445"), "10.20.0.5") | around | mark
            line = json_text(document, Random(1)).encode()
            assert not (stays_inside(line) and is_of_interest(line))


@pytest.mark.parametrize(
    "beside",
    [
        {"winlog": {"event_id": 3, "event_data": INTERNAL}},
        {"winlog": {"event_id": 3, "channel": "Sysmon", "event_data": INTERNAL}},
        {"Event": {"System": {}, "EventData": INTERNAL}},
    ],
)
def test_a_sighting_inside_of_what_no_source_knows_is_kept(beside: dict[str, Any]) -> None:
    line = json.dumps(beside | {"payload": matching()}).encode()
    assert is_of_interest(line)
    assert not stays_inside(line)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_sighting_of_every_shape_is_kept(shape: Any) -> None:
    line = json_text(shape("445"), Random(1)).encode()
    assert is_of_interest(line)
    assert not stays_inside(line)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(matching(destination__ip="10.0.0.1")),
        json.dumps({"winlog": SYSMON | {"event_data": {"DestinationIp": "192.168.0.1"}}}),
        json.dumps({"winlog": SECURITY | {"event_data": {"DestAddress": "192.168.0.1"}}}),
        json.dumps({"Event": {"System": LOG, "EventData": {"DestinationIp": "fe80::1"}}}),
    ],
)
def test_the_usual_internal_connections_are_rejected(line: str) -> None:
    assert stays_inside(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"destination": {"ip": "10.0.0.1"}',
        '{"winlog": {"event_data": {"DestinationIp": "10.0.0.1"}}, "message": "DestinationIp"}',
        '{"winlog": {"event_id": 3, "event_data": {"DestAddress": "10.0.0.1"}}, "message": "x"}',
        '{"winlog": {"event_id": 5156, "event_data": {"DestinationIp": "10.0.0.1"}}}',
        '{"Event": {"System": {}, "EventData": {"DestAddress": "10.0.0.1"}, "RenderingInfo": {}}}',
        '{"destination": {"ip": ["10.0.0.1", "45.83.122.10"]}}',
        '{"destination": {"ip": "10.0.0.1"}, "destination.ip": "45.83.122.10"}',
        '{"destination": [{"ip": "10.0.0.1"}, {"ip": "45.83.122.10"}]}',
        '{"_source": {"destination": {"ip": "45.83.122.10"}}, "destination": {"ip": "10.0.0.1"}}',
        '{"destination": {"ip": "10.0.0.1"}, "destination": {"ip": "45.83.122.10"}}',
        '{"destination": {"ip": "10.0.0.999"}, "source": {"ip": "10.0.0.1"}}',
        '{"destination": {"ip": "10.0.0.1"}}',
        '{"destination": {"ip": "10.0.0.1"}, "source": {"ip": "10.0.0.2"}, "RemoteIP": "8.8.8.8"}',
        '{"destination": {"ip": "10.0.0.1"}, "source": {"ip": "10.0.0.2"}, "Event": {}}',
        (
            '{"destination": {"ip": "10.0.0.1"}, "source": {"ip": "10.0.0.2"},'
            ' "winlog": {"event_data": {"DestinationIp": "45.83.122.10"}}}'
        ),
        '{"Event": {"EventData": {"DestinationIp": "10.0.0.1", "Data": []}}}',
        '{"a": 1}',
        "7",
        "[" * 5000,
        '{"destination": {"ip": "10.0.0.1"}, "a": ' + "[" * 5000,
    ],
)
def test_whatever_is_unsure_goes_the_usual_way(line: str) -> None:
    assert not stays_inside(line.ljust(80).encode())


@pytest.mark.parametrize(("line", "told"), [('{"p":445}', True), ('{"p":445', False)])
def test_what_is_too_short_for_a_match_is_told_if_it_is_well_formed(line: str, told: bool) -> None:  # noqa: FBT001
    assert stays_inside(line.encode()) == told


_IN_BRACES = (
    json.dumps(matching(destination__ip="10.0.0.1")),
    json.dumps(matching()),
    '{"winlog": {"event_data": {"DestinationIp": "192.168.0.1"}}}',
    '{"Event": {"EventData": {"DestinationIp": "45.83.122.10"}}}\t',
    '{"records": [{"destination": {"ip": "45.83.122.10"}}]}',
    # Two values on a line, and one that a comma would join with its neighbour.
    '{"a": 1} {"a": 2}',
    '{"a": 1}, {"a": 2}',
    '{"a": [{}',
    "{}]}",
    '{"a": "}',
    '{"}',
    "{broken}",
)


@given(st.lists(st.sampled_from(_IN_BRACES), max_size=8))
def test_lines_together_are_told_as_each_alone(lines: list[str]) -> None:
    encoded = [f"{line}\n".encode() for line in lines]
    expected = [place for place, line in enumerate(encoded) if not stays_inside(line)]
    assert list(needs_decoding(encoded)) == expected
