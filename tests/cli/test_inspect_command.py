"""``smbrare inspect``: what it shows, to whom it adapts, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, Run
from tests.outputs.test_hostile_text import ATTACKS, is_live
from tests.support.events import DESTINATION, matching

POOR = FIXTURES / "poor.ndjson"
SAMPLE = FIXTURES / "sample.ndjson"
WEEK = sorted((FIXTURES / "week").iterdir())


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def rows(out: str, section: str) -> list[str]:
    """Return the lines of a section, their blanks closed up."""
    text = out[out.index(section) :].split("\n\n", maxsplit=1)[0]
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_text_tells_what_the_export_is_and_lacks(run: Run) -> None:
    result = run("inspect", POOR)
    assert result.code == 0
    assert f"{POOR} ndjson" in rows(result.out, "INPUTS")[2]
    assert "winlogbeat 5 5 5 Sysmon event 3" in rows(result.out, "SOURCES")
    assert rows(result.out, "TIME")[2:] == [
        "2026-11-16T11:00:00Z 2026-11-16T15:00:00Z 4h",
        "2026-11-16T08:01:00Z to 2026-11-16T16:13:00Z, network events in 5 of 9 hours",
    ]
    assert rows(result.out, "HOSTS: 4")[2] == "WS-01 7"
    assert "host.os.type 57.1 % 100 %" in rows(result.out, "FIELDS")
    assert f"host.os.type 45.83.122.10 missing 1 {POOR}:16" in rows(result.out, "NEAR MISSES")
    assert f"elastic_defend source.ip 1 10.20.1.300 {POOR}:19" in rows(result.out, "MALFORMED")
    assert "Sysmon logs no event 3 for PID 4" in result.out


def test_the_funnel_shows_what_each_clause_removed_with_an_example(run: Run) -> None:
    funnel = rows(run("inspect", POOR).out, "FUNNEL")
    assert funnel[2] == f"records, read or skipped 20 {'█' * 20}"
    assert f"destination.port: 139 or 445 14 {'█' * 14} 5 {POOR}:2 (443)" in funnel
    assert f"source.ip: a private address 1 █ 1 {POOR}:18 (45.83.120.7)" in funnel
    assert funnel[-2:] == [
        f"host.os.type: windows 0 1 {POOR}:16 (missing)",
        "0 events match",
    ]


def test_json_has_the_same_and_the_example_can_be_explained(run: Run) -> None:
    document = json.loads(run("inspect", POOR, "--format", "json").out)
    assert document["exit_code"] == 0
    assert document["sources"]["elastic_defend"]["fields_present"]["host.os.type"] == 8
    assert document["time"]["gaps"] == [
        {"from": "2026-11-16T11:00:00Z", "to": "2026-11-16T15:00:00Z", "hours": 4}
    ]
    removed = {stage["stage"]: stage for stage in document["funnel"] if stage["removed"]}
    for field in ("destination.port", "process.pid", "destination.ip", "source.ip", "host.os.type"):
        place = removed[field]["example"]
        target = f"{place['path']}:{place['number']}"
        said = json.loads(run("explain", target, "--format", "json").out)["events"][0]
        fails = [clause["field"] for clause in said["conditions"] if clause["verdict"] != "PASS"]
        assert fails[0] == field
    away = {near["field"]: near["destination"] for near in document["near_misses"]}
    assert away == {
        "host.os.type": DESTINATION,
        "process.pid": "91.219.236.18",
        "source.ip": "20.60.40.9",
    }


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_output_is_the_same_bytes_whatever_the_order_of_the_files(
    run: Run, output_format: str
) -> None:
    files = [*WEEK, POOR]
    forwards = run("inspect", *files, "--format", output_format)
    backwards = run("inspect", *reversed(files), "--format", output_format)
    assert forwards.out == backwards.out
    assert forwards.code == 0


def test_sightings_are_counted_and_do_not_change_the_exit_code(run: Run) -> None:
    result = run("inspect", SAMPLE)
    assert result.code == 0
    assert "9 events match" in result.out


def test_literal_takes_inferred_fields_for_missing(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ndjson", matching(host__os={"platform": "windows"}))
    assert "100 % (100 % inferred)" in run("inspect", path).out
    literal = run("inspect", path, "--literal")
    assert literal.code == 4
    assert "host.os.type missing in 1 connection" in literal.out


def test_exit_3_for_what_cannot_be_read_and_the_others_are_inspected(
    run: Run, tmp_path: Path
) -> None:
    result = run("inspect", tmp_path / "gone.ndjson", POOR)
    assert result.code == 3
    assert "gone.ndjson: no such file" in result.err
    assert "HOSTS: 4" in result.out
    broken = tmp_path / "broken.ndjson"
    broken.write_text('{"port": 445\n' + POOR.read_text())
    result = run("inspect", broken)
    assert result.code == 3
    assert f"{broken}:1 (no JSON" in result.out
    harmless = tmp_path / "harmless.ndjson"
    harmless.write_text("nonsense\n" + POOR.read_text())
    assert run("inspect", harmless).code == 0
    assert run("inspect", harmless, "--strict").code == 3


@pytest.mark.parametrize("text", ["", '{"message": "hello"}\n'])
def test_exit_4_where_nothing_can_be_judged(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(text)
    result = run("inspect", path)
    assert result.code == 4
    assert "not evaluated" in result.err
    assert "INPUTS" in result.out


def test_exit_2_for_no_path(run: Run) -> None:
    assert run("inspect").code == 2


def test_standard_input_is_read(run_process: Run) -> None:
    result = run_process("inspect", "-", "--format", "json", stdin=POOR.read_bytes())
    assert json.loads(result.out)["inputs"][0]["records"] == 20


def test_the_text_is_ascii_where_the_terminal_has_no_blocks(run_process: Run) -> None:
    out = run_process("inspect", POOR, env={"PYTHONIOENCODING": "cp1252"}).out
    assert f"{'#' * 14} " in out
    assert out.isascii()


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_text_fits_the_width(run: Run, width: str) -> None:
    out = run("inspect", "poor.ndjson", cwd=FIXTURES, env={"COLUMNS": width}).out
    assert max(map(len, out.splitlines())) <= int(width)


def test_long_lists_are_cut_and_counted_in_text_but_not_in_json(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path / "many.ndjson",
        *(
            matching(process__pid=9, destination__ip=f"45.83.{n}.1", host__name=f"WS-{n}")
            for n in range(50)
        ),
    )
    out = run("inspect", path).out
    assert "and 30 more: --format json has all" in rows(out, "NEAR MISSES")
    assert "and 40 more: --format json has all" in rows(out, "HOSTS")
    document = json.loads(run("inspect", path, "--format", "json").out)
    assert len(document["near_misses"]) == len(document["hosts"]) == 50


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_nothing_of_a_log_is_live(run: Run, tmp_path: Path, output_format: str) -> None:
    path = write(
        tmp_path / "hostile.ndjson",
        *(
            matching(host__name=attack, network__transport=attack, source__ip=attack)
            for attack in ATTACKS
        ),
        *(matching(network__transport=attack) for attack in ATTACKS),
        *({"EventID": attack, "Channel": attack} for attack in ATTACKS),
    )
    result = run("inspect", path, "--format", output_format)
    assert {character for character in result.out + result.err if is_live(character)} <= {"\n"}


def test_a_share_between_none_and_all_is_never_shown_as_either(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.ndjson", *[matching()] * 3000, matching(host__os=None), matching(process={})
    )
    fields = rows(run("inspect", path).out, "FIELDS")
    assert "host.os.type 99.9 %" in fields
    assert "source.ip 100 %" in fields


def test_a_file_that_is_not_there_has_no_funnel(run: Run, tmp_path: Path) -> None:
    result = run("inspect", str(tmp_path / "gone.ndjson"))
    assert result.code == 3
    assert "no such file" in result.err
    assert "FUNNEL" not in result.out
