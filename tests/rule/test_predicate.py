"""The predicate, clause by clause, and against a naive reading of the query."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import CLAUSES, failing, matches, sole_obstacle
from smbrare.sources import recognize
from tests.rule.test_networks import PRIVATE_RANGES, RANGES
from tests.support.events import matching, view


def failed(**changes: Any) -> list[str]:
    """Return the fields of the clauses that a matching event fails after a change."""
    return [clause.field for clause in failing(view(matching(**changes)))]


def test_the_event_of_these_tests_matches() -> None:
    assert failed() == []
    assert matches(view(matching()))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("event.category", ["process", "networks", None, ["process", "file"]]),
        ("host.os.type", ["linux", "Windows 10", None]),
        ("process.pid", [5, 44, -4, "0x4", True, None, [3, 5]]),
        ("network.transport", ["udp", "tcpv4", "6", None, ["udp", "icmp"]]),
        ("destination.port", [444, 446, 138, 4450, "445 ", "https", None, [80, 443]]),
        ("source.ip", ["45.83.122.11", "fe80::1", "172.32.0.1", "10.1", None, ["8.8.8.8"]]),
        ("destination.ip", ["10.0.0.1", "224.0.0.1", "fe80::1", "::1", "-", None]),
    ],
)
def test_each_clause_alone_keeps_an_event_from_matching(field: str, values: list[Any]) -> None:
    for value in values:
        missed = failed(**{field.replace(".", "__"): value})
        assert missed == [field], value


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("event.category", ["network", ["process", "network"]]),
        ("process.pid", [4, "4", "004", "+4", 4.0, "4e0", 4.7, [5, 4], ["x", 4]]),
        ("network.transport", ["tcp", ["tcp", "udp"], ["udp", ["tcp"]]]),
        ("destination.port", [445, 139, "445", "0139", 445.0, [80, 139]]),
        (
            "source.ip",
            ["172.16.0.0", "192.168.255.255", "::ffff:10.0.0.1", ["fe80::1", "10.0.0.1"]],
        ),
        ("destination.ip", ["8.8.8.8", "fc00::1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.1"]),
        ("destination.ip", [["8.8.8.8", "9.9.9.9"], ["8.8.8.8", "none"], "2001:db8::1%eth0"]),
    ],
)
def test_a_clause_holds_for_every_spelling_and_any_element(field: str, values: list[Any]) -> None:
    for value in values:
        assert failed(**{field.replace(".", "__"): value}) == [], value


def test_one_excluded_destination_among_several_keeps_an_event_from_matching() -> None:
    for value in (["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "::ffff:10.0.0.1"]):
        assert failed(destination__ip=value) == ["destination.ip"]


@pytest.mark.parametrize("value", ["fe80::1%12", "::1%lo", "::ffff:10.0.0.1", "::ffff:7f00:1"])
def test_a_zone_or_a_mapping_hides_no_excluded_address(value: str) -> None:
    assert failed(destination__ip=value) == ["destination.ip"]


def test_a_value_that_is_malformed_is_dropped_alone_and_shown() -> None:
    event = view(matching(destination__ip=["none", "8.8.8.8", 7]))
    assert matches(event)
    assert event.read("destination.ip").malformed == ("none", 7)


def test_outcome_type_and_direction_do_not_matter() -> None:
    document = matching()
    document["event"] |= {"outcome": "failure", "type": ["end", "denied"]}
    document["network"]["direction"] = "ingress"
    assert matches(view(document))


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({}, None),
        ({"process__pid": 5}, "process.pid"),
        ({"host__os": {}}, "host.os.type"),
        ({"process__pid": 5, "network__transport": "udp"}, None),
        ({"destination__ip": "10.0.0.1"}, None),
        ({"destination__port": 443}, None),
    ],
)
def test_near_misses_means_smb_to_the_internet_but_for_one(
    changes: dict[str, Any], obstacle: str | None
) -> None:
    clause = sole_obstacle(list(failing(view(matching(**changes)))))
    assert (clause.field if clause else None) == obstacle


# Against the query, read naively


def naive(document: dict[str, Any], *, literal: bool) -> bool:
    """Return whether a document matches the query's text, words in any case unless literal."""

    def every(field: str) -> list[Any]:
        found = document.get(field)
        return found if isinstance(found, list) else [] if found is None else [found]

    def words(field: str) -> list[str]:
        return [word if literal else word.lower() for word in every(field)]

    sources = [ip_address(text) for text in every("source.ip")]
    destinations = [ip_address(text) for text in every("destination.ip")]
    return (
        "network" in words("event.category")
        and "windows" in words("host.os.type")
        and 4 in [int(value) for value in every("process.pid")]
        and "tcp" in words("network.transport")
        and any(int(value) in (139, 445) for value in every("destination.port"))
        and any(address in network for address in sources for network in PRIVATE_RANGES)
        and bool(destinations)
        and not any(address in network for address in destinations for network in RANGES)
    )


