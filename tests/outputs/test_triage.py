"""Triage: the steps fit the facts, the most urgent first, and a log's names are always marked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.exposure import JoinedEvent
from smbrare.detection.finding import History
from smbrare.detection.reference import INDICATOR
from smbrare.outputs.triage import MOST_STEPS, Mark, do_first, triage
from smbrare.records.times import date
from smbrare.sources.activities.activity import Activity
from tests.conftest import FIXTURES, Run
from tests.support.findings import WEEK, finding

SAMPLE = FIXTURES / "sample.ndjson"
AT, HERE = date("2026-11-16T08:00:00Z").time, "45.83.122.10"


def said(mark: Mark = str, **facts: Any) -> str:
    return "\n".join(step.say(mark) for step in triage(finding(**facts)))


def first(**facts: Any) -> str:
    return "\n".join(step.say() for step in triage(finding(**facts))[:MOST_STEPS])


def test_after_a_connection_the_user_is_found_and_only_then_the_host_cut_off() -> None:
    text = first(outcomes=("failure", "success"))
    assert text.startswith("Find out who was logged on to WS-01 (10.20.1.11) at 2026-11-16 08:00")
    assert "If so, exclude 45.83.122.10 with a reason" in text
    assert "If not, take WS-01 off the network" in text
    assert "Treat the NetNTLM responses of all users of WS-01 as compromised" in text
    assert "Find what named the server" in text


def test_after_a_connection_to_a_listed_address_nobody_is_asked_first() -> None:
    text = first(outcomes=("success",), extra={INDICATOR: ["45.83.122.0/24"]})
    assert text.startswith("Treat the NetNTLM responses of all users of WS-01 as compromised")
    assert "Block 45.83.122.10" in text
    assert "whether they use a share" not in text


def test_a_failed_one_asks_for_webdav_and_changes_no_password() -> None:
    assert first(outcomes=("failure",)).startswith("Look for HTTP from WS-01 to 45.83.122.10")
    assert "password" not in said(outcomes=("failure",))


@pytest.mark.parametrize("outcomes", [("unknown",), ("failure", "unknown")])
def test_what_the_log_does_not_show_the_firewall_is_asked(outcomes: tuple[str, ...]) -> None:
    text = first(outcomes=outcomes)
    assert text.startswith("Ask the firewall whether 10.20.1.11 reached 45.83.122.10 at 2026-11-16")
    assert "If it did, take WS-01 off the network" in text


def test_hosts_have_something_in_common_and_the_rest_is_counted() -> None:
    text = said(hosts=("WS-01", "WS-02"), host_count=31)
    assert "Find what WS-01, WS-02 and 29 more have in common" in text


@pytest.mark.parametrize("count", [1, 5, 6, 12, 300])
def test_no_host_and_no_account_is_left_out_unsaid(count: int) -> None:
    hosts = tuple(f"WS-{number:03}" for number in range(count))
    sent = [
        Activity(AT, "ntlm", "ws-01", f"u{number:03}", address=HERE, shows="authentication")
        for number in range(count)
    ]
    told = finding(
        hosts=hosts[:20],
        host_count=count,
        evidence=tuple(JoinedEvent(each, ("address",)) for each in sent),
    )
    steps = [step.say() for step in triage(told)]
    more = f" and {count - 5} more" if count > 5 else ""
    users = ", ".join(each.user for each in sent[:5])
    passwords = "password" if count == 1 else "passwords"
    assert steps[0].startswith(f"Reset the {passwords} of {users}{more}: NTLM sent at")
    assert steps[1].startswith(f"Take {', '.join(hosts[:5])}{more} off the network")
    ((priority, *_),) = [do_first([told])]
    rest = f" and {count - 3} more" if count > 3 else ""
    assert f"of {', '.join(each.user for each in sent[:3])}{rest}: NTLM" in priority.step.say()


@pytest.mark.parametrize(
    ("users", "is_reset"),
    [(["CORP\\WS-01$"], False), (["CORP\\WS-01$", "CORP\\alice"], True), (["alice"], True)],
)
def test_nobody_is_asked_to_reset_the_password_of_a_computer(
    users: list[str], *, is_reset: bool
) -> None:
    sent = [Activity(AT, "ntlm", "ws-01", each, shows="authentication") for each in users]
    told = finding(evidence=tuple(JoinedEvent(each, ("address",)) for each in sent))
    for step in (triage(told)[0], do_first([told])[0].step):
        assert ("Reset the password" in step.say()) == is_reset
        assert all(user in step.say() for user in users)
        assert "NTLM sent at 2026-11-16 08:00:00 UTC" in step.say()


def test_a_finding_by_host_sends_to_others() -> None:
    assert "Look for other hosts" in said(per_host=True)
    assert "Look for other hosts" not in said()


def test_a_cold_start_sends_to_older_logs_and_a_full_history_does_not() -> None:
    assert "only 3h of 7d of history were read" in said(history=History(3 * 3600, WEEK))
    assert "history were read" not in said()


def test_only_an_inbound_connection_asks_whether_smb_is_offered() -> None:
    assert "inbound" in said(event={"network.direction": "inbound"})
    assert "inbound" not in said(event={"network.direction": "egress"})


def test_inferred_fields_and_an_earlier_contact_are_named() -> None:
    text = said(inferred=("host.os.type",), previous=0)
    assert "Check the record at events.ndjson:1: host.os.type was inferred" in text
    assert "was at 1970-01-01 00:00:00 UTC, its last contact" in text


def test_an_undated_finding_has_steps_too() -> None:
    assert "its time cannot be read" in said(time=None, last=None)


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
    assert "Ask the firewall whether 10.20.1.12" in steps["investigate"][0]
    assert "triage" not in run("scan", SAMPLE, "--format", "ndjson").out


def test_markdown_and_html_carry_the_steps(run: Run) -> None:
    markdown = run("scan", SAMPLE, "--format", "markdown").out
    assert "- [ ] Find what named the server" in markdown
    html = run("scan", SAMPLE, "--format", "html").out
    assert "<li>Find what named the server" in html
