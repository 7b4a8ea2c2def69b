"""Every fuzz target holds of its seeds, and of all inputs that once broke it."""

from pathlib import Path

import pytest

from fuzz.seeds import seeds
from fuzz.targets import TARGETS
from tests.conftest import FIXTURES

FOUND = sorted(path for path in (FIXTURES / "fuzz").glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_broke_a_target_does_not_break_it_again(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_of_its_seeds(name: str) -> None:
    inputs = list(seeds(name))
    assert inputs
    for data in inputs:
        TARGETS[name](data)


def test_found_inputs_belong_to_a_target() -> None:
    assert {path.parent.name for path in FOUND} <= TARGETS.keys()
