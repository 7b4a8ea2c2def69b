"""Outputs: nothing of a log is live, no address is cut, and JSON keeps every value."""

import csv
import io
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.outputs.csv_rows import csv_lines
from smbrare.outputs.formats import REPORT
from smbrare.text import cell, json_visible, visible
from tests.conftest import Run
from tests.support.activities import exposed
from tests.support.events import matching

LONG_IPV6 = "2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6"

ATTACKS = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "a\u200bb\u2066c",
    "bell\x07back\x08space",
    "new\nline\r\ttab",
    "\x7f",
    "[bold]markup[/bold]",
    "[/nonsense]",
    "[link=https://evil.example]click[/link]",
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "<script>alert(1)</script>",
    "\ufeffbom",
    "\U000e0041tag",
]


def is_live(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    path = tmp_path / "hostile.ndjson"
    documents = [
        matching(
            host__name=attack,
            destination__ip=f"45.83.122.{number}",
            destination__domain=attack,
            event__action=attack,
            process__executable=attack,
        )
        for number, attack in enumerate(ATTACKS)
    ]
    documents += [
        {
            "@timestamp": "2026-11-16T07:59:59.000Z",
            "event": {"category": ["network"]},
            "host": {"name": attack},
            "dns": {"question": {"name": attack}, "resolved_ip": f"45.83.122.{number}"},
        }
        for number, attack in enumerate(ATTACKS)
    ]
    for number, attack in enumerate(ATTACKS):
        documents += exposed(attack, f"45.83.122.{number}")
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


@pytest.mark.parametrize("output_format", REPORT)
def test_nothing_of_a_log_is_live_in_a_terminal(
    run: Run, hostile: Path, output_format: str
) -> None:
    result = run("scan", hostile, "--format", output_format)
    assert result.code == 1
    live = {character for character in result.out + result.err if is_live(character)}
    # The charts' library in the HTML has tabs of its own.
    assert live <= ({"\n", "\t"} if output_format == "html" else {"\n", "\r"})
    assert "\r" not in result.out.replace("\r\n", "\n")


def test_accounts_of_hostile_names_are_named_by_their_records(run: Run, hostile: Path) -> None:
    found = json.loads(run("scan", hostile, "--format", "json").out)["findings"]
    shown = [each["smbrare"]["exposure"] for each in found]
    assert {each["grade"] for each in shown} == {"authentication"}
    accounts = {each["account"] for exposure in shown for each in exposure["accounts"]}
    assert {f"{attack}\\{attack}" for attack in ATTACKS} >= accounts
    assert len(accounts) >= len(ATTACKS) - 1


def test_the_table_shows_markup_and_escapes_as_text(run: Run, hostile: Path) -> None:
    out = run("scan", hostile).out
    assert "\\x1b[31mred\\x1b[0m" in out
    assert "[bold]markup[/bold]" in out
    assert "\\u202egnp.exe" in out


def test_json_keeps_the_exact_values(run: Run, hostile: Path) -> None:
    lines = run("scan", hostile, "--format", "ndjson").out.splitlines()
    names = [json.loads(line)["host"]["name"] for line in lines]
    assert sorted(names) == sorted(ATTACKS)


def test_no_cell_of_the_csv_starts_a_formula(run: Run, hostile: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("scan", hostile, "--format", "csv").out)))
    assert len(rows) == len(ATTACKS)
    for row in rows:
        assert not row["host.name"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_hostile_file_name_is_not_live_either(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x\x1b[31m\n.ndjson"
    path.write_text("{broken\n" + json.dumps(matching()) + "\n")
    result = run("scan", path)
    assert "\x1b" not in result.out + result.err
    assert "x\\x1b[31m\\x0a.ndjson:1: skipped" in result.err


@pytest.mark.parametrize("width", ["40", "80", "200", None])
def test_no_address_is_cut_at_any_width(run: Run, tmp_path: Path, width: str | None) -> None:
    path = tmp_path / "events.ndjson"
    name = "a-host-with-a-name-that-is-much-longer-than-any-column.corp.example"
    documents = [
        matching(destination__ip=LONG_IPV6, host__name=name),
        matching(destination__ip="203.0.112.255", source__ip="192.168.100.200", host__name=name),
    ]
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    out = run("scan", path, env={} if width is None else {"COLUMNS": width}).out
    assert LONG_IPV6 in out
    assert "203.0.112.255" in out
    assert "…" not in out
    if width == "200" or width is None:
        assert name in out
        assert "192.168.100.200" in out


def test_the_table_fits_80_columns_where_the_addresses_do(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(host__name="x" * 70)) + "\n")
    out = run("scan", path, env={"COLUMNS": "80"}).out
    assert max(map(len, out.splitlines())) <= 80


def test_no_table_is_printed_where_nothing_was_found(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(destination__ip="10.0.0.1")) + "\n")
    assert run("scan", path).out == ""


def test_no_character_of_unicode_stays_live() -> None:
    everything = "".join(map(chr, range(0x110000)))
    assert [character for character in visible(everything) if is_live(character)] == []


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po", "Sm", "Sc"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@given(st.text() | st.text(st.sampled_from([*SIGNS, *',;|:^~ \t\r\n"', "a", "1"])))
def test_a_cell_never_starts_a_formula_wherever_a_sheet_splits_it(text: str) -> None:
    assert not cell(text).startswith((*SIGNS, "\t", "\r"))
    line, _ = csv_lines(("a",), [{"a": text}])
    line = line.partition("\n")[2]
    for separator in ",;|:^~ \t":
        parts = line.removesuffix("\r\n").split(separator)
        assert not [part for part in parts if part.strip('" ').startswith(tuple(SIGNS))], line


@pytest.mark.parametrize("value", ["123456789012345", "1234567890.12345", 10**15, [10**15]])
def test_a_number_that_a_sheet_would_round_is_text(value: object) -> None:
    (line, _) = csv_lines(("a",), [{"a": value}])
    digits = value[0] if isinstance(value, list) else value
    assert line == f'"a"\r\n"\'{digits}"\r\n'


def test_every_text_in_csv_is_quoted_and_no_number_is() -> None:
    row = {"a": "x", "b": 5, "c": None, "d": True, "e": ["p", "q"], "f": 12345678901234}
    (line, _) = csv_lines(tuple(row), [row])
    assert line.splitlines()[1] == '"x",5,,true,"p, q",12345678901234'


@given(st.recursive(st.text() | st.integers(), st.lists, max_leaves=5))
def test_json_made_visible_is_the_same_json(value: object) -> None:
    assert json.loads(json_visible(json.dumps(value, ensure_ascii=False))) == value
