"""Libraries that only some runs need, and that an extra of the package installs."""

from smbrare.errors import UsageError


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
        raise UsageError(
            f"{what} needs {' and '.join(missing)}: install the extra smbrare[{extra}]"
        )


def _is_installed(name: str) -> bool:
    from importlib import util  # noqa: PLC0415 - most runs ask for no extra

    try:
        return util.find_spec(name) is not None
    except ValueError:  # What find_spec says of a module that was blocked.
        return False
