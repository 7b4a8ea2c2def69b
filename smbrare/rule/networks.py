"""The address ranges of the rule: private sources, and destinations that are not the internet."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

from smbrare.records.fields import Address

Network = IPv4Network | IPv6Network

PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
"""Ranges of source.ip that the rule requires (RFC 1918)."""

NOT_INTERNET: dict[Network, str] = {
    ip_network(text): name
    for text, name in (
        ("10.0.0.0/8", "Private-Use"),
        ("127.0.0.0/8", "Loopback"),
        ("169.254.0.0/16", "Link Local"),
        ("172.16.0.0/12", "Private-Use"),
        ("192.0.0.0/24", "IETF Protocol Assignments"),
        ("192.0.0.0/29", "IPv4 Service Continuity Prefix"),
        ("192.0.0.8/32", "IPv4 dummy address"),
        ("192.0.0.9/32", "Port Control Protocol Anycast"),
        ("192.0.0.10/32", "Traversal Using Relays around NAT Anycast"),
        ("192.0.0.170/32", "NAT64/DNS64 Discovery"),
        ("192.0.0.171/32", "NAT64/DNS64 Discovery"),
        ("192.0.2.0/24", "Documentation (TEST-NET-1)"),
        ("192.31.196.0/24", "AS112-v4"),
        ("192.52.193.0/24", "AMT"),
        ("192.168.0.0/16", "Private-Use"),
        ("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)"),
        ("224.0.0.0/4", "Multicast"),
        ("100.64.0.0/10", "Shared Address Space"),
        ("192.175.48.0/24", "Direct Delegation AS112 Service"),
        ("198.18.0.0/15", "Benchmarking"),
        ("198.51.100.0/24", "Documentation (TEST-NET-2)"),
        ("203.0.113.0/24", "Documentation (TEST-NET-3)"),
        ("240.0.0.0/4", "Reserved"),
        ("::1/128", "Loopback Address"),
        ("fe80::/10", "Link-Local Unicast"),
        ("ff00::/8", "Multicast"),
    )
}
"""The 26 ranges that the rule excludes from destination.ip, with their IANA names.

Ranges: the query of rule f580bf0a-2d23-43bb-b8e1-17548bb947ec. Names: the IANA special-purpose
address registries and RFC 5771. Unique local (fc00::/7) and documentation IPv6 (2001:db8::/32)
are not among them: to the rule they are internet.
"""

_BY_VERSION = {
    version: tuple(
        (int(network.network_address), int(network.netmask), network)
        for network in NOT_INTERNET
        if network.version == version
    )
    for version in (4, 6)
}
_PRIVATE_MASKS = tuple((int(net.network_address), int(net.netmask)) for net in PRIVATE)


@lru_cache(maxsize=16_384)
def excluded_range(address: Address) -> Network | None:
    """Return the first range of the rule that excludes a destination, or None for the internet."""
    number = int(address)
    for base, mask, network in _BY_VERSION[address.version]:
        if number & mask == base:
            return network
    return None


@lru_cache(maxsize=65_536)
def is_in_any(text: str, networks: Collection[Network]) -> bool:
    """Return whether a text is an address in one of some ranges; without ranges any text is."""
    if not networks:
        return True
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def is_private(address: Address) -> bool:
    """Return whether an address lies in one of the rule's source ranges (IPv4 only)."""
    if not isinstance(address, IPv4Address):
        return False
    number = int(address)
    return any(number & mask == base for base, mask in _PRIVATE_MASKS)
