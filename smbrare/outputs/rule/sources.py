"""The forms of records that are read, for people and for programs."""

from collections.abc import Iterator
from itertools import groupby

from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.json_values import json_text
from smbrare.sources.known_forms import known_forms

_NOTE = (
    "Of Windows events, Sysmon's 3 is read in each of these forms, 5156 of the Security log in\n"
    "all but HELK's. With --format json every field is named that may stand for those shown."
)


def render(_content: None, _: RenderOptions) -> Iterator[str]:
    """Yield the lines of ``rule show --sources``."""
    yield "Forms of records that are read, alone or inside of others, and fields that tell them:\n"
    for source, forms in groupby(known_forms(), key=lambda form: form.source):
        yield f"\n{source}\n"
        for form in forms:
            marks = dict.fromkeys(group[0] for group in form.marks)
            yield f"  {form.name}\n    {', '.join(marks)}\n"
    yield f"\n{_NOTE}\n"


def render_json(_content: None, _: RenderOptions) -> Iterator[str]:
    """Yield the same as one document."""
    forms = [
        {"source": form.source, "name": form.name, "recognized_by": form.marks}
        for form in known_forms()
    ]
    yield json_text({"forms": forms}, indent=True) + "\n"
