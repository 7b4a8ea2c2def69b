"""smbrare finds rare SMB connections to the internet in exported Windows network events.

`scan` is what ``smbrare scan`` does, for programs and notebooks; docs/api.md says what of it is
kept stable. Everything else is private. Nothing is loaded before it is asked for.
"""

from typing import TYPE_CHECKING

__all__ = ["Baseline", "Finding", "Report", "scan"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from smbrare.cli.library import Baseline, scan
    from smbrare.detection.finding import Finding
    from smbrare.detection.report import Report
else:

    def __getattr__(name: str) -> object:
        """Return a public name; it is loaded with the first of them."""
        if name not in __all__:
            raise AttributeError(f"module 'smbrare' has no attribute {name!r}")
        from smbrare.cli import library  # noqa: PLC0415 - a command does without

        return getattr(library, name)

    def __dir__() -> list[str]:
        """Return the names that an interpreter completes."""
        return sorted({*globals(), *__all__})
