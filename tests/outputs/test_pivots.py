"""Pivots: queries that can be pasted, whatever the host is called."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from antlr4 import InputStream
from kibana_ql import KqlParser
from kusto_query_language_parser.parser.kql_traverse import KqlTraverse

from smbrare.detection.finding import Finding
from smbrare.outputs.pivots import Pivot, pivots, quote
from tests.support.events import matching
from tests.support.exposure import FILE
from tests.support.findings import finding
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection
from tests.support.reports import report, write
from tests.support.rule_languages import defender_holds, kql_holds

MAPPED = "::ffff:45.83.122.10"


def by_language(found: Finding, language: str) -> list[Pivot]:
    return [pivot for pivot in pivots(found) if pivot.language == language]


def of_connections(found: Finding, language: str) -> list[Pivot]:
    """Return the queries that find the finding's own event."""
    return by_language(found, language)[:2]


@pytest.mark.parametrize("language", ["Kibana KQL", "ES|QL", "Defender KQL"])
def test_each_language_asks_who_else_and_what_around(language: str) -> None:
    who, around, why = by_language(finding(hosts=("WS-01", "WS-02")), language)
    assert '"45.83.122.10"' in who.text
    assert '"WS-01"' in around.text
    assert '"WS-02"' in around.text
    assert "2026-11-16T07:45:00Z" in around.text
    assert "2026-11-16T08:15:00Z" in around.text
    assert '"WS-02"' in why.text
    assert "2026-11-16T07:30:00Z" in why.text


def test_a_quote_in_a_name_does_not_end_the_literal() -> None:
    name = 'a" or 1==1 \\'
    assert quote(name) == '"a\\" or 1==1 \\\\"'
    for pivot in pivots(finding(hosts=(name,))):
        for text in (_LITERAL.sub("", pivot.text), *_inner_kql(pivot.text)):
            rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
            assert '"' not in rest
            assert "1==1" not in rest


def test_a_name_that_no_clipboard_carries_gives_way_to_the_address() -> None:
    for pivot in pivots(finding(hosts=("a\u202eb",)))[3:]:
        assert "\\u202e" not in pivot.text
        assert '"10.20.1.11"' in pivot.text


_LITERAL = re.compile(r'KQL\("""(.*?)"""\)')


def _inner_kql(text: str) -> list[str]:
    """Return the queries in Kibana's language within one of ES|QL."""
    return [str(found) for found in _LITERAL.findall(text)]


NAMES = ["WS-01", 'a"b', "a\\", 'a\\"', "x) or (y", "' | take 1 //", "{}[]<>:*", "\u202e"]


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_of_kibanas_language_reads_the_queries(name: str) -> None:
    parser = KqlParser()
    found = finding(hosts=(name, "WS-02"))
    for pivot in by_language(found, "Kibana KQL"):
        parser.ast(parser.parse(pivot.text))
    for pivot in by_language(found, "ES|QL"):
        (query,) = _inner_kql(pivot.text)
        parser.ast(parser.parse(query))


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_of_defenders_language_reads_the_queries(name: str) -> None:
    for pivot in by_language(finding(hosts=(name,)), "Defender KQL"):
        tree = KqlTraverse().parse(InputStream(pivot.text))
        assert tree.getText().endswith("<EOF>")


@pytest.mark.parametrize("place", [0, 3, 4, 8, 9])
def test_kibanas_last_query_finds_what_led_to_a_connection_and_what_came_of_it(place: int) -> None:
    record = json.loads(FILE.read_text().splitlines()[place])
    host, time = record["winlog"]["computer_name"], record["@timestamp"]
    document = {**record, "event": {"code": record["winlog"]["event_id"]}}
    *_, query = by_language(finding(hosts=(host,), timestamp=time), "Kibana KQL")
    assert kql_holds(query.text, document)
    assert not kql_holds(query.text, {**document, "winlog": {"computer_name": host}, "event": {}})


def own_finding(record: Any, tmp_path: Path) -> Finding:
    """Return the finding of a record that alone is scanned."""
    (found,) = report(write(tmp_path / "record.ndjson", [record])).findings
    return found


