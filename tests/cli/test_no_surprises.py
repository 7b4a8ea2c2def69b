"""No command uses the network, leaves temporary files, or takes anything from beside the logs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import names

SAMPLE = FIXTURES / "sample.ndjson"
SCRIPT = Path(sysconfig.get_path("scripts"), "smbrare")

COMMANDS = (
    *(("scan", "log.ndjson", "-f", name) for name in ("table", "json", "ndjson", "csv", "html")),
    *(("scan", "log.ndjson", "-f", name) for name in ("markdown", "sarif")),
    ("scan", "log.ndjson", "--baseline", "acme", "-j", "2", "-o", "out/findings.json"),
    ("scan", "log.evtx.zip", "--dry-run"),
    ("inspect", "log.ndjson"),
    ("explain", "log.ndjson:12"),
    ("replay", "log.ndjson", "--compare"),
    ("baseline", "learn", "acme", "log.ndjson"),
    ("baseline", "show", "acme"),
    ("baseline", "export", "acme", "-o", "out/acme.json"),
    ("baseline", "merge", "acme", "out/acme.json", "-o", "both"),
    ("baseline", "prune", "both", "--before", "2026-11-18"),
    ("baseline", "verify", "both"),
    ("rule", "show"),
    *(("rule", "export", "--to", name) for name in ("kql", "eql", "esql", "sigma", "elastic-rule")),
)

GUARD = """
import os, sys
def guard(event, arguments):
    if event.startswith("socket."):
        os.write(2, f"network: {event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(guard)
from smbrare.cli import run
for line in sys.stdin.read().splitlines():
    sys.argv[1:] = line.split("\\t")
    code = run()
    sys.stdout.flush()
    if code not in (0, 1):
        os.write(2, f"exit code {code} of {line}".encode())
        os._exit(98)
"""
"""Runs the commands that standard input names, with the network forbidden."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with logs, an empty one for temporary files, and one for outputs."""
    place = tmp_path / "place"
    for name in ("tmp", "out", "home"):
        (place / name).mkdir(parents=True)
    shutil.copy(SAMPLE, place / "log.ndjson")
    shutil.copy(SAMPLE, place / "log.evtx.zip")
    before = os.umask(0o027)
    yield place
    os.umask(before)


def environment(place: Path) -> dict[str, str]:
    return {
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "PATH": os.environ["PATH"],
        "PYTHONIOENCODING": "utf-8",
    }


def test_no_command_uses_the_network_or_leaves_a_temporary_file(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GUARD],
        input="\n".join("\t".join(command) for command in COMMANDS).encode(),
        capture_output=True,
        cwd=place,
        env=environment(place) | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert names(place / "tmp") == []
    assert names(place) == ["home", "log.evtx.zip", "log.ndjson", "out", "tmp"]
    assert names(place / "out") == ["acme.json", "findings.json"]
    assert {path.stat().st_mode & 0o777 for path in (place / "out").iterdir()} == {0o640}
    (state,) = (place / "home").rglob("smbrare")
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.iterdir()} == {0o600}
    assert names(state) == ["acme.db", "both.db"]


def test_the_guard_of_the_network_sees_what_it_forbids() -> None:
    program = GUARD.partition("from smbrare")[0] + "import socket; socket.socket()"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 99


def test_a_scan_that_is_terminated_leaves_no_temporary_file(place: Path) -> None:
    # A zip out of a pipe is copied, and this one is large enough to be copied to disk.
    pipe = place / "pipe"
    os.mkfifo(pipe)
    with (
        subprocess.Popen(
            [sys.executable, "-m", "smbrare", "scan", str(pipe), "-o", "out/findings"],
            stderr=subprocess.PIPE,
            cwd=place,
            env=environment(place) | {"PYTHONPATH": str(ROOT)},
        ) as process,
        pipe.open("wb") as writer,
    ):
        writer.write(b"PK\x03\x04" + bytes(40_000_000))
        writer.flush()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 143
    assert names(place / "tmp") == []
    assert names(place / "out") == []


PLANTED = "import os\nos.write(1, b'PLANTED')\nos._exit(97)\n"
MODULES = (
    *("sitecustomize", "usercustomize", "encodings", "json", "multiprocessing"),
    *("click", "orjson", "rich", "smbrare"),
)
CONFIGURATIONS = ("smbrare.toml", ".smbrare.toml", "pyproject.toml", ".env", "exclusions.toml")


def plant(folder: Path) -> None:
    for name in MODULES:
        (folder / f"{name}.py").write_text(PLANTED)
    for name in CONFIGURATIONS:
        (folder / name).write_text('exclude = ["0.0.0.0/0"]\n[tool.smbrare]\nexit-zero = true\n')
    (folder / "setup.pth").write_text("import os; os._exit(97)\n")


@pytest.mark.skipif(not SCRIPT.exists(), reason="the program is not installed here")
def test_nothing_planted_beside_the_logs_is_run_or_read(place: Path, run: Run) -> None:
    plain = json.loads(run("scan", SAMPLE, "-f", "json").out)
    logs = place / "logs"
    logs.mkdir()
    shutil.copy(SAMPLE, logs / "log.ndjson")
    for folder in (place, logs):
        plant(folder)
    done = subprocess.run(
        [SCRIPT, "scan", logs / "log.ndjson", "-f", "json"],
        capture_output=True,
        cwd=place,
        env=environment(place),
        check=False,
    )
    assert done.returncode == 1, done.stderr.decode()
    assert (
        json.loads(done.stdout)["findings"][0]["smbrare"]["id"]
        == (plain["findings"][0]["smbrare"]["id"])
    )
    assert len(json.loads(done.stdout)["findings"]) == len(plain["findings"])
    assert b"PLANTED" not in done.stdout + done.stderr


def test_processes_that_read_take_no_code_from_the_folder_that_the_scan_runs_in(
    place: Path,
) -> None:
    # As where a process is no fork: on macOS, on Windows, and with Python 3.14 everywhere.
    program = place / "home" / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "from smbrare.scanning import workers\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    print(*workers.Processes(2).map(workers.Work(str, str), [1, 2]))\n"
    )
    plant(place)
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        cwd=place,
        env=environment(place) | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"1 2\n", 0)


def test_a_name_full_of_controls_reaches_no_terminal(place: Path, run: Run) -> None:
    name = "a\x1b[31m\r\nb\u202e`|<b>.ndjson"
    shutil.copy(SAMPLE, place / name)
    for arguments in (
        ("scan", name, "--format", "table"),
        ("scan", name, "--format", "markdown"),
        ("scan", f"gone{name}", "-v"),
        ("scan", "log.ndjson", "-o", f"gone/{name}"),
        ("scan", "log.ndjson", "-o", f"{name}/x"),
        ("scan", "log.ndjson", "--baseline", name),
        ("scan", "log.ndjson", "--expect", f"gone{name}"),
        ("scan", "log.ndjson", "--config", f"gone{name}"),
        ("scan", "log.ndjson", "--exclusions", name),
        ("scan", "log.ndjson", "--intel", f"gone{name}"),
        ("scan", "log.ndjson", "--since", name),
        ("inspect", name),
        ("explain", f"{name}:12"),
        ("baseline", "merge", name, "-o", "x.db"),
        (name,),
    ):
        result = run(*arguments, cwd=place)
        for character in "\x1b\r\u202e":
            assert character not in result.out + result.err, arguments
        assert "Traceback" not in result.err
        assert "internal error" not in result.err
