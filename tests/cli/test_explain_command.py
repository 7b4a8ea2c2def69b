"""``smbrare explain``: every verdict, every way to name a record, every exit code."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.outputs.test_hostile_text import ATTACKS, is_live
from tests.support.activities import logon, process
from tests.support.events import DESTINATION, matching

SAMPLE = FIXTURES / "sample.ndjson"


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def explained(run: Run, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    result = run("explain", "--format", "json", *arguments, **options)
    assert "internal error" not in result.err
    document: dict[str, Any] = json.loads(result.out)
    assert document["exit_code"] == result.code
    return document


def event(run: Run, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    (only,) = explained(run, *arguments, **options)["events"]
    found: dict[str, Any] = only
    return found


def test_every_record_of_the_sample_gets_the_verdict_of_a_scan(run: Run) -> None:
    found = run("scan", SAMPLE, "--format", "ndjson").out.splitlines()
    reported = {(json.loads(line)["smbrare"]["record"]) for line in found}
    for number in (5, 14, 16, 22, 24, 25, 26):
        said = event(run, f"{SAMPLE}:{number}")
        findings = [answer for answer in said["rarity"] if answer["standing"] == "new"]
        assert bool(findings) == (number in reported)


def test_a_finding_is_explained_by_the_place_that_it_names(run: Run) -> None:
    finding = json.loads(run("scan", SAMPLE, "--format", "ndjson").out.splitlines()[0])
    place = f"{finding['log']['file']['path']}#{finding['smbrare']['record']}"
    result = run("explain", place)
    assert result.code == 0
    assert "A match: all 7 conditions hold." in result.out
    assert "20.60.40.9 is a finding: it was not seen in the 7d before" in result.out
    assert "history known: 0h of 7d, from this file only" in result.out


def test_each_clause_is_shown_with_its_value_and_raw_field(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path / "one.ndjson",
        matching(
            host__os={"platform": "windows"},
            process__pid=5120,
            source__ip="10.1",
            destination__ip="100.64.3.4",
        ),
    )
    out = run("explain", path).out
    lines = {line.split()[0]: " ".join(line.split()) for line in out.splitlines() if line}
    assert lines["process.pid"] == "process.pid 4 instead of 5120"
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert "process.pid FAIL 5120 4 process.pid" in rows
    assert "host.os.type INFERRED windows windows inferred from host.os.platform" in rows
    assert "source.ip MISSING malformed: 10.1 a private address source.ip" in rows
    assert any("100.64.3.4 in 100.64.0.0/10 (Shared Address Space)" in row for row in rows)
    assert "No match: 3 of 7 conditions failed. It would match if:" in rows
    assert "source.ip 10.0.0.1, where nothing can be read now" in rows
    assert (
        "destination.ip an address on the internet, such as 1.1.1.1, instead of 100.64.3.4" in rows
    )


def test_a_raw_record_says_what_told_its_source(run: Run) -> None:
    said = event(run, f"{SAMPLE}:2")
    assert said["source"] == "winlogbeat"
    assert said["kind"] == "Sysmon event 3"
    told = {entry["field"]: entry["value"] for entry in said["identified_by"]}
    assert told["winlog.channel"] == "Microsoft-Windows-Sysmon/Operational"
    assert len(told) == 2
    assert said["changes"] == [
        {
            "field": "destination.ip",
            "read_from": said["conditions"][2]["read_from"],
            "now": ["10.20.0.5"],
            "to": ["1.1.1.1"],
        }
    ]


def test_literal_names_what_it_leaves_out(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "one.ndjson", matching(host__os={"platform": "windows"}))
    assert event(run, path)["match"]
    assert "It rests on inferred fields (host.os.type)" in run("explain", path).out
    result = run("explain", path, "--literal")
    assert "--literal: not inferred from host.os.platform" in result.out
    assert "or without --literal" in result.out
    assert not event(run, path, "--literal")["match"]


def test_an_earlier_sighting_in_the_same_file_is_named(run: Run) -> None:
    (answer,) = event(run, f"{SAMPLE}:37")["rarity"]
    assert answer["standing"] == "seen"
    assert answer["previous_seen"] == "2026-11-21T08:30:00Z"
    (answer,) = event(run, f"{SAMPLE}:37", "--history", "12h")["rarity"]
    assert answer["standing"] == "new"
    assert answer["previous_seen"] == "2026-11-21T08:30:00Z"


def test_a_baseline_is_history_and_is_only_read(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    later = write(
        tmp_path / "later.ndjson",
        matching(timestamp="2026-11-18T00:00:00Z", destination__ip="20.60.40.9"),
    )
    run("scan", FIXTURES / "week" / "2026-11-16.ndjson", "--baseline", baseline)
    before = baseline.read_bytes()
    (answer,) = event(run, f"{later}:1", "--baseline", baseline)["rarity"]
    assert answer["standing"] == "known"
    assert answer["previous_seen"] == "2026-11-16T08:30:00Z"
    assert answer["history_known_seconds"] == 3600
    assert baseline.read_bytes() == before
    out = run("explain", f"{later}:1", env={"SMBRARE_BASELINE": str(baseline)}).out
    assert "is not a finding: the baseline has seen it at 2026-11-16T08:30:00Z, 1d 15h" in out
    missing = tmp_path / "missing.db"
    out = run("explain", f"{later}:1", "--baseline", missing).out
    assert "is a finding" in out
    assert "missing.db, which does not exist yet" in out
    assert not missing.exists()


def test_of_two_events_of_one_moment_the_one_that_a_scan_reports_is_named(
    run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path / "two.ndjson", matching(host__name="B"), matching(host__name="A"))
    assert event(run, f"{path}:2")["rarity"][0]["reported_on"] is None
    assert event(run, f"{path}:1")["rarity"][0]["reported_on"] == {"path": str(path), "number": 2}
    assert (
        f"reports it on another event of that moment: {path}:2" in run("explain", f"{path}:1").out
    )


def test_an_event_without_a_time_and_one_with_two_destinations(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path / "two.ndjson",
        matching(timestamp="soon"),
        matching(destination__ip=["91.219.236.18", DESTINATION]),
    )
    assert [answer["standing"] for answer in event(run, f"{path}:1")["rarity"]] == ["undated"]
    assert "none that can be read" in run("explain", f"{path}:1").out
    answers = event(run, f"{path}:2")["rarity"]
    assert {answer["destination"] for answer in answers} == {"91.219.236.18", DESTINATION}


def test_a_broken_line_is_explained(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.ndjson"
    good = json.dumps(matching()) + "\n"
    path.write_text(good + '{"port": 445\n{"a": }\n' + good + '{"cut": 44')
    result = run("explain", f"{path}:2")
    assert result.code == 3
    assert "skipped: no JSON" in result.out
    assert "might have matched the rule" in result.out
    assert "cannot have matched the rule" in run("explain", f"{path}:3").out
    assert "skipped" not in run("explain", f"{path}:4").out
    cut = run("explain", f"{path}:5")
    assert cut.code == 3
    assert "Reading stopped there" in cut.out
    assert explained(run, f"{path}:3")["skipped"]["could_matter"] is False


def test_standard_input_is_explained_and_is_its_own_history(run_process: Run) -> None:
    first = SAMPLE.read_bytes().splitlines()[4]
    assert event(run_process, "-", stdin=first)["rarity"][0]["standing"] == "new"
    everything = SAMPLE.read_bytes()
    (answer,) = event(run_process, "--", "-:37", stdin=everything)["rarity"]
    assert (answer["standing"], answer["history_known_seconds"]) == ("seen", 8 * 3600)
    several = run_process("explain", "-", stdin=everything)
    assert several.code == 2
    assert "- contains several records" in several.err
    assert "smbrare explain -- -:1" in several.err


@pytest.mark.parametrize(
    "name", ["events:12", "C:\\logs\\events.ndjson", "oh!no.ndjson", "a b#1.ndjson", "[x]*.ndjson"]
)
def test_a_file_with_an_odd_name_is_found(run: Run, tmp_path: Path, name: str) -> None:
    write(tmp_path / name, matching(), matching(process__pid=5))
    for mark in ":#":
        said = explained(run, f"{name}{mark}2", cwd=tmp_path)
        assert said["record"]["path"] == name
        assert said["record"]["number"] == 2
        assert said["events"][0]["changes"][0]["field"] == "process.pid"


def test_a_file_whose_whole_name_ends_like_a_line_is_read_where_no_other_exists(
    run: Run, tmp_path: Path
) -> None:
    write(tmp_path / "events:12", matching())
    assert explained(run, "events:12", cwd=tmp_path)["record"] == {
        "path": "events:12",
        "number": 1,
        "offset": 0,
    }


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{}:99", "no such record; the last one is "),
        ("{}:0", "counted from 1"),
        ("{}", "contains several records"),
    ],
)
def test_exit_2_where_no_one_record_is_meant(run: Run, target: str, said: str) -> None:
    result = run("explain", target.format(SAMPLE))
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_exit_3_for_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    result = run("explain", tmp_path / "gone.ndjson:3")
    assert result.code == 3
    path = tmp_path / "gone.ndjson"
    assert result.out == f"{path}\ncannot read {path}: no such file\n"
    long = run("explain", "x" * 5000)
    assert long.code == 3
    assert "file name too long" in long.out


def test_a_record_behind_a_cut_is_not_reached(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    path.write_text(json.dumps(matching()) + '\n{"cut": 44')
    result = run("explain", f"{path}:9")
    assert result.code == 3
    assert f"{path}:9\nskipped: not reached: cut off" in result.out
    assert f"at {path}:2" in result.out


def test_a_pipe_is_read_once_and_is_its_own_history(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "smbrare", "explain", f"{pipe}:37", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        pipe.write_bytes(SAMPLE.read_bytes())
        out, _ = process.communicate(timeout=60)
    assert json.loads(out)["events"][0]["rarity"][0]["standing"] == "seen"


def test_exit_4_for_an_unknown_record_and_for_an_alert(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "x.ndjson", {"message": "hello", "level": 3})
    result = run("explain", path)
    assert result.code == 4
    assert "of no known source" in result.out
    assert "its fields: message, level" in result.out
    findings = tmp_path / "findings.ndjson"
    run("scan", SAMPLE, "-f", "ndjson", "-o", findings)
    result = run("explain", f"{findings}:2")
    assert result.code == 4
    assert "an alert or a finding" in result.out


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_nothing_of_a_log_is_live(run: Run, tmp_path: Path, output_format: str) -> None:
    path = write(
        tmp_path / "hostile.ndjson",
        matching(
            host__name="".join(ATTACKS),
            network__transport=ATTACKS,
            process__pid=ATTACKS,
            destination__ip=[*ATTACKS, "10.0.0.1"],
        ),
    )
    out = run("explain", path, "--format", output_format).out
    assert "10.0.0.1" in out
    assert {character for character in out if is_live(character)} <= {"\n"}


def test_values_that_json_cannot_write_again_are_shown_as_text(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "huge.ndjson"
    deep = "[" * 150 + "]" * 150
    path.write_text(
        '{"event": {"category": ["network"]}, "process": {"pid": 123456789012345678901234567890},'
        f' "destination": {{"ip": "10.0.0.1", "port": [{deep}, 1e999]}}}}\n'
    )
    said = event(run, path)
    assert said["conditions"][1]["malformed"] == ["123456789012345678901234567890"]
    assert said["conditions"][0]["verdict"] == "MISSING"
    assert run("explain", path).code == 0


def test_the_table_fits_80_columns(run: Run) -> None:
    out = run("explain", f"{SAMPLE}:2", env={"COLUMNS": "80"}, cwd=SAMPLE.parent).out
    table = out[out.index("Condition") : out.index("No match")]
    assert max(map(len, table.splitlines())) <= 80
    assert "10.20.0.5" in table


def test_no_address_is_cut_at_any_width(run: Run, tmp_path: Path) -> None:
    addresses = ["2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6", "fe80::91f2:a9b2:e09a:6fc6:1234"]
    path = write(tmp_path / "one.ndjson", matching(destination__ip=addresses))
    out = run("explain", path, env={"COLUMNS": "40"}).out
    table = out[out.index("\ndestination") : out.index("No match")]
    for address in addresses:
        assert address in table


def test_colour_is_used_on_request_only(run: Run) -> None:
    assert "\x1b[31mFAIL" in run("explain", f"{SAMPLE}:2", "--color", "always").out
    assert "\x1b" not in run("explain", f"{SAMPLE}:2").out


def test_an_unreadable_rest_of_the_input_is_said(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    path.write_text(json.dumps(matching()) + '\n{"cut": 44')
    assert "this file only, which could not be read to its end" in run("explain", f"{path}:1").out


def test_compressed_input_is_never_a_traceback(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson.gz"
    path.write_bytes(gzip.compress(SAMPLE.read_bytes()))
    assert "internal error" not in run("explain", f"{path}:1").err


def test_a_sighting_tells_what_happened_around_it_and_which_name_led_there(run: Run) -> None:
    said = event(run, FIXTURES / "around.ndjson:4")
    around = said["host_context"]
    assert [(each["kind"], each["user"]) for each in around["events"]] == [
        ("process", "CORP\\alice"),
        ("dns", "CORP\\alice"),
        ("share", "CORP\\bob"),
    ]
    assert [(each["user"], each["type"]) for each in around["logged_on"]] == [
        ("CORP\\alice", "Interactive")
    ]
    assert around["not_complete"] == []
    assert [query["name"] for query in said["rarity"][0]["dns_queries"]] == ["files.example"]


def test_what_is_no_sighting_has_nothing_around_it(run: Run) -> None:
    assert event(run, FIXTURES / "around.ndjson:5")["host_context"] is None


def test_standard_input_is_not_read_again_and_the_answer_says_so(run_process: Run) -> None:
    log = (FIXTURES / "around.ndjson").read_bytes()
    said = event(run_process, "--", "-:4", stdin=log)
    assert said["host_context"]["events"] == []
    assert said["host_context"]["not_complete"] == ["standard input and pipes cannot be read again"]
    assert [query["name"] for query in said["rarity"][0]["dns_queries"]] == ["files.example"]


def test_nothing_around_a_sighting_is_live_in_a_terminal(run: Run, tmp_path: Path) -> None:
    events = [process(image=attack, user=f"CORP\\{attack}") for attack in ATTACKS]
    events += [logon(user=attack) for attack in ATTACKS]
    path = write(tmp_path / "hostile.ndjson", matching(), *events)
    for output_format in ("text", "json"):
        result = run("explain", f"{path}:1", "--format", output_format)
        assert not {each for each in result.out if is_live(each)} - {"\n"}
        assert "was logged on" in result.out or '"logged_on"' in result.out


def test_what_is_no_connection_is_called_what_it_is(run: Run, tmp_path: Path) -> None:
    query = matching(event__action="lookup_requested", process__pid=800)
    query |= {"destination": {}, "dns": {"question": {"name": "files.example"}}}
    log = write(tmp_path / "dns.ndjson", [query])
    out = run("explain", log).out
    assert "No match: this is a DNS query, not a connection.\n" in out
    assert "would match if" not in out


def test_the_start_of_a_process_is_not_called_an_almost_matching_connection(run: Run) -> None:
    out = run("explain", str(ROOT / "fixtures" / "exposure.ndjson") + ":8").out
    assert "No match: this is another kind of event, not a connection.\n" in out
    assert "would match if" not in out


# Findings


def test_a_destination_or_an_id_stands_for_the_first_record_of_its_finding(run: Run) -> None:
    week = FIXTURES / "week"
    found = json.loads(run("scan", week, "-f", "ndjson", "-q").out.splitlines()[1])
    place = f"{found['log']['file']['path']}:{found['smbrare']['record']}"
    identifier = found["smbrare"]["id"]
    for text in (found["destination"]["ip"], identifier, identifier[:8]):
        result = run("explain", text, week)
        assert result.code == 0
        assert result.out.splitlines()[0] == place
        assert "is a finding" in result.out
        assert "from 7 inputs" in result.out


def test_what_is_suppressed_can_be_explained_too(run: Run) -> None:
    result = run("explain", "20.60.40.9", SAMPLE, "--exclude", "20.60.40.9")
    assert "20.60.40.9 is not a finding: excluded" in result.out


def test_rarity_is_judged_over_all_given_files_and_by_one_alone_says_so(run: Run) -> None:
    last = FIXTURES / "week" / "2026-11-22.ndjson"
    number = next(
        number
        for number, line in enumerate(last.read_text().splitlines(), 1)
        if "20.60.40.9" in line
    )
    alone = run("explain", f"{last}:{number}").out
    assert "20.60.40.9 is a finding" in alone
    assert "from this file only (add others to compare with them)" in alone
    together = run("explain", f"{last}:{number}", FIXTURES / "week").out
    assert "20.60.40.9 is not a finding: these inputs have it at 2026-11-21" in together


def test_a_rows_short_path_is_looked_for_among_the_given_files(run: Run) -> None:
    row = run("scan", FIXTURES / "week", "-q").out.splitlines()[1].split()[-1]
    assert row == "2026-11-16.ndjson:5"
    result = run("explain", row, FIXTURES / "week")
    assert (result.code, result.out.splitlines()[0]) == (0, f"{FIXTURES / 'week'}/{row}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("9.9.9.9", SAMPLE), "9.9.9.9: no finding in 1 input has this destination or id"),
        (("0123456789", SAMPLE), "0123456789: no finding in 1 input"),
        (("9.9.9.9",), "smbrare explain 9.9.9.9 PATH..."),
    ],
)
def test_a_finding_that_is_not_there_is_2_with_what_to_do(
    run: Run, arguments: tuple[str | Path, ...], said: str
) -> None:
    result = run("explain", *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
