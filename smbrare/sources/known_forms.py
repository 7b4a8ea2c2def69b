"""Every form of records that is read, out of the tables that read them."""

from msgspec import Struct

from smbrare.sources import ECS_SOURCES, RAW_SOURCES, ecs
from smbrare.sources.collector_shapes import SHAPES
from smbrare.sources.mapping import Marks


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
