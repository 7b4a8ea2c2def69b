"""EventData by name, out of the lists and texts that some exporters pack it in."""

import re
from collections.abc import Mapping
from typing import Any

from smbrare.records.event_xml import event_from_xml
from smbrare.records.fields import Malformed, long
from smbrare.records.json_text import BadJson, decode

_NAMES = ("Name", "@Name")
_TEXTS = ("text", "#text", "Text", "value", "Value")
_WRAPPERS = ("DataItem", "Event", "EventData", "Data")
_DATA_BEGINS = re.compile(r"<EventData\b")
_DATA_ENDS = "</EventData>"

_SYSMON_CONNECTION = (
    *("RuleName", "UtcTime", "ProcessGuid", "ProcessId", "Image", "User", "Protocol", "Initiated"),
    *("SourceIsIpv6", "SourceIp", "SourceHostname", "SourcePort", "SourcePortName"),
    *("DestinationIsIpv6", "DestinationIp", "DestinationHostname"),
    *("DestinationPort", "DestinationPortName"),
)
_FIREWALL_CONNECTION = (
    *("ProcessID", "Application", "Direction", "SourceAddress", "SourcePort"),
    *("DestAddress", "DestPort", "Protocol"),
)
_ORDERS: Mapping[tuple[int, int], tuple[str, ...]] = {
    (3, 18): _SYSMON_CONNECTION,
    (3, 17): _SYSMON_CONNECTION[1:],  # Sysmon before 8 has no RuleName.
    **{(5156, count): _FIREWALL_CONNECTION for count in range(11, 18)},
}
"""Event number and count of values → the names in the order of the provider's manifest.

What later versions of event 5156 add stands after the names that are read here.
"""


def from_text(text: str) -> Any:
    """Return what a text packs: a JSON value, or EventData out of XML.

    Raises:
        Malformed: If it is neither.
    """
    if text.lstrip().startswith("<"):
        # No expression for both: it would look for the end anew behind every beginning.
        begin = _DATA_BEGINS.search(text)
        end = text.rfind(_DATA_ENDS) + len(_DATA_ENDS)
        inner = text[begin.start() : end] if begin else ""
        event = inner and event_from_xml(f"<Event><System><Channel/></System>{inner}</Event>")
        if not event:
            raise Malformed("no EventData")
        return event["Event"]["EventData"]
    try:
        return decode(text) if text.strip() else None
    except BadJson as error:
        raise Malformed(str(error)) from None


def as_names(value: object) -> dict[str, Any]:
    """Return EventData by name, from whatever wraps it and from a list of name and text.

    Raises:
        Malformed: If it is neither an object nor a list.
    """
    for _ in range(len(_WRAPPERS) + 1):
        if isinstance(value, Mapping):
            inner = [value[key] for key in _WRAPPERS if isinstance(value.get(key), list | Mapping)]
            if not inner:
                return _values_by_name([value]) or dict(value)
            value = inner[0]
        elif isinstance(value, list):
            return _values_by_name(value)
        elif value is None:
            return {}
        else:
            break
    raise Malformed("no EventData")


def _values_by_name(items: list[Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for item in items:
        if isinstance(item, Mapping):
            name = next((item[key] for key in _NAMES if key in item), None)
            if isinstance(name, str):
                named[name] = next((item[key] for key in _TEXTS if key in item), None)
    return named


def from_position(event_id: object, values: list[Any]) -> dict[str, Any]:
    """Return values that stand in the order of the manifest by name; empty where it is unknown."""
    try:
        names = _ORDERS.get((long(event_id), len(values)), ())
    except Malformed:
        return {}
    return dict(zip(names, values, strict=False))
