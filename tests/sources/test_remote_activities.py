r"""What the SMB client's, NTLM's and logon events show of a server, in every shape, and no more.

No public log holds these events beside a connection of the rule: the values follow the manifests
(nasbench/EVTX-ETW-Resources, OTRF's OSSEM) and published single records.
"""

import json
import re
import struct
from base64 import b64encode
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.records.event import Document, Origin
from smbrare.records.fields import ip
from smbrare.records.read_options import ReadOptions
from smbrare.sources.activities import activity, read
from smbrare.sources.activities.activity import Activity
from smbrare.sources.activities.remote import NOWHERE, Remote, remote_of, socket_of
from tests.support import exposure
from tests.support.activities import HOST, SHAPES, windows

ORIGIN = Origin("events.ndjson", 1)
CONNECTIVITY = "Microsoft-Windows-SmbClient/Connectivity"
CLIENT_SECURITY = "Microsoft-Windows-SMBClient/Security"
NTLM = "Microsoft-Windows-NTLM/Operational"
SOCKET = "020001BD2D537A0A0000000000000000"
REFUSED, NO_CREDENTIALS, DENIED, TIMEOUT = "3221225581", "2148074254", "3221225506", "0xc00000b5"


def told(document: Document) -> Activity | None:
    found = read(document, ReadOptions())
    return None if found is None else activity(*found, ORIGIN)


def shown(document: Document) -> tuple[str, ...]:
    found = told(document)
    assert found is not None
    assert found.host in {HOST, HOST.lower()}
    return (
        found.kind,
        found.user,
        found.server,
        found.address,
        str(found.port),
        found.outcome,
        found.shows,
    )


def logon(number: int, **data: str) -> tuple[str, int, dict[str, str]]:
    client = {"ClientUserName": "alice", "ClientDomainName": "CORP", "ProcessName": "C:\\x.exe"}
    return NTLM, number, {"TargetName": "cifs/files.example", "CallerPID": "4", **client, **data}


