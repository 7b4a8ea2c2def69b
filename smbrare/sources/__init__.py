"""Which source a record comes from, decided a record at a time by its content."""

from collections.abc import Callable

from smbrare.event import Document
from smbrare.fields import leaves
from smbrare.sources import ecs, sysmon, windows_firewall, winlogbeat
from smbrare.sources.mapping import Settings, View
from smbrare.sources.windows_event import WindowsEvent, unwrap

DOCUMENT_SOURCES: tuple[Callable[[Document, Settings], View | None], ...] = (
    winlogbeat.recognize_mapped,
    ecs.recognize,  # Last: it takes every ECS document.
)
"""Sources recognized by the document itself, in the order asked."""

WINDOWS_SOURCES: tuple[Callable[[WindowsEvent, Settings], View | None], ...] = (
    sysmon.recognize,
    windows_firewall.recognize,
    winlogbeat.recognize,  # Last: it takes every Windows event.
)
"""Sources of Windows events, raw, in the order asked."""


def recognize(document: Document, settings: Settings) -> View | None:
    """Return a record as an ECS event seen through its source's table, or None if unknown."""
    for recognize_document in DOCUMENT_SOURCES:
        view = recognize_document(document, settings)
        if view is not None:
            return view
    event = unwrap(document)
    if event is not None:
        for recognize_event in WINDOWS_SOURCES:
            view = recognize_event(event, settings)
            if view is not None:
                return view
    return None


def is_alert(document: Document) -> bool:
    """Return whether a document is an alert of Elastic's, or a finding of smbrare's.

    They repeat the event that they were raised on; to read them would count it twice.
    """
    if "smbrare" in document and leaves(document, "smbrare.id"):
        return True
    return any(
        bool(leaves(document, path))
        for path in ("kibana.alert.rule.uuid", "kibana.alert.uuid", "signal.rule.id")
    )
