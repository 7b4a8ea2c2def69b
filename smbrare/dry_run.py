"""A look at inputs before a scan: no more of each is read than its first records."""

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from smbrare.diagnostics.preview import ALERT, FIRST_EVENTS, UNRECOGNIZED, PartPreview, Preview
from smbrare.inputs.containers import Part
from smbrare.inputs.discovery import Input
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Skipped
from smbrare.scanning.reading import Progress, parts
from smbrare.sources import is_alert, recognize
from smbrare.sources.mapping import Settings


def look(
    inputs: Iterable[Input | Skipped], settings: Settings, limits: Limits, progress: Progress
) -> list[Preview]:
    """Return what the inputs are, by path, from the first events of each.

    Args:
        inputs: What was discovered for the user's paths.
        settings: How records are read.
        limits: What is too large to read.
        progress: Called as bytes are read.
    """
    found = [
        Preview(each.origin.path, problem=each.reason)
        if isinstance(each, Skipped)
        else _preview(each, settings, limits, progress)
        for each in inputs
    ]
    return sorted(found, key=lambda each: each.path)


def _preview(found: Input, settings: Settings, limits: Limits, progress: Progress) -> Preview:
    looked: list[PartPreview] = []
    problem = ""
    try:
        with parts(found, limits, progress) as (_, each):
            looked.extend(_look(part, settings) for part in each)
    except OSError as error:
        problem = error.strerror or str(error)
    return Preview(found.path, found.named, found.size, tuple(looked), problem)


def _look(part: Part, settings: Settings) -> PartPreview:
    sources: Counter[str] = Counter()
    seen = PartPreview(part.path, part.container, litter=part.litter)
    if part.litter:
        return seen
    skipped = 0
    for item in part.records:
        if isinstance(item, Skipped):
            skipped += 1
            if item.ends_input:
                seen = replace(seen, problem=item.reason)
            continue
        for document in envelope.events(item.document):
            sources[_source(document, settings)] += 1
        if sources.total() + skipped >= FIRST_EVENTS:
            break
    else:
        seen = replace(seen, complete=True)
    return replace(seen, sources=dict(sorted(sources.items())), skipped=skipped)


def _source(document: Document, settings: Settings) -> str:
    if is_alert(document):
        return ALERT
    view = recognize(document, settings)
    return UNRECOGNIZED if view is None else view.source
