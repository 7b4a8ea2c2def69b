"""Previews what an input holds, by its first records."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection.survey import UNKNOWN_SOURCES
from smbrare.errors import EXIT_CLEAN, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.inputs.containers import Part
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.records import envelope
from smbrare.records.event import Document, Record, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.reading import Progress, parts
from smbrare.sources import recognize
from smbrare.sources.alerts import is_alert

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
        is_junk: Whether a scan skips it, as what an archiver left behind.
        problem: Why it cannot be read on; empty if it can.
    """

    path: str
    container: str
    sources: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    complete: bool = False
    is_junk: bool = False
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


def look(
    inputs: Iterable[Input | Skipped], options: ReadOptions, progress: Progress
) -> list[Preview]:
    """Return what the inputs are, by path, from the first events of each."""
    found = [
        Preview(each.origin.path, problem=each.reason)
        if isinstance(each, Skipped)
        else _preview(each, options, progress)
        for each in inputs
    ]
    return sorted(found, key=lambda each: each.path)


def _preview(found: Input, options: ReadOptions, progress: Progress) -> Preview:
    looked: list[PartPreview] = []
    problem = ""
    try:
        with parts(found, options.limits, progress) as (_, each):
            looked.extend(_look(part, options) for part in each)
    except OSError as error:
        problem = error.strerror or str(error)
    return Preview(found.path, found.named, found.size, tuple(looked), problem)


def _look(part: Part, options: ReadOptions) -> PartPreview:
    sources: Counter[str] = Counter()
    seen = PartPreview(part.path, part.container, is_junk=part.is_junk)
    if part.is_junk:
        return seen
    if not part.container:
        # Only reading all of it could tell more.
        return replace(seen, complete=True)
    skipped = 0
    for item in part.read(ReaderOptions(options.limits)).items:
        if isinstance(item, Skipped):
            skipped += 1
            if item.ends_input:
                seen = replace(seen, problem=item.reason)
            continue
        if not isinstance(item, Record):
            continue
        for document in envelope.events(item.document):
            sources[_source(document, options)] += 1
        if sources.total() + skipped >= FIRST_EVENTS:
            break
    else:
        seen = replace(seen, complete=True)
    return replace(seen, sources=dict(sorted(sources.items())), skipped=skipped)


def _source(document: Document, options: ReadOptions) -> str:
    if is_alert(document):
        return ALERT
    view = recognize(document, options)
    return UNRECOGNIZED if view is None else view.source
