"""The XML of a Windows event to the JSON shape of evtx_dump; no entities, no external access."""

from typing import Any

from smbrare.event import Document


def event_from_xml(text: str) -> Document | None:
    """Return ``{"Event": {"System": …, "EventData": {name: value}}}``, or None for other text.

    A document type, an entity or a reference to another resource makes it no event.
    """
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415 - parsed by defusedxml

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root = fromstring(text.strip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    if _name(root) != "Event":
        return None
    parts = {_name(child): child for child in root}
    system = parts.get("System")
    data = parts.get("EventData")
    return {
        "Event": {
            "System": {} if system is None else {_name(item): _value(item) for item in system},
            "EventData": {} if data is None else _data(data),
        }
    }


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _value(element: Any) -> Any:
    if not element.attrib:
        return element.text
    attributes = {"#attributes": dict(element.attrib)}
    return attributes if element.text is None else attributes | {"#text": element.text}


def _data(element: Any) -> dict[str, Any]:
    return {item.get("Name"): item.text or "" for item in element if item.get("Name")}
