"""The table: every fact at every width, in an order that helps, on any console."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from smbrare.detection.finding import Finding, History
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.events import matching
from tests.support.findings import WEEK, finding
from tests.support.reports import printed, report, write

SAMPLE = FIXTURES / "sample.ndjson"
EMPTY = report()
COLD = History(3 * 3600, WEEK)
LONG_IPV6 = "2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6"


def table(found: list[Finding], width: int | None = None, **options: Any) -> str:
    return printed("table", replace(EMPTY, judged=tuple(found)), show="all", width=width, **options)


def at(destination: str, **facts: Any) -> Finding:
    made = finding(**facts)
    return replace(made, sighting=replace(made.sighting, destination=destination))


RICH = [
    at(
        "45.83.122.10",
        event={
            "host.name": "WS-02.corp.example",
            "destination.domain": "cdn.example",
            "network.direction": "ingress",
        },
        hosts=("WS-02.corp.example", "x"),
        ports=(139, 445),
        outcomes=("failure", "success"),
        events=12_345,
        previous=0,
        late=True,
        inferred=("host.os.type",),
        history=COLD,
    )
]
FACTS = [
    *("2026-11-16", "08:00:00", "45.83.122.10", "cdn.example", "139, 445", "+1", "10.20.1.11"),
    *("established, some failed", "12,345", "3h of 7d", "inbound", "late", "host.os.type"),
]


@pytest.mark.parametrize("width", [None, 200, 160, 140, 120, 100, 80, 60, 40, 20, 1])
def test_no_fact_is_lost_at_any_width(width: int | None) -> None:
    text = table(RICH, width)
    words = " ".join(text.split())
    for fact in FACTS:
        assert all(part in words for part in fact.split()), fact
    assert "WS-02.corp.example" in text.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("width", [200, 160, 140, 120, 100, 80, 60, 40])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    assert max(map(cell_len, table(RICH, width).splitlines())) <= width


def test_the_longest_address_fits_40_columns_whole() -> None:
    lines = [line.strip() for line in table([at(LONG_IPV6)], 40).splitlines()]
    assert LONG_IPV6 in lines


def test_without_a_width_there_is_one_line_a_finding() -> None:
    lines = table([*RICH, at("91.219.236.18", history=COLD)]).splitlines()
    assert len([line for line in lines if line.strip()]) == 4
    assert lines[1].startswith("~  2026-11-16 08:00:00  45.83.122.10")
    assert lines[2].startswith("   2026-11-16 08:00:00  91.219.236.18")
    assert lines[-1] == "~ rests on inferred fields: host.os.type"


def test_full_history_comes_before_a_cold_start_and_a_line_says_so() -> None:
    text = table([at("45.83.122.10", history=COLD), at("91.219.236.18")])
    assert text.index("91.219.236.18") < text.index("45.83.122.10")
    assert "91.219.236.18" in text.split("The history before these was not known in full:")[0]


@pytest.mark.parametrize("history", [COLD, History(WEEK, WEEK)])
def test_where_all_are_alike_no_line_parts_them(history: History) -> None:
    text = table([at("45.83.122.10", history=history), at("91.219.236.18", history=history)])
    assert "The history before" not in text


def test_findings_of_one_destination_stand_together() -> None:
    order = ["45.83.122.10", "91.219.236.18", "45.83.122.10", "91.219.236.18"]
    lines = table([at(destination) for destination in order]).splitlines()[1:]
    assert [line.split()[2] for line in lines] == sorted(order)


def test_an_outcome_is_said_in_words_and_not_by_colour_alone() -> None:
    found = [at("45.83.122.10", outcomes=("success",))]
    coloured = table(found, color=True)
    assert "\x1b[31mestablished" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == table(found).split()


def test_a_console_that_lacks_a_character_shows_another(run_process: Run, tmp_path: Path) -> None:
    found = [
        at(
            "45.83.122.10",
            event={"host.name": "Ж≥é"},
            history=History(3600, WEEK, sampled=True),
            hosts=("Ж≥é",),
        )
    ]
    assert "≥ 1h of 7d" in table(found)
    text = table(found, encoding="cp1252")
    assert ">= 1h of 7d" in text
    assert "\\u0416>=é" in text
    path = write(tmp_path / "events.ndjson", [matching(host__name="Ж")])
    result = run_process("scan", path, env={"PYTHONIOENCODING": "cp1252"})
    assert (result.code, "\\u0416" in result.out) == (1, True)


def test_a_file_is_utf_8_whatever_the_console_is(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching(host__name="Ж")])
    output = tmp_path / "table.txt"
    run("scan", path, "-o", output, env={"PYTHONIOENCODING": "cp1252"})
    assert "Ж" in output.read_text(encoding="utf-8")


names = st.text(min_size=1, max_size=90)


@given(names, names, st.sampled_from([40, 80, 120, None]), st.sampled_from(["utf-8", "cp1252"]))
def test_any_name_is_laid_out_in_the_width(
    host: str, domain: str, width: int | None, encoding: str
) -> None:
    event = {"host.name": host, "destination.domain": domain}
    text = table([at("45.83.122.10", event=event)], width, encoding=encoding)
    text.encode(encoding)
    assert "45.83.122.10" in text
    assert width is None or max(map(cell_len, text.splitlines())) <= width


def test_the_summary_stands_apart_from_the_table(run: Run) -> None:
    assert run("scan", SAMPLE).err.startswith("\nread ")
    assert run("scan", SAMPLE, "--format", "ndjson").err.startswith("read ")
    assert run("scan", SAMPLE, "-q").err == ""


def test_the_picture_shows_what_the_program_prints(run: Run) -> None:
    picture = (ROOT / "docs" / "table.svg").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", " ", picture.replace("&#160;", " ")).split()
    printed = run("scan", "fixtures/sample.ndjson", env={"COLUMNS": "100"}).out.split()
    assert set(printed) <= set(shown)
    assert "url(http" not in picture
