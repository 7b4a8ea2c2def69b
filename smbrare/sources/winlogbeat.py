"""Winlogbeat: its raw events that no other source reads, and its other ECS documents.

What Winlogbeat ships of Sysmon is read by `sysmon`, of the Windows Filtering Platform by
`windows_firewall`.
"""

from smbrare.records.event import Document
from smbrare.sources import ecs
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import Layout
from smbrare.sources.windows_event import WindowsEvent

MAPPED: FieldTable = {
    **ecs.TABLE,
    "host.os.type": (
        *ecs.TABLE["host.os.type"],
        FieldRule(constant="windows", inferred="Winlogbeat, which runs on Windows alone"),
    ),
}


def recognize(event: WindowsEvent) -> Layout | None:
    """Return the layout of a Windows event that no other source reads.

    None if it may be a connection whose log nothing tells, or has neither number nor log: then
    its parts may lie inside of texts.
    """
    if event.may_be_connection or (event.event_id is None and not event.channel):
        return None
    source = "winlogbeat" if event.shape.source == "winlogbeat" else "windows_event"
    return event.record(source, f"{event.channel or 'Windows'} event {event.event_id}")


def recognize_mapped(document: Document, _dataset: str) -> Layout | None:
    """Return the layout of an ECS document that Winlogbeat shipped."""
    if "winlogbeat" not in ecs.shippers(document):
        return None
    return Layout("winlogbeat", "Winlogbeat document", MAPPED, ecs.BY_SHIPPER)