EVENTS: dict[str, tuple[tuple[str, int, dict[str, str]], tuple[str, ...]]] = {
    "30800: no address for the name": (
        (CONNECTIVITY, 30800, {"Status": "3221225653", "ServerName": "\\files.example"}),
        ("smb", "", "files.example", "", "0", "failure", "attempt"),
    ),
    "30803: no connection": (
        (CONNECTIVITY, 30803, {"ServerName": "\\files.example", "Address": SOCKET}),
        ("smb", "", "files.example", "45.83.122.10", "445", "failure", "attempt"),
    ),
    "30803 of its second version": (
        (
            CONNECTIVITY.upper(),
            30803,
            {
                "ServerName": "\\files.example",
                "RemoteAddress": "0200BD012D537A0A0000000000000000",
                "LocalAddress": "0200C0000A0101010000000000000000",
            },
        ),
        ("smb", "", "files.example", "45.83.122.10", "445", "failure", "attempt"),
    ),
    "30804: a connection ended": (
        (CONNECTIVITY, 30804, {"ServerName": "\\45.83.122.10", "Address": SOCKET}),
        ("smb", "", "45.83.122.10", "45.83.122.10", "445", "success", "connection"),
    ),
    "30805: a session was lost": (
        (CONNECTIVITY, 30805, {"ServerName": "\\files.example", "Address": SOCKET}),
        ("smb", "", "files.example", "45.83.122.10", "445", "success", "authentication"),
    ),
    "30806: a session came back": (
        (CONNECTIVITY, 30806, {"ServerName": "\\files.example", "Address": SOCKET}),
        ("smb", "", "files.example", "45.83.122.10", "445", "success", "authentication"),
    ),
    "30807: a share was lost": (
        (CONNECTIVITY, 30807, {"ServerName": "\\files.example\\share", "Address": SOCKET}),
        ("smb", "", "files.example", "45.83.122.10", "445", "success", "authentication"),
    ),
    "31001: no credentials to send": (
        (
            CLIENT_SECURITY,
            31001,
            {
                "Reason": "10",
                "Status": REFUSED,
                "SecurityStatus": NO_CREDENTIALS,
                "ServerName": "\\45.83.122.10",
                "PrincipalName": "cifs/45.83.122.10",
            },
        ),
        ("smb", "", "45.83.122.10", "45.83.122.10", "0", "failure", "connection"),
    ),
    "31001: refused by the server": (
        (
            CLIENT_SECURITY,
            31001,
            {
                "Status": "STATUS_LOGON_FAILURE",
                "SecurityStatus": "0x0",
                "ServerName": "\\45.83.122.10",
                "UserName": "CORP\\alice",
            },
        ),
        ("smb", "CORP\\alice", "45.83.122.10", "45.83.122.10", "0", "failure", "authentication"),
    ),
    "31001: timed out": (
        (CLIENT_SECURITY, 31001, {"Status": TIMEOUT, "SecurityStatus": "0", "ServerName": "\\a"}),
        ("smb", "", "a", "", "0", "failure", "attempt"),
    ),
    "31010: no such share": (
        (CLIENT_SECURITY, 31010, {"Status": "3221225676", "ShareName": "\\files.example\\x"}),
        ("smb", "", "files.example", "", "0", "failure", "authentication"),
    ),
    "31010: no session": (
        (CLIENT_SECURITY, 31010, {"Status": "0xC000006D", "ShareName": "\\files.example\\x"}),
        ("smb", "", "files.example", "", "0", "failure", "connection"),
    ),
    "31010: no connection": (
        (CLIENT_SECURITY, 31010, {"Status": "-1073741643", "ShareName": "\\files.example\\x"}),
        ("smb", "", "files.example", "", "0", "failure", "attempt"),
    ),
    "31017: taken for a guest": (
        (CLIENT_SECURITY, 31017, {"UserName": "alice", "ServerName": "\\files.example"}),
        ("smb", "alice", "files.example", "", "0", "failure", "authentication"),
    ),
    "another event of the client": (
        (CONNECTIVITY, 30818, {"ServerName": "\\files.example"}),
        ("smb", "", "files.example", "", "0", "", ""),
    ),
    "8001: sent with the process's credentials": (
        logon(8001, UserName="(NULL)", DomainName="(NULL)"),
        ("ntlm", "CORP\\alice", "files.example", "", "0", "", "authentication"),
    ),
    "8001: sent with other credentials": (
        logon(8001, UserName="bob", DomainName=""),
        ("ntlm", "bob", "files.example", "", "0", "", "authentication"),
    ),
    "8001: sent by nobody": (
        logon(8001, ClientUserName="ANONYMOUS LOGON", ClientDomainName="NT AUTHORITY"),
        ("ntlm", "NT AUTHORITY\\ANONYMOUS LOGON", "files.example", "", "0", "", "connection"),
    ),
    "8001: sent by a service without an account": (
        logon(8001, ClientUserName="Local Service", ClientDomainName="NT AUTHORITY"),
        ("ntlm", "NT AUTHORITY\\Local Service", "files.example", "", "0", "", "connection"),
    ),
    "8001: sent by the computer": (
        logon(8001, ClientUserName="WS-01$"),
        ("ntlm", "CORP\\WS-01$", "files.example", "", "0", "", "authentication"),
    ),
    "4001: blocked": (
        logon(4001),
        ("ntlm", "CORP\\alice", "files.example", "", "0", "failure", "attempt"),
    ),
    "4020": (
        (
            NTLM,
            4020,
            {
                "ProcessName": "System",
                "Username": "alice",
                "DomainName": "CORP",
                "TargetMachine": "Null",
                "TargetService": "cifs/files.example",
                "TargetIP": "45.83.122.10",
                "NtlmUsageReason": "The target name contains an IP address.",
            },
        ),
        ("ntlm", "CORP\\alice", "files.example", "45.83.122.10", "0", "", "authentication"),
    ),
    "4021 that names the machine alone": (
        (NTLM, 4021, {"Username": "alice", "TargetMachine": "files.example", "TargetIP": "Null"}),
        ("ntlm", "alice", "files.example", "", "0", "", "authentication"),
    ),
    "4648": (
        (
            "Security",
            4648,
            {
                "SubjectUserName": "alice",
                "SubjectDomainName": "CORP",
                "TargetUserName": "svc",
                "TargetDomainName": "LAB",
                "TargetServerName": "files.example",
                "TargetInfo": "cifs/files.example",
                "ProcessName": "C:\\x.exe",
                "IpAddress": "10.20.1.99",
                "IpPort": "50000",
            },
        ),
        ("credentials", "LAB\\svc", "files.example", "", "0", "", "authentication"),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("event", "tells"), EVENTS.values(), ids=EVENTS)
def test_an_event_shows_the_same_of_its_server_in_every_shape(
    shape: str, event: tuple[str, int, dict[str, str]], tells: tuple[str, ...]
) -> None:
    assert shown(SHAPES[shape](*event)) == tells


MESSAGES = {
    "30803: no connection": (
        CONNECTIVITY,
        30803,
        ["Error: {Timeout}", "", "Server name: files.example", "Server address: 45.83.122.10:445"],
    ),
    "31017: taken for a guest": (
        CLIENT_SECURITY,
        31017,
        ["User name: alice", "Server name: files.example"],
    ),
    "8001: sent with the process's credentials": (
        NTLM,
        8001,
        [
            "Target server: cifs/files.example",
            "Supplied user: (NULL)",
            "Supplied domain: (NULL)",
            "Name of client process: ",
            "User identity of client process: alice",
            "Domain name of user identity of client process: CORP",
        ],
    ),
}


@pytest.mark.parametrize("event", MESSAGES)
def test_a_rendered_message_names_the_server_and_the_account(event: str) -> None:
    channel, number, lines = MESSAGES[event]
    document = {
        "Id": number,
        "LogName": channel,
        "MachineName": HOST,
        "TimeCreated": "2026-11-16T07:59:30.000Z",
        "Message": "\r\n".join(["What happened.", *lines]),
    }
    assert shown(document) == EVENTS[event][1]


NOTHING = {
    "a logon to this machine": windows(
        "Security", 4648, {"TargetServerName": "localhost", "TargetInfo": "localhost"}
    ),
    "NTLM without a target": windows(NTLM, 4020, {"TargetService": "Null", "Username": "alice"}),
    "an incoming NTLM logon": windows(NTLM, 4022, {"Username": "alice", "ClientIP": "10.1.1.1"}),
}


@pytest.mark.parametrize("document", NOTHING.values(), ids=NOTHING)
def test_what_names_no_remote_server_tells_nothing(document: Document) -> None:
    assert told(document) is None


ports = st.sampled_from([139, 443, 445, 5445]) | st.integers(0, 65_535)
scopes = st.integers(0, 2**32 - 1)


@st.composite
def sockets(draw: st.DrawFn) -> tuple[bytes, str, int]:
    """Return the bytes of a sockaddr, and its address and port as the socket library has them."""
    port, address = draw(ports), draw(st.ip_addresses())
    if address.version == 4:
        raw = struct.pack("<H", 2) + struct.pack(">H", port) + address.packed
        return raw + draw(st.binary(max_size=120)), str(address), port
    raw = struct.pack("<H", 23) + struct.pack(">HI", port, draw(scopes)) + address.packed
    mapped = IPv6Address(int(address)).ipv4_mapped
    return raw + struct.pack(">I", draw(scopes)), str(mapped or address), port


SPELLINGS: tuple[Callable[[bytes], str], ...] = (
    lambda raw: raw.hex(),
    lambda raw: raw.hex().upper(),
    lambda raw: f"0x{raw.hex()}",
    lambda raw: raw.hex("-").upper(),
    lambda raw: raw.hex(" "),
    lambda raw: b64encode(raw).decode(),
)


@given(sockets(), st.sampled_from(SPELLINGS))
def test_a_binary_address_is_what_the_socket_library_makes_of_it(
    socket: tuple[bytes, str, int], spell: Callable[[bytes], str]
) -> None:
    raw, address, port = socket
    swapped = int.from_bytes(raw[2:4], "little")
    found = socket_of(spell(raw))
    if ip_address(address) in {IPv4Address(0), IPv6Address(0)}:
        assert found == NOWHERE
    else:
        smb = {139, 443, 445, 5445}
        assert found == Remote("", address, swapped if swapped in smb else port)


@given(sockets())
def test_a_port_of_smb_is_read_in_either_byte_order(socket: tuple[bytes, str, int]) -> None:
    raw, _, _ = socket
    for port in (b"\x01\xbd", b"\xbd\x01"):
        found = socket_of((raw[:2] + port + raw[4:]).hex())
        assert found == NOWHERE or found.port == 445


@given(st.binary(max_size=40) | st.just(b""), st.text(max_size=40))
def test_garbage_in_place_of_an_address_is_none_and_never_raises(raw: bytes, text: str) -> None:
    found = socket_of(raw.hex())
    expected = len(raw) >= (8 if raw[:2] == b"\x02\0" else 24) and raw[:2] in {b"\x02\0", b"\x17\0"}
    assert bool(found.address) <= expected
    for given_text in (text, f"\\\\{text}", f"cifs/{text}", f"http://{text}"):
        remote_of(given_text)
        socket_of(given_text)


names = st.from_regex(
    re.compile(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,5}){0,2}"), fullmatch=True
)
spelled_addresses = st.ip_addresses().map(str)


