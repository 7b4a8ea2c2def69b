"""smbrare finds rare SMB connections to the internet in exported Windows network events.

`scan` is what ``smbrare scan`` does, for programs and notebooks; docs/api.md says what of it is
kept stable. Everything else is private. Nothing is loaded before it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smbrare.cli.library import KeptBaseline as Baseline
    from smbrare.cli.library import scan
    from smbrare.detection.finding import Finding
    from smbrare.detection.report import Report

__all__ = ["Baseline", "Finding", "Report", "scan"]
__version__ = "0.1.0"

_HOMES = {
    "Baseline": ("smbrare.cli.library", "KeptBaseline"),
    "Finding": ("smbrare.detection.finding", "Finding"),
    "Report": ("smbrare.detection.report", "Report"),
    "scan": ("smbrare.cli.library", "scan"),
}


def __getattr__(name: str) -> object:
    """Return a public name, whose module is loaded for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'smbrare' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - a command does without

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """Return the names that an interpreter completes."""
    return sorted({*globals(), *__all__})
