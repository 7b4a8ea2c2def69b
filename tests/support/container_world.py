"""One synthetic world of connections, written in every container that the readers know."""

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from smbrare.inputs.containers import Part, parts
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import DEFAULT, Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Record, Skipped
from smbrare.records.paths import first
from smbrare.records.times import date
from smbrare.sources import column_names
from tests.support.evtx_writer import evtx

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@dataclass(frozen=True)
class Connection:
    """One connection of the world."""

    to: str
    time: datetime
    port: int

    @property
    def iso(self) -> str:
        """The time as ECS has it."""
        return f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03d}Z"

    @property
    def blank(self) -> str:
        """The time as Sysmon has it."""
        return self.iso.replace("T", " ").rstrip("Z")

    @property
    def kibana(self) -> str:
        """The time as Kibana shows it."""
        day, milliseconds = self.time.day, self.time.microsecond // 1000
        return f"{self.time:%b} {day}, {self.time:%Y @ %H:%M:%S}.{milliseconds:03d}"


START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
WORLD = tuple(
    Connection(
        f"45.83.{number % 7}.{number % 251}",
        START + timedelta(minutes=number * 7, milliseconds=number),
        49_000 + number,
    )
    for number in range(340)
)


def ecs(connection: Connection) -> dict[str, Any]:
    return {
        "@timestamp": connection.iso,
        "event": {"category": ["network"], "id": str(connection.port)},
        "host": {"name": "WS-ü", "os": {"type": "windows"}},
        "network": {"transport": "tcp"},
        "process": {"pid": 4},
        "source": {"ip": "10.20.1.11", "port": connection.port},
        "destination": {"ip": connection.to, "port": 445},
        "message": 'to {"x"} \\ \n, <Event> & more',
    }


def flat(document: Document, prefix: str = "") -> dict[str, Any]:
    """Return a document as the ``fields`` of a hit: dotted keys, every leaf an array."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value if isinstance(value, list) else [value]
    return found


def defender(connection: Connection) -> dict[str, Any]:
    return {
        "Timestamp": connection.iso,
        "DeviceName": "ws-ü.corp.example",
        "ActionType": "ConnectionSuccess",
        "LocalIP": "10.20.1.11",
        "LocalPort": str(connection.port),
        "RemoteIP": connection.to,
        "RemotePort": "445",
        "Protocol": "Tcp",
        "InitiatingProcessId": "4",
        "InitiatingProcessAccountSid": "S-1-5-18",
        "AdditionalFields": '{"a": "b, c"}',
    }


def streamed(connection: Connection) -> dict[str, Any]:
    """Return a record of Defender's streaming API."""
    return {
        "time": connection.iso,
        "category": "AdvancedHunting-DeviceNetworkEvents",
        "properties": defender(connection),
    }


def event_data(connection: Connection) -> dict[str, str]:
    return {
        "UtcTime": connection.blank,
        "ProcessId": "4",
        "Image": "System <&>",
        "Protocol": "tcp",
        "SourceIp": "10.20.1.11",
        "SourcePort": str(connection.port),
        "DestinationIp": connection.to,
        "DestinationPort": "445",
    }


def xml(connection: Connection) -> str:
    data = "".join(
        f"<Data Name='{name}'>{escape(value)}</Data>"
        for name, value in event_data(connection).items()
    )
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>3</EventID>"
        f"<TimeCreated SystemTime='{connection.iso}'/>"
        "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>WS-ü</Computer>"
        f"</System><EventData>{data}</EventData></Event>"
    )


def _hit(number: int, connection: Connection) -> dict[str, Any]:
    return {"_index": "logs", "_id": str(number), "_score": 1, "_source": ecs(connection)}


def _hits(world: Iterable[Connection]) -> list[dict[str, Any]]:
    return [_hit(number, connection) for number, connection in enumerate(world)]


def _field_hits(world: Iterable[Connection]) -> list[dict[str, Any]]:
    return [
        {"_index": "logs", "_id": str(number), "fields": flat(ecs(connection))}
        for number, connection in enumerate(world)
    ]


def _search(hits: list[dict[str, Any]]) -> dict[str, Any]:
    total = {"value": len(hits), "relation": "eq"}
    return {"took": 1, "_shards": {"total": 1}, "hits": {"total": total, "hits": hits}}


def _lines(values: Iterable[Any], between: str = "\n") -> str:
    return between.join(json.dumps(value, ensure_ascii=False) for value in values) + "\n"


