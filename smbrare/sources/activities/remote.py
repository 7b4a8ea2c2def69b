r"""The remote end that an event names: a UNC path, a principal name, a URL or a socket address.

Sources: MS-DTYP 2.2.57 (UNC), RFC 4120 and MS-KILE (``cifs/server``), the ``server@SSL@port`` of
Windows' WebDAV client, and Windows' sockaddr_in and sockaddr_in6, which the SMB client logs in hex.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from operator import attrgetter
from typing import Any

from msgspec import Struct

from smbrare.records.fields import Malformed, ip, keyword
from smbrare.sources.field_rules import FieldRule, FieldTable
from smbrare.sources.windows_event import data_rules

_ADDRESS_BYTES = {b"\x02\0": slice(4, 8), b"\x17\0": slice(8, 24)}
"""The family of a sockaddr → where its address stands; the port follows the family."""
_SMB_PORTS = frozenset({139, 443, 445, 5445})
"""NetBIOS, QUIC, TCP and RDMA."""
_PORTS = {"": 0, "http": 80, "https": 443, "ssl": 443}
_MOST_PORTS = 65_535

_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]{2}(?:[- ]?[0-9A-Fa-f]{2}){7,255})")
_BASE64 = re.compile(r"[0-9A-Za-z+/]{11,344}={0,2}")
_NAMED = re.compile(
    r"""
    (?: (?P<scheme>[a-z]+)://
        # Who logs on stands before a server; after it stand ``@80`` and ``@SSL``.
        (?: [^@\\/?#]* @ (?! (?:ssl|[0-9]+) (?:[@:\\/?#]|\Z) ) )?
      | [\\/]+ (?: \??\? [\\/] unc [\\/]+ )?
      | [\w.-]+ /  # The class of a service.
    )?
    (?: \[ (?P<bracketed> [0-9a-f:.%]+ ) \]
      | (?P<address> [0-9a-f]{0,4} : [0-9a-f]{0,4} : [0-9a-f:.%]* )
      | (?P<name> [^\s"'<>|*?@\\/:#]{1,255} ) )
    (?P<ports> (?: [@:] (?:ssl|[0-9]{1,5}) (?= [@:\\/?#] | \Z) ){0,2} )
    (?: [@\\/?#] .* )?
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_LITERAL = re.compile(r"([0-9a-f-]+)(?:s[0-9]+)?\.ipv6-literal\.net", re.IGNORECASE)
_NO_SERVER = frozenset({"null", "(null)", "localhost"})


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
    found = _NAMED.fullmatch(text.strip().strip("\"'")) if isinstance(text, str) else None
    if found is None:
        return NOWHERE
    name = found["bracketed"] or found["address"] or found["name"].removesuffix(".")
    if name.lower() in _NO_SERVER:
        return NOWHERE
    literal = _LITERAL.fullmatch(name)
    address = _canonical(literal[1].replace("-", ":") if literal else name)
    words = [found["scheme"] or "", *re.split("[@:]", found["ports"])]
    return Remote(name, address, next(filter(None, map(_port, reversed(words))), 0))


def socket_of(value: object) -> Remote:
    """Return the address and port of a sockaddr in hex or Base64, or of ``address:port`` in text.

    EvtxECmd writes ``02-00-01-BD``, and python-evtx Base64.
    """
    text = keyword(value).strip()
    raw = _binary(text)
    if raw is None:
        found = remote_of(text)
        return Remote("", found.address, found.port) if found.address else NOWHERE
    place = _ADDRESS_BYTES.get(raw[:2], slice(0))
    if not raw[place] or len(raw) < place.stop:
        return NOWHERE
    address = _canonical(str(ip_address(raw[place])))
    if ip_address(address).is_unspecified:
        return NOWHERE
    # A sockaddr has the port in network order, and some exports turn it round.
    swapped = int.from_bytes(raw[2:4], "little")
    port = swapped if swapped in _SMB_PORTS else int.from_bytes(raw[2:4], "big")
    return Remote("", address, port)


def _binary(text: str) -> bytes | None:
    """Return what binary data a text spells, if it does."""
    if found := _HEX.fullmatch(text):
        return bytes.fromhex(found[1].replace("-", ""))
    if _BASE64.fullmatch(text) is None:
        return None
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def port_number(value: object) -> int | None:
    """Return a port, or None for what is none."""
    return _port(keyword(value)) or None


def _port(word: str) -> int:
    number = int(word) if re.fullmatch("[0-9]{1,5}", word) else 0
    return _PORTS.get(word.lower(), number if number <= _MOST_PORTS else 0)


def _canonical(address: str) -> str:
    try:
        return str(ip(address))
    except Malformed:
        return ""


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

    def rules(part: str) -> tuple[FieldRule, ...]:
        ends = [(name, socket_of) for name in sockets if part != "server"]
        return tuple(
            rule
            for name, read in [*ends, *((name, remote_of) for name in names)]
            for rule in data_rules(name, part_of(part, read), labels.get(name, ""))
        )

    return {part: rules(part) for part in ("server", "address", "port")}