_STORED = ("-mapped", "-old", "-name", "-plain", "-8", "-7", "-winlogbeat")
STORED = {name for name in FORMS if name.endswith(_STORED)} - {"endgame-mapped"}
"""Forms of documents as Elasticsearch holds them; the others are exports of other tools.

Of Endgame's one lacks @timestamp, which an index of events cannot.
"""

_RESPELLED = {"defender-graph", "defender-timeline"}
ROWS = {name for name in FORMS if name.startswith("defender-") and "mapped" not in name}
ROWS -= _RESPELLED
"""Forms of Defender's own rows, with the columns that its queries ask for."""


def test_every_source_of_the_rule_has_a_form_that_queries_are_tried_on() -> None:
    sources = {name.partition("-")[0] for name in STORED | ROWS}
    assert sources == {name.partition("-")[0] for name in FORMS} - {"asim", "ocsf"}


@pytest.mark.parametrize("name", sorted(STORED))
def test_kibanas_queries_find_the_findings_own_document(name: str, tmp_path: Path) -> None:
    record = FORMS[name](Connection())
    found = own_finding(record, tmp_path)
    queries = [pivot.text for pivot in of_connections(found, "Kibana KQL")]
    queries += [each for pivot in of_connections(found, "ES|QL") for each in _inner_kql(pivot.text)]
    assert len(queries) == 4
    for query in queries:
        assert kql_holds(query, record), query


@pytest.mark.parametrize("change", [{}, {"source": "::ffff:10.20.1.17", "destination": MAPPED}])
@pytest.mark.parametrize("outward", [True, False])
@pytest.mark.parametrize("name", sorted(ROWS))
def test_defenders_queries_find_the_findings_own_row(
    name: str, tmp_path: Path, change: dict[str, str], *, outward: bool
) -> None:
    record = FORMS[name](Connection(outward=outward, **change))  # type: ignore[arg-type]
    row = record.get("properties", record)
    for pivot in of_connections(own_finding(record, tmp_path), "Defender KQL"):
        assert defender_holds(pivot.text, row), pivot.text


def test_of_a_host_without_a_name_queries_ask_for_its_id(tmp_path: Path) -> None:
    document = matching(host__name=None)
    document["host"]["id"] = "id-1"
    for pivot in of_connections(own_finding(document, tmp_path), "Kibana KQL"):
        assert kql_holds(pivot.text, document)
    row = FORMS["defender-hunting"](Connection()) | {"DeviceName": None}
    for pivot in of_connections(own_finding(row, tmp_path), "Defender KQL"):
        assert defender_holds(pivot.text, row)


def test_a_host_whose_name_cannot_be_pasted_is_found_by_its_address(tmp_path: Path) -> None:
    document = matching(host__name="a\u202eb")
    for pivot in of_connections(own_finding(document, tmp_path), "Kibana KQL"):
        assert kql_holds(pivot.text, document)


@pytest.mark.parametrize("name", sorted(STORED))
def test_a_document_without_any_name_of_its_host_is_found_by_the_address(
    name: str, tmp_path: Path
) -> None:
    record = {key: value for key, value in FORMS[name](Connection()).items() if key != "host.name"}
    for keeper, names in (("host", ("name", "hostname", "id")), ("winlog", ("computer_name",))):
        for key in names:
            record.get(keeper, {}).pop(key, None)
    for pivot in of_connections(own_finding(record, tmp_path), "Kibana KQL"):
        assert kql_holds(pivot.text, record), pivot.text


def test_a_forwarded_event_and_one_with_a_host_name_alone_are_found(tmp_path: Path) -> None:
    forwarded = matching(host__name="wec01") | {"winlog": {"computer_name": "WS1.corp"}}
    hostname = matching(host__name=None)
    hostname["host"]["hostname"] = "WS1"
    for document in (forwarded, hostname):
        for pivot in of_connections(own_finding(document, tmp_path), "Kibana KQL"):
            assert kql_holds(pivot.text, document)


def test_an_undated_finding_has_no_look_around() -> None:
    assert len(pivots(finding(time=None))) == 3


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_no_trouble(timestamp: str) -> None:
    assert len(pivots(finding(timestamp=timestamp))) == 9
