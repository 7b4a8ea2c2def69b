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
DEV, RUN, TOOLS = (ROOT / "requirements" / f"{name}.txt" for name in ("dev", "run", "tools"))
_PINNED = re.compile(
    r"^([a-z0-9.-]+)==([^\s;]+)( ; [^\\\n]+)? \\\n"
    r"((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


def pinned(path: Path) -> dict[str, str]:
    """Return the version of each package that a lock names."""
    return {name: version for name, version, _, _ in _PINNED.findall(path.read_text())}


def group(name: str) -> Iterator[Requirement]:
    """Yield what a group of developers' packages names, and what those do that it includes."""
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            yield from group(entry["include-group"])
        else:
            yield Requirement(entry)


def project(*extras: str) -> Iterator[Requirement]:
    """Yield what the program needs, and what extras of it do."""
    yield from map(Requirement, PROJECT["project"]["dependencies"])
    for extra in extras:
        yield from map(Requirement, PROJECT["project"]["optional-dependencies"][extra])


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (DEV, [*project("cluster", "geoip", "http", "s3"), *group("dev")]),
        (RUN, [*project("geoip", "http", "s3")]),
        (TOOLS, [*project(), *group("tools")]),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_the_lock_covers_what_pyproject_asks_for(path: Path, wanted: list[Requirement]) -> None:
    versions = pinned(path)
    for requirement in wanted:
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run make lock"
        assert version in requirement.specifier, f"{requirement}: run make lock"


def test_the_page_of_dependencies_says_why_each_is_there() -> None:
    named = set(re.findall(r"\*\*([^*]+)\*\*", (ROOT / "docs" / "dependencies.md").read_text()))
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*project(*extras), *group("dev"), *group("tools"), *group("binary")]
    assert named == {requirement.name for requirement in wanted}


@pytest.mark.parametrize("path", [DEV, RUN, TOOLS], ids=lambda path: path.name)
def test_every_line_of_the_lock_is_a_pinned_package_or_one_of_its_hashes(path: Path) -> None:
    # So it names no index, no address and no path.
    assert _PINNED.sub("", path.read_text()) == ""


AFFECTED = {
    "aiohttp": ("3.14.2", "CVE-2026-69244"),
    "distributed": ("2026.1.0", "GHSA-c336-7962-wfj2"),
    "jinja2": ("3.1.5", "CVE-2025-27516"),
    "orjson": ("3.11.5", "CVE-2025-67221"),
    "pip": ("26.1.2", "CVE-2026-13346"),
    "platformdirs": ("4.14.7", "reads a configuration from the working directory"),
    "pytest": ("9.0.2", "CVE-2025-71176"),
    "uv": ("0.9.5", "CVE-2025-13327"),
}
"""The last release of a package with a published advisory that is known, and which that is."""


def test_lower_bounds_leave_out_releases_with_advisories() -> None:
    wanted = [
        *project(*PROJECT["project"]["optional-dependencies"]),
        *group("dev"),
        *group("tools"),
    ]
    for requirement in wanted:
        version, advisory = AFFECTED.get(requirement.name, ("0", ""))
        assert version not in requirement.specifier or not advisory, f"{requirement}: {advisory}"
    assert AFFECTED.keys() <= {requirement.name for requirement in wanted}
