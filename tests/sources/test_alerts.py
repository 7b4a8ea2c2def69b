"""Alerts and findings are no events: they repeat the event that they were raised on."""

from typing import Any

import pytest

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import matches
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert, without_alerts
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection

EVENT = FORMS["elastic_defend-8"](Connection())


MARKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("signal", {"kibana": {"alert": {"rule": {"uuid": "x"}}}}),
    ("signal", {"kibana": {"alert.rule.uuid": "x"}}),
    ("signal", {"kibana.alert": {"rule": {"uuid": "x"}}}),
    ("signal", {"kibana.alert.rule": {"rule_id": "x"}}),
    ("signal", {"kibana.alert.rule.uuid": ["x"]}),
    ("signal", {"kibana.alert.uuid": "x"}),
    ("signal", {"signal": {"rule": {"id": "x"}}}),
    ("signal", {"signal": {"rule.id": "x"}}),
    ("signal", {"signal.rule": {"rule_id": "x"}}),
    ("signal", {"signal.rule.id": "x"}),
    ("alert", {"smbrare": {"id": "x"}}),
    ("alert", {"smbrare.id": "x"}),
    ("alert", {"smbrare.id": ["x"]}),
)


def of_kind(kind: Any, mark: dict[str, Any]) -> dict[str, Any]:
    return {**EVENT, "event": {**EVENT["event"], "kind": kind}, **mark}


@pytest.mark.parametrize(("kind", "mark"), MARKS)
def test_an_alert_is_told_by_its_kind_and_its_own_fields_in_any_spelling(
    kind: str, mark: dict[str, Any]
) -> None:
    assert is_alert(of_kind(kind, mark))
    assert is_alert(of_kind([kind], mark))
    dotted = {key: value for key, value in EVENT.items() if key != "event"}
    assert is_alert({**dotted, "event.category": "network", "event.kind": kind, **mark})


@pytest.mark.parametrize("mark", [mark for _, mark in MARKS])
@pytest.mark.parametrize("kind", ["event", "state", "alerts", None, {"alert": 1}, []])
def test_a_key_alone_keeps_no_event_from_being_evaluated(kind: Any, mark: dict[str, Any]) -> None:
    assert not is_alert(of_kind(kind, mark))
    assert not is_alert(EVENT | mark)
    view = recognize(EVENT | mark, ReadOptions())
    assert view is not None
    assert matches(view)


@pytest.mark.parametrize(
    "mark",
    [
        {},
        {"kibana": {"version": "8.15"}},
        {"kibana": "alert"},
        {"kibana": {"alert": None}},
        {"kibana": {"alert": {}}},
        {"kibana.alerting": "x"},
        {"kibana.alert.severity": "medium"},
        {"signal": "SIGTERM"},
        {"signal": {"strength": -70}},
        {"signal.strength": -70},
        {"signal.original_time": "2026-11-16T08:00:00Z"},
        {"smbrare": "x"},
        {"smbrare": {"id": None}},
        {"smbrare": {"version": "1"}},
        {"message": "kibana.alert signal.rule smbrare.id"},
        {"tags": ["kibana.alert", "smbrare"]},
    ],
)
@pytest.mark.parametrize("kind", ["event", "alert", "signal"])
def test_an_event_is_none(kind: str, mark: dict[str, Any]) -> None:
    assert not is_alert(EVENT | mark)
    assert not is_alert(of_kind(kind, mark))


def test_a_row_of_our_own_csv_is_a_finding() -> None:
    row = {
        "smbrare.id": "x",
        "smbrare.status": "new",
        "rule.uuid": "y",
        "destination.ip": "8.8.8.8",
    }
    assert is_alert(row)
    assert not is_alert(row | {"event.category": "network"})
    for lacking in ("smbrare.status", "rule.uuid", "smbrare.id"):
        assert not is_alert({key: value for key, value in row.items() if key != lacking})


@pytest.mark.parametrize("name", list(FORMS))
def test_no_form_of_an_event_is_taken_for_an_alert(name: str) -> None:
    assert not is_alert(FORMS[name](Connection()))


@pytest.mark.parametrize(("kind", "mark"), MARKS)
def test_alerts_inside_of_a_document_are_taken_out_of_it_and_nothing_else_is(
    kind: str, mark: dict[str, Any]
) -> None:
    alert = of_kind(kind, mark)
    result = {"ruleId": "x", "message": {"text": "to 8.8.8.8"}, "properties": alert}
    left = {"a": [1, None, "x", {}, [], [EVENT], EVENT | mark], "b": {"properties": {"ruleId": 1}}}
    both = {**left, "a": [alert, *left["a"], [alert]], "c": {"d": alert, "e": result}, "f": result}
    rest = {**left, "a": [*left["a"], []], "c": {}}
    assert without_alerts(both) == (rest, 5)
    assert without_alerts(left) == (left, 0)
    assert without_alerts({"ruleId": "x", "properties": EVENT}) == (
        {"ruleId": "x", "properties": EVENT},
        0,
    )
