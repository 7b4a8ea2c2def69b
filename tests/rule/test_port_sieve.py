"""The sieve keeps every line that could match the rule, and few others."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data import lines as bench_lines
from smbrare.records.event_xml import parse
from smbrare.records.fields import SERVICE_NAMES, Malformed, long
from smbrare.records.json_text import decode
from smbrare.rule.port_sieve import may_match, scan_block
from smbrare.rule.predicate import SMB_PORTS, matches
from tests.support.events import DESTINATION, matching, view
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection
from tests.support.spelling import Packed, PackedXml, Token, json_text

SYSMON = "Microsoft-Windows-Sysmon"
CHANNEL = f"{SYSMON}/Operational"


def survives(line: bytes) -> bool:
    return bool(scan_block(line + b"\n").candidates)


def sysmon_data(port: Any) -> dict[str, Any]:
    return {
        "UtcTime": "2026-11-16 08:00:00.000",
        "ProcessId": "4",
        "Image": "System",
        "Protocol": "tcp",
        "SourceIp": "10.20.1.11",
        "DestinationIp": DESTINATION,
        "DestinationPort": port,
    }


def ecs(port: Any) -> dict[str, Any]:
    return matching(destination__port=port)


def dotted(port: Any) -> dict[str, Any]:
    document = matching(destination__port=None)
    return document | {"destination.port": port}


def arrays(port: Any) -> dict[str, Any]:
    document = matching(destination__port=[443, port], process__pid=["4"])
    return {"_source": None, **document, "network": [{"transport": ["tcp"]}]}


def winlogbeat(port: Any) -> dict[str, Any]:
    return {
        "@timestamp": "2026-11-16T08:00:01.000Z",
        "agent": {"type": "winlogbeat"},
        "winlog": {"channel": CHANNEL, "event_id": "3", "event_data": sysmon_data(port)},
    }


def winlogbeat_6(port: Any) -> dict[str, Any]:
    return {"log_name": CHANNEL, "event_id": 3, "event_data": sysmon_data(port)}


def nxlog(port: Any) -> dict[str, Any]:
    return {"EventID": 3, "Channel": CHANNEL, "SourceName": SYSMON, **sysmon_data(port)}


def evtx_dump(port: Any) -> dict[str, Any]:
    system = {"EventID": {"#text": 3}, "Channel": CHANNEL}
    return {"Event": {"System": system, "EventData": sysmon_data(port)}}


def evtx_ecmd(port: Any) -> dict[str, Any]:
    data = [{"@Name": name, "#text": value} for name, value in sysmon_data(port).items()]
    payload = Packed({"EventData": {"Data": data}})
    return {"EventId": 3, "Channel": CHANNEL, "Payload": payload}


def log_analytics(port: Any) -> dict[str, Any]:
    return {
        "EventID": 3,
        "EventLog": CHANNEL,
        "Source": SYSMON,
        "EventData": PackedXml(sysmon_data(port)),
    }


def powershell(port: Any) -> dict[str, Any]:
    lines = (f"{name}: {value}" for name, value in sysmon_data(port).items())
    message = "\r\n".join(("Network connection detected:", *lines))
    return {"Id": 3, "LogName": CHANNEL, "ProviderName": SYSMON, "Message": message}


def defender(port: Any) -> dict[str, Any]:
    return {
        "category": "AdvancedHunting-DeviceNetworkEvents",
        "properties": {
            "Timestamp": "2026-11-16T08:00:00.18835Z",
            "ActionType": "ConnectionSuccess",
            "Protocol": "Tcp",
            "LocalIP": "10.20.1.11",
            "RemoteIP": DESTINATION,
            "RemotePort": port,
            "InitiatingProcessId": 4,
            "InitiatingProcessAccountSid": "S-1-5-18",
        },
    }


def sentinel_one(port: Any) -> dict[str, Any]:
    return {
        "event.category": "ip",
        "event.type": "IP Connect",
        "meta.event.name": "TCPV4",
        "endpoint.os": "windows",
        "src.process.pid": 4,
        "src.ip.address": "10.20.1.11",
        "dst.ip.address": DESTINATION,
        "dst.port.number": port,
    }


SHAPES = (
    ecs,
    dotted,
    arrays,
    winlogbeat,
    winlogbeat_6,
    nxlog,
    evtx_dump,
    evtx_ecmd,
    defender,
    sentinel_one,
)
"""Shapes in which a port may be any JSON value."""

TEXT_SHAPES = (*SHAPES, log_analytics, powershell)
"""Shapes in which a port may be text; in the last two it can be nothing else."""

randoms = st.integers(0, 2**32).map(Random)
ports = st.sampled_from(sorted(SMB_PORTS)).map(str)
fractions = st.just("") | st.from_regex(r"\.[0-9]{1,25}", fullmatch=True)
signs = st.sampled_from(("", "+"))
zeros = st.integers(0, 40).map("0".__mul__)
# Of a text with more than 19 decimals Elasticsearch makes 0.
text_fractions = st.just("") | st.from_regex(r"\.[0-9]{1,19}", fullmatch=True) | st.just(".")
port_texts = st.tuples(signs, zeros, ports, text_fractions).map("".join)
rounded_up = st.sampled_from(("444.99999999999999", "138.999999999999999999999999"))
port_numbers = (st.tuples(ports, fractions).map("".join) | rounded_up).map(Token)


@given(st.sampled_from(TEXT_SHAPES), port_texts, randoms)
def test_no_event_is_lost_however_its_port_is_spelled_as_text(
    shape: Callable[[Any], dict[str, Any]], port: str, random: Random
) -> None:
    line = json_text(shape(port), random).encode()
    assert matches(view(decode(line)))
    assert survives(line)


@given(st.sampled_from(SHAPES), port_numbers, randoms)
def test_no_event_is_lost_however_its_port_is_spelled_as_a_number(
    shape: Callable[[Any], dict[str, Any]], port: Token, random: Random
) -> None:
    line = json_text(shape(port), random).encode()
    assert matches(view(decode(line)))
    assert survives(line)


@given(st.integers(0, 2), port_texts, randoms)
def test_no_port_is_lost_in_json_or_xml_within_json(depth: int, port: str, random: Random) -> None:
    for inmost in (
        {"DestinationPort": port, "list": [port, Token("445")]},
        {"EventData": PackedXml({"DestinationPort": port})},
    ):
        value: Any = inmost
        for _ in range(depth):
            value = {"EventData": Packed(value)}
        assert survives(json_text(value, random).encode())


def is_port(value: object) -> bool:
    try:
        return long(value) in SMB_PORTS
    except Malformed:
        return False


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


near_ports = st.text("0134459+-.eu\\ \t:n", max_size=9) | port_texts
values = st.recursive(
    near_ports | st.integers(-500, 500) | st.floats(-500, 500) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(near_ports, inner, max_size=4),
)


@given(st.dictionaries(near_ports, values, max_size=4), randoms)
def test_every_line_with_a_value_that_is_a_port_survives(
    document: dict[str, Any], random: Random
) -> None:
    line = json_text(document, random).encode()
    expected = any(is_port(leaf) and "e" not in str(leaf).lower() for leaf in leaves(decode(line)))
    assert survives(line) or not expected


@pytest.mark.parametrize(
    "text",
    [
        '"445"',
        ":445,",
        "[22,139]",
        '"00445"',
        '"+445"',
        "445.7",
        "445e0",
        "\t445\t",
        r"\t445\r\n",
        r"\u0009445",
        r"\u0020445",
        r"\u002000445",
        r"\u000a00445\u002C",
        r"\u002b445",
        r"\u003445",
        r"4\u00345",
        r"44\u0035",
        r"\u003139",
        r"1\u003339",
        r"13\u0039",
        r"\u0030445",
        r"44\\u0035",
        r"\\\u0075003445",
        r"\"445\"",
        r"\\\"139\\\"",
        "Port: 445",
        "Port:445",
        ">445<",
        r"\u003e445\u003c",
        "&gt;445&lt;",
        ">4&#52;5<",
        ">&#49;39<",
        ">44&#x35;<",
        ">44&#x00035;<",
        ">44&#0053;<",
        r">44\u0026#53;<",
        r">44&\u002353;<",
        r">44&#\u007835;<",
        r">4&#5\u0033;5<",
        r">&#5\u0032;45<",
        r">&#x\u0033\u0034;45<",
        r">&#\u0035\u0032;45<",
        r">&#5\\u0032;45<",
        r"\u0032",
        "4<!-- -->45",
        "44<?x?>5",
        "1<![CDATA[39]]>",
        "<![CDATA[13]]>9",
        "444.99999<!---->99999999",
        r"4\u003c!-- --\u003e45",
        r"4\\u003C\\u003fx?>45",
        r"4<\u0021-- -->45",
        r"4<!\u002d- -->45",
        r"4\u005cu003c!-- -->45",
        r"4\\u003\u0063!-- -->45",
        r"<![CDATA[4]]\u003e45",
        r"<![CDATA[4\u005d]>45",
        "microsoft-ds",
        ">netbios-ssn<",
        "445",
        "\ufeff445",
        "444.99999999999999",
    ],
)
def test_spellings_of_a_port_are_kept(text: str) -> None:
    assert may_match(text.encode())
    assert survives(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "443",
        "4 45",
        "1445",
        "4450",
        "13912",
        "5e445a",
        "a445",
        "445a",
        '"1390-4452"',
        "{9f85ce58-4459-5f2b-0139a-00000445}",
        "2026-11-16T08:00:00.445Z",
        "2026-11-16 08:00:00.139",
        "10.0.0.139",
        "-445",
        "0.00445",
        "1000445",
        r"\u0444",
        r"\u003c\u003e\u0027\u0026",
        r"\u003b",
        r"4\u003c5",
        "4<b",
        "4<!5",
        "&#xD;&#xA;&#60;&#45;",
        r"\u0026#39;",
        "99999999999",
    ],
)
def test_digits_that_are_no_port_are_let_go(text: str) -> None:
    assert not may_match(text.encode())
    assert not survives(text.encode())


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("port", sorted(SMB_PORTS))
def test_a_sighting_of_every_form_survives(name: str, port: int) -> None:
    assert survives(json.dumps(FORMS[name](Connection(port=port))).encode())


@pytest.mark.parametrize("text", ["4.45e2", "4450e-1", "1.39E2"])
def test_exponents_are_the_documented_exception(text: str) -> None:
    assert is_port(text)
    assert not may_match(text.encode())


def test_digits_that_an_element_splits_are_the_other() -> None:
    event = (
        b'<Event><System>1<a/></System><EventData><Data Name="a">4<b/>45</Data></EventData></Event>'
    )
    assert parse(event)["Event"]["EventData"]["a"] == "445"
    assert not may_match(event)


def test_the_name_of_a_service_counts_for_every_port() -> None:
    assert set(SERVICE_NAMES.values()) == SMB_PORTS
    for name in SERVICE_NAMES:
        for spelled in (name, name.upper(), name.capitalize()):
            assert may_match(json.dumps({"DestinationPortName": spelled}).encode())
        assert not may_match(f"a{name[-4:]} x{name[1:]}".encode())


def test_lines_are_counted_and_located() -> None:
    lines = [b'{"a":1}', b'{"p":445}', b'{"a":2}', b'{"p":"139"}', b'{"a":3}']
    block = b"\n".join(lines) + b"\n"
    sifted = scan_block(block)
    assert sifted.lines == 5
    assert [block[first:past] for first, past in sifted.candidates] == [
        b'{"p":445}\n',
        b'{"p":"139"}\n',
    ]
    assert sifted.odd == []


@given(
    st.lists(
        st.sampled_from(
            (
                b'{"a":1}',
                b'{"p":445}',
                b"",
                b" \t",
                b"7",
                b"null",
                b"[]",
                b"\xff",
                b'{"a":1',
                b'"a":1}',
            )
        )
    ),
    st.sampled_from((b"\n", b"\r\n", b" \n", b"  \r\n")),
    st.sampled_from((b"", b"\n")),
)
def test_lines_that_are_no_object_in_one_piece_are_located(
    lines: list[bytes], end: bytes, last_end: bytes
) -> None:
    block = end.join(lines) + last_end
    whole = block.split(b"\n")
    if not whole[-1]:
        whole.pop()
    sifted = scan_block(block)
    expected = [
        line.strip()
        for line in whole
        if line.strip() and line.strip()[:1] + line.strip()[-1:] != b"{}"
    ]
    assert [block[first:past].strip() for first, past in sifted.odd] == expected
    assert all(first == 0 or block[first - 1 : first] == b"\n" for first, _ in sifted.odd)
    assert all(b"445" in block[first:past] for first, past in sifted.candidates)
    assert sifted.lines == len(whole)
    assert sifted.blank == sum(not line.strip() for line in whole)
    assert len(sifted.candidates) == sum(b"445" in line for line in whole)


def test_few_lines_of_a_realistic_log_are_left_to_decode() -> None:
    log = [line.text for line in bench_lines(4_000_000, seed=5)]
    digits = sum(b"445" in line or b"139" in line for line in log)
    sifted = scan_block(b"\n".join(log) + b"\n")
    assert digits > 0.1 * len(log)
    assert len(sifted.candidates) < 0.07 * len(log)
    assert sifted.odd == []
