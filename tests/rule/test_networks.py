"""The ranges of the rule: their edges, and the neighbours on both sides of each edge."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.fields import Address
from smbrare.rule.networks import NOT_INTERNET, PRIVATE, Network, excluded_range, is_private

RULE = [
    *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32"),
    *("192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.168.0.0/16"),
    *("192.88.99.0/24", "224.0.0.0/4", "100.64.0.0/10", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::1", "FE80::/10"),
    *("FF00::/8",),
]
"""The ranges as the rule's query spells them."""

RANGES = [ip_network(text) for text in RULE]
PRIVATE_RANGES = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

addresses = st.ip_addresses() | st.sampled_from(RANGES).flatmap(
    lambda network: st.ip_addresses(network=network)
)


def edges(network: Network) -> list[Address]:
    """Return the first and last address of a range, and what lies just outside of it."""
    kind = IPv4Address if network.version == 4 else IPv6Address
    low, high = int(network.network_address), int(network.broadcast_address)
    numbers = [low - 1, low, low + 1, high - 1, high, high + 1]
    return [kind(number) for number in numbers if 0 <= number < 2**network.max_prefixlen]


def test_the_ranges_are_the_26_of_the_query() -> None:
    assert list(NOT_INTERNET) == RANGES
    assert len(RANGES) == 26
    assert list(PRIVATE) == PRIVATE_RANGES


@pytest.mark.parametrize("network", RANGES, ids=str)
def test_a_range_ends_where_it_says(network: Network) -> None:
    for address in edges(network):
        found = excluded_range(address)
        assert (found is not None) is any(address in one for one in RANGES)
        assert found is None or address in found


@pytest.mark.parametrize("network", PRIVATE_RANGES, ids=str)
def test_a_private_range_ends_where_it_says(network: Network) -> None:
    for address in edges(network):
        assert is_private(address) is (address in network)


@pytest.mark.parametrize(
    "text",
    [
        *("9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"),
        *("100.63.255.255", "100.128.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
        *("0.0.0.1", "fc00::1", "2001:db8::1", "::", "::2", "fe7f:ffff::", "fec0::"),
    ],
)
def test_an_address_outside_of_the_ranges_is_on_the_internet(text: str) -> None:
    assert excluded_range(ip_address(text)) is None


@given(addresses)
def test_an_address_is_excluded_where_the_standard_library_finds_it(address: Address) -> None:
    assert (excluded_range(address) is not None) is any(address in network for network in RANGES)
    assert is_private(address) is any(address in network for network in PRIVATE_RANGES)


@pytest.mark.parametrize("text", ["fc00::1", "fe80::1", "::1", "::ffff:10.0.0.1"])
def test_no_ipv6_address_is_private(text: str) -> None:
    assert not is_private(ip_address(text))
