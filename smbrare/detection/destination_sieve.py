"""Lines that cannot match, told by a decode of a few fields instead of all.

Most lines that the sieve leaves are SMB within the network. This reads where the common shapes
keep their destination, and rejects a line whose destination is not on the internet. It only ever
rejects: whatever it is not sure of goes the usual way, so that one code path judges.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from smbrare.records.envelope import ARRAYS
from smbrare.records.fields import Malformed, ip
from smbrare.rule.networks import excluded_range

Text = str | UnsetType
"""Only text: a list or an object there makes the decode fail, and the line go the usual way."""


class _Destination(msgspec.Struct):
    ip: Text = UNSET


class _Source(msgspec.Struct):
    ip: Text = UNSET


class _Data(msgspec.Struct):
    unnamed: Any = msgspec.field(default=UNSET, name="Data")
    sysmon: Text = msgspec.field(default=UNSET, name="DestinationIp")
    firewall: Text = msgspec.field(default=UNSET, name="DestAddress")


class _Winlog(msgspec.Struct):
    event_id: int | Text = UNSET
    channel: Any = UNSET
    event_data: _Data | UnsetType = UNSET
    dotted_sysmon: Any = msgspec.field(default=UNSET, name="event_data.DestinationIp")
    dotted_firewall: Any = msgspec.field(default=UNSET, name="event_data.DestAddress")


class _System(msgspec.Struct):
    channel: Any = msgspec.field(default=UNSET, name="Channel")


class _Event(msgspec.Struct):
    system: _System | UnsetType = msgspec.field(default=UNSET, name="System")
    data: _Data | UnsetType = msgspec.field(default=UNSET, name="EventData")
    dotted_sysmon: Any = msgspec.field(default=UNSET, name="EventData.DestinationIp")
    dotted_firewall: Any = msgspec.field(default=UNSET, name="EventData.DestAddress")
    rendered: Any = msgspec.field(default=UNSET, name="RenderingInfo")
    dotted_rendered: Any = msgspec.field(default=UNSET, name="RenderingInfo.Message")


_SYSMON_IDS = (3, "3")
_FIREWALL_IDS = (5156, "5156")
"""The events whose EventData has the address under that name, as numbers or as text.

Of any other the address may stand in the rendered message.
"""

_CHANNELS = ("Microsoft-Windows-Sysmon/Operational", "Security")
"""The logs that such events are of. What names none may be no event, but hold one."""

_SHAPES = {
    "destination": (_Destination | UnsetType, UNSET),
    "source": (_Source | UnsetType, UNSET),
    "winlog": (_Winlog | UnsetType, UNSET),
    "Event": (_Event | UnsetType, UNSET),
}

_OTHER_KEYS = (
    # The same fields, spelled with dots.
    "destination.ip",
    "winlog.event_data",
    "winlog.event_data.DestinationIp",
    "winlog.event_data.DestAddress",
    "Event.EventData",
    "Event.EventData.DestinationIp",
    "Event.EventData.DestAddress",
    "Event.RenderingInfo",
    "Event.RenderingInfo.Message",
    # Raw records of other sources, which are recognized first.
    "event.category",
    "properties",
    "ActionType",
    "RemoteIP",
    "InitiatingProcessId",
    "event_type_full",
    *("actionType", "remoteIP", "Action Type", "Remote IP"),
    *("meta", "dataSource", "src", "i", "eventType"),
    *("EventSchema", "class_uid"),
    # Windows events in other shapes.
    *("EventID", "etl_pipeline", "z_logstash_pipeline"),
    # Where a hit of a search holds its event, and where envelopes hold theirs.
    "_source",
    "fields",
    *sorted({path[0] for path in ARRAYS}),
)
"""Keys at the top by which a record may be of another shape: it goes the usual way."""

_Never = Annotated[int, Meta(gt=0, lt=0)]
"""What no JSON value is: a record with such a key makes the decode fail, which costs the others
nothing."""

_Top: type[Any] = msgspec.defstruct(
    "_Top",
    [(name, kind, default) for name, (kind, default) in _SHAPES.items()]
    + [(f"other_{number}", _Never, 0) for number in range(len(_OTHER_KEYS))],
    rename={f"other_{number}": key for number, key in enumerate(_OTHER_KEYS)},
)
_decoder = msgspec.json.Decoder(_Top)
_decode, _decode_lines = _decoder.decode, _decoder.decode_lines
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_SHORTEST = 24
"""Bytes of the shortest line that might hold a match: a port, a PID and two addresses in braces."""


def needs_decoding(lines: Sequence[bytes | memoryview]) -> list[int]:
    """Return which of some lines have to be decoded whole, by their place in the sequence.

    The others are certainly well-formed and certainly go to no internet address, or are too short
    to name one.

    Args:
        lines: Lines of NDJSON with their ends, each of which begins with ``{`` and ends with
            ``}``, white space aside. So no value of one goes on in the next.
    """
    try:
        tops = _decode_lines(b"".join(lines))
    except _REFUSED:
        tops = []
    if len(tops) != len(lines):
        # One is broken, of another shape, or holds two values.
        return [place for place, line in enumerate(lines) if not stays_inside(line)]
    return [
        place
        for place, top in enumerate(tops)
        if len(lines[place]) >= _SHORTEST and not _is_inside(_destination(top))
    ]


def stays_inside(line: bytes | memoryview) -> bool:
    """Return whether a line is certainly well-formed and certainly goes to no internet address.

    Args:
        line: One line of NDJSON.
    """
    try:
        top = _decode(line)
    except _REFUSED:
        return False
    return len(line) < _SHORTEST or _is_inside(_destination(top))


@lru_cache(maxsize=65_536)
def _is_inside(address: str | None) -> bool:
    if address is None:
        return False
    try:
        return excluded_range(ip(address)) is not None
    except Malformed:
        return False


def _destination(top: Any) -> str | None:
    if top.destination is not UNSET:
        return _of_ecs(top) if top.Event is UNSET else None
    if top.winlog is not UNSET:
        winlog = top.winlog
        if winlog.dotted_sysmon is not UNSET or winlog.dotted_firewall is not UNSET:
            return None
        if winlog.event_data is UNSET:
            return None
        if winlog.channel not in _CHANNELS:
            return None
        named = _SYSMON_IDS if winlog.event_data.firewall is UNSET else _FIREWALL_IDS
        return _of_data(winlog.event_data) if winlog.event_id in named else None
    if top.Event is not UNSET:
        event = top.Event
        if event.system is UNSET or event.system.channel not in _CHANNELS:
            return None  # Of another shape: the event may stand in what is beside it.
        if event.dotted_sysmon is not UNSET or event.dotted_firewall is not UNSET:
            return None
        if event.rendered is not UNSET or event.dotted_rendered is not UNSET:
            return None
        return _of_data(event.data)
    return None


def _of_ecs(top: Any) -> str | None:
    """Return the destination of a document that is ECS by both its addresses, and nothing else."""
    if top.winlog is not UNSET:
        raw = top.winlog.event_data
        if raw is not UNSET and (raw.sysmon is not UNSET or raw.firewall is not UNSET):
            return None
    if top.source is UNSET or top.source.ip is UNSET:
        return None
    found = top.destination.ip
    return found if isinstance(found, str) else None


def _of_data(data: _Data | UnsetType) -> str | None:
    if (
        data is UNSET
        or data.unnamed is not UNSET
        or (data.sysmon is UNSET) == (data.firewall is UNSET)
    ):
        return None
    found = data.sysmon if data.firewall is UNSET else data.firewall
    return found if isinstance(found, str) else None
