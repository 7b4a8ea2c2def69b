"""Wording: what happened, said no more certainly than the log tells it."""

import pytest

from smbrare.detection.finding import History
from smbrare.outputs.wording import history_text, host_text, is_inbound, notes, outcome_text
from tests.support.findings import finding


@pytest.mark.parametrize(
    ("outcomes", "event", "text"),
    [
        (("success",), {}, "established"),
        (("success", "unknown"), {}, "established"),
        (("failure", "success"), {}, "established, some failed"),
        (("failure",), {}, "failed"),
        (("failure", "unknown"), {}, "failed or unknown"),
        (("unknown",), {}, "unknown"),
        (("unknown",), {"event.action": "connectionsuccess"}, "established"),
        (("unknown",), {"event.type": ["connection", "denied"]}, "failed"),
        (("\x1b",), {}, "unknown"),
    ],
)
def test_an_outcome_in_words(
    outcomes: tuple[str, ...], event: dict[str, object], text: str
) -> None:
    assert outcome_text(finding(outcomes=outcomes, event=event)) == text


@pytest.mark.parametrize(
    ("direction", "odd"),
    [("inbound", True), ("ingress", True), ("egress", False), ("outbound", False), ([], False)],
)
def test_only_an_inbound_connection_is_odd(direction: object, *, odd: bool) -> None:
    found = finding(event={"network.direction": direction})
    assert is_inbound(found) is odd
    assert notes(found) == (["inbound"] if odd else [])


def test_other_hosts_are_counted() -> None:
    assert host_text(finding(hosts=("WS-01", "WS-02"), host_count=31)) == "WS-01 +30"


def test_a_sampled_history_is_a_lower_bound() -> None:
    assert history_text(History(3600, 86_400, sampled=True)) == "≥ 1h of 1d"
    assert history_text(History(3600, None)) == "1h"


def test_notes_say_how_long_a_known_destination_was_silent() -> None:
    found = finding(status="known", previous=1_793_000_000_000_000, late=True, inferred=("a", "b"))
    assert notes(found)[:2] == ["known", "late"]
    assert notes(found)[2].startswith("again after ")
    assert notes(found)[3] == "inferred: a, b"
