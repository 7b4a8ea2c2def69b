"""Documents that are ECS already: exported from Elasticsearch, or written by an ECS agent."""

from typing import Any

from smbrare.records.event import Document
from smbrare.records.fields import keyword
from smbrare.records.paths import first, leaves
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.mapping import ANY_ORIGIN, Layout, Marks

EVENT_FIELDS = (
    *("event.category", "event.type", "event.action", "event.outcome"),
    *("event.id", "event.code", "event.dataset"),
    *("host.name", "host.id", "host.os.type"),
    *("user.name", "user.domain"),
    *("process.pid", "process.name", "process.executable"),
    *("source.ip", "source.port"),
    *("destination.ip", "destination.port", "destination.domain"),
    *("network.transport", "network.direction"),
)
"""The ECS fields of an event that a finding carries, in the order of output."""

_READ_AS_THEY_ARE = ("@timestamp", "event.ingested", "dns.question.name", *EVENT_FIELDS)


def windows(value: object) -> str | None:
    """Return ``windows`` for a name of an operating system that begins so, None for others."""
    return "windows" if keyword(value).lower().startswith("windows") else None


def not_forwarded(document: Document) -> bool:
    """Return whether ``host`` is the machine of the event, not one that collected its log."""
    computer = first(document, "winlog.computer_name")
    name = None if computer is None else first(document, "host.name")
    if not isinstance(computer, str) or not isinstance(name, str):
        return True
    return computer.lower().partition(".")[0] == name.lower().partition(".")[0]


TABLE: FieldTable = {
    **{name: (FieldRule(name),) for name in _READ_AS_THEY_ARE},
    # Vector and Graylog rename it.
    "@timestamp": (
        FieldRule("@timestamp"),
        FieldRule("timestamp", inferred="timestamp, since there is no @timestamp"),
    ),
    # The collector's name and id stand in host of forwarded events.
    "host.name": (
        FieldRule("winlog.computer_name"),
        FieldRule("host.name"),
        FieldRule("host.hostname"),
    ),
    "host.id": (FieldRule("host.id", when=not_forwarded),),
    "event.category": (FieldRule("event.category", word="network"),),
    "network.transport": (FieldRule("network.transport", word="tcp"),),
    "host.os.type": (
        FieldRule("host.os.type", word="windows"),
        FieldRule("host.os.platform", windows, inferred="host.os.platform"),
        FieldRule("host.os.name", windows, inferred="host.os.name"),
    ),
    # The Defender XDR integration writes answers as plain texts.
    "dns.answers.data": (
        FieldRule("dns.resolved_ip"),
        FieldRule("dns.answers.data"),
        FieldRule("dns.answers"),
    ),
}
"""ECS to itself; a source adds what its mapping is known to leave out."""

DATASET = ("data_stream.dataset", "event.dataset", "event.module")
SHIPPER = ("agent.type", "@metadata.beat")

MARKS: Marks = (("event.category", "destination.ip"), ("event.category", "source.ip"))
BY_DATASET: Marks = (DATASET, *MARKS)
BY_SHIPPER: Marks = (SHIPPER, *MARKS)


def is_ecs(document: Document) -> bool:
    """Return whether a document names its fields as ECS does for a network event."""
    return bool(leaves(document, "event.category")) or (
        bool(leaves(document, "destination.ip")) and bool(leaves(document, "source.ip"))
    )


def dataset(document: Document) -> str:
    """Return the data set or module that names a document's integration, in lower case."""
    value = first(document, *DATASET)
    return value.lower() if isinstance(value, str) else ""


def shippers(document: Document) -> list[Any]:
    """Return the program that shipped a document, by the names that Beats give it."""
    agent, beat = SHIPPER
    return leaves(document, agent) or leaves(document, beat)


def recognize_mapped(_document: Document, _dataset: str) -> Layout:
    """Return the layout of an ECS document that no other source claims."""
    return Layout(ANY_ORIGIN, "ECS document", TABLE, MARKS)


NAME = "dns.question.name"

ANSWERS = "dns.answers.data"
