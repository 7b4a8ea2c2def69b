"""The image has a Python that smbrare is made for, and starts the program, not as root."""

import re
import tomllib
from itertools import chain

from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def arguments(instruction: str) -> list[str]:
    """Return what follows an instruction, each time."""
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{instruction} ")]


def test_all_stages_have_one_python_that_smbrare_is_made_for() -> None:
    (version,) = {re.sub(r"python:([0-9.]+)-slim.*", r"\1", image) for image in arguments("FROM")}
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_it_starts_the_program_and_not_as_root() -> None:
    (entry,) = arguments("ENTRYPOINT")
    assert entry in {f'["{name}"]' for name in PROJECT["scripts"]}
    (user,) = arguments("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_what_it_copies_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    copied = [line.split()[:-1] for line in arguments("COPY") if not line.startswith("--from")]
    sent = [name.removeprefix("!").replace("*", "smbrare-*") for name in ignored if name != "*"]
    assert sorted(chain.from_iterable(copied)) == sorted(sent)
