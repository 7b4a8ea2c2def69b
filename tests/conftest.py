"""Shared by the tests: how to run the program, and where real logs lie if they are there."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.program import ROOT, Program, Result, Run

__all__ = ["FIXTURES", "ROOT", "SHARED", "Result", "Run"]

FIXTURES = ROOT / "fixtures"
SHARED = ROOT.parent / "shared"

settings.register_profile("smbrare", deadline=None)
settings.load_profile("smbrare")


@pytest.fixture(autouse=True)
def _csv_fields() -> Iterator[None]:
    """Undo what a reader told the csv module, which keeps it for all who use it."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, with a home below the test's own folder."""
    home = tmp_path / "home"
    home.mkdir()
    return Program(home)


@pytest.fixture
def run(program: Program) -> Run:
    """Run a command line in this process; most tests of commands do."""
    return program.run


@pytest.fixture
def run_process(program: Program) -> Run:
    """Run ``python -m smbrare`` as a process: for what only a process has, such as stdin."""
    return program.run_process


@pytest.fixture
def shared() -> Path:
    """The published logs beside the repository; tests that read them skip where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("no published logs beside the repository")
    return SHARED / "data"
