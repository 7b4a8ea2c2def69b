"""An event inside of another record is read as if it stood alone; nothing else is taken for one."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare.limits import DEFAULT
from smbrare.records.read_options import ReadOptions
from smbrare.sources import opening, recognize
from smbrare.sources.opening import DEEPEST, MOST, inner_records
from tests.support.forms import FORMS, events, windows
from tests.support.forms.connection import Connection
from tests.support.forms.reading import FIELDS, values

Wrap = Callable[[str, dict[str, Any]], dict[str, Any]]

WRAPS: dict[str, Wrap] = {
    "object": lambda key, event: {key: event},
    "list": lambda key, event: {key: [event]},
    "JSON": lambda key, event: {key: json.dumps(event)},
    "JSON behind a header": lambda key, event: {key: f"<13>Nov 18 ws {json.dumps(event)}"},
    "JSON twice": lambda key, event: {key: json.dumps(json.dumps(event))},
    "beside others": lambda key, event: {"n": 1, "text": "{x}", "o": {}, key: event, "l": [1]},
}
KEYS = ("log", "result", "_raw", "message", "payload", "body", "data", "document", "a.b", "")

XML = windows.xml(events.sysmon(Connection()))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=12)
@given(
    layers=st.lists(
        st.tuples(st.sampled_from(sorted(WRAPS)), st.sampled_from(KEYS)), min_size=1, max_size=3
    )
)
def test_an_event_inside_of_records_is_read_as_if_alone(
    form: str, layers: list[tuple[str, str]]
) -> None:
    event = FORMS[form](Connection())
    alone = recognize(event, ReadOptions())
    assert alone is not None
    record = event
    layers = layers[: 3 - len(alone.layers)]
    for how, key in layers:
        record = WRAPS[how](key, record)
    inside = recognize(record, ReadOptions())
    assert inside is not None
    assert (inside.source, inside.kind) == (alone.source, alone.kind)
    for field in FIELDS:
        assert inside.read(field).values == alone.read(field).values
        assert inside.read(field).inferred == alone.read(field).inferred
    assert len(inside.layers) == len(layers) + len(alone.layers)


@pytest.mark.parametrize(
    "text", [XML, f"\n {XML}\n", f'<?xml version="1.0"?>\n{XML}', f"<14>Nov 18 ws wevt: {XML}"]
)
def test_xml_in_a_text_is_opened_with_whatever_stands_before(text: str) -> None:
    view = recognize({"xml_string": text, "System": 1}, ReadOptions())
    assert view is not None
    assert values(view, "destination.port") == [445]


def test_a_text_in_its_place_lets_the_record_around_say_what_it_is() -> None:
    record = FORMS["defender-streaming"](Connection())
    packed = record | {"properties": json.dumps(record["properties"])}
    view = recognize(packed, ReadOptions())
    assert view is not None
    assert view.read("event.category").inferred == ""
    assert "category" in view.identified_by()


def test_a_windows_event_whose_parts_are_texts_is_opened() -> None:
    event = windows.winlogbeat_8(events.sysmon(Connection()))
    view = recognize(event | {"winlog": json.dumps(event["winlog"])}, ReadOptions())
    assert view is not None
    assert values(view, "destination.port") == [445]
    event = windows.velociraptor(events.sysmon(Connection()))
    view = recognize({key: json.dumps(value) for key, value in event.items()}, ReadOptions())
    assert view is not None
    assert view.event_kind() == "connection"  # Which cannot be read, and so gives no all-clear.


def test_the_record_around_lends_host_and_time_where_the_event_has_none() -> None:
    event = FORMS["ecs-plain"](Connection())
    without = {key: value for key, value in event.items() if key not in {"@timestamp", "host"}}
    record = {"_time": "1795079478.123", "host": "WS-7", "result": without}
    view = recognize(record, ReadOptions())
    assert view is not None
    assert values(view, "@timestamp") == ["2026-11-19T09:11:18.123Z"]
    assert values(view, "host.name") == ["WS-7"]
    assert "_time of the record around" in view.read("@timestamp").inferred
    assert "host of the record around" in view.read("host.name").inferred
    literal = recognize(record, ReadOptions(literal=True))
    assert literal is not None
    assert literal.read("@timestamp").values == literal.read("host.name").values == ()
    whole = recognize(record | {"result": event}, ReadOptions())
    assert whole is not None
    assert whole.read("@timestamp").inferred == whole.read("host.name").inferred == ""


def test_of_several_events_in_one_record_none_is_picked() -> None:
    one, other = (FORMS["ecs-plain"](Connection(destination=to)) for to in ("45.0.0.1", "45.0.0.2"))
    assert recognize({"before": one, "after": other}, ReadOptions()) is None
    assert recognize({"before": one, "after": one}, ReadOptions()) is not None
    # However deep each of them is.
    assert recognize({"about": one, "payload": {"inner": other}}, ReadOptions()) is None
    process = {"event": {"category": "process"}}
    assert recognize({"about": process, "a": {"b": json.dumps(other)}}, ReadOptions()) is None
    assert recognize({"log": json.dumps(one), "log (JSON)": other}, ReadOptions()) is None
    assert recognize({"about": one, "payload": {"inner": one}}, ReadOptions()) is not None
    assert recognize({"log": one | {"message": json.dumps(other)}}, ReadOptions()) is not None


def test_an_alert_inside_of_a_record_is_no_event() -> None:
    alert = FORMS["ecs-plain"](Connection()) | {"kibana.alert.uuid": "1", "event.kind": "signal"}
    assert recognize({"body": json.dumps(alert)}, ReadOptions()) is None
    assert recognize({"signal": alert}, ReadOptions()) is None


def test_what_is_looked_into_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(number): {"x": {"y": {"z": 1}}} for number in range(10_000)}
    assert len(list(inner_records(many, DEFAULT))) == MOST
    calls = Counter[str]()

    def counting(text: str) -> Any:
        calls["decode"] += 1
        return json.loads(text)

    monkeypatch.setattr(opening, "decode", counting)
    text = json.dumps({"n": "x"})
    for _ in range(8):
        text = json.dumps({"a": text})
    list(inner_records({"a": text}, DEFAULT))
    assert calls["decode"] < 2 ** (DEEPEST + 1)


@pytest.mark.parametrize(
    "record",
    [
        {"message": "{"},
        {"message": "{}"},
        {"message": "[" * 5_000 + "]" * 5_000},
        {"message": '{"a":' * 5_000 + "1" + "}" * 5_000},
        {"message": "<Event" * 1_000 + ">"},
        {"message": '"' * 3},
        {"message": '"\\"\\""'},
        {"a": {"b": {"c": {"d": FORMS["ecs-plain"](Connection())}}}},
    ],
    ids=lambda record: str(record)[:30],
)
def test_what_is_no_event_stays_unknown(record: dict[str, Any]) -> None:
    assert recognize(record, ReadOptions()) is None
