"""One Windows event in XML, as the document that the EVTX library gives for the same event.

Expat of the standard library reads it: it opens nothing by itself, Python ships its fixes, and no
other library is needed. A document type is refused as soon as it begins, so that no entity is
ever declared, let alone expanded.
"""

import re
from collections import Counter
from typing import Any
from xml.parsers import expat

from msgspec import Struct, field

from smbrare.limits import DEFAULT, TOO_DEEP, Limits
from smbrare.records.event import Document

# What XML 1.0 forbids, as a character and as a reference to one.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    "|&#0{0,8}(?:[0-8]|1[124-9]|2[0-9]|3[01]);"
    "|&#x0{0,8}(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]);",
    re.IGNORECASE,
)

_NAMED_DATA = frozenset({"EventData", "UserData"})


class BadXml(ValueError):  # noqa: N818 - says what the text is
    """Text that is no XML of one event; the message says why."""


def event_from_xml(text: str | bytes, limits: Limits = DEFAULT) -> Document | None:
    """Return the event that an XML text holds, or None if it holds none.

    Args:
        text: One ``<Event>…</Event>``, as Windows renders it; bytes are UTF-8.
        limits: The bounds on nesting, elements and attributes.
    """
    try:
        return parse(text, limits)
    except BadXml:
        return None


def parse(text: str | bytes, limits: Limits = DEFAULT) -> Document:
    """Return the event that an XML text holds.

    The document has the names of the XML: attributes below ``#attributes``, the text of an
    element that has attributes or children as ``#text``, and the values of EventData by the name
    of their Data element. All values are text. Of a name given twice in EventData the last
    counts, as in JSON; other elements of one name are numbered (``Name``, ``Name_1``).

    Windows writes characters that XML forbids where an event holds them. They are read as U+FFFD,
    so that one control character in a host name does not hide an event.

    Raises:
        BadXml: If it is no well-formed XML, has a document type, exceeds the limits, or is no
            event.
    """
    strict = (text.encode("utf-8", "replace") if isinstance(text, str) else text).strip()
    try:
        root = _root(strict, limits)
    except BadXml:
        legal = _ILLEGAL.sub("\ufffd", strict.decode("utf-8", "replace")).encode()
        if legal == strict:
            raise
        root = _root(legal, limits)
    if root.name != "Event":
        raise BadXml(f"no event: its root is {root.name}")
    if not isinstance(root.value, dict) or not isinstance(root.value.get("System"), dict):
        raise BadXml("no event: it has no System element")
    return {"Event": root.value}


class _Element(Struct):
    """An element that is being read; its value is known when it ends."""

    name: str
    attributes: dict[str, str]
    children: list["_Element"] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    value: Any = None


def _root(text: bytes, limits: Limits) -> _Element:
    """Return the root element of a well-formed text without a document type."""
    above = _Element("", {})
    open_elements = [above]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_elements) > limits.nesting:
            raise BadXml(TOO_DEEP)
        if count > limits.xml_elements:
            raise BadXml(f"more than {limits.xml_elements} elements (limit xml-elements)")
        if len(attributes) > limits.xml_attributes:
            raise BadXml(f"more than {limits.xml_attributes} attributes (limit xml-attributes)")
        element = _Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        element = open_elements.pop()
        element.value = _value(element)
        element.children.clear()

    def text_part(data: str) -> None:
        open_elements[-1].text.append(data)

    def refuse(*_: object) -> None:
        raise BadXml("a document type, which is not read")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text_part
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        raise BadXml(f"no XML: {expat.ErrorString(error.code)}") from None
    return above.children[0]


def _value(element: _Element) -> Any:
    """Return an element that has ended as a JSON value."""
    text = "".join(element.text)
    if not element.children and not element.attributes:
        return text if text.strip() else None
    value: dict[str, Any] = {}
    if element.attributes:
        value["#attributes"] = element.attributes
    if text.strip():
        value["#text"] = text
    unnamed: list[str] = []
    seen: Counter[str] = Counter()
    for child in element.children:
        if child.name == "Data" and element.name in _NAMED_DATA:
            content = "".join(child.text)
            name = child.attributes.get("Name")
            if name:
                value[name] = content
            else:
                unnamed.append(content)
        else:
            number = seen[child.name]
            seen[child.name] += 1
            value[f"{child.name}_{number}" if number else child.name] = child.value
    if unnamed:
        value["Data"] = {"#text": unnamed}
    return value
