r"""The remote end that an event names: a UNC path, a principal name, a URL or a socket address.

Sources: MS-DTYP 2.2.57 for UNC paths, MS-KILE 3.1.5.11 and RFC 4120 for principal names
(``cifs/server``), the syntax ``server@SSL@port`` of Windows' WebDAV redirector, and Windows'
sockaddr_in (family 2) and sockaddr_in6 (family 0x17), whose bytes the SMB client logs in hex.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter
from typing import Any, TypeAlias

from msgspec import Struct

from smbrare.records.fields import Malformed, ip, keyword
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.windows_event import data_rules

_Rules: TypeAlias = tuple[FieldRule, ...]

_IPV4, _IPV6 = 2, 0x17
_IPV4_BYTES, _IPV6_BYTES = 8, 24
_PORTS = frozenset({139, 443, 445, 5445})
"""Where SMB listens: NetBIOS, QUIC, TCP and RDMA."""

_HEX = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}[ -]?){8,256})")
_NAME = re.compile(r"[^\s\"'<>|*?@\\/]{1,255}")
_DEVICE = re.compile(r"[\\/]+\??\?[\\/]unc[\\/]", re.IGNORECASE)
_LITERAL = ".ipv6-literal.net"
_NO_SERVER = frozenset({"null", "(null)", "localhost", "n/a"})
_SSL_PORT = 443
_MOST_PORTS = 65_535


class Remote(Struct, frozen=True):
    """A remote end.

    Attributes:
        server: The server's name as it is spelled; empty if unknown.
        address: Its address, spelled as ``destination.ip`` is; empty if unknown.
        port: Its port; 0 if unknown.
    """

    server: str = ""
    address: str = ""
    port: int = 0


NOWHERE = Remote()


def remote_of(text: object) -> Remote:
    r"""Return the server that a UNC path, a principal name, a URL or a bare name leads to.

    Args:
        text: ``\\server@80\share``, ``cifs/server``, ``https://server:8443/x`` or ``server``.
    """
    if not isinstance(text, str):
        return NOWHERE
    authority, port = _authority(text.strip().strip("\"'"))
    host, port = _host_and_port(authority, port)
    if not _NAME.fullmatch(host) or host.lower() in _NO_SERVER:
        return NOWHERE
    address = _address(host)
    return Remote(host.removesuffix("."), address, port)


def _authority(text: str) -> tuple[str, int]:
    """Return the part of a text that names the server, and the port that its scheme implies."""
    scheme, is_url, rest = text.partition("://")
    if is_url:
        authority = re.split(r"[\\/?#]", rest.lstrip("\\/"), maxsplit=1)[0]
        before, at, behind = authority.rpartition("@")
        # Who logs on stands before the server; ``server@80`` and ``server@SSL`` are the server.
        if at and not _port_of(behind):
            authority = behind or before
        return authority, {"http": 80, "https": _SSL_PORT}.get(scheme.lower(), 0)
    text = _DEVICE.sub(r"\\\\", text, count=1)
    parts = re.split(r"[\\/]+", text.lstrip("\\/"))
    has_service = text[:1] not in {"\\", "/"} and "/" in text and len(parts) > 1
    return parts[1 if has_service else 0], 0


def _host_and_port(authority: str, port: int) -> tuple[str, int]:
    host, _, behind = authority.partition("@")
    for word in behind.split("@"):
        port = _port_of(word) or port
    if host.startswith("["):
        host, _, behind = host[1:].partition("]")
        return host, _port_of(behind.removeprefix(":")) or port
    if host.count(":") == 1:
        host, _, behind = host.partition(":")
        return host, _port_of(behind) or port
    return host, port


def _port_of(word: str) -> int:
    if word.lower() == "ssl":
        return _SSL_PORT
    is_number = word.isascii() and word.isdigit() and len(word) <= len(str(_MOST_PORTS))
    return int(word) if is_number and int(word) <= _MOST_PORTS else 0


def _address(host: str) -> str:
    if host.lower().endswith(_LITERAL):
        host = host[: -len(_LITERAL)].replace("-", ":").replace("s", "%")
    try:
        return str(ip(host))
    except Malformed:
        return ""


def socket_of(value: object) -> Remote:
    """Return the address and port of a sockaddr in hex, or of ``address:port`` in text."""
    text = keyword(value).strip()
    match = _HEX.fullmatch(text)
    if match is None:
        found = remote_of(text)
        return Remote("", found.address, found.port) if found.address else NOWHERE
    raw = bytes.fromhex(match[1].replace("-", ""))
    family = int.from_bytes(raw[:2], "little")
    address: IPv4Address | IPv6Address
    if family == _IPV4 and len(raw) >= _IPV4_BYTES:
        address = IPv4Address(raw[4:_IPV4_BYTES])
    elif family == _IPV6 and len(raw) >= _IPV6_BYTES:
        address = IPv6Address(raw[8:_IPV6_BYTES])
    else:
        return NOWHERE
    if address.is_unspecified:
        return NOWHERE
    port = int.from_bytes(raw[2:4], "big")
    swapped = int.from_bytes(raw[2:4], "little")
    # A sockaddr has it in network order, and some exports turn it round.
    return Remote("", str(ip(str(address))), swapped if swapped in _PORTS else port)


def part_of(name: str, read: Callable[[object], Remote] = remote_of) -> Callable[[object], Any]:
    """Return a conversion of a value to one part of the remote end that it names.

    Args:
        name: ``server``, ``address`` or ``port``.
        read: Reads the value.
    """
    part = attrgetter(name)
    return lambda value: part(read(value)) or None


def remote_rules(
    *names: str, sockets: tuple[str, ...] = (), labels: Mapping[str, str] = {}
) -> FieldTable:
    """Return the rules for the server that values of EventData name, its address and its port.

    Args:
        names: The values that name the server; the first that does counts.
        sockets: The values that hold its address.
        labels: What the rendered message calls them.
    """

    def rules(part: str, values: tuple[str, ...], read: Callable[[object], Remote]) -> _Rules:
        return tuple(
            rule
            for name in values
            for rule in data_rules(name, part_of(part, read), labels.get(name, ""))
        )

    return {
        "server": rules("server", names, remote_of),
        "address": (*rules("address", sockets, socket_of), *rules("address", names, remote_of)),
        "port": (*rules("port", sockets, socket_of), *rules("port", names, remote_of)),
    }
