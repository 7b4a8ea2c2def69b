"""Values of the ECS fields that the rule compares with one word, and other spellings of them."""

import re
from collections.abc import Iterable, Mapping

from smbrare.records.event import Reading

SPELLED_DIFFERENTLY = "the same word in another case, or in a list written as text"

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
"""Field → its ordinary values, in lower case.

event.category: the allowed values of ECS 9. host.os.type: the values that ECS 9 expects.
network.transport: ECS asks for the keyword of IANA's registry of protocol numbers; these are the
ones that flow logs have, other names of ICMPv6, and the word for none of them.
"""

_AROUND = " \t\r\n'\"[](){}"
_BETWEEN = re.compile(r"[,;|]")
_LONGEST = 1_024


def words(value: object) -> tuple[str, ...]:
    """Return the words of a keyword that may be a list written as text, in lower case."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return ()
    found = (part.strip(_AROUND).lower() for part in _BETWEEN.split(value))
    return tuple(dict.fromkeys(filter(None, found)))


def is_ordinary(field: str, values: Iterable[object]) -> bool:
    """Return whether any value of a field is an ordinary one of it, however it is spelled."""
    return any(not ORDINARY[field].isdisjoint(words(value)) for value in values)


def respell(reading: Reading, word: str) -> Reading:
    """Return a reading with its values taken apart, if one of them spells a word differently."""
    found = tuple(dict.fromkeys(part for value in reading.values for part in words(value)))
    if word not in found:
        return reading
    return Reading(found, reading.path, SPELLED_DIFFERENTLY, reading.malformed)
