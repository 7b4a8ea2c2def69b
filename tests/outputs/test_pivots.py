"""Pivots: queries that can be pasted, whatever the host is called."""

import re

import pytest
from antlr4 import InputStream
from kibana_ql import KqlParser
from kusto_query_language_parser.parser.kql_traverse import KqlTraverse

from smbrare.detection.finding import Finding
from smbrare.outputs.pivots import Pivot, pivots, quote
from tests.support.findings import finding


def by_language(found: Finding, language: str) -> list[Pivot]:
    return [pivot for pivot in pivots(found) if pivot.language == language]


@pytest.mark.parametrize("language", ["Kibana KQL", "ES|QL", "Defender KQL"])
def test_each_language_asks_who_else_and_what_around(language: str) -> None:
    who, around = by_language(finding(hosts=("WS-01", "WS-02")), language)
    assert '"45.83.122.10"' in who.text
    assert '"WS-01"' in around.text
    assert '"WS-02"' in around.text
    assert "2026-11-16T07:45:00Z" in around.text
    assert "2026-11-16T08:15:00Z" in around.text


def test_a_quote_in_a_name_does_not_end_the_literal() -> None:
    name = 'a" or 1==1 \\'
    assert quote(name) == '"a\\" or 1==1 \\\\"'
    for pivot in pivots(finding(hosts=(name,))):
        rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", pivot.text)
        assert '"' not in rest
        assert "1==1" not in rest


def test_a_name_that_no_clipboard_carries_gives_way_to_the_address() -> None:
    for pivot in pivots(finding(hosts=("a\u202eb",)))[3:]:
        assert "\\u202e" not in pivot.text
        assert '"10.20.1.11"' in pivot.text


NAMES = ["WS-01", 'a"b', "a\\", 'a\\"', "x) or (y", "' | take 1 //", "{}[]<>:*", "\u202e"]


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_of_kibanas_language_reads_the_queries(name: str) -> None:
    parser = KqlParser()
    for pivot in by_language(finding(hosts=(name, "WS-02")), "Kibana KQL"):
        parser.ast(parser.parse(pivot.text))


@pytest.mark.parametrize("name", NAMES)
def test_a_parser_of_defenders_language_reads_the_queries(name: str) -> None:
    for pivot in by_language(finding(hosts=(name,)), "Defender KQL"):
        tree = KqlTraverse().parse(InputStream(pivot.text))
        assert tree.getText().endswith("<EOF>")


def test_an_undated_finding_has_no_look_around() -> None:
    assert len(pivots(finding(time=None))) == 3


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_no_trouble(timestamp: str) -> None:
    assert len(pivots(finding(timestamp=timestamp))) == 6
