"""The Windows event inside an exporter's record, whatever the exporter wrapped it in.

Exporters agree on the names in EventData and on little else. Each shape is brought to one
document: ``event_id``, ``channel``, ``provider``, ``computer``, ``record_id``, ``time``, ``data``
(EventData by name) and ``message_data`` (the same names where only the rendered message has
them).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smbrare.event import Document
from smbrare.fields import first

SYSMON_CHANNEL = "microsoft-windows-sysmon/operational"
SYSMON_PROVIDER = "microsoft-windows-sysmon"
SECURITY_CHANNEL = "security"

_MESSAGE_LINE = re.compile(r"^([A-Za-z0-9]+): ?(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WindowsEvent:
    """One Windows event.

    Attributes:
        source: The source that the exporter makes it (``winlogbeat`` or ``sysmon``).
        event_id: The number of the event as text, empty where the record has none.
        channel: The log's channel in lower case.
        provider: The provider in lower case.
        document: The event in the one shape that the sources' tables read.
    """

    source: str
    event_id: str
    channel: str
    provider: str
    document: Document

    @property
    def is_sysmon(self) -> bool:
        """Whether Sysmon wrote it: other channels number their events 3 too."""
        return self.channel == SYSMON_CHANNEL or self.provider == SYSMON_PROVIDER

    @property
    def is_security(self) -> bool:
        """Whether it stands in the Security log."""
        return self.channel == SECURITY_CHANNEL


def unwrap(document: Document) -> WindowsEvent | None:
    """Return the Windows event that a record holds, or None if it holds none."""
    for recognizes, shape in _SHAPES:
        if recognizes(document):
            return shape(document)
    return None


def _event(source: str, raw: Document, **parts: Any) -> WindowsEvent:
    def text(name: str) -> str:
        value = parts.get(name)
        return "" if value is None else str(value)

    return WindowsEvent(
        source=source,
        event_id=text("event_id"),
        channel=text("channel").lower(),
        provider=text("provider").lower(),
        document={**parts, "raw": raw},
    )


def _winlogbeat(document: Document) -> WindowsEvent:
    """Winlogbeat 7 and 8: everything of the event below ``winlog``."""
    return _event(
        "winlogbeat",
        document,
        event_id=first(document, "winlog.event_id", "event.code"),
        channel=first(document, "winlog.channel"),
        provider=first(document, "winlog.provider_name", "event.provider"),
        # host.name is the collector where events were forwarded.
        computer=first(document, "winlog.computer_name", "host.name"),
        record_id=first(document, "winlog.record_id"),
        time=first(document, "winlog.time_created", "@timestamp"),
        data=first(document, "winlog.event_data"),
        action=first(document, "event.action"),
    )


def _winlogbeat_6(document: Document) -> WindowsEvent:
    """Winlogbeat 6: the same names one level higher."""
    return _event(
        "winlogbeat",
        document,
        event_id=first(document, "event_id"),
        channel=first(document, "log_name"),
        provider=first(document, "source_name"),
        computer=first(document, "computer_name", "host.name"),
        record_id=first(document, "record_number"),
        time=first(document, "@timestamp"),
        data=first(document, "event_data"),
    )


def _xml_as_json(document: Document) -> WindowsEvent:
    """The XML of an event as evtx_dump and the evtx library write it in JSON."""
    system = document["Event"].get("System") or {}
    event_id = system.get("EventID")
    if isinstance(event_id, dict):
        event_id = event_id.get("#text")
    return _event(
        "sysmon",
        document,
        event_id=event_id,
        channel=system.get("Channel"),
        provider=first(system, "Provider.#attributes.Name", "Provider_attributes.Name"),
        computer=system.get("Computer"),
        record_id=system.get("EventRecordID"),
        time=first(
            system, "TimeCreated.#attributes.SystemTime", "TimeCreated_attributes.SystemTime"
        ),
        data=document["Event"].get("EventData"),
    )


def _flat(document: Document) -> WindowsEvent:
    """NXLog and its like: EventData's names at the top, beside the record's own.

    ``ProcessID`` and ``ExecutionProcessID`` are the logging service. Older NXLog loses the
    subject's ``ProcessId`` beside its own ``ProcessID``; the rendered message still has it.
    """
    return _event(
        "sysmon",
        document,
        event_id=first(document, "EventID"),
        channel=first(document, "Channel"),
        provider=first(document, "SourceName", "ProviderName", "Provider"),
        computer=first(document, "Hostname", "Computer", "ComputerName"),
        record_id=first(document, "RecordNumber", "EventRecordID"),
        time=first(document, "TimeCreated", "EventTime"),
        data=document,
        message_data=_message_data(document.get("Message")),
    )


def _message_data(message: object) -> dict[str, str]:
    """Return the ``Name: value`` lines of a rendered message."""
    return dict(_MESSAGE_LINE.findall(message)) if isinstance(message, str) else {}


def _has_winlog(document: Document) -> bool:
    winlog = document.get("winlog")
    if isinstance(winlog, dict):
        return "channel" in winlog or "event_data" in winlog
    return "winlog.channel" in document


_SHAPES: tuple[tuple[Callable[[Document], bool], Callable[[Document], WindowsEvent]], ...] = (
    (_has_winlog, _winlogbeat),
    (lambda document: "event_data" in document and "log_name" in document, _winlogbeat_6),
    (lambda document: isinstance(document.get("Event"), dict), _xml_as_json),
    (lambda document: "EventID" in document and "Channel" in document, _flat),
)
