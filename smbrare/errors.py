"""Errors that end a run; trouble with one record is a value, `records.event.Skipped`, instead."""

import sys
from contextlib import suppress
from pathlib import Path


class SmbrareError(Exception):
    """Base of all errors whose message is meant for the user."""


class UsageError(SmbrareError):
    """An option, a configuration or an exclusion that cannot be used (exit code 2)."""


class BaselineError(SmbrareError):
    """A baseline that cannot be opened, read or written (exit code 2)."""


class ClosedPipeError(Exception):
    """Whoever read stdout has gone (exit code 141).

    Not the interpreter's BrokenPipeError: click answers that one itself, with exit code 1.
    """


class OutputError(SmbrareError):
    """An output file that cannot be written (exit code 2)."""


EXIT_CLEAN = 0

EXIT_FINDINGS = 1

EXIT_USAGE = 2

EXIT_UNREADABLE = 3

EXIT_UNJUDGED = 4

EXIT_NAMES = {
    EXIT_CLEAN: "clean",
    EXIT_FINDINGS: "findings",
    EXIT_USAGE: "usage",
    EXIT_UNREADABLE: "incomplete",
    EXIT_UNJUDGED: "not evaluated",
}
"""What the codes that a verdict can have are called."""

EXIT_INTERNAL = 70

EXIT_INTERRUPTED = 130

EXIT_CLOSED_PIPE = 141

EXIT_TERMINATED = 143


def cannot_open(path: object, error: OSError) -> str:
    """Return what to say of a file that cannot be opened."""
    return f"cannot open {path}: {reason_of(error)}"


def reason_of(error: OSError) -> str:
    """Return what the system says of an error, in lower case as the end of a sentence."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def need(what: str, extra: str, *modules: str) -> None:
    """Make sure that the libraries for something are installed, without importing them.

    Args:
        what: What needs them, for the user.
        extra: The extra that installs them.
        modules: Their names.

    Raises:
        UsageError: If one is missing.
    """
    missing = [name for name in modules if not _is_installed(name)]
    if missing:
        raise UsageError(f"{what} needs {' and '.join(missing)}: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return what installs an extra, in the way and from where the program was installed."""
    import json  # noqa: PLC0415 - most runs ask for no extra
    from importlib import metadata  # noqa: PLC0415

    what, steps = f"smbrare[{extra}]", Path(sys.prefix).parts
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError):
        # https://packaging.python.org/specifications/direct-url: absent if it came from an index.
        origin = json.loads(metadata.distribution("smbrare").read_text("direct_url.json") or "{}")
        vcs = origin.get("vcs_info", {}).get("vcs", "")
        what += f" @ {vcs}{'+' * bool(vcs)}{origin['url']}"
    if {"pipx", "venvs"}.issubset(steps):
        return f'pipx install --force "{what}"'
    if {"uv", "tools"}.issubset(steps):
        return f'uv tool install "{what}"'
    made_by_uv = False
    with suppress(OSError):
        made_by_uv = "\nuv = " in Path(sys.prefix, "pyvenv.cfg").read_text(encoding="utf-8")
    return f'{"uv " * made_by_uv}pip install "{what}"'


def _is_installed(name: str) -> bool:
    from importlib import util  # noqa: PLC0415 - most runs ask for no extra

    try:
        return util.find_spec(name) is not None
    except ValueError:  # What find_spec says of a module that was blocked.
        return False
