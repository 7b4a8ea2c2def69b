"""Exports of the rule: real parsers read them, and they judge as the rule does."""

import json
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.validation import SigmaValidator
from sigma.validators.core import validators

from smbrare.detection.exclusions import Exclusion
from smbrare.outputs.rule.export import elastic_rule, esql, kql, sigma
from smbrare.outputs.rule.text import LEFT_OUT
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET, PRIVATE
from tests.conftest import ROOT, Run
from tests.support.events import matching, view
from tests.support.rule_languages import kql_holds, sigma_holds, sigma_rule

EXCLUDED = (
    Exclusion("share", (ip_network("45.83.122.0/24"), ip_network("2a02::/16"))),
    Exclusion("one host's", source=(ip_network("10.20.1.99"),), host=("ws-01", "ws-02")),
    Exclusion("hosts", host=("srv-*",)),
    Exclusion("some hosts", host=("srv-0[1-3]", "db-?")),
)
NEEDS_NETWORK = {"attacktag", "d3_fendtag"}
"""pySigma's checks that download lists of tags."""

addresses = st.sampled_from(
    [
        *("45.83.122.10", "91.219.236.18", "10.0.0.1", "192.168.3.4", "192.0.0.9", "100.64.0.1"),
        *("2a02::1", "fc00::1", "2001:db8::1", "::1", "fe80::1", "ff02::1", "0.0.0.1"),
    ]
)
events = st.builds(
    lambda port, pid, destination, source, transport, category, system: matching(
        destination__port=port,
        process__pid=pid,
        destination__ip=destination,
        source__ip=source,
        network__transport=transport,
        event__category=[category],
        host__os__type=system,
    ),
    st.sampled_from([139, 445, 445, 443]),
    st.sampled_from([4, 4, 5]),
    addresses,
    addresses,
    st.sampled_from(["tcp", "tcp", "udp"]),
    st.sampled_from(["network", "network", "file"]),
    st.sampled_from(["windows", "windows", "linux"]),
)


@given(events)
def test_the_kql_judges_as_the_rule_does(event: Any) -> None:
    assert kql_holds(kql(), event) == predicate.matches(view(event))


def test_the_kql_leaves_out_what_is_excluded() -> None:
    assert not kql_holds(kql(EXCLUDED), matching())
    assert kql_holds(kql(EXCLUDED), matching(destination__ip="91.219.236.18"))


@given(events)
def test_the_sigma_rule_judges_network_events_of_windows_as_the_rule_does(event: Any) -> None:
    event = event | {"event": {"category": ["network"]}}
    event["host"]["os"]["type"] = "windows"
    assert sigma_holds(sigma(), event) == predicate.matches(view(event))


def test_the_sigma_rule_leaves_out_what_is_excluded() -> None:
    assert not sigma_holds(sigma(EXCLUDED), matching())
    assert sigma_holds(sigma(EXCLUDED), matching(destination__ip="91.219.236.18"))


@pytest.mark.parametrize("excluded", [(), EXCLUDED])
def test_pysigma_has_nothing_to_say_against_the_sigma_rule(excluded: Any) -> None:
    offline = [check for name, check in validators.items() if name not in NEEDS_NETWORK]
    parsed = sigma_rule(sigma(excluded))
    assert parsed.errors == []
    assert SigmaValidator(offline).validate_rule(parsed) == []


def test_the_sigma_rule_says_that_it_cannot_tell_what_is_new() -> None:
    parsed = sigma_rule(sigma())
    assert "Sigma cannot ask whether an address is new" in str(parsed.description)
    assert [str(tag) for tag in parsed.tags] == [
        "attack.exfiltration",
        "attack.t1048",
        "attack.credential-access",
        "attack.t1187",
    ]


def test_the_elastic_rule_is_a_new_terms_rule_over_the_six_indices() -> None:
    made, summary = map(json.loads, elastic_rule().splitlines())
    assert made["type"] == "new_terms"
    assert made["new_terms_fields"] == ["destination.ip"]
    assert made["history_window_start"] == "now-7d"
    assert (made["from"], made["interval"], made["max_signals"]) == ("now-9m", "5m", 100)
    assert made["timestamp_override"] == "event.ingested"
    assert len(made["index"]) == 6
    assert made["query"] == kql().strip()
    assert (made["severity"], made["risk_score"]) == ("medium", 47)
    assert [threat["technique"][0]["id"] for threat in made["threat"]] == ["T1048", "T1187"]
    assert made["enabled"] is False
    assert made["rule_id"] != predicate.RULE_ID
    assert summary["exported_rules_count"] == 1


def test_the_esql_asks_the_same_and_then_what_is_new() -> None:
    text = esql(EXCLUDED)
    assert f'KQL("""{kql().strip()}""")' in text
    assert "BY destination.ip\n| WHERE first_seen >= NOW() - 9 minutes" in text
    assert all(index in text for index in predicate.INDICES)


@pytest.mark.parametrize("target", ["kql", "esql", "sigma", "elastic-rule"])
def test_every_export_names_every_range_and_every_exclusion(run: Run, target: str) -> None:
    result = run("rule", "export", "--to", target, "--exclude", "45.83.122.0/24")
    assert result.code == 0
    for network in (*NOT_INTERNET, *PRIVATE, "45.83.122.0/24"):
        assert str(network) in result.out


def test_a_range_that_is_none_is_wrong_usage(run: Run) -> None:
    for wrong in ("10.0.0.1/8", "host", "300.1.1.1"):
        result = run("rule", "export", "--to", "kql", "--exclude", wrong)
        assert result.code == 2
        assert wrong in result.err


def test_an_export_replaces_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rule.ndjson"
    path.write_text("old")
    assert run("rule", "export", "--to", "elastic-rule", "-o", path).out == ""
    assert path.read_text() == elastic_rule()


def test_show_names_every_range_and_what_is_omitted(run: Run) -> None:
    lines = run("rule", "show").out.splitlines()
    for network, name in (NOT_INTERNET | LEFT_OUT).items():
        assert f"  {network!s:<19}{name}" in lines
    for clause in predicate.CLAUSES:
        assert f"  {clause.field:<19}{clause.wants}" in lines


def test_what_is_omitted_really_is_internet_to_the_rule(run: Run) -> None:
    for network in LEFT_OUT:
        assert predicate.matches(view(matching(destination__ip=str(network[1]))))
    shown = json.loads(run("rule", "show", "--format", "json").out)
    assert set(shown["taken_for_internet"]) == {"0.0.0.0/8", "fc00::/7", "2001:db8::/32"}
    assert shown["conditions"][0] == {
        "field": "destination.port",
        "wants": "139 or 445",
        "one_of": [139, 445],
    }


def test_rule_needs_no_library_beyond_the_command_line() -> None:
    program = (
        "import sys\n"
        "for name in ('rich', 'ijson', 'jinja2', 'vl_convert'): sys.modules[name] = None\n"
        "sys.argv = ['smbrare', 'rule', 'show']\n"
        "from smbrare.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_page_of_the_rule_names_each_of_its_elements() -> None:
    page = (ROOT / "docs" / "rule.md").read_text(encoding="utf-8")
    for element in (*predicate.INDICES, predicate.RULE_ID, "T1048", "T1187", "event.ingested"):
        assert element in page
    rows = {
        title: section.count("\n| ") - 1
        for title, section in (
            part.split("\n", 1) for part in page.split("\n## ")[1:] if "|---|" in part
        )
    }
    assert rows["Investigation"] == 6
    assert rows["False positives"] == 5
    assert rows["Response"] == 7
