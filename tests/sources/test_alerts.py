"""Alerts and findings are no events: they repeat the event that they were raised on."""

from typing import Any

import pytest

from smbrare.sources import is_alert
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection

EVENT = FORMS["elastic_defend-8"](Connection())


@pytest.mark.parametrize(
    "mark",
    [
        {"kibana": {"alert": {"rule": {"uuid": "x"}}}},
        {"kibana": {"alert.rule.uuid": "x"}},
        {"kibana.alert": {"rule": {"uuid": "x"}}},
        {"kibana.alert.rule": {"uuid": "x"}},
        {"kibana.alert.rule.uuid": "x"},
        {"kibana.alert.rule.uuid": ["x"]},
        {"kibana.alert.severity": "medium"},
        {"kibana": {"alert": {"original_time": "2026-11-16T08:00:00Z"}}},
        {"signal": {"rule": {"id": "x"}}},
        {"signal": {"rule.id": "x"}},
        {"signal.rule": {"id": "x"}},
        {"signal.rule.id": "x"},
        {"signal.original_time": ["2026-11-16T08:00:00Z"]},
        {"signal": {"parents": [{"id": "x"}]}},
        {"smbrare": {"id": "x"}},
        {"smbrare.id": "x"},
        {"smbrare.id": ["x"]},
    ],
)
def test_an_alert_is_told_in_any_spelling(mark: dict[str, Any]) -> None:
    assert is_alert(EVENT | mark)


@pytest.mark.parametrize(
    "mark",
    [
        {},
        {"kibana": {"version": "8.15"}},
        {"kibana": "alert"},
        {"kibana": {"alert": None}},
        {"kibana": {"alert": {}}},
        {"kibana.alerting": "x"},
        {"signal": "SIGTERM"},
        {"signal": {"strength": -70}},
        {"signal.strength": -70},
        {"smbrare": "x"},
        {"smbrare": {"id": None}},
        {"smbrare": {"version": "1"}},
        {"message": "kibana.alert signal.rule smbrare.id"},
        {"tags": ["kibana.alert", "smbrare"]},
        {"event": {"kind": "alert"}},
    ],
)
def test_an_event_is_none(mark: dict[str, Any]) -> None:
    assert not is_alert(EVENT | mark)


@pytest.mark.parametrize("name", list(FORMS))
def test_no_form_of_an_event_is_taken_for_an_alert(name: str) -> None:
    assert not is_alert(FORMS[name](Connection()))
