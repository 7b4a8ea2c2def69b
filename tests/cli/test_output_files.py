"""``--output`` replaces no input, device or link; closed streams do no harm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT, Run

SAMPLE = FIXTURES / "sample.ndjson"


def test_an_output_never_replaces_an_input(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "events.ndjson"
    log.write_bytes(SAMPLE.read_bytes())
    result = run("scan", log, "-f", "ndjson", "-o", log)
    assert result.code == 2
    assert log.read_bytes() == SAMPLE.read_bytes()


def test_an_output_never_replaces_the_baseline(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "acme.db"
    run("scan", SAMPLE, "--baseline", baseline)
    before = baseline.read_bytes()
    assert run("scan", SAMPLE, "--baseline", baseline, "-o", baseline).code == 2
    assert baseline.read_bytes() == before


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
