"""Triage: the steps fit the facts, and a name out of a log is always marked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.finding import History
from smbrare.outputs.triage import Mark, triage
from tests.conftest import FIXTURES, Run
from tests.support.findings import WEEK, finding

SAMPLE = FIXTURES / "sample.ndjson"


def said(mark: Mark = str, **facts: Any) -> str:
    steps = triage(finding(**facts))
    return "\n".join(
        step.say(mark) for step in (*steps.investigate, *steps.harmless_if, *steps.respond)
    )


def test_the_hash_is_the_logged_on_users_not_systems() -> None:
    assert "the hash of the logged-on user" in said()


def test_an_established_connection_takes_the_hash_for_stolen() -> None:
    text = said(outcomes=("failure", "success"))
    assert "take the user's NetNTLM response for stolen" in text
    assert "Change the passwords" in text


def test_a_failed_one_asks_for_webdav_and_changes_no_password() -> None:
    text = said(outcomes=("failure",))
    assert "look for HTTP from WS-01 to 45.83.122.10" in text
    assert "password" not in text


@pytest.mark.parametrize("outcomes", [("unknown",), ("failure", "unknown")])
def test_what_the_log_does_not_tell_the_firewall_is_asked(outcomes: tuple[str, ...]) -> None:
    text = said(outcomes=outcomes)
    assert "ask the firewall about 10.20.1.11 and 45.83.122.10" in text
    assert "Change the passwords" in text


def test_every_host_is_named_and_the_rest_counted() -> None:
    text = said(hosts=("WS-01", "WS-02"), host_count=31)
    assert "31 hosts contacted 45.83.122.10" in text
    assert "WS-01, WS-02 and 29 more" in text


def test_a_finding_by_host_says_nothing_of_others() -> None:
    text = said(per_host=True)
    assert "this finding is of WS-01 alone" in text
    assert "In what was read only" not in text


def test_a_cold_start_sends_to_older_logs_and_a_full_history_does_not() -> None:
    assert "Only 3h of the 7d before were read" in said(history=History(3 * 3600, WEEK))
    assert "before were read" not in said()


def test_only_an_inbound_connection_asks_whether_smb_is_offered() -> None:
    assert "inbound" in said(event={"network.direction": "inbound"})
    assert "inbound" not in said(event={"network.direction": "egress"})


def test_inferred_fields_and_an_earlier_contact_are_named() -> None:
    text = said(inferred=("host.os.type",), previous=0)
    assert "the exporter left out host.os.type" in text
    assert "last contacted at 1970-01-01T00:00:00Z" in text


def test_an_undated_finding_has_steps_too() -> None:
    assert "has no readable time" in said(time=None, last=None)


@given(st.text(min_size=1), st.text())
def test_a_name_is_marked_wherever_it_stands(host: str, domain: str) -> None:
    event = {"host.name": host, "destination.domain": domain}
    text = said(lambda _: "*", hosts=(host,), event=event)
    assert text == said(
        lambda _: "*", hosts=("x",), event={"host.name": "x", "destination.domain": "y"}
    )


def test_json_carries_the_steps_and_ndjson_does_not(run: Run) -> None:
    document = json.loads(run("scan", SAMPLE, "--format", "json").out)
    steps = document["findings"][1]["smbrare"]["triage"]
    assert set(steps) == {"investigate", "harmless_if", "respond"}
    assert "WS-02.corp.example (10.20.1.12)" in steps["investigate"][0]
    assert "triage" not in run("scan", SAMPLE, "--format", "ndjson").out


def test_markdown_and_html_carry_the_steps(run: Run) -> None:
    markdown = run("scan", SAMPLE, "--format", "markdown").out
    assert "1. Find out whose machine `WS-02.corp.example` (`10.20.1.12`) is" in markdown
    html = run("scan", SAMPLE, "--format", "html").out
    assert "whose machine <code>WS-02.corp.example</code> (<code>10.20.1.12</code>) is" in html
