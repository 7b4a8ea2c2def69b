"""What an input is, as far as its first records tell."""

from collections.abc import Iterable

from msgspec import Struct, field

from smbrare.detection.survey import UNKNOWN_SOURCES
from smbrare.exitcodes import EXIT_CLEAN, EXIT_UNJUDGED, EXIT_UNREADABLE

FIRST_EVENTS = 100
"""Events of each part that are looked at."""

ALERT = "alert"
UNRECOGNIZED = "unrecognized"


class PartPreview(Struct, frozen=True):
    """What one input is, or one member of an archive.

    Attributes:
        path: Its name as shown.
        container: What it is, for people.
        sources: The first events by source; alerts and unrecognized ones by those words.
        skipped: Records among them that cannot be read.
        complete: Whether nothing follows what was looked at.
        litter: Whether a scan passes it over, as what an archiver left behind.
        problem: Why it cannot be read on; empty if it can.
    """

    path: str
    container: str
    sources: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    complete: bool = False
    litter: bool = False
    problem: str = ""

    @property
    def recognized(self) -> bool:
        """Whether any of its first events is of a source that the rule reads."""
        return any(
            name not in {ALERT, UNRECOGNIZED} and name not in UNKNOWN_SOURCES
            for name in self.sources
        )


class Preview(Struct, frozen=True):
    """One input.

    Attributes:
        path: Its name.
        named: Whether the user named it, rather than a directory that it lies in.
        size: Its size in bytes as it lies on disk; None where that is not known.
        parts: What it holds: itself, or the members of an archive.
        problem: Why it cannot be opened or read on; empty if it can.
    """

    path: str
    named: bool = True
    size: int | None = None
    parts: tuple[PartPreview, ...] = ()
    problem: str = ""

    @property
    def readable(self) -> bool:
        """Whether nothing in it is known to be unreadable."""
        return not self.problem and not any(part.problem for part in self.parts)

    @property
    def recognized(self) -> bool:
        """Whether any of its parts holds a source that the rule reads."""
        return any(part.recognized for part in self.parts)


def exit_code(previews: Iterable[Preview]) -> int:
    """Return 3 if something cannot be read, 4 if nothing or some named input is recognized."""
    found = list(previews)
    if not all(each.readable for each in found):
        return EXIT_UNREADABLE
    wanted = [each.recognized for each in found if each.named]
    if not any(each.recognized for each in found) or not all(wanted):
        return EXIT_UNJUDGED
    return EXIT_CLEAN
