"""What a scan would read, for a person and as JSON."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from smbrare.diagnostics.preview import FIRST_EVENTS, PartPreview, Preview, exit_code
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, lines
from smbrare.outputs.json_values import json_text


class _PartRow(NamedTuple):
    """An input, or a member of an archive."""

    path: str
    container: str
    size: str
    sources: str
    note: str


_COLUMNS = (
    Column[_PartRow]("Path", lambda row: row.path, folds=True),
    Column[_PartRow]("Container", lambda row: row.container, folds=True),
    Column[_PartRow]("Bytes", lambda row: row.size, right=True),
    Column[_PartRow](
        f"Sources of the first {FIRST_EVENTS} events", lambda row: row.sources, folds=True
    ),
    Column[_PartRow]("Note", lambda row: row.note, folds=True),
)


def render_table(previews: list[Preview], options: RenderOptions) -> Iterator[str]:
    """Yield one row an input, and one a member of an archive."""
    rows = []
    for preview in previews:
        size = "" if preview.size is None else f"{preview.size:,}"
        alone = len(preview.parts) == 1 and preview.parts[0].path == preview.path
        if not alone:
            rows.append(_PartRow(preview.path, "", size, "", preview.problem))
        for part in preview.parts:
            note = preview.problem if alone and preview.problem else _note(part)
            sources = ", ".join(f"{count:,} {name}" for name, count in part.sources.items())
            rows.append(_PartRow(part.path, part.container, size if alone else "", sources, note))
    yield from lines(_COLUMNS, rows, options)


def _note(part: PartPreview) -> str:
    if part.is_junk:
        return "skipped: archiver junk"
    if part.problem:
        return part.problem
    if part.skipped:
        return f"{part.skipped:,} cannot be read"
    if part.sources or not part.complete:
        return ""
    return "no events" if part.container else "no known format"


def render_json(previews: list[Preview], _: RenderOptions) -> Iterator[str]:
    """Yield one document."""
    document = {
        "exit_code": exit_code(previews),
        "events_looked_at": FIRST_EVENTS,
        "inputs": [
            {
                "path": preview.path,
                "bytes": preview.size,
                "readable": preview.readable,
                "recognized": preview.recognized,
                "problem": preview.problem,
                "parts": [_part(part) for part in preview.parts],
            }
            for preview in previews
        ],
    }
    yield json_text(document, indent=True) + "\n"


def _part(part: PartPreview) -> dict[str, Any]:
    return {
        "path": part.path,
        "container": part.container,
        "sources": part.sources,
        "skipped": part.skipped,
        "complete": part.complete,
        "archiver_junk": part.is_junk,
        "problem": part.problem,
    }
