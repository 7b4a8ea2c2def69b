"""``smbrare scan``: what it prints, and the exit code that it promises."""

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from smbrare.cli import scan_command
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.events import DESTINATION, matching

SAMPLE = FIXTURES / "sample.ndjson"
WEEK = sorted((FIXTURES / "week").iterdir())


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def ids(out: str) -> list[str]:
    return [json.loads(line)["smbrare"]["id"] for line in out.splitlines()]


def test_the_sample_gives_its_three_findings_of_three_sources(run: Run) -> None:
    result = run("scan", SAMPLE, "--format", "ndjson")
    findings = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 1
    assert [(f["@timestamp"], f["destination"]["ip"]) for f in findings] == [
        ("2026-11-16T08:30:00Z", "20.60.40.9"),
        ("2026-11-18T09:11:18Z", "45.83.122.10"),
        ("2026-11-20T09:35:54Z", "91.219.236.18"),
    ]
    assert len({finding["smbrare"]["source"] for finding in findings}) == 3


def test_a_finding_is_an_ecs_document(run: Run) -> None:
    finding = json.loads(run("scan", SAMPLE, "--format", "ndjson").out.splitlines()[1])
    assert finding["event"]["kind"] == "alert"
    assert finding["rule"]["uuid"] == "f580bf0a-2d23-43bb-b8e1-17548bb947ec"
    assert finding["host"]["name"] == "WS-02.corp.example"
    assert finding["source"] == {"ip": "10.20.1.12", "port": 50011}
    assert finding["destination"] == {"ip": DESTINATION, "port": 445, "domain": "cdn.example"}
    assert finding["process"] == {"pid": 4, "executable": "System"}
    assert finding["log"]["file"]["path"] == str(SAMPLE)
    own = finding["smbrare"]
    assert own["hosts"] == ["WS-02", "WS-02.corp.example"]
    assert own["host_count"] == 2
    assert own["events"] == 2
    assert own["last_seen"] == "2026-11-20T09:37:00Z"
    assert own["previous_seen"] is None