@given(
    names.filter(lambda name: name not in {"null", "localhost"}), st.integers(1, 65_535), st.data()
)
def test_a_server_is_read_out_of_every_spelling(name: str, port: int, data: Any) -> None:
    told_port = str(port)
    spelling, tells = data.draw(
        st.sampled_from(
            [
                (f"{name}", 0),
                (f"\\{name}", 0),
                (f"\\\\{name}\\share\\file.docx", 0),
                (f"//{name}/share", 0),
                (f"\\\\?\\UNC\\{name}\\share", 0),
                (f"\\??\\UNC\\{name}\\share", 0),
                (f"\\\\{name}@{told_port}\\share", port),
                (f"\\\\{name}@SSL\\share", 443),
                (f"\\\\{name}@ssl@{told_port}\\DavWWWRoot\\share", port),
                (f"cifs/{name}", 0),
                (f"HOST/{name}", 0),
                (f"HTTP/{name}:{told_port}", port),
                (f"cifs/{name}@CORP.EXAMPLE", 0),
                (f"http://{name}/share", 80),
                (f"HTTPS://{name}:{told_port}/", port),
                (f"https://somebody@{name}/share?x", 443),
                (f"{name}:{told_port}", port),
                (f'"{name}@{told_port}"', port),
            ]
        )
    )
    assert remote_of(spelling) == Remote(name, _address(name), tells)


