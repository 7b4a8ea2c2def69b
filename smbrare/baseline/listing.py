"""The baselines in the user's state directory."""

from collections.abc import Iterator

from msgspec import Struct

from smbrare.baseline.location import state_directory
from smbrare.baseline.store import Baseline
from smbrare.errors import BaselineError


class BaselineFile(Struct, frozen=True):
    """One baseline.

    Attributes:
        name: What the user calls it.
        file: Its path.
        size: Of the file, in bytes.
        destinations: How many it has seen.
        first: The first match, in microseconds since 1970 UTC; None without any.
        last: The last one.
        problem: Why it cannot be used; empty if it can.
    """

    name: str
    file: str
    size: int
    destinations: int = 0
    first: int | None = None
    last: int | None = None
    problem: str = ""


def baseline_files() -> Iterator[BaselineFile]:
    """Yield the baselines of the state directory by name, each checked completely."""
    for path in sorted(state_directory().glob("*.db")):
        name, file, size = path.stem, str(path), path.lstat().st_size
        try:
            with Baseline(path).reading(whole=True) as database:
                counts = database.execute(
                    "SELECT count(DISTINCT destination), min(first), max(last) FROM sighting"
                ).fetchone()
            yield BaselineFile(name, file, size, *counts)
        except BaselineError as error:
            yield BaselineFile(name, file, size, problem=str(error))
