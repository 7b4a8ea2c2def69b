"""Documents that are ECS already: exported from Elasticsearch, or written by an ECS agent."""

from collections.abc import Callable

from smbrare.event import Document
from smbrare.fields import first, keyword, leaves
from smbrare.sources.mapping import Settings, Table, Take, View

_READ_AS_THEY_ARE = (
    "@timestamp",
    "event.ingested",
    "event.category",
    "event.type",
    "event.action",
    "event.outcome",
    "event.id",
    "event.code",
    "event.dataset",
    "host.name",
    "host.id",
    "host.os.type",
    "user.name",
    "user.domain",
    "process.pid",
    "process.name",
    "process.executable",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "destination.domain",
    "network.transport",
    "network.direction",
)


def _windows(value: object) -> str | None:
    return "windows" if keyword(value).lower().startswith("windows") else None


TABLE: Table = {
    **{name: (Take(name),) for name in _READ_AS_THEY_ARE},
    # The collector's name stands in host.name of forwarded events.
    "host.name": (Take("winlog.computer_name"), Take("host.name"), Take("host.hostname")),
    "host.os.type": (
        Take("host.os.type"),
        Take("host.os.platform", _windows, inferred="host.os.platform"),
        Take("host.os.name", _windows, inferred="host.os.name"),
    ),
}
"""ECS to itself; a source adds what its mapping is known to leave out."""


def is_ecs(document: Document) -> bool:
    """Return whether a document names its fields as ECS does for a network event."""
    return bool(leaves(document, "event.category")) or (
        bool(leaves(document, "destination.ip")) and bool(leaves(document, "source.ip"))
    )


def dataset(document: Document) -> str:
    """Return what tells a document's integration: data set or module, in lower case."""
    return keyword(
        first(document, "data_stream.dataset", "event.dataset", "event.module") or ""
    ).lower()


def mapped(
    source: str, table: Table, recognizes: Callable[[Document], bool]
) -> Callable[[Document, Settings], View | None]:
    """Return a recognizer of ECS documents that one source's pipeline wrote."""

    def recognize(document: Document, settings: Settings) -> View | None:
        if not is_ecs(document) or not recognizes(document):
            return None
        return View(source, f"{source} document", document, table, settings)

    return recognize


recognize = mapped("ecs", TABLE, lambda _: True)
