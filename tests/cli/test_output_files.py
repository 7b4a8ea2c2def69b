"""``--output`` replaces no input, device or link; closed streams do no harm."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smbrare.cli import writing
from smbrare.outputs.formats import REPORT
from tests.conftest import FIXTURES, ROOT, Run

SAMPLE = FIXTURES / "sample.ndjson"


def test_an_output_never_replaces_an_input(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(SAMPLE.read_bytes())
    result = run("scan", log, "-f", "ndjson", "-o", log)
    assert result.code == 2
    assert log.read_bytes() == SAMPLE.read_bytes()


def test_an_output_never_replaces_the_file_behind_standard_input(tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(SAMPLE.read_bytes())
    command = [sys.executable, "-m", "smbrare", "scan", "-", "-f", "ndjson", "-o", str(log)]
    with log.open("rb") as standard_input:
        done = subprocess.run(command, cwd=ROOT, check=False, stdin=standard_input)
    assert done.returncode == 2
    assert log.read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize("command", [("scan",), ("watch", "--once")])
@pytest.mark.parametrize("name", ["acme.db", "acme.db-journal", ".acme.db.watch"])
def test_an_output_never_replaces_the_baseline_or_what_is_made_beside_it(
    run: Run, tmp_path: Path, name: str, command: tuple[str, ...]
) -> None:
    baseline = tmp_path / "acme.db"
    run("scan", SAMPLE, "--baseline", baseline)
    before = baseline.read_bytes()
    assert run(*command, SAMPLE, "--baseline", baseline, "-o", tmp_path / name).code == 2
    assert baseline.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["acme.db"]


def test_an_output_that_is_a_loop_of_links_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.symlink_to(two)
    two.symlink_to(one)
    for command in (
        ("scan", SAMPLE, "-o", one),
        ("exclude", "add", "8.8.8.8", "--reason", "dns", "--exclusions", two),
        ("scan", SAMPLE, "--baseline", one),
        ("watch", SAMPLE, "--baseline", two, "--once"),
    ):
        result = run(*command)
        assert (result.code, result.out) == (2, "")
        assert "links" in result.err
    assert one.is_symlink()
    assert two.is_symlink()


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    "option",
    ["--baseline", "--exclusions", "--expect", "--intel", "--geoip", "--labels", "--config"],
)
def test_an_output_never_takes_the_place_of_what_an_option_names(
    run: Run, tmp_path: Path, option: str, *, there: bool
) -> None:
    file = tmp_path / "file"
    if there:
        file.write_text("# nothing\n")
    link = tmp_path / "link"
    link.symlink_to(file)
    result = run("scan", SAMPLE, option, link, "-o", tmp_path / "home" / ".." / "file")
    assert result.code == 2
    assert result.out == ""
    assert (file.read_text() == "# nothing\n") if there else not file.exists()
    assert run("scan", SAMPLE, "--intel", f"{file}#ip", "-o", file).code == 2


@pytest.mark.parametrize("given", ["logs", "logs/*.ndjson", "logs/events.ndjson"])
@pytest.mark.parametrize("command", [("scan",), ("replay",), ("baseline", "learn", "acme")])
def test_an_output_never_replaces_what_a_folder_or_pattern_gives(
    run: Run, tmp_path: Path, command: tuple[str, ...], given: str
) -> None:
    (tmp_path / "logs").mkdir()
    log, other = tmp_path / "logs" / "events.ndjson", tmp_path / "other"
    log.write_bytes(SAMPLE.read_bytes())
    other.hardlink_to(log)
    for output in (log, tmp_path / "logs" / ".." / "logs" / "events.ndjson", other):
        result = run(*command, tmp_path / given, "-o", output)
        assert (result.code, result.out) == (2, "")
        assert log.read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize("until", ["2026-12-01", "2020-01-01"])
@pytest.mark.parametrize("name", REPORT)
def test_an_earlier_output_in_the_folder_is_skipped_and_replaced(
    run: Run, tmp_path: Path, name: str, until: str
) -> None:
    log, output = tmp_path / "logs" / "events.ndjson", tmp_path / "logs" / f"found.{name}"
    log.parent.mkdir()
    log.write_bytes(SAMPLE.read_bytes())
    first = run("scan", log.parent, "-f", name, "-o", output, "--until", until)
    before = output.read_bytes()
    for given in (log.parent, tmp_path / "logs" / "*"):
        again = run("scan", given, "-f", name, "-o", output, "--until", until)
        assert again.code == first.code == (0 if until == "2020-01-01" else 1)
        assert "an earlier output" in again.err
        # Only the time of writing may differ.
        assert len(output.read_bytes()) == len(before)


HIT = "SMB 445 pid 4 from 10.20.1.14 to 20.60.40.9"


@pytest.fixture
def reports(run: Run, tmp_path: Path) -> Path:
    """A folder with events that give no finding, and earlier reports in every format."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "events.ndjson").write_text("".join(SAMPLE.read_text().splitlines(keepends=True)[:2]))
    for name in REPORT:
        (folder / name).mkdir()
        run("scan", SAMPLE, "-f", name, "-o", folder / name / "findings-2026-11-01")
    return folder


