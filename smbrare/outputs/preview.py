"""What a scan would read, for a person and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from smbrare.diagnostics.preview import FIRST_EVENTS, PartPreview, Preview
from smbrare.outputs.grid import Column, lines
from smbrare.text import json_visible

_COLUMNS = (
    Column("Path", folds=True),
    Column("Container", folds=True),
    Column("Bytes", right=True),
    Column(f"Sources of the first {FIRST_EVENTS} events", folds=True),
    Column("Note", folds=True),
)


def render_table(previews: Sequence[Preview], width: int | None, *, color: bool) -> Iterator[str]:
    """Yield one row an input, and one a member of an archive.

    Args:
        previews: The inputs.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
    """
    rows = []
    for preview in previews:
        size = "" if preview.size is None else f"{preview.size:,}"
        alone = len(preview.parts) == 1 and preview.parts[0].path == preview.path
        if not alone:
            rows.append((preview.path, "", size, "", preview.problem))
        for part in preview.parts:
            note = preview.problem if alone and preview.problem else _note(part)
            rows.append((part.path, part.container, size if alone else "", _sources(part), note))
    yield from lines(_COLUMNS, rows, width, color=color)


def _sources(part: PartPreview) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in part.sources.items())


def _note(part: PartPreview) -> str:
    if part.litter:
        return "passed over"
    if part.problem:
        return part.problem
    if part.skipped:
        return f"{part.skipped:,} cannot be read"
    if part.sources or not part.complete:
        return ""
    return "no events" if part.container else "no known format"


def render_json(previews: Sequence[Preview], code: int) -> Iterator[str]:
    """Yield one document.

    Args:
        previews: The inputs.
        code: The exit code.
    """
    document = {
        "exit_code": code,
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
    yield json_visible(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()) + "\n"


def _part(part: PartPreview) -> dict[str, Any]:
    return {
        "path": part.path,
        "container": part.container,
        "sources": part.sources,
        "skipped": part.skipped,
        "complete": part.complete,
        "passed_over": part.litter,
        "problem": part.problem,
    }
