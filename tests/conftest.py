"""Shared by the tests: how to run the program, and where real logs lie if they are there."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
SHARED = ROOT.parent / "shared"

settings.register_profile("smbrare", deadline=None)
settings.load_profile("smbrare")


@dataclass(frozen=True)
class Result:
    """How a run of the program ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _csv_fields() -> Iterator[None]:
    """Undo what a reader told the csv module, which keeps it for all who use it."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``python -m smbrare`` as a process, away from the user's own configuration."""
    home = tmp_path / "home"
    home.mkdir()

    def run_program(
        *arguments: str | Path,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> Result:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SMBRARE_", "XDG_")) and name not in {"COLUMNS", "NO_COLOR"}
        }
        environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        environment |= dict(env or {})
        done = subprocess.run(
            [sys.executable, "-m", "smbrare", *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=environment,
            cwd=cwd,
            check=False,
            timeout=120,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_program


@pytest.fixture
def shared() -> Path:
    """The published logs beside the repository; tests that read them skip where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("no published logs beside the repository")
    return SHARED / "data"
