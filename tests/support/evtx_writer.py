"""Writes EVTX files for tests and fixtures: one chunk after another, values as text.

Follows the description of the format by Joachim Metz (libevtx). Records are plain BinXML, without
the templates that Windows uses.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping

_CHUNK_BYTES = 65_536
_CHUNK_HEADER_BYTES = 512
_FILETIME = 134_000_000_000_000_000
_SYSTEM = frozenset({"EventID", "Channel", "SystemTime"})

_OPEN, _OPEN_WITH_ATTRIBUTES, _CLOSE_START, _CLOSE_EMPTY, _END = 0x01, 0x41, 0x02, 0x03, 0x04
_VALUE, _ATTRIBUTE, _FRAGMENT, _END_OF_STREAM, _TEXT = 0x05, 0x06, 0x0F, 0x00, 0x01


def evtx(events: Iterable[Mapping[str, str]]) -> bytes:
    """Return an EVTX file of events with the given EventData, Sysmon's unless they name a channel.

    Args:
        events: For each event its EventData; under ``EventID`` its number, if that is not 3, and
            under ``Channel`` and ``SystemTime`` what stands in System.
    """
    chunks: list[bytes] = []
    records: list[bytes] = []
    number = first = 1
    chunk = _Chunk()
    for data in events:
        record = chunk.record(number, data)
        if chunk.size + len(record) > _CHUNK_BYTES:
            chunks.append(chunk.finish(records, first))
            chunk, records, first = _Chunk(), [], number
            record = chunk.record(number, data)
        records.append(record)
        chunk.size += len(record)
        number += 1
    chunks.append(chunk.finish(records, first))
    head = struct.pack(
        "<8sQQQIHHHH", b"ElfFile\0", 0, len(chunks) - 1, number, 128, 1, 3, 4096, len(chunks)
    ).ljust(120, b"\0")
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(4096, b"\0") + b"".join(chunks)


class _Chunk:
    def __init__(self) -> None:
        self.size = _CHUNK_HEADER_BYTES

    def record(self, number: int, data: Mapping[str, str]) -> bytes:
        start = self.size + 24
        channel = data.get("Channel", "Microsoft-Windows-Sysmon/Operational")
        body = bytearray(struct.pack("<BBBB", _FRAGMENT, 1, 1, 0))
        _element(
            body,
            start,
            "Event",
            {"xmlns": "urn"},
            [
                (
                    "System",
                    {},
                    [
                        ("Provider", {"Name": channel.partition("/")[0]}, ""),
                        ("EventID", {}, data.get("EventID", "3")),
                        *(
                            [("TimeCreated", {"SystemTime": data["SystemTime"]}, "")]
                            if "SystemTime" in data
                            else []
                        ),
                        ("EventRecordID", {}, str(number)),
                        ("Channel", {}, channel),
                        ("Computer", {}, "WS-01"),
                    ],
                ),
                (
                    "EventData",
                    {},
                    [
                        ("Data", {"Name": name}, text)
                        for name, text in data.items()
                        if name not in _SYSTEM
                    ],
                ),
            ],
        )
        body.append(_END_OF_STREAM)
        body += bytes(-len(body) % 8)
        size = 24 + len(body) + 4
        head = struct.pack("<4sIQQ", b"**\0\0", size, number, _FILETIME)
        return head + bytes(body) + struct.pack("<I", size)

    def finish(self, records: list[bytes], first: int) -> bytes:
        last = first + len(records) - 1
        content = b"".join(records)
        free = _CHUNK_HEADER_BYTES + len(content)
        last_at = free - len(records[-1])
        head = struct.pack(
            "<8sQQQQIIII",
            b"ElfChnk\0",
            first,
            last,
            first,
            last,
            128,
            last_at,
            free,
            zlib.crc32(content),
        ).ljust(124, b"\0")
        strings = bytes(_CHUNK_HEADER_BYTES - 128)
        checksum = zlib.crc32(strings, zlib.crc32(head[:120]))
        chunk = head + struct.pack("<I", checksum) + strings + content
        return chunk.ljust(_CHUNK_BYTES, b"\0")


_Node = tuple[str, Mapping[str, str], "str | list[_Node]"]


def _element(
    body: bytearray,
    start: int,
    name: str,
    attributes: Mapping[str, str],
    content: "str | list[_Node]",
) -> None:
    """Append an element in BinXML; its names lie where they are first used."""
    body.append(_OPEN_WITH_ATTRIBUTES if attributes else _OPEN)
    size_at = len(body)
    body += bytes(4)
    _name(body, start, name)
    if attributes:
        list_at = len(body)
        body += bytes(4)
        for position, (key, value) in enumerate(attributes.items(), 1):
            body.append(_ATTRIBUTE | (0x40 if position < len(attributes) else 0))
            _name(body, start, key)
            _text(body, value)
        struct.pack_into("<I", body, list_at, len(body) - list_at - 4)
    if content:
        body.append(_CLOSE_START)
        if isinstance(content, str):
            _text(body, content)
        else:
            for child in content:
                _element(body, start, *child)
        body.append(_END)
    else:
        body.append(_CLOSE_EMPTY)
    struct.pack_into("<I", body, size_at, len(body) - size_at - 4)


def _name(body: bytearray, start: int, name: str) -> None:
    body += struct.pack("<I", start + len(body) + 4)
    code = 0
    for character in name:
        code = (code * 65_599 + ord(character)) & 0xFFFF_FFFF
    body += struct.pack("<IHH", 0, code & 0xFFFF, len(name)) + f"{name}\0".encode("utf-16-le")


def _text(body: bytearray, text: str) -> None:
    encoded = text.encode("utf-16-le")
    body += struct.pack("<BBH", _VALUE, _TEXT, len(encoded) // 2) + encoded
