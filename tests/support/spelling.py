"""One value spelled in many ways: JSON and XML as a hostile or careless exporter may write it."""

from dataclasses import dataclass
from random import Random
from typing import Any
from xml.sax.saxutils import escape

_SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MUST_ESCAPE = frozenset('"\\') | {chr(code) for code in range(32)}


@dataclass(frozen=True)
class Token:
    """A JSON number, spelled as it is."""

    text: str


@dataclass(frozen=True)
class Packed:
    """JSON inside of a string of JSON."""

    value: Any


@dataclass(frozen=True)
class PackedXml:
    """EventData as XML inside of a string of JSON."""

    data: dict[str, str]


def json_text(value: Any, random: Random, blanks: str = " \t\r") -> str:
    """Return a value as JSON, with white space and escapes of any character where chance says."""

    def blank() -> str:
        return random.choice(blanks) * random.randrange(3) if random.random() < 0.3 else ""

    match value:
        case Token():
            return value.text
        case Packed():
            return _string(json_text(value.value, random, blanks + "\n"), random)
        case PackedXml():
            return _string(xml_text(value.data, random), random)
        case str():
            return _string(value, random)
        case dict():
            members = (
                f"{blank()}{_string(key, random)}{blank()}:{blank()}"
                f"{json_text(item, random, blanks)}{blank()}"
                for key, item in value.items()
            )
            return f"{{{','.join(members) or blank()}}}"
        case list():
            items = (f"{blank()}{json_text(item, random, blanks)}{blank()}" for item in value)
            return f"[{','.join(items) or blank()}]"
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case _:
            return repr(value)


def xml_text(data: dict[str, str], random: Random) -> str:
    """Return EventData as XML, with references of characters and markup where chance says."""
    items = "".join(
        f'<Data Name="{name}">{_xml_string(value, random)}</Data>' for name, value in data.items()
    )
    return f"<EventData>{items}</EventData>"


def _string(text: str, random: Random) -> str:
    often = random.choice((0.0, 0.0, 0.1, 1.0))
    return f'"{"".join(_character(character, random, often) for character in text)}"'


def _character(character: str, random: Random, often: float) -> str:
    short = _SHORT.get(character)
    if character in _MUST_ESCAPE or random.random() < often:
        if short is not None and random.random() < 0.5:
            return short
        units = character.encode("utf-16-be")
        hexadecimal = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        return "".join(
            f"\\u{unit.upper() if random.random() < 0.5 else unit}" for unit in hexadecimal
        )
    return character


def _xml_string(text: str, random: Random) -> str:
    often = random.choice((0.0, 0.3, 1.0))
    split = random.choice((0.0, 0.0, 0.3, 1.0))
    return "".join(
        _reference(character, random)
        if random.random() < often
        else _marked(character, random)
        if random.random() < split
        else escape(character)
        for character in text
    )


def _marked(character: str, random: Random) -> str:
    """Return a character with markup beside or around it that is no part of the text."""
    mark = random.choice(("<!---->", "<!-- 4 -->", "<?x?>", "<?Z 1?>", "<?_\t?>", "<![CDATA[]]>"))
    plain = random.choice((escape(character), f"<![CDATA[{character}]]>"))
    return random.choice((plain, plain + mark, mark + plain))


def _reference(character: str, random: Random) -> str:
    zeros = "0" * random.randrange(3)
    code = ord(character)
    return random.choice((f"&#{zeros}{code};", f"&#x{zeros}{code:x};", f"&#x{zeros}{code:X};"))
