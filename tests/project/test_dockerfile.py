"""The image gets all that the wheel is built from, and starts a program that there is."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SENT = [
    line.removeprefix("!")
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line.startswith("!")
]


def arguments(instruction: str) -> list[str]:
    """Return what follows an instruction, each time."""
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{instruction} ")]


def test_what_is_copied_is_what_the_wheel_is_built_from(tmp_path: Path) -> None:
    sources = [name for line in arguments("COPY") for name in line.split()[:-1] if "--" not in line]
    assert sorted(sources) == sorted(SENT)
    for name in sources:
        target = tmp_path / "src" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, target)
    wheels = []
    for folder in (tmp_path / "src", ROOT):
        out = tmp_path / folder.name
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(out)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        wheels += [path.read_bytes() for path in out.glob("*.whl")]
    assert len(wheels) == 2
    assert wheels[0] == wheels[1]


def test_the_image_has_a_python_that_smbrare_is_made_for() -> None:
    (version,) = {re.sub(r"python:([0-9.]+)-slim.*", r"\1", image) for image in arguments("FROM")}
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_the_image_starts_the_program_and_not_as_root() -> None:
    (entry,) = arguments("ENTRYPOINT")
    assert entry in {f'["{name}"]' for name in PROJECT["scripts"]}
    (user,) = arguments("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
