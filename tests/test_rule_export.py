"""Exports of the rule: real parsers read them, and they judge as the rule does."""

import json
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kibana_ql import KqlParser
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT
from sigma.rule import SigmaRule
from sigma.types import SigmaCIDRExpression
from sigma.validation import SigmaValidator
from sigma.validators.core import validators

from smbrare import rule
from smbrare.networks import NOT_INTERNET, PRIVATE
from smbrare.rule_export import elastic_rule, esql, kql, sigma
from smbrare.rule_text import LEFT_OUT
from tests.conftest import ROOT, Run
from tests.events import matching, view

EXCLUDED = (ip_network("45.83.122.0/24"), ip_network("2a02::/16"))
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


def field(event: Any, name: str) -> Any:
    for part in name.split("."):
        event = event[part]
    return event


def holds(value: Any, wanted: str) -> bool:
    if "/" in wanted:
        return ip_address(value) in ip_network(wanted)
    return wanted in map(str, value if isinstance(value, list) else [value])


def judged_by_kql(tree: Any, event: Any) -> bool:
    if tree.get("op") == "and":
        right = tree["right"].get("exprs", [tree["right"]])
        return all(judged_by_kql(part, event) for part in (tree["left"], *right))
    if tree.get("op") == "not":
        return not judged_by_kql(tree["expr"], event)
    return any(holds(field(event, tree["field"]), wanted) for wanted in leaves(tree["value"]))


def leaves(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return list(value)
    right = value["right"]
    rest = right["exprs"] if isinstance(right, dict) and "exprs" in right else [right]
    return [leaf for part in (value["left"], *rest) for leaf in leaves(part)]


@given(events)
def test_the_kql_judges_as_the_rule_does(event: Any) -> None:
    parser = KqlParser()
    tree = parser.ast(parser.parse(kql().strip()))
    assert judged_by_kql(tree, event) == rule.matches(view(event))


def test_the_kql_leaves_out_what_is_excluded() -> None:
    parser = KqlParser()
    tree = parser.ast(parser.parse(kql(EXCLUDED).strip()))
    assert not judged_by_kql(tree, matching())
    assert judged_by_kql(tree, matching(destination__ip="91.219.236.18"))


SIGMA_FIELDS = {
    "ProcessId": "process.pid",
    "Protocol": "network.transport",
    "DestinationPort": "destination.port",
    "SourceIp": "source.ip",
    "DestinationIp": "destination.ip",
}


def judged_by_sigma(node: Any, event: Any) -> bool:
    if isinstance(node, ConditionFieldEqualsValueExpression):
        wanted = node.value
        text = wanted.cidr if isinstance(wanted, SigmaCIDRExpression) else str(wanted)
        return holds(field(event, SIGMA_FIELDS[node.field]), text)
    parts = (judged_by_sigma(part, event) for part in node.args)
    if isinstance(node, ConditionNOT):
        return not any(parts)
    return all(parts) if isinstance(node, ConditionAND) else any(parts)


def sigma_rule(text: str) -> SigmaRule:
    (parsed,) = SigmaCollection.from_yaml(text).rules
    assert isinstance(parsed, SigmaRule)
    return parsed


@given(events)
def test_the_sigma_rule_judges_network_events_of_windows_as_the_rule_does(event: Any) -> None:
    event = event | {"event": {"category": ["network"]}}
    event["host"]["os"]["type"] = "windows"
    (condition,) = sigma_rule(sigma()).detection.parsed_condition
    assert judged_by_sigma(condition.parsed, event) == rule.matches(view(event))


def test_the_sigma_rule_leaves_out_what_is_excluded() -> None:
    (condition,) = sigma_rule(sigma(EXCLUDED)).detection.parsed_condition
    assert not judged_by_sigma(condition.parsed, matching())
    assert judged_by_sigma(condition.parsed, matching(destination__ip="91.219.236.18"))


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
    assert made["rule_id"] != rule.RULE_ID
    assert summary["exported_rules_count"] == 1


def test_the_esql_asks_the_same_and_then_what_is_new() -> None:
    text = esql(EXCLUDED)
    assert f'KQL("""{kql(EXCLUDED).strip()}""")' in text
    assert "BY destination.ip\n| WHERE first_seen >= NOW() - 9 minutes" in text
    assert all(index in text for index in rule.INDICES)


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


def test_show_names_every_range_and_what_is_left_out(run: Run) -> None:
    lines = run("rule", "show").out.splitlines()
    for network, name in (NOT_INTERNET | LEFT_OUT).items():
        assert f"  {network!s:<19}{name}" in lines
    for clause in rule.CLAUSES:
        assert f"  {clause.field:<19}{clause.wants}" in lines


def test_what_is_left_out_really_is_internet_to_the_rule(run: Run) -> None:
    for network in LEFT_OUT:
        assert rule.matches(view(matching(destination__ip=str(network[1]))))
    shown = json.loads(run("rule", "show", "--format", "json").out)
    assert set(shown["taken_for_internet"]) == {"0.0.0.0/8", "fc00::/7", "2001:db8::/32"}
    assert shown["clauses"][0] == {
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
    for element in (*rule.INDICES, rule.RULE_ID, "T1048", "T1187", "event.ingested"):
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
