"""Whoever runs it, wherever, with whatever signals and streams: no surprise, and no trace."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from smbrare.baseline.location import user_folder
from smbrare.errors import UsageError
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import names

SAMPLE = FIXTURES / "sample.ndjson"
NOBODY = """
import os, pwd, sys
def unknown(*_): raise KeyError("uid not found")
pwd.getpwuid = unknown
os.environ.pop("HOME", None)
from smbrare.cli import run
sys.exit(run())
"""


def nobody(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program for a user without a home and without an entry in the system's list."""
    command = [sys.executable, "-c", NOBODY, *arguments]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=60
    )


def test_a_user_without_a_home_can_scan_and_gets_nothing_from_the_folder(tmp_path: Path) -> None:
    planted = tmp_path / "~" / ".config" / "smbrare"
    planted.mkdir(parents=True)
    (planted / "smbrare.toml").write_text('exclude = ["0.0.0.0/0"]\n')
    before = sorted(tmp_path.rglob("*"))
    done = nobody(tmp_path, "scan", str(SAMPLE))
    assert done.returncode == 1, done.stderr
    done = nobody(tmp_path, "scan", str(SAMPLE), "--baseline", "acme")
    assert done.returncode == 2
    assert b"set HOME" in done.stderr
    assert nobody(tmp_path, "baseline", "list").returncode == 2
    assert sorted(tmp_path.rglob("*")) == before
    done = nobody(tmp_path, "scan", str(SAMPLE), "--baseline", "./acme.db")
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("folder", ["~/.config/smbrare", "relative", ""])
def test_a_folder_that_depends_on_where_the_program_runs_is_none(folder: str) -> None:
    with pytest.raises(UsageError, match="HOME"):
        user_folder(lambda *_, **__: folder)


def test_relative_xdg_variables_are_ignored_with_a_warning(run: Run, tmp_path: Path) -> None:
    planted = tmp_path / "here" / "smbrare"
    planted.mkdir(parents=True)
    (planted / "smbrare.toml").write_text('exclude = ["0.0.0.0/0"]\n')
    env = {"XDG_CONFIG_HOME": "here", "XDG_STATE_HOME": "here"}
    result = run("scan", SAMPLE, "--baseline", "acme", "-q", env=env, cwd=tmp_path)
    assert result.code == 1
    for name in env:
        assert f"WARNING  {name}=here is ignored: not an absolute path" in result.err
    assert [path.name for path in planted.iterdir()] == ["smbrare.toml"]


@pytest.mark.parametrize(("variable", "colored"), [("FORCE_COLOR", True), ("TERM", False)])
def test_colours_follow_the_variables(run: Run, variable: str, *, colored: bool) -> None:
    env = {variable: "dumb"}
    assert ("\x1b[" in run("scan", SAMPLE, env=env).out) is colored
    assert "\x1b" not in run("scan", SAMPLE, env=env | {"NO_COLOR": "1"}).out


LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("-o", LONG),
        ("-o", f"{LONG}/x"),
        ("--baseline", f"./{LONG}"),
        ("--baseline", LONG),
        ("--exclusions", LONG),
        ("--config", LONG),
        ("--expect", LONG),
    ],
)
def test_a_name_that_is_too_long_is_wrong_usage(
    run: Run, tmp_path: Path, arguments: tuple[str, str]
) -> None:
    result = run("scan", SAMPLE, *arguments, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert run("scan", LONG).code == 3


def test_a_name_as_long_as_can_be_is_written(run: Run, tmp_path: Path) -> None:
    for name in ("n" * 255, "å" * 127):
        assert run("scan", SAMPLE, "-q", "-f", "csv", "-o", tmp_path / name).code == 1
        assert (tmp_path / name).stat().st_size


def ended_by(number: int, folder: Path, *, ignored: bool = False) -> tuple[int | None, list[str]]:
    """Send a signal to a scan that is about to write, and return its end and what is there."""
    script = f"""
import os, signal, sys, time
signal.signal({number}, signal.SIG_IGN if {ignored} else signal.SIG_DFL)
from smbrare import cli
from smbrare.cli import writing
def slow(file):
    print("now", flush=True)
    time.sleep(2 if {ignored} else 60)
os.fsync = slow
sys.argv[1:] = ["scan", {str(SAMPLE)!r}, "-q", "-f", "csv", "-o", "out.csv"]
sys.exit(cli.run())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        time.sleep(0.05)
        process.send_signal(number)
        process.wait(60)
    return process.returncode, names(folder)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SIGINT", 130),
        ("SIGTERM", 143),
        ("SIGHUP", 143),
        ("SIGQUIT", -signal.SIGQUIT),
        ("SIGUSR1", -signal.SIGUSR1),
        ("SIGXCPU", -signal.SIGXCPU),
        ("SIGALRM", -signal.SIGALRM),
    ],
)
def test_no_signal_leaves_anything_beside_an_output(tmp_path: Path, name: str, code: int) -> None:
    assert ended_by(getattr(signal, name), tmp_path) == (code, [])


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_a_signal_that_was_ignored_from_the_start_stays_so(tmp_path: Path, name: str) -> None:
    assert ended_by(getattr(signal, name), tmp_path, ignored=True) == (1, ["out.csv"])