@pytest.mark.parametrize("name", ["ndjson", "json", "csv", "sarif"])
def test_a_report_of_another_day_is_alerts_that_are_skipped(
    run: Run, reports: Path, name: str
) -> None:
    assert run("scan", reports / "events.ndjson").code == 0
    result = run("scan", reports / "events.ndjson", reports / name)
    assert result.code == 0
    assert "3 alerts skipped" in result.err
    assert "WARNING" not in result.err


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_a_report_that_only_words_make_one_is_named_like_any_text(
    run: Run, reports: Path, name: str
) -> None:
    result = run("scan", reports / "events.ndjson", reports / name)
    assert result.code == 4
    assert "findings-2026-11-01: of no known format, but might contain a match" in result.err
    assert run("scan", reports / "events.ndjson", reports / name, "--ignore-unknown").code == 0


@pytest.mark.parametrize("key", ["note", "scan", "findings"])
@pytest.mark.parametrize("name", ["json", "sarif"])
def test_no_report_hides_what_else_lies_in_its_file(
    run: Run, reports: Path, name: str, key: str
) -> None:
    report = reports / name / "findings-2026-11-01"
    document = json.loads(report.read_bytes())
    document[key] = [*document.get(key, ()), HIT]
    report.write_text(json.dumps(document))
    assert run("scan", reports / "events.ndjson", report).code == 4
    head = (reports / "html" / "findings-2026-11-01").read_bytes()[:9000]
    report.write_bytes(head + f"\n{HIT}\n".encode())
    assert run("scan", reports / "events.ndjson", report).code == 4


def test_findings_among_events_are_no_earlier_output(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "events.ndjson"
    run("scan", SAMPLE, "-f", "ndjson", "-o", log)
    with log.open("ab") as file:
        file.write(SAMPLE.read_bytes())
    before = log.read_bytes()
    assert run("scan", log.parent, "-o", log).code == 2
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    ["# Case 7: look at this.\n\n1. Ask.\n", "@timestamp,destination.ip,port\nx,1.1.1.1,445\n"],
)
def test_what_others_write_is_no_earlier_output(run: Run, tmp_path: Path, text: str) -> None:
    log, output = tmp_path / "logs" / "events.ndjson", tmp_path / "logs" / "case"
    log.parent.mkdir()
    log.write_bytes(SAMPLE.read_bytes())
    output.write_text(text)
    assert run("scan", log.parent, "-o", output).code == 2
    assert output.read_text() == text


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_an_output_keeps_the_rights_of_the_file_that_it_replaces(
    run: Run, tmp_path: Path, mode: int
) -> None:
    output = tmp_path / "found.csv"
    output.touch(mode)
    output.chmod(mode)
    assert run("scan", SAMPLE, "-f", "csv", "-o", output).code == 1
    assert output.stat().st_mode & 0o777 == mode
    assert output.stat().st_size


def test_what_cannot_be_replaced_is_written_where_it_is(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, mounts = tmp_path / "a file.csv", tmp_path / "mountinfo"
    output.write_text("old" * 10_000)
    before = output.stat().st_ino
    name = str(output).replace(" ", "\\040")
    mounts.write_text(f"42 27 254:0 /host {name} rw,relatime - ext4 /dev/vda rw\n")
    monkeypatch.setattr(writing, "_MOUNTS", mounts)
    assert run("scan", SAMPLE, "-f", "csv", "-o", output).code == 1
    assert output.stat().st_ino == before
    assert b"20.60.40.9" in output.read_bytes()
    assert b"old" not in output.read_bytes()


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_file_of_another_user_in_a_sticky_folder_is_written_where_it_is(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(mode)
    output = tmp_path / "folder" / "found.csv"
    output.touch()
    before = output.stat().st_ino
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert run("scan", SAMPLE, "-f", "csv", "-o", output).code == 1
    assert (output.stat().st_ino == before) is (mode == 0o1777)


def test_an_output_goes_through_a_link(run: Run, tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    assert run("scan", SAMPLE, "-f", "json", "-o", link).code == 1
    assert link.is_symlink()
    assert target.read_text().startswith("{")


def test_an_output_is_written_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [
        sys.executable,
        "-m",
        "smbrare",
        "scan",
        str(SAMPLE),
        "-f",
        "ndjson",
        "-o",
        str(pipe),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        assert pipe.read_bytes().count(b"\n") == 3
        assert process.wait(60) == 1
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("redirection", "code"), [("<&-", 1), ("2>&-", 1), (">&-", 1), ("<&- >&- 2>&-", 1)]
)
def test_closed_streams_change_no_exit_code(redirection: str, code: int) -> None:
    command = f"{sys.executable} -m smbrare scan {SAMPLE} {redirection}"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == code


def test_a_missing_input_is_one_error_and_makes_no_baseline(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    result = run("scan", tmp_path / "gone.ndjson", "--baseline", baseline)
    assert result.code == 3
    assert result.err.count("gone.ndjson") == 1
    assert not baseline.exists()


@pytest.mark.parametrize("columns", ["0", "9" * 5000])
def test_an_odd_width_is_no_error(run: Run, columns: str) -> None:
    assert run("scan", SAMPLE, env={"COLUMNS": columns}).code == 1
