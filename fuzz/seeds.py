"""Inputs to begin with: the fixtures, and spellings that once were hard."""

from collections.abc import Iterator
from itertools import islice

from fuzz.lines import FIXTURES, TEMPLATES, Place

_LONGEST = 20_000
_VALUES = (
    b"445", b'"00445"', b'"+445"', b"445.0", b"\\u0034\\u0034\\u0035", b"&#52;45", b"80",
    b"&#5\\u0032;45", b"&#x\\u0033\\u0034;45", b"&\\u002352;45", b"4<!-- -->45", b"4<?x?>45",
    b"<![CDATA[4]]>45", b"4\\u003c!-- --\\u003e45", b"microsoft-ds", b"netbios-ssn",
    b"\\\\u003445", b"139.9", b'["80", 445]', b"444.99999999999999", b"10.0.0.5", b"::1",
    b"::ffff:45.83.122.10", b"2001:db8::1", b'"destination":{"ip":"10.0.0.5"}',
    b'"destination.ip":"10.0.0.5"', b'"winlog":{"event_data":{"DestinationIp":"10.0.0.5"}}',
    b'"destination":null', b'"Event":{"EventData":{"DestAddress":"10.0.0.5"}}', b'"_source":{}',
    b'"\\u0064estination":{"ip":"10.0.0.5","port":1}', b'"a":"\\ud800"', b'"a":1e400',
)  # fmt: skip
_SCALARS = (
    b"2026-11-16T08:00:00.123456789Z", b"/Date(1763280000000)/", b"1763280000000", b"0x4", b"004",
    b"4.7", b"4e0", b"1e1000000", b"9223372036854775808", b"fe80::1%eth0", b"10.1", b"true",
    b'["-", "", null, {"a": [1]}]', b"Nov 16, 2026 @ 08:00:00.000",
)  # fmt: skip
_TEXTS = (
    b"=1+1", b"\x1b[31m", b"`` a | b ``", b"```\n````", b"\xe2\x80\xae", b"[a](b) {0}", b"<script>",
)  # fmt: skip


def _files(folder: str, endings: tuple[str, ...]) -> Iterator[bytes]:
    for path in sorted((FIXTURES / folder).iterdir()):
        if path.name.endswith(endings):
            yield path.read_bytes()[:_LONGEST]


def _records() -> Iterator[bytes]:
    for content in _files("sources", (".ndjson",)):
        yield from islice(content.splitlines(), 2)


def _changes() -> Iterator[bytes]:
    for number in range(len(TEMPLATES)):
        for place in range(len(Place)):
            for value in _VALUES:
                yield bytes((number, place)) + value


def seeds(target: str) -> Iterator[bytes]:
    """Yield the inputs that a target begins with."""
    match target:
        case "containers":
            yield from _files("containers", ("",))
            yield from _files("sources", (".ndjson",))
        case "arrays":
            yield from _files("containers", (".json",))
            yield b",\n".join(_records())[:_LONGEST]
            yield b'{"a":"},{"},\n{"b":[{"c":1}, {"d":2}]}, null, {"e":"\xff"}, {"f":"\\ud800"}'
        case "json":
            yield from _files("containers", (".json", ".ndjson"))
            yield from _records()
        case "lines" | "sources":
            yield from _records()
        case "rejections":
            yield from _changes()
        case "tables":
            yield from _files("containers", (".csv",))
        case "xml":
            yield from _files("containers", (".xml",))
        case "fields":
            yield from _SCALARS
        case "texts":
            yield from _TEXTS
