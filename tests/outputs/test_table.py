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
from smbrare.detection.host_context import HostContext
from smbrare.detection.reference import INDICATOR, PROVIDER
from smbrare.outputs.wording import short_paths
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


USERS = HostContext(active=("CORP\\j.doe", "CORP\\x"))
RICH = [
    at(
        "45.83.122.10",
        event={
            "host.name": "WS-02.corp.example",
            "destination.domain": "cdn.example",
            "network.direction": "ingress",
            "user.name": "j.doe",
            "user.domain": "CORP",
        },
        host_context=USERS,
        extra={PROVIDER: ["feed"], INDICATOR: ["45.83.122.0/24"]},
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
    *("2026-11-16", "08:00", "45.83.122.10", "cdn.example", "139,445", "+1", "!!", "3h"),
    *("12,345", "inbound", "late", "inferred: host.os.type", "[feed]", "CORP\\j.doe +1"),
]


@pytest.mark.parametrize("width", [None, 200, 160, 140, 120, 100, 80, 60, 40, 20, 1])
def test_no_fact_is_lost_at_any_width(width: int | None) -> None:
    text = table(RICH, width)
    packed = "".join(text.split())
    for fact in (*FACTS, "WS-02.corp.example", "events.ndjson:1"):
        assert "".join(fact.split()) in packed, fact


@pytest.mark.parametrize("width", [200, 160, 140, 120, 100, 80, 60, 40])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    assert max(map(cell_len, table(RICH, width).splitlines())) <= width


def test_the_longest_address_fits_40_columns_whole() -> None:
    lines = [line.strip() for line in table([at(LONG_IPV6)], 40).splitlines()]
    assert LONG_IPV6 in lines


def test_without_a_width_there_is_one_line_a_finding() -> None:
    lines = table([*RICH, at("91.219.236.18", history=COLD)]).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("!!  1  2026-11-16 08:00:00  45.83.122.10   [feed] cdn.example")
    assert lines[2].startswith("!   2  2026-11-16 08:00:00  91.219.236.18  ")


@pytest.mark.parametrize(("width", "lines"), [(80, 6), (99, 6), (100, 4), (120, 4), (160, 4)])
def test_a_narrow_terminal_has_two_lines_a_finding_and_a_wide_one_a_row(
    width: int, lines: int
) -> None:
    found = [at(f"91.219.236.{number}") for number in range(3)]
    assert len(table(found, width).splitlines()) == lines


def test_a_column_without_values_is_not_drawn() -> None:
    text = table([at("45.83.122.10")])
    assert "Account" not in text
    assert "Network" not in text
    assert "Name, list" not in text
    assert "Account" in table(RICH)


@pytest.mark.parametrize("width", [None, 120, 80])
def test_the_worst_come_first_and_what_was_suppressed_last(width: int | None) -> None:
    found = [
        at("1.0.0.1", outcomes=("failure",)),
        at("1.0.0.2", outcomes=("success",), status="known"),
        at("1.0.0.3", outcomes=("unknown",)),
        at("1.0.0.4", outcomes=("success",), history=COLD),
        at("1.0.0.5", outcomes=("success",)),
    ]
    text = table(found, width)
    order = sorted(found, key=lambda one: text.index(one.sighting.destination))
    assert [one.sighting.destination[-1] for one in order] == ["5", "4", "3", "1", "2"]
    starts = re.findall(r"^(?: {4}#.*\n)?(\S*) +([1-5])  ", text, re.MULTILINE)
    assert starts == [("!!", "1"), ("!!", "2"), ("!", "3"), (".", "4"), ("", "5")]


@pytest.mark.parametrize("width", [None, 120, 80])
def test_colours_repeat_what_the_words_say(width: int | None) -> None:
    coloured = table(RICH, width, color=True)
    assert "\x1b[33m!!  1\x1b[0m" in coloured
    assert "\x1b[7m[feed]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == table(RICH, width)


def test_a_row_names_its_record_by_the_shortest_end_that_is_clear() -> None:
    paths = ["logs/a/x.ndjson", "logs/b/x.ndjson", "logs/b/y.zip!x.ndjson", "y.ndjson"]
    assert short_paths(paths) == {
        "y.ndjson": "y.ndjson",
        "logs/b/y.zip!x.ndjson": "y.zip!x.ndjson",
        "logs/a/x.ndjson": "a/x.ndjson",
        "logs/b/x.ndjson": "b/x.ndjson",
    }


@given(st.sets(st.text("ab/", min_size=1, max_size=8), max_size=8))
def test_a_short_path_is_the_end_of_its_own_path_alone(paths: set[str]) -> None:
    short = short_paths(paths)
    assert short.keys() == paths
    for path, end in short.items():
        ending = [each for each in paths if f"/{each}".endswith(f"/{end}")]
        assert path in ending
        assert ending == [path] or end == path


def test_a_console_that_lacks_a_character_shows_another(run_process: Run, tmp_path: Path) -> None:
    found = [
        at(
            "45.83.122.10",
            event={"host.name": "Ж≥é"},
            history=History(3600, WEEK, sampled=True),
            hosts=("Ж≥é",),
        )
    ]
    text = table(found, encoding="cp1252")
    assert ">=1h" in text
    assert "\\u0416>=é" in text
    assert ">=1h" in table(found)
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


def test_the_verdict_and_the_summary_stand_apart_from_the_table(run: Run) -> None:
    verdict, _, summary = run("scan", SAMPLE).err.partition("\n\n")
    assert verdict.startswith("Cold start: 3 destinations")
    assert summary.startswith("\ngrades ")
    assert "\n\ngrades " in run("scan", SAMPLE, "--format", "ndjson").err
    assert run("scan", SAMPLE, "-q").err == ""


@pytest.mark.parametrize("width", [80, 120, 200])
def test_what_is_shown_at_three_widths(run: Run, width: int, tmp_path: Path) -> None:
    feed = tmp_path / "blocklist.txt"
    feed.write_text("45.83.122.0/24\n")
    options = ("scan", "fixtures/week", "fixtures/around.ndjson", "--intel", feed)
    shown = run(*options, env={"COLUMNS": str(width)}, mixed=True).out
    expected = ROOT / "tests" / "outputs" / "expected" / f"scan-{width}.txt"
    assert shown == expected.read_text(encoding="utf-8")


def test_the_picture_shows_what_the_program_prints(run: Run) -> None:
    picture = (ROOT / "docs" / "table.svg").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", " ", picture.replace("&#160;", " ")).split()
    printed = run("scan", "fixtures/sample.ndjson", env={"COLUMNS": "100"}).out.split()
    assert set(printed) <= set(shown)
    assert "url(http" not in picture
