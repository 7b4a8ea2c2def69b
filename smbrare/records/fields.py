"""Values as Elasticsearch types them: keyword, long, ip and date.

The types follow Elasticsearch's field types of the same names with ``ignore_malformed``: a
value that does not fit is dropped alone, and the caller is told.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from smbrare.limits import DEFAULT

Address = IPv4Address | IPv6Address

_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1
_LONG_DIGITS = 19
_NUMBER = re.compile(
    r"[+-]?(?=\.?[0-9])[0-9]*(?:\.(?P<fraction>[0-9]*))?(?:[eE](?P<exponent>[+-]?[0-9]+))?"
)
_LONGEST_CACHED = 64


class Malformed(ValueError):  # noqa: N818 - Elasticsearch's word for it
    """A value that its field's type does not accept."""


def keyword(value: object) -> str:
    """Return a value as a ``keyword``: text as it is, numbers and booleans as JSON spells them.

    Raises:
        Malformed: If the value is an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Malformed(f"no keyword: {type(value).__name__}")


def long(value: object, most: int = DEFAULT.number_digits) -> int:
    """Return a value as a ``long``: text is converted, fractions are cut off (``coerce``).

    The size is decided from the exponent before any conversion, so that a number such as
    ``1e1000000`` costs nothing.

    Text is read as Elasticsearch's ``AbstractXContentParser.toLong`` reads it: with more than 19
    digits behind the point, once the exponent is applied, it is 0 whatever stands before the
    point, and with an exponent of more than 19 it is out of range, even as ``0e20``.

    Args:
        value: A decoded JSON value.
        most: The longest text that is converted, in characters.

    Raises:
        Malformed: If it is no number, lies outside of signed 64 bits, or is longer text.
    """
    if isinstance(value, str):
        if len(value) > most:
            raise Malformed("more digits than limit number-digits")
        number = _short_number(value) if len(value) <= _LONGEST_CACHED else _number(value)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Malformed(f"no number: {type(value).__name__}")
    else:
        number = value if isinstance(value, int) else _truncated(Decimal(value))
    if not _LONG_MIN <= number <= _LONG_MAX:
        raise Malformed("beyond 64 bits")
    return number


def _number(text: str) -> int:
    if len(text) < _LONG_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    parts = _NUMBER.fullmatch(text)
    if parts is None:
        raise Malformed("no number")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Malformed("exponent out of range") from None
    if parts["fraction"] is not None or parts["exponent"]:
        scale = len(parts["fraction"] or "") - int(parts["exponent"] or 0)
        if scale > _LONG_DIGITS:
            return 0
        if scale < -_LONG_DIGITS:
            raise Malformed("beyond 64 bits")
    return _truncated(number)


def _truncated(number: Decimal) -> int:
    if not number.is_finite():
        raise Malformed("no number")
    if number.is_zero() or number.adjusted() < 0:
        return 0
    if number.adjusted() >= _LONG_DIGITS:
        raise Malformed("beyond 64 bits")
    return int(number.to_integral_value(rounding=ROUND_DOWN))


# Longer text is converted anew each time: a log must not fill memory through a cache.
_short_number = lru_cache(maxsize=8_192)(_number)


def ip(value: object) -> Address:
    """Return a value as an ``ip``; an IPv4-mapped IPv6 address is its IPv4 address.

    What follows a ``%`` is ignored in both families (``fe80::1%12``, ``10.0.0.9%eth0``), as
    Elasticsearch's ``InetAddresses`` does, unless nothing follows. Leading zeros, short forms,
    ports and numbers are no address.

    Raises:
        Malformed: If it is no address.
    """
    if not isinstance(value, str):
        raise Malformed(f"no address: {type(value).__name__}")
    address = _short_address(value) if len(value) <= _LONGEST_CACHED else _address(value)
    if address is None:
        raise Malformed("no address")
    return address


def _address(text: str) -> Address | None:
    address_text, percent, zone = text.partition("%")
    if percent and not zone:
        return None
    try:
        address = ip_address(address_text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


_short_address = lru_cache(maxsize=16_384)(_address)

SERVICE_NAMES = {"microsoft-ds": 445, "netbios-ssn": 139}
"""Ports of SMB by IANA's names of the services on them, which Windows and Sysmon use too."""

LONGS = frozenset({"process.pid", "source.port", "destination.port"})
ADDRESSES = frozenset({"source.ip", "destination.ip"})
DATES = frozenset({"@timestamp", "event.ingested"})
"""The ECS fields read here by type; the others are of type keyword."""

_CATEGORIES = """
    api authentication configuration database driver email file host iam intrusion_detection
    library malware network package process registry session threat vulnerability web
"""
_SYSTEMS = "android ios linux macos unix windows"
_TRANSPORTS = """
    tcp udp icmp ipv6-icmp icmpv6 icmp6 igmp sctp dccp udplite gre esp ah ipv4 ipv6 ipip ip-in-ip
    ipv6-route ipv6-frag ipv6-nonxt ipv6-opts hopopt egp igp ggp st cbt rdp rsvp eigrp ospf ospfigp
    pim vrrp l2tp isis mobike mpls-in-ip etherip ipcomp unknown
"""
ORDINARY: Mapping[str, frozenset[str]] = {
    "event.category": frozenset(_CATEGORIES.split()),
    "host.os.type": frozenset(_SYSTEMS.split()),
    "network.transport": frozenset(_TRANSPORTS.split()),
}
"""Field that the rule compares with one word → its ordinary values, in lower case.

event.category: the allowed values of ECS 9. host.os.type: the values that ECS 9 expects.
network.transport: ECS asks for the keyword of IANA's registry of protocol numbers; these are the
ones that flow logs have, other names of ICMPv6, and the word for none of them.
"""

_AROUND = " \t\r\n'\"[](){}"
_BETWEEN = re.compile(r"[,;|]")
_LONGEST_LIST = 1_024


def words(value: object) -> tuple[str, ...]:
    """Return the words of a keyword that may be a list written as text, in lower case."""
    if not isinstance(value, str) or len(value) > _LONGEST_LIST:
        return ()
    found = (part.strip(_AROUND).lower() for part in _BETWEEN.split(value))
    return tuple(dict.fromkeys(filter(None, found)))


def is_ordinary(field: str, values: Iterable[object]) -> bool:
    """Return whether any value of a field is an ordinary one of it, however it is spelled."""
    return any(not ORDINARY[field].isdisjoint(words(value)) for value in values)