def unless_nine(
    usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """Return the usual, but every tenth time the other."""
    return st.integers(0, 9).flatmap(lambda roll: other if roll == 9 else usual)


def mostly(value: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Return a field's values: usually the one that the query wants, alone."""
    one = st.sampled_from((value, *others))
    other: st.SearchStrategy[Any] = one | st.lists(one, max_size=3) | st.none()
    return unless_nine(st.just(value), other)


PUBLIC = ip_network("45.83.122.0/24")
public = st.ip_addresses(network=PUBLIC).map(str)
private = st.ip_addresses(network=PRIVATE_RANGES[1]).map(str)
address = st.ip_addresses().map(str)

documents = st.fixed_dictionaries(
    {
        "event.category": mostly("network", "process", "Network"),
        "host.os.type": mostly("windows", "linux", "Windows"),
        "process.pid": mostly(4, "4", 5, "44"),
        "network.transport": mostly("tcp", "udp", "TCP"),
        "destination.port": mostly(445, 139, "445", 443, "80"),
        "source.ip": unless_nine(private, st.lists(private | address, max_size=2) | st.none()),
        "destination.ip": unless_nine(public, st.lists(public | address | private, max_size=3)),
    }
)


@given(documents, st.sampled_from([ReadOptions(), ReadOptions(literal=True)]))
def test_the_predicate_is_the_query(document: dict[str, Any], settings: ReadOptions) -> None:
    given_event = {"event.category": "other", "source.ip": None, **document}
    if not given_event["event.category"]:
        given_event["event.category"] = "other"
    event = view(given_event, settings)
    assert matches(event) is naive(given_event, literal=settings.literal)
    assert matches(event) is (not list(failing(event)))


def test_the_predicate_reads_seven_fields() -> None:
    assert {clause.field for clause in CLAUSES} == {
        "event.category",
        "host.os.type",
        "process.pid",
        "network.transport",
        "destination.port",
        "source.ip",
        "destination.ip",
    }


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "event.category",
            ["Network", "['network']", "[network, session]", "host,process,network", ["NETWORK"]],
        ),
        ("host.os.type", ["Windows", "WINDOWS", "windows ", '["windows"]']),
        ("network.transport", ["TCP", "Tcp", "['tcp']", "udp, tcp", ["udp", "TCP"]]),
        ("destination.port", ["microsoft-ds", "netbios-ssn", "Microsoft-DS", [80, "microsoft-ds"]]),
    ],
)
def test_another_spelling_of_a_wanted_value_is_inferred(field: str, values: list[Any]) -> None:
    for value in values:
        document = matching(**{field.replace(".", "__"): value})
        seen = view(document)
        assert matches(seen), value
        assert seen.read(field).inferred, value
        literal = recognize(document, ReadOptions(literal=True))
        assert literal is not None
        assert [clause.field for clause in failing(literal)] == [field], value


@pytest.mark.parametrize("field", ["event.category", "host.os.type", "network.transport"])
def test_a_value_that_is_as_the_rule_wants_it_is_not_inferred(field: str) -> None:
    wanted = view(matching()).read(field).values[0]
    for value in (wanted, ["other", wanted], [wanted.upper(), wanted]):
        assert not view(matching(**{field.replace(".", "__"): value})).read(field).inferred