def _address(name: str) -> str:
    try:
        return str(ip(name))
    except ValueError:
        return ""


@given(st.ip_addresses(), st.sampled_from(["{}", "\\\\{}\\share", "cifs/{}"]))
def test_a_server_spelled_as_an_address_gives_its_address(address: Any, form: str) -> None:
    found = remote_of(form.format(address))
    assert (found.server, found.address) == (str(address), str(ip(str(address))))


def test_the_name_of_an_ipv6_address_in_a_path_is_that_address() -> None:
    name = "2001-db8--1s4.ipv6-literal.net"
    assert remote_of(f"\\\\{name}\\share") == Remote(name, "2001:db8::1", 0)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\\\\a@80\\b", SOCKET, "0x", "cifs/", "http://[", "[::1", "\\??\\UNC\\"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from([event for event, _ in EVENTS.values()]), st.data())
def test_no_value_makes_an_event_unreadable(
    event: tuple[str, int, dict[str, str]], data: st.DataObject
) -> None:
    channel, number, named = event
    garbled = {name: data.draw(values) for name in named}
    found = told(windows(channel, number, garbled))
    assert found is None or (0 <= found.port <= 65_535 and len(found.server) <= 255)


def test_the_fixture_is_current_and_tells_of_each_destination_what_came_of_it() -> None:
    assert exposure.FILE.read_text(encoding="utf-8") == exposure.text()
    found = [told(json.loads(line)) for line in exposure.text().splitlines()]
    seen = [(each.host, each.kind, each.address, each.user, each.shows) for each in found if each]
    assert seen == [
        ("WS-21", "file", "", "CORP\\alice", ""),
        ("WS-21", "file", "", "CORP\\alice", ""),
        ("WS-21", "ntlm", exposure.ROGUE, "CORP\\alice", "authentication"),
        ("WS-21", "smb", exposure.ROGUE, "", "connection"),
        ("WS-22", "smb", exposure.ROGUE_TWO, "", "attempt"),
        ("ws-22.corp.example", "webdav", exposure.ROGUE_TWO, "CORP\\bob", "attempt"),
        ("WS-23", "credentials", exposure.ROGUE_THREE, "LAB\\svc-backup", "authentication"),
        ("WS-23", "smb", exposure.ROGUE_THREE, "", "authentication"),
        ("WS-23", "smb", exposure.ROGUE_THREE, "", "authentication"),
    ]
