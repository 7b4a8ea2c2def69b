"""What in a record told its source: the part of it that is enough to be recognized by.

No source says why it recognizes a record, so it is found by trial: whatever can be taken out of
the record without a change of the answer was not the reason. That holds for every source, also
one that is added later.
"""

from typing import Any, TypeAlias

from smbrare.records.event import Document
from smbrare.sources import recognize
from smbrare.sources.mapping import Settings

Leaf: TypeAlias = tuple[tuple[str, ...], Any]
"""The keys that lead to a value that is no object, and the value."""


def evidence(document: Document, settings: Settings) -> tuple[tuple[str, Any], ...]:
    """Return fields of a record that suffice for its source, each of them needed.

    Where several sets of fields suffice, the one that stands first in the record is preferred.

    Args:
        document: An event out of its envelope.
        settings: How it is read.

    Returns:
        Pairs of raw field and value; empty for a record of no known source.
    """
    view = recognize(document, settings)
    if view is None:
        return ()
    told = (view.source, view.kind)

    def suffices(leaves: list[Leaf]) -> bool:
        seen = recognize(_document(leaves), settings)
        return seen is not None and (seen.source, seen.kind) == told

    needed: list[Leaf] = []
    rest = _leaves(document)
    while rest and not suffices(needed):
        # The last leaf of the shortest start that suffices, by halving: a hostile record may
        # have very many.
        short, enough = 0, len(rest)
        while enough - short > 1:
            middle = (short + enough) // 2
            if suffices(needed + rest[:middle]):
                enough = middle
            else:
                short = middle
        needed.append(rest[enough - 1])
        rest = rest[: enough - 1]
    for leaf in list(needed):
        fewer = [other for other in needed if other is not leaf]
        if suffices(fewer):
            needed = fewer
    return tuple((".".join(keys), value) for keys, value in reversed(needed))


def _leaves(document: Document) -> list[Leaf]:
    found: list[Leaf] = []
    pending: list[Leaf] = [((), document)]
    while pending:
        keys, value = pending.pop()
        if isinstance(value, dict) and value:
            pending.extend(((*keys, key), value[key]) for key in reversed(value))
        elif keys:
            found.append((keys, value))
    return found


def _document(leaves: list[Leaf]) -> Document:
    document: dict[str, Any] = {}
    for (*parents, last), value in leaves:
        node = document
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return document
