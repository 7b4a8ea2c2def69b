"""The lock holds all that pyproject.toml asks for, with hashes, and tells nothing of its maker."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEV, TOOLS = (ROOT / "requirements" / name for name in ("dev.txt", "tools.txt"))
_PINNED = re.compile(
    r"^([a-z0-9.-]+)==([^\s;]+)( ; [^\\\n]+)? \\\n"
    r"((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


def pinned(path: Path) -> dict[str, str]:
    """Return the version of each package that a lock names."""
    return {name: version for name, version, _, _ in _PINNED.findall(path.read_text())}


def wanted(*extras: str) -> Iterator[Requirement]:
    """Yield what the program needs, and what extras of it do, of one another too."""
    project = PROJECT["project"]
    yield from map(Requirement, project["dependencies"])
    pending = list(extras)
    while pending:
        for text in project["optional-dependencies"][pending.pop()]:
            requirement = Requirement(text)
            if requirement.name == project["name"]:
                pending += requirement.extras
            else:
                yield requirement


@pytest.mark.parametrize(("path", "extra"), [(DEV, "dev"), (TOOLS, "tools")])
def test_the_lock_covers_what_pyproject_asks_for(path: Path, extra: str) -> None:
    versions = pinned(path)
    requirements = list(wanted(extra))
    if path == DEV:
        requirements += map(Requirement, PROJECT["dependency-groups"]["build"])
    for requirement in requirements:
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run make lock"
        assert version in requirement.specifier, f"{requirement}: run make lock"


@pytest.mark.parametrize("path", [DEV, TOOLS], ids=lambda path: path.name)
def test_every_line_of_the_lock_is_a_pinned_package_or_one_of_its_hashes(path: Path) -> None:
    # So it names no index, no address and no path.
    assert _PINNED.sub("", path.read_text()) == ""
