"""Lines that match the rule, one for each form of the fixtures, and where to change them."""

import re
from enum import Enum
from pathlib import Path

from smbrare.records import envelope
from smbrare.records.json_text import decode
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate
from smbrare.sources import recognize

FIXTURES = Path(__file__).parents[1] / "fixtures"

_PORT = re.compile(rb"\b(?:445|139)\b")
_ADDRESS = re.compile(rb"45\.83\.122\.10|91\.219\.236\.18|185\.220\.101\.4")


class Place(Enum):
    """Where in a line fuzzed bytes stand."""

    PORT = "in place of the port's digits"
    ADDRESS = "in place of the destination"
    FIRST = "before all that the record holds"
    LAST = "behind it"


def _matching() -> tuple[bytes, ...]:
    found = []
    for path in sorted((FIXTURES / "sources").glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            views = [recognize(event, ReadOptions()) for event in envelope.events(decode(line))]
            if any(view is not None and predicate.matches(view) for view in views):
                found.append(line)
                break
    return tuple(found)


TEMPLATES = _matching()
GOOD = TEMPLATES[0]


def filled(line: bytes, place: Place, data: bytes) -> bytes:
    """Return a line with other bytes in a place; line feeds would make two of it."""
    data = data.replace(b"\n", b" ")
    match place:
        case Place.PORT:
            return _PORT.sub(lambda _: data, line)
        case Place.ADDRESS:
            return _ADDRESS.sub(lambda _: data, line)
        case Place.FIRST:
            return b"{" + data + b"," + line[1:]
        case Place.LAST:
            return line[:-1] + b"," + data + b"}"