def test_findings_are_passed_over_when_scanned_themselves(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "findings.ndjson"
    run("scan", SAMPLE, "--format", "ndjson", "--output", report)
    result = run("scan", report)
    assert result.code == 4
    assert "3 alerts skipped" in result.err


def test_json_holds_the_rule_the_scan_and_the_findings(run: Run) -> None:
    document = json.loads(run("scan", SAMPLE, "--format", "json").out)
    assert list(document) == ["rule", "scan", "also_seen", "findings"]
    assert document["scan"]["records"] == 37
    assert document["scan"]["exit_code"] == 1
    assert len(document["findings"]) == 3


@pytest.mark.parametrize("output_format", ["table", "json", "ndjson", "csv"])
def test_output_is_the_same_bytes_whatever_the_order_of_the_files(
    run: Run, output_format: str
) -> None:
    forwards = run("scan", *WEEK, "--format", output_format)
    backwards = run("scan", *reversed(WEEK), "--format", output_format)
    assert forwards.out == backwards.out
    assert forwards.out


def test_a_week_day_by_day_over_a_baseline_gives_what_one_scan_gives(
    run: Run, tmp_path: Path
) -> None:
    baseline = tmp_path / "week.db"
    by_day = [
        identifier
        for day in WEEK
        for identifier in ids(run("scan", day, "--baseline", baseline, "-f", "ndjson").out)
    ]
    assert by_day == ids(run("scan", SAMPLE, "--format", "ndjson").out)


def test_without_a_named_baseline_nothing_is_remembered(run: Run) -> None:
    first = run("scan", SAMPLE)
    second = run("scan", SAMPLE)
    assert first.out == second.out
    assert "baseline " not in first.err.replace("baseline learn", "")


def test_no_update_leaves_the_baseline_as_it_was(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    run("scan", WEEK[0], "--baseline", baseline)
    before = baseline.read_bytes()
    run("scan", WEEK[2], "--baseline", baseline, "--no-update")
    assert baseline.read_bytes() == before


def test_a_bare_baseline_name_lies_in_the_users_state_directory(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    run("scan", SAMPLE, "--baseline", "acme", env={"XDG_STATE_HOME": str(state)})
    assert (state / "smbrare" / "acme.db").exists()


def test_what_the_baseline_suppressed_is_said_with_its_new_host(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    run("scan", WEEK[0], "--baseline", baseline)
    later = write(
        tmp_path / "later.ndjson",
        matching(
            timestamp="2026-11-18T00:00:00Z", destination__ip="20.60.40.9", host__name="WS-99"
        ),
    )
    result = run("scan", later, "--baseline", baseline)
    assert result.code == 0
    assert result.out == ""
    assert "WS-99" in result.err
    shown = run("scan", later, "--baseline", baseline, "--show", "known", "--format", "ndjson")
    assert json.loads(shown.out)["smbrare"]["status"] == "known"


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
@pytest.mark.parametrize("piped", [False, True])
def test_standard_input_is_read_beside_files_however_many_processes_there_may_be(
    name: str, *, piped: bool
) -> None:
    command = f"{sys.executable} -m smbrare scan {name} {WEEK[0]} -j 2 -q -f ndjson"
    command = f"cat {SAMPLE} | {command}" if piped else f"{command} < {SAMPLE}"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (1, b"")
    assert len(ids(done.stdout.decode())) == 3


def test_standard_input_is_read(run_process: Run) -> None:
    result = run_process("scan", "-", "--format", "ndjson", stdin=SAMPLE.read_bytes())
    assert result.code == 1
    assert len(ids(result.out)) == 3


def test_exit_0_when_all_was_judged_and_nothing_found(run: Run) -> None:
    assert run("scan", WEEK[3]).code == 0


def test_exit_0_for_findings_on_request(run: Run) -> None:
    assert run("scan", SAMPLE, "--exit-zero").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "xml"],
        ["--history", "10m"],
        ["--history", "soon"],
        ["--since", "once"],
        ["--input-tz", "Mars/Olympus"],
        ["--output", "/no/such/folder/x.json"],
    ],
)
def test_exit_2_for_a_wrong_option(run: Run, arguments: list[str]) -> None:
    result = run("scan", SAMPLE, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err


def test_exit_2_for_no_path(run: Run) -> None:
    assert run("scan").code == 2


def test_exit_3_for_a_file_that_is_not_there_and_the_others_are_scanned(run: Run) -> None:
    result = run("scan", "no-such-file.ndjson", SAMPLE, "--format", "ndjson")
    assert result.code == 3
    assert len(ids(result.out)) == 3
    assert "no-such-file.ndjson" in result.err


def test_exit_3_for_a_file_whose_last_line_is_cut(run: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson"
    cut.write_bytes(SAMPLE.read_bytes()[:-40])
    result = run("scan", cut, "--format", "ndjson")
    assert result.code == 3
    assert len(ids(result.out)) == 3
    assert f"{cut}:37: not read to its end" in result.err


def test_exit_3_for_a_broken_line_that_could_have_matched(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text('{"destination": {"port": 445}\n' + WEEK[3].read_text())
    result = run("scan", broken)
    assert result.code == 3
    assert f"{broken}:1: skipped: no JSON" in result.err


def test_a_broken_line_costs_no_other_line_and_no_clean_exit_code(run: Run, tmp_path: Path) -> None:
    lines = SAMPLE.read_text().splitlines()
    broken = tmp_path / "broken.ndjson"
    broken.write_text("\n".join([*lines[:5], "{nonsense", "7", "null", "[]", *lines[5:]]) + "\n")
    result = run("scan", broken, "--format", "ndjson")
    assert result.code == 1
    assert len(ids(result.out)) == 3
    for number in (6, 7, 8, 9):
        assert f"{broken}:{number}: skipped" in result.err
    assert run("scan", broken, "--strict").code == 3


def test_ten_broken_lines_are_located_and_the_rest_counted(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text("{nonsense}\n" * 25 + WEEK[3].read_text())
    result = run("scan", broken)
    assert result.code == 0
    assert result.err.count(": skipped: ") == 10
    assert "and 15 more skipped" in result.err


@pytest.mark.parametrize("end", [150, None])
def test_a_piece_of_an_event_could_have_matched(run: Run, tmp_path: Path, end: int | None) -> None:
    event = matching()
    piece = json.dumps(event)[:end] if end else json.dumps(dict(reversed(event.items())))[90:]
    assert "445" not in piece
    path = tmp_path / "torn.ndjson"
    path.write_text(f"{piece}\n{WEEK[3].read_text()}")
    result = run("scan", path)
    assert result.code == 3
    assert f"{path}:1: skipped" in result.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not evaluated: empty"),
        ('{"message": "hello"}\n', "no record of a known source"),
        (
            json.dumps(matching(event__category=["process"], destination__ip=None)) + "\n",
            "contains no connections, only process events (1 record)",
        ),
        (json.dumps(matching(host__os=None)) + "\n", "host.os.type missing in the only connection"),
        (
            json.dumps(matching(process__pid=None)) + "\n",
            "process.pid missing in the only connection",
        ),
    ],
)
def test_exit_4_where_nothing_could_be_judged(
    run: Run, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "input.ndjson"
    path.write_text(text)
    result = run("scan", path)
    assert result.code == 4
    assert f"{path}" in result.err
    assert said in result.err


def test_exit_4_where_one_source_of_one_input_could_not_be_judged(run: Run, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.ndjson", matching(network__transport=None))
    result = run("scan", WEEK[3], bad)
    assert result.code == 4
    assert (
        f"{bad} (ecs): not evaluated: network.transport missing in the only connection"
        in result.err
    )


def test_exit_70_for_an_internal_error_without_a_traceback(tmp_path: Path) -> None:
    program = (
        "import importlib\n"
        "command = importlib.import_module('smbrare.cli.scan_command')\n"
        "def broken(*arguments): raise RuntimeError('\\x1b[31mimpossible')\n"
        "command.judge = broken\n"
        "from smbrare.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "scan", str(SAMPLE)],
        capture_output=True,
        cwd=ROOT,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert done.returncode == 70
    assert b"internal error: RuntimeError: \\x1b[31mimpossible" in done.stderr
    assert b"Traceback" not in done.stderr


def test_exit_141_and_an_unchanged_baseline_when_stdout_is_closed(tmp_path: Path) -> None:
    many = write(
        tmp_path / "many.ndjson",
        *(matching(destination__ip=f"45.{n // 250}.{n % 250}.1") for n in range(2000)),
    )
    baseline = tmp_path / "acme.db"
    command = [sys.executable, "-m", "smbrare", "scan", str(many), "--baseline", str(baseline)]
    with subprocess.Popen(
        [*command, "--format", "ndjson"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141
    assert not baseline.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_scan_with_its_code_and_an_unchanged_baseline(
    tmp_path: Path, number: int, code: int
) -> None:
    baseline = tmp_path / "acme.db"
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "smbrare", "scan", str(fifo), "--baseline", str(baseline)]
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        ) as process,
        fifo.open("wb") as writer,
    ):
        writer.write(SAMPLE.read_bytes())
        writer.flush()
        time.sleep(0.2)
        process.send_signal(number)
        assert process.wait(timeout=60) == code
    assert not baseline.exists()


def test_an_output_file_is_replaced_whole_with_the_users_umask(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "findings.json"
    output.write_text("old")
    result = run("scan", SAMPLE, "--format", "json", "--output", output)
    assert result.code == 1
    assert result.out == ""
    assert len(json.loads(output.read_text())["findings"]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.json", "home"]
    umask = os.umask(0)
    os.umask(umask)
    assert output.stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_summary_counts_what_was_read_and_omitted(run: Run) -> None:
    err = run("scan", SAMPLE, "-v").err
    assert "1 input, 37 records, 37 network events, 2026-11-16 to 2026-11-22, all evaluated" in err
    assert "9 Sysmon event 3" in err
    assert "exit     1 (findings)" in err
    assert "skipped" not in err


def test_quiet_says_nothing_but_trouble(run: Run) -> None:
    assert run("scan", SAMPLE, "--quiet").err == ""


def test_events_near_misses_are_counted_by_clause(run: Run, tmp_path: Path) -> None:
    near = write(
        tmp_path / "near.ndjson",
        matching(process__pid=5),
        matching(source__ip="45.1.1.1"),
        matching(destination__port=443),
        matching(process__pid=5, network__transport="udp"),
    )
    result = run("scan", near, "-v")
    assert result.code == 0
    short = "one condition short: 1 process.pid, 1 source.ip (smbrare inspect)"
    assert f"near     {short}" in result.err


def test_a_matching_event_without_a_time_is_an_undated_finding(run: Run, tmp_path: Path) -> None:
    undated = write(tmp_path / "undated.ndjson", matching(timestamp="soon"), matching())
    result = run("scan", undated, "--format", "ndjson")
    findings = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 1
    assert ["@timestamp" in finding for finding in findings] == [True, False]
    assert "1 undated" in result.err


def test_real_winlogbeat_lines_give_no_finding_and_one_when_an_address_is_made_public(
    run: Run, shared: Path, tmp_path: Path
) -> None:
    logs = shared / "winlogbeat" / "winlogbeat-7.4-small.ndjson"
    clean = run("scan", logs, "-v")
    assert (clean.code, clean.out) == (0, "")
    assert "29 Sysmon event 3" in clean.err
    lines = [json.loads(line) for line in logs.read_text().splitlines()]
    changed = next(
        line
        for line in lines
        if line["winlog"].get("event_data", {}).get("DestinationPort") == "445"
        and line["winlog"]["event_data"]["SourceIp"].startswith("172.18.")
    )
    changed["winlog"]["event_data"]["DestinationIp"] = DESTINATION
    result = run("scan", write(tmp_path / "one.ndjson", *lines), "--format", "ndjson")
    assert result.code == 1
    finding = json.loads(result.out)
    assert finding["destination"]["ip"] == DESTINATION
    assert finding["host"]["name"] == changed["winlog"]["computer_name"]


def test_to_literal_a_source_by_inference_is_none(run: Run) -> None:
    firewall = FIXTURES / "sources" / "windows_firewall-mapped.ndjson"
    assert run("scan", WEEK[3], firewall, "--literal").code == 0
    assert run("scan", firewall, "--literal").code == 4
    assert run("scan", firewall).code == 1


def test_a_log_that_is_given_plain_and_packed_is_told(run: Run, tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.ndjson", tmp_path / "a.ndjson.gz"
    plain.write_bytes(SAMPLE.read_bytes())
    packed.write_bytes(gzip.compress(SAMPLE.read_bytes()))
    other = tmp_path / "b.ndjson.gz"
    other.write_bytes(packed.read_bytes())
    result = run("scan", tmp_path, "-q")
    assert f"{plain}: the same log as {packed}?" in result.err
    assert "b.ndjson" not in result.err
    plain.write_bytes(SAMPLE.read_bytes() + SAMPLE.read_bytes())
    assert "the same log" not in run("scan", tmp_path, "-q").err


def test_a_log_that_is_given_in_an_archive_too_is_told(run: Run, tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.ndjson", tmp_path / "b"
    plain.write_bytes(SAMPLE.read_bytes())
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x/a.ndjson", SAMPLE.read_bytes())
        archive.writestr("y.ndjson", SAMPLE.read_bytes())
        archive.writestr("z/a.ndjson.gz", gzip.compress(SAMPLE.read_bytes()))
    result = run("scan", tmp_path, "-q")
    for member in ("x/a.ndjson", "z/a.ndjson.gz"):
        assert f"{plain}: the same log as {packed}!{member}?" in result.err
    assert result.err.count("the same log") == 2
    # Two hosts, whose logs an export cut at one length.
    plain.unlink()
    assert "the same log" not in run("scan", tmp_path, "-q").err


@pytest.mark.parametrize("second", ["a.ndjson", "./a.ndjson", "link", "hard", "*.ndjson", "."])
def test_a_file_that_is_given_twice_is_read_once(run: Run, tmp_path: Path, second: str) -> None:
    log = tmp_path / "a.ndjson"
    log.write_bytes(SAMPLE.read_bytes())
    (tmp_path / "link").symlink_to(log)
    (tmp_path / "hard").hardlink_to(log)
    result = run("scan", "a.ndjson", second, "-q", "-f", "ndjson", cwd=tmp_path)
    assert (result.out, result.err) == (
        run("scan", "a.ndjson", "-q", "-f", "ndjson", cwd=tmp_path).out,
        "",
    )


def test_what_comes_next_is_judged_by_the_same_inputs(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b c.ndjson"
    for path, at in ((first, "2026-11-18T09:11:18Z"), (second, "2026-11-19T09:11:18Z")):
        path.write_text(json.dumps(matching(timestamp=at)) + "\n")

    def explained(*paths: Path) -> list[str]:
        (line,) = [one for one in run("scan", *paths).err.splitlines() if one.startswith("next  ")]
        return shlex.split(line.removeprefix("next"))[2:]

    assert explained(second) == [f"{second}:1"]
    assert explained(first, second) == [f"{first}:1", str(first), str(second)]
    assert explained(tmp_path) == [f"{first}:1", str(tmp_path)]
    assert explained(*[first] * 4) == [f"{first}:1"]
    assert "is a finding" in run("explain", *explained(tmp_path)).out


def test_a_table_of_long_inputs_says_that_it_looked_for_no_context(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "accounts and programs not looked for: more than 1 B to read again; add --context"
    assert "not looked for" not in run("scan", SAMPLE).err
    monkeypatch.setattr(scan_command, "_MOST_BYTES_FOR_TABLE", 1)
    assert f"note     {note}\n" in run("scan", SAMPLE).err
    for option in ("--context", "--no-context", "--format=json", "--format=csv", "-q"):
        assert "not looked for" not in run("scan", SAMPLE, option).err
