"""Names of destinations out of DNS events: who asked for them and when, in every output."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.cli import cli
from smbrare.detection import dns
from smbrare.detection.dns import Answers, Query
from smbrare.outputs.summary import detail_lines, summary_lines
from smbrare.outputs.triage import triage
from smbrare.scanning import planning
from tests.support.events import DESTINATION, matching, view
from tests.support.reports import html, printed, report, write

SECOND = 1_000_000


def query(
    name: str = "files.example", *, host: str = "WS-01", time: str = "2026-11-16T07:59:58Z"
) -> dict[str, Any]:
    return {
        "@timestamp": time,
        "event": {"category": ["network"]},
        "host": {"name": host},
        "dns": {"question": {"name": name}, "resolved_ip": [DESTINATION]},
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    events = [query(), query(host="WS-02", time="2026-11-16T07:00:00Z"), matching()]
    return write(tmp_path / "events.ndjson", events)


def test_json_names_the_destination_who_asked_and_when(log: Path) -> None:
    document = json.loads(printed("json", report(log)))
    (finding,) = document["findings"]
    assert "domain" not in finding["destination"]
    assert finding["smbrare"]["dns_names"] == ["files.example"]
    assert finding["smbrare"]["dns_queries"] == [
        {
            "name": "files.example",
            "host": host,
            "first": time,
            "last": time,
        }
        for host, time in (("WS-01", "2026-11-16T07:59:58Z"), ("WS-02", "2026-11-16T07:00:00Z"))
    ]
    assert document["scan"]["dns_names"] == {"too_many": False, "not_read_in": []}


def test_tables_mark_a_name_as_one_of_dns(log: Path) -> None:
    made = report(log)
    assert "files.example (DNS)" in printed("table", made)
    (row,) = csv.DictReader(io.StringIO(printed("csv", made)))
    assert (row["destination.domain"], row["smbrare.dns_names"]) == ("", "files.example")
    text = printed("markdown", made)
    assert "`files.example (DNS)`" in text
    assert "- `-0:02` DNS query `files.example: 45.83.122.10 asked by WS-01`" in text
    assert "files.example, asked by WS-02 at 2026-11-16 07:00:00" in html(log)


def test_triage_asks_to_look_up_the_names(log: Path) -> None:
    steps = [step.say() for step in triage(report(log).findings[0])]
    assert any("Look up 45.83.122.10 and files.example: who owns" in step for step in steps)


def test_a_domain_of_the_event_itself_stands_before_names_of_dns(tmp_path: Path) -> None:
    events = [query(), matching(destination__domain="own.example")]
    made = report(write(tmp_path / "events.ndjson", events))
    shown = printed("table", made)
    assert "own.example" in shown
    assert "files.example" not in shown
    assert made.findings[0].dns_names == ("files.example",)


def test_dns_events_change_neither_findings_nor_exit_code(log: Path, tmp_path: Path) -> None:
    with_names, without = report(log), report(write(tmp_path / "bare.ndjson", [matching()]))
    assert with_names.exit_code == without.exit_code
    assert [each.id for each in with_names.findings] == [each.id for each in without.findings]
    assert with_names.findings[0].queries
    assert not without.findings[0].queries


def test_more_names_than_are_kept_show_none_and_the_summary_says_so(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "MOST_ANSWERS", 1)
    made = report(log)
    assert made.too_many_names
    assert not made.findings[0].queries
    assert any("too many names" in line.text for line in summary_lines(made))


def test_a_sifted_input_gives_no_names_by_chance_and_the_summary_says_so(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    made = report(log)
    assert made.names_unread == (str(log),)
    assert not made.findings[0].queries
    texts = [line.text for line in (*summary_lines(made), *detail_lines(made, 0))]
    assert any(text.startswith("DNS names not looked for in 1 pre-filtered") for text in texts)
    assert any(": of the sample " in text for text in texts)


def test_a_second_pass_over_a_sifted_input_leaves_no_name_unread(
    log: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    cli.main(["scan", str(log), "-f", "json", "--no-baseline"], standalone_mode=False)
    printed = capfd.readouterr()
    document = json.loads(printed.out)
    assert document["scan"]["sampled"]
    assert document["scan"]["dns_names"]["not_read_in"] == []
    assert document["findings"][0]["smbrare"]["dns_names"] == ["files.example"]
    assert "not looked for" not in printed.err


def test_names_of_addresses_that_the_rule_excludes_are_not_kept() -> None:
    answers = Answers()
    event = query()
    event["dns"]["resolved_ip"] = ["10.0.0.5", "fe80::1", DESTINATION]
    answers.observe(view(event), 0)
    assert {address for address, _, _ in answers.times} == {DESTINATION}


def test_only_what_is_wanted_is_kept_if_anything_is_named() -> None:
    answers = Answers(wanted=frozenset({"91.219.236.18"}))
    answers.observe(view(query()), 0)
    assert not answers.times


def test_a_name_that_no_dns_message_can_hold_is_none() -> None:
    answers = Answers()
    answers.observe(view(query("a" * 256)), 0)
    assert not answers.times


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a.example", "b.example"]),
        st.sampled_from(["WS-01", "ws-02", ""]),
        st.none() | st.integers(0, 3),
    ),
    max_size=8,
)


def gathered(events: list[tuple[str, str, int | None]]) -> Answers:
    answers = Answers()
    for name, host, time in events:
        answers.observe(view(query(name, host=host)), None if time is None else time * SECOND)
    return answers


@given(EVENTS, st.data())
def test_neither_order_nor_split_of_the_events_shows(
    events: list[tuple[str, str, int | None]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    parts = gathered(shuffled[:cut])
    parts.merge(gathered(shuffled[cut:]))
    assert parts.of(DESTINATION, "ws-01") == naive(events)


def naive(events: list[tuple[str, str, int | None]]) -> tuple[Query, ...]:
    queries = []
    for name, host in {(name, host) for name, host, _ in events}:
        times = [
            time * SECOND
            for one, other, time in events
            if (one, other) == (name, host) and time is not None
        ]
        first, last = (min(times), max(times)) if times else (None, None)
        queries.append(Query(name, host, first, last))
    own_first = sorted(queries, key=lambda each: (each.name, each.host))
    own_first.sort(key=lambda each: (each.first is None, each.first or 0))
    own_first.sort(key=lambda each: each.host.lower() != "ws-01")
    return tuple(own_first)


@given(EVENTS, st.integers(1, 3))
def test_whether_it_was_too_much_depends_on_the_whole_alone(
    events: list[tuple[str, str, int | None]], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dns, "MOST_ANSWERS", most)
        one, parts = gathered(events), gathered(events[::2])
        parts.merge(gathered(events[1::2]))
    assert one.overflowed == parts.overflowed == (len({event[:2] for event in events}) > most)
    assert one.times == parts.times
