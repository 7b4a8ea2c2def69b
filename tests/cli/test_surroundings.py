"""Whoever runs it, wherever, with whatever signals and streams: no surprise, and no trace."""

import os
import signal
import subprocess
import sys
import time
import zoneinfo
from functools import cache
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


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_what_is_the_users_own_is_private_and_outputs_follow_the_umask(
    run: Run, tmp_path: Path, umask: int
) -> None:
    home = tmp_path / "made" / "home"
    env = {"HOME": str(home)}
    before = os.umask(umask)
    try:
        for name in ("csv", "html"):
            run("scan", SAMPLE, "-q", "-f", name, "-o", tmp_path / name, env=env)
        assert run("scan", SAMPLE, "-q", "--baseline", "acme", env=env).code == 1
        assert run("scan", SAMPLE, "-q", "--baseline", tmp_path / "own.db", env=env).code == 1
        assert run("baseline", "merge", "acme", "-o", "both", env=env).code == 0
        assert run("baseline", "export", "acme", "-o", tmp_path / "json", env=env).code == 0
        log = tmp_path / "json"
        assert run("watch", SAMPLE, "--baseline", "live", "--once", "-o", log, env=env).code == 1
        assert run("exclude", "add", "8.8.8.8", "--reason", "dns", env=env).code == 0
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    outputs = {"csv", "html", "json", "exclusions.toml"}
    del modes[tmp_path / "home"]  # The test's own.
    for path, mode in modes.items():
        private = 0o700 if path.is_dir() else 0o600
        assert mode == (0o666 & ~umask if path.name in outputs else private), path
    assert {"acme.db", "both.db", "live.db", ".live.db.watch", "own.db", *outputs} == {
        path.name for path in modes if path.is_file()
    }


READ_ONLY = 'mount -o remount,bind,ro / && mount -o remount,bind,ro /dev/shm && cd / && exec "$@"'


@cache
def can_remount() -> bool:
    command = ["unshare", "-m", "sh", "-c", "mount -o remount,bind,ro /"]
    try:
        return not subprocess.run(command, capture_output=True, check=False, timeout=20).returncode
    except OSError:
        return False


@pytest.mark.parametrize(
    ("code", "reason", "command"),
    [
        (1, "", ("scan", SAMPLE, "-q", "-j", "2")),
        (1, "", ("scan", SAMPLE, "-q", "-f", "html")),
        (1, "does not exist", ("scan", SAMPLE, "-q", "--baseline", "acme", "--no-update")),
        (2, "acme.db cannot be used", ("scan", SAMPLE, "--baseline", "acme")),
        (2, "cannot be written", ("scan", SAMPLE, "-o", "found")),
        (2, "acme.db cannot be used", ("watch", SAMPLE, "--baseline", "acme", "--once")),
        (2, "acme.db cannot be used", ("baseline", "learn", "acme", SAMPLE)),
        (2, "cannot be written", ("exclude", "add", "8.8.8.8", "--reason", "dns")),
        (0, "0 baselines", ("baseline", "list")),
        (0, "", ("explain", f"{SAMPLE}:12")),
    ],
)
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="nothing here refuses even root")
def test_where_nothing_can_be_written_only_what_writes_fails(
    code: int, reason: str, command: tuple[str, ...]
) -> None:
    arguments = [sys.executable, "-P", "-B", "-m", "smbrare", *map(str, command)]
    if can_remount():
        arguments = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", *arguments]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/proc/nobody"}
    done = subprocess.run(
        arguments, cwd="/proc", env=environment, capture_output=True, check=False, timeout=60
    )
    said = (done.stderr + done.stdout).decode()
    assert done.returncode == code, said
    assert reason in said
    assert "internal error" not in said
    if code == 2:
        assert done.stdout == b""
        assert len([each for each in done.stderr.splitlines() if b"WARNING" not in each]) == 1


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


def test_without_time_zones_the_package_that_has_them_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tzdata", None)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        result = run("scan", FIXTURES / "week", "--input-tz", "Europe/Berlin")
        assert run("scan", FIXTURES / "week", "--input-tz", "UTC").code == 1
    finally:
        zoneinfo.reset_tzpath(to=before)
    assert result.code == 2
    assert "'Europe/Berlin' cannot be looked up: this system has no time zones" in result.err
    assert "install tzdata" in result.err
