"""The forms of records that are read, out of the tables that read them, for people and programs."""

from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct

from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.json_values import json_text
from smbrare.sources import ECS_SOURCES, RAW_SOURCES, ecs
from smbrare.sources.collector_shapes import SHAPES
from smbrare.sources.mapping import Marks

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


class KnownForm(Struct, frozen=True):
    """A form of records that is read.

    Attributes:
        source: The source that its records belong to.
        name: Whose records they are, for people.
        marks: The fields by which they are recognized: of each group one.
    """

    source: str
    name: str
    marks: Marks


def known_forms() -> list[KnownForm]:
    """Return every form that is read, in the order of the sources."""
    raw = [item for source in RAW_SOURCES for item in source.RAW_FORMS.items()]
    found = [KnownForm(source, name, marks) for (source, name), marks in raw]
    for shape in SHAPES:
        places = shape.places
        log = (*places.get("channel", ()), *places["provider"])
        packed = ((shape.packed,),) if shape.packed else ()
        marks = (places["event_id"], log, *packed, *shape.marks)
        found.append(KnownForm(shape.source, shape.name, marks))
    for recognize_mapped in ECS_SOURCES:
        name = recognize_mapped.__module__.rpartition(".")[2]
        named = () if name == "ecs" else (ecs.DATASET,)
        found.append(KnownForm(name, "ECS document", (*named, *ecs.MARKS)))
    return sorted(found, key=lambda form: form.source)
