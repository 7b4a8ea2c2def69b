"""Exclusions against their definition: all conditions hold, and any value of each."""

from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Resolutions
from smbrare.detection.exclusions import Exclusion, because, wanted_names
from smbrare.detection.sightings import Key
from smbrare.inputs.discovery import discover
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning
from smbrare.scanning.gathering import gather
from smbrare.scanning.scan import judge
from tests.support.events import matching
from tests.support.reports import write

DESTINATIONS = ["45.83.122.10", "45.83.200.1", "2a02:cf40::1"]
RESOLUTIONS = Resolutions(
    frozenset({"*.example"}),
    {"a.example": {"45.83.122.10"}, "b.a.example": {"45.83.200.1", "2a02:cf40::1"}},
)

hours = st.none() | st.integers(0, 6)


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


exclusions = st.builds(
    lambda destination, source, host, domain, start, until, expires: Exclusion(
        "a reason",
        tuple(map(ip_network, destination)),
        tuple(map(ip_network, source)),
        tuple(host),
        tuple(domain),
        start,
        until,
        expires,
    ),
    some("45.83.122.0/24", "45.0.0.0/8", "2a02::/16", "::/0"),
    some("10.20.1.11/32", "10.20.1.0/24", "10.30.0.0/16"),
    some("ws-*", "ws-0?", "*"),
    some("a.example", "*.a.example", "c.example"),
    hours,
    hours,
    hours,
)
keys = st.tuples(
    st.sampled_from(DESTINATIONS),
    st.sampled_from(["10.20.1.11", "10.20.1.12", "10.30.1.1"]),
    st.sampled_from(["ws-01", "ws-11", "dc-1", ""]),
    hours,
)


def is_named(address: str, patterns: tuple[str, ...]) -> bool:
    return any(
        address in addresses
        and (name == pattern or (pattern[:2] == "*." and name.endswith(pattern[1:])))
        for name, addresses in RESOLUTIONS.addresses.items()
        for pattern in patterns
    )


def holds(exclusion: Exclusion, key: Key) -> bool:
    destination, source, host, hour = key
    networks = ((destination, exclusion.destination), (source, exclusion.source))
    if any(ranges and not any(ip_address(a) in net for net in ranges) for a, ranges in networks):
        return False
    if exclusion.host and not any(fnmatchcase(host, pattern) for pattern in exclusion.host):
        return False
    if exclusion.domain and not is_named(destination, exclusion.domain):
        return False
    if hour is None:
        return (exclusion.start, exclusion.until, exclusion.expires) == (None, None, None)
    return (
        (exclusion.start is None or hour >= exclusion.start)
        and (exclusion.until is None or hour < exclusion.until)
        and (exclusion.expires is None or hour < exclusion.expires)
    )


@given(st.lists(exclusions, max_size=5), keys)
def test_the_first_exclusion_that_holds_is_told(several: list[Exclusion], key: Key) -> None:
    expected = next((str(exclusion) for exclusion in several if holds(exclusion, key)), "")
    assert because(several, RESOLUTIONS)(key) == expected


@given(st.lists(exclusions, max_size=3), keys)
def test_without_dns_events_no_domain_excludes(several: list[Exclusion], key: Key) -> None:
    without = [exclusion for exclusion in several if not exclusion.domain]
    assert because(several)(key) == because(without)(key)


def test_what_is_no_address_is_in_no_range() -> None:
    told = because([Exclusion("a", destination=(ip_network("0.0.0.0/0"),)), Exclusion("b")])
    assert told(("nonsense", "10.0.0.1", "ws", 1)) == "b ()"


def test_a_large_file_is_read_whole_for_the_names_in_exclusions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "LARGE_BYTES", 100)
    asked = matching(destination=None)
    asked["dns"] = {"question": {"name": "a.example"}, "resolved_ip": ["45.83.122.10"]}
    events = [matching(destination__ip="10.0.0.1")] * 50
    path = write(tmp_path / "e.ndjson", [*events, asked, *events, matching()])
    criteria = Criteria(exclusions=(Exclusion("x", domain=("a.example",)),))
    options = ReadOptions(names=wanted_names(criteria.exclusions))
    partial = gather(discover([str(path)]), options, lambda _: None)
    assert [survey.sampled for survey in partial.surveys] == [False]
    report = judge(partial, options, criteria)
    assert report.findings == ()
    assert [kept.sightings for kept in report.exclusions] == [1]
