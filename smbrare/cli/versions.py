"""What smbrare runs on, for a bug report."""

import platform
import re
import sqlite3
from collections.abc import Iterator
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"\bextra == ['\"]([^'\"]+)")


def environment() -> Iterator[str]:
    """Yield Python, SQLite, the platform and each dependency with its version, a line each."""
    yield f"{platform.python_implementation()} {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    yield platform.platform()
    try:
        requirements = metadata.requires("smbrare") or ()
    except metadata.PackageNotFoundError:
        requirements = ()
        yield "dependencies unknown: smbrare is not installed as a package"
    for requirement in requirements:
        named, _, marker = requirement.partition(";")
        if name := _NAME.match(named):
            yield from _dependency(name[0], marker)


def _dependency(name: str, marker: str) -> Iterator[str]:
    extra = _EXTRA.search(marker)
    suffix = f" ({extra[1]})" if extra else ""
    try:
        yield f"{name} {metadata.version(name)}{suffix}"
    except metadata.PackageNotFoundError:
        # What has a condition other than an extra is not needed everywhere.
        if extra or not marker:
            yield f"{name} not installed{suffix}"
