"""Winlogbeat: its other raw events, and documents after its ingest pipeline."""

from smbrare.event import Document
from smbrare.fields import keyword, leaves
from smbrare.sources import ecs
from smbrare.sources.mapping import Settings, Table, Take, View
from smbrare.sources.windows_event import WindowsEvent

TABLE: Table = {
    **ecs.TABLE,
    "host.os.type": (
        *ecs.TABLE["host.os.type"],
        Take(constant="windows", inferred="Winlogbeat, which runs on Windows only"),
    ),
}

OTHER: Table = {
    "@timestamp": (Take("time"),),
    "event.code": (Take("event_id"),),
    "host.name": (Take("computer"),),
}
"""What is read of Windows events that are no network events: they are counted, not judged."""


def _is_winlogbeat(document: Document) -> bool:
    agents = leaves(document, "agent.type") + leaves(document, "@metadata.beat")
    return "winlogbeat" in agents or bool(leaves(document, "winlog.channel"))


recognize_mapped = ecs.mapped("winlogbeat", TABLE, _is_winlogbeat)


def recognize(event: WindowsEvent, settings: Settings) -> View:
    """Return the view of a Windows event that no other source reads."""
    kind = f"{keyword(event.channel) or 'Windows'} event {event.event_id}"
    source = event.source if event.source == "winlogbeat" else "windows_event"
    return View(source, kind, event.document, OTHER, settings)
