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
from smbrare.outputs.rule.export import elastic_rule, sigma
from smbrare.outputs.rule.queries import eql, esql, kql
from smbrare.outputs.rule.text import LEFT_OUT
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET, PRIVATE
from smbrare.sources import recognize
from tests.conftest import ROOT, Run
from tests.support.events import matching, view
from tests.support.rule_languages import eql_holds, kql_holds, sigma_holds, sigma_rule

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


@given(events)
def test_the_eql_judges_as_the_rule_does(event: Any) -> None:
    assert eql_holds(eql(), event) == predicate.matches(view(event))


def test_the_eql_leaves_out_what_is_excluded() -> None:
    assert not eql_holds(eql(EXCLUDED), matching())
    assert eql_holds(eql(EXCLUDED), matching(destination__ip="91.219.236.18"))


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


def test_the_elastic_rule_leaves_to_kibana_what_is_kibanas() -> None:
    """Its rule editor keeps the additional look-back in ``meta.from``, as in ``6h``."""
    made = json.loads(elastic_rule().splitlines()[0])
    assert "meta" not in made


def test_of_several_destinations_an_export_finds_what_its_help_says(run: Run) -> None:
    excluded = [Exclusion("x", (ip_network("8.8.8.8"),))]
    event = matching(destination__ip=["8.8.8.8", "9.9.9.9"])
    assert kql_holds(kql(), event)
    assert not kql_holds(kql(excluded), event)
    assert not eql_holds(eql(excluded), event)
    lines = esql(excluded).splitlines()
    expanded = lines.index("| MV_EXPAND destination.ip")
    assert lines.index('| WHERE NOT COALESCE(CIDR_MATCH(destination.ip, "8.8.8.8/32"), false)') > (
        expanded
    )
    told = " ".join(run("rule", "export", "--help").out.split())
    assert "Elastic rule miss an event if any of several destinations is excluded" in told
    assert "ES|QL still find its other destinations" in told


def test_the_esql_asks_the_same_and_then_what_is_new() -> None:
    text = esql(EXCLUDED)
    assert f'KQL("""{kql().strip()}""")' in text
    assert "BY destination.ip\n| WHERE first_seen >= NOW() - 9 minutes" in text
    assert all(index in text for index in predicate.INDICES)
    assert "Set the time range to 7 days or more" in text
    assert "rule export --to elastic-rule" in text
    assert "that yours lack" in text
    assert "that yours lack" not in esql(EXCLUDED[:1])


@pytest.mark.parametrize("target", ["kql", "eql", "esql", "sigma", "elastic-rule"])
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
    assert set(shown["taken_for_internet"]) == set(map(str, LEFT_OUT))
    assert shown["conditions"][0] == {
        "field": "destination.port",
        "wants": "139 or 445",
        "one_of": [139, 445],
    }


@pytest.mark.parametrize(
    ("source", "index"),
    [
        ("elastic_defend", "logs-endpoint.events.network-*"),
        ("winlogbeat", "winlogbeat-*"),
        ("sysmon", "logs-windows.sysmon_operational-*"),
        ("endgame", "endgame-*"),
        ("defender", "logs-m365_defender.event-*"),
        ("sentinel_one", "logs-sentinel_one_cloud_funnel.*"),
    ],
)
def test_the_page_names_the_source_that_reads_an_index(source: str, index: str) -> None:
    page = (ROOT / "docs" / "rule.md").read_text(encoding="utf-8")
    assert f"| index `{index}` | source `{source}`" in page
    fields = {"data_stream.dataset": index.removeprefix("logs-").strip("-*").removesuffix(".")}
    document = matching() | fields
    if source == "winlogbeat":
        document = matching() | {"agent": {"type": "winlogbeat"}}
    seen = recognize(document, ReadOptions())
    assert seen is not None
    assert seen.source == source


def test_rule_needs_no_library_beyond_the_command_line() -> None:
    program = (
        "import sys\n"
        "for name in ('rich', 'ijson', 'jinja2'): sys.modules[name] = None\n"
        "sys.argv = ['smbrare', 'rule', 'show']\n"
        "from smbrare.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_page_of_the_rule_names_each_of_its_elements() -> None:
    page = (ROOT / "docs" / "rule.md").read_text(encoding="utf-8")
    for element in (*predicate.INDICES, predicate.RULE_ID, "T1048", "T1187", "event.ingested"):
        assert element in page
    for network, name in LEFT_OUT.items():
        assert f"| `{network}` | {name} |" in page
    rows = {
        title: section.count("\n| ") - 1
        for title, section in (
            part.split("\n", 1) for part in page.split("\n## ")[1:] if "|---|" in part
        )
    }
    assert rows["Investigation"] == 6
    assert rows["False positives"] == 5
    assert rows["Response"] == 7
