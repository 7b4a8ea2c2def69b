"""Which keys that were given twice concern the rule, counted for the summary."""

from collections.abc import Iterator
from functools import lru_cache

from smbrare.detection.survey import InputSurvey
from smbrare.records import envelope
from smbrare.records.event import Document, Record
from smbrare.rule.predicate import CLAUSES
from smbrare.sources import ecs, recognize
from smbrare.sources.mapping import Settings, Table
from smbrare.sources.windows_shapes import SHAPES

_FIELDS = (*(clause.field for clause in CLAUSES), "@timestamp", "event.ingested")
_HIT = ("_source",)
_AROUND: tuple[envelope.Path, ...] = (_HIT, ("fields",), *envelope.ARRAYS)


def note(record: Record, survey: InputSurvey) -> None:
    """Count a record in which a key that the rule's fields are read from was given twice.

    That is a key on the way to a field that the record's source reads for a clause or for the
    time, to what tells its source, or to the event in its envelope. A field spelled in two ways,
    nested and with a dot, is no such case: both values count, as in Elasticsearch.
    """
    wanted = {path for document in envelope.events(record.document) for path in _read(document)}
    is_wrapped = next(envelope.events(record.document), record.document) is not record.document
    named = {
        ".".join(key or path): None
        for path in record.repeated
        for key in _unwrapped(path, is_wrapped=is_wrapped)
        if not key or any(f"{field}.".startswith(".".join((*key, ""))) for field in wanted)
    }
    if named:
        survey.repeated.add(record.origin, list(named))


def _unwrapped(path: tuple[str, ...], *, is_wrapped: bool) -> Iterator[tuple[str, ...]]:
    """Yield what a path is in the event; empty where it leads to the event itself."""
    for around in _AROUND:
        if path[: len(around)] == around and len(path) > len(around):
            yield from _unwrapped(path[len(around) :], is_wrapped=False)
            return
    wraps = path == _HIT or (is_wrapped and any(around[: len(path)] == path for around in _AROUND))
    yield () if wraps else path


def _read(document: Document) -> frozenset[str]:
    view = recognize(document, Settings())
    table = ecs.TABLE if view is None else view.table
    return _told_by() | _paths(table)


def _paths(table: Table) -> frozenset[str]:
    return frozenset(take.path for field in _FIELDS for take in table.get(field, ()) if take.path)


@lru_cache(maxsize=1)
def _told_by() -> frozenset[str]:
    """Return the paths that tell which Windows event a record holds."""
    parts = ("event_id", "channel", "provider", "data")
    return frozenset(
        path for shape in SHAPES for part in parts for path in shape.places.get(part, ()) if path
    )