def _table(rows: Iterable[dict[str, str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    listed = list(rows)
    writer = csv.DictWriter(text, list(listed[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def _columns_and(rows: str, world: Iterable[Connection]) -> dict[str, Any]:
    """Return the world's rows of Advanced Hunting as lists of values, behind their columns."""
    found = [{"TenantId": "t" * 36, **defender(each)} for each in world]
    names = list(found[0])
    columns = [{"name": name, "type": "string"} for name in names]
    return {"columns": columns, rows: [[row[name] for name in names] for row in found]}


def _kibana_row(connection: Connection) -> dict[str, str]:
    return {
        "@timestamp": connection.kibana,
        "destination.ip": connection.to,
        "destination.port": "445",
        "source.ip": "10.20.1.11",
        "source.port": f"{connection.port:,}",
        "event.category": "network, session",
        "host.os.type": "windows",
        "network.transport": "tcp",
        "process.pid": "4",
        "host.name": "WS-ü",
        "process.name": "'-",
        "message": 'several "lines",\nof text',
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


HEADERS = "HTTP/1.1 200 OK\ncontent-type: application/json\nx: {\n\n"


def _split(world: Iterable[Connection]) -> list[str]:
    return _lines(map(ecs, world)).splitlines(keepends=True)


TEXTS: dict[str, Callable[[Iterable[Connection]], str]] = {
    "ndjson": lambda world: _lines(map(ecs, world)),
    "ndjson with blank lines": lambda world: "\n" + _lines(map(ecs, world), "\n\n"),
    "elasticdump lines": lambda world: _lines(_hits(world)),
    "a search response a line": lambda world: _lines(_search([hit]) for hit in _hits(world)),
    "Event Hub batches a line": lambda world: _lines(
        {"records": [streamed(each)]} for each in world
    ),
    "RFC 7464 lines": lambda world: "".join(f"\x1e{line}" for line in _split(world)),
    "syslog lines": lambda world: "".join(f"<13>Nov 18 09:11:18 ws: {x}" for x in _split(world)),
    "container log lines": lambda world: "".join(
        f"2026-11-18T09:11:18.123Z stdout F {line}" for line in _split(world)
    ),
    "HTTP answer": lambda world: HEADERS + json.dumps(_search(_hits(world))),
    "HTTP answer in lines": lambda world: HEADERS + _lines(map(ecs, world)),
    "answers of Dev Tools": lambda world: "".join(
        f"# GET /logs/_search 200 OK\n{_pretty(_search([hit]))}\n" for hit in _hits(world)
    ),
    "pretty objects": lambda world: "".join(_pretty(ecs(each)) for each in world),
    "objects without anything between": lambda world: _lines(map(ecs, world), ""),
    "array": lambda world: json.dumps([ecs(each) for each in world]),
    "pretty array": lambda world: _pretty([ecs(each) for each in world]),
    "array, an element a line": lambda world: "[\n" + _lines(map(ecs, world), ",\n") + "]\n",
    "search response": lambda world: json.dumps(_search(_hits(world))),
    "pretty search response": lambda world: _pretty(_search(_hits(world))),
    "search response, fields": lambda world: json.dumps(_search(_field_hits(world))),
    "async search": lambda world: _pretty({"id": "x", "response": _search(_hits(world))}),
    "Kibana inspector": lambda world: _pretty({"rawResponse": _search(_hits(world))}),
    "several searches": lambda world: json.dumps(
        {"took": 1, "responses": [_search([hit]) for hit in _hits(world)]}
    ),
    "EQL answer": lambda world: json.dumps({"hits": {"events": list(_hits(world))}}),
    "EQL sequences": lambda world: _pretty(
        {"hits": {"sequences": [{"join_keys": ["x"], "events": [hit]} for hit in _hits(world)]}}
    ),
    "several documents by id": lambda world: _pretty({"docs": list(_hits(world))}),
    "top hits in a line": lambda world: json.dumps(
        {"aggregations": {"by": {"buckets": [{"top": _search([hit])} for hit in _hits(world)]}}}
    ),
    "ES|QL": lambda world: json.dumps(_columns_and("values", world)),
    "Log Analytics": lambda world: _pretty({"tables": [_columns_and("rows", world)]}),
    "Event Hub batch": lambda world: json.dumps({"records": [streamed(each) for each in world]}),
    "Advanced Hunting, old API": lambda world: json.dumps(
        {"Stats": {}, "Schema": [{"Name": "a"}], "Results": [defender(each) for each in world]}
    ),
    "Advanced Hunting, Graph": lambda world: _pretty(
        {"schema": [{"name": "a"}], "results": [defender(each) for each in world]}
    ),
    "integration test, raw": lambda world: _pretty({"events": [ecs(each) for each in world]}),
    "integration test, expected": lambda world: _pretty({"expected": [ecs(one) for one in world]}),
    "ConvertTo-Json": lambda world: _pretty({"value": [ecs(one) for one in world], "Count": 1}),
    "Kibana CSV": lambda world: _table(map(_kibana_row, world)),
    "Advanced Hunting CSV": lambda world: _table(map(defender, world)),
    "CSV with semicolons": lambda world: _table(map(defender, world), ";"),
    "CSV of Excel": lambda world: "sep=;\n" + _table(map(defender, world), ";"),
    "event XML with a root": lambda world: (
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<Events>'
        + "".join(map(xml, world))
        + "</Events>\n"
    ),
    "event XML without a root": lambda world: "\n".join(map(xml, world)),
    "event XML without anything between": lambda world: "".join(map(xml, world)),
}
"""Every form of text, by name."""


@cache
def told(form: str) -> str:
    """Return the whole world in a form of text, which is written once for all tests."""
    return TEXTS[form](WORLD)


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "utf-16 little": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "utf-16 little without mark": lambda text: text.encode("utf-16-le"),
    "utf-16 big without mark": lambda text: text.encode("utf-16-be"),
    "utf-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}

LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def in_two(pack: Callable[[bytes], bytes], content: bytes) -> bytes:
    """Return two members of a compressed file, cut in the middle of a record."""
    half = len(content) // 2
    return pack(content[:half]) + pack(content[half:])


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "zip": lambda content: zipped({"a.log": content}),
    "tar": lambda content: tarred({"a.log": content}),
    "gzip tar": lambda content: gzip.compress(tarred({"a.log": content})),
    "zip gzip": lambda content: zipped({"a.log.gz": gzip.compress(content)}),
    "zip zip": lambda content: zipped({"a.zip": zipped({"a.log": content})}),
    "gzip tar gzip": lambda content: gzip.compress(tarred({"a.gz": gzip.compress(content)})),
    "xz tar zip": lambda content: lzma.compress(tarred({"a.zip": zipped({"a.log": content})})),
}
"""Compressions and archives, by the layers that `Part.container` names."""


@cache
def packed(layers: str, content: bytes) -> bytes:
    """Return a content in layers, which takes long for some of them and is done once."""
    return PACKED[layers](content)


MULTIPLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: in_two(gzip.compress, content),
    "bzip2": lambda content: in_two(bz2.compress, content),
    "xz": lambda content: in_two(lzma.compress, content) + bytes(8),
    "zstd": lambda content: in_two(zstd.compress, content),
}
"""Compressions with several members."""


def evtx_file(world: Iterable[Connection]) -> bytes:
    return evtx(map(event_data, world))


@dataclass(frozen=True)
class Outcome:
    """What was read of an input."""

    parts: tuple[Part, ...]
    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]

    @property
    def containers(self) -> list[str]:
        """The container of each part."""
        return [part.container for part in self.parts]

    @property
    def seen(self) -> list[tuple[str, int]]:
        """What each document names, as `expected` has it."""
        return [seen(document) for document in self.documents]


def read(stream: bytes | io.BufferedIOBase, limits: Limits = DEFAULT) -> Outcome:
    """Read an input as the program does, to its end."""
    source: Any = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    found: list[Part] = []
    documents: list[Document] = []
    skipped: list[Skipped] = []
    for part in parts(source, "input", limits, columns=column_names):
        found.append(part)
        for item in records_of(part, limits):
            if isinstance(item, Record):
                documents.extend(envelope.events(item.document))
            else:
                skipped.append(item)
    return Outcome(tuple(found), tuple(documents), tuple(skipped))


def seen(document: Document) -> tuple[str, int]:
    """Return the address and the time, in microseconds, that a document of the world names."""
    to = first(
        document,
        "destination.ip",
        "RemoteIP",
        "properties.RemoteIP",
        "Event.EventData.DestinationIp",
    )
    time = first(
        document,
        "@timestamp",
        "Timestamp",
        "properties.Timestamp",
        "Event.EventData.UtcTime",
    )
    return to, date(time).time


@cache
def expected(world: tuple[Connection, ...] = WORLD) -> list[tuple[str, int]]:
    return [(each.to, date(each.iso).time) for each in world]


class Pipe(io.RawIOBase):
    """Bytes that come in small pieces and cannot be sought."""

    def __init__(self, content: bytes, piece: int = 1000) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self._piece = piece

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Give the next piece."""
        data = self._content.read(min(len(buffer), self._piece))
        buffer[: len(data)] = data
        return len(data)


def records_of(part: Part, limits: Limits = DEFAULT) -> Iterator[Record | Skipped]:
    """Yield every record of a part, and what was skipped."""
    for item in part.read(ReaderOptions(limits)).items:
        if isinstance(item, Record | Skipped):
            yield item
