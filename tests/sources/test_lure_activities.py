r"""WebDAV and the files that lead to it: which events show them, in every shape, and which do not.

No public log holds these events beside a connection of the rule: the values follow Sysmon's and the
vendors' schemas.
"""

from typing import Any

import pytest

from smbrare.records.event import Document, Origin
from smbrare.records.read_options import ReadOptions
from smbrare.sources.activities import activity, read
from smbrare.sources.activities.activity import Activity
from smbrare.sources.activities.lures import lure_of, source_url
from smbrare.sources.activities.remote import Remote
from smbrare.sources.activities.webdav import is_web_client, of_command
from tests.support.activities import HOST, SHAPES, TIME, defender, mapped, security

SYSMON = "Microsoft-Windows-Sysmon/Operational"
FULL = "ws-01.corp.example"
RUNDLL32 = "C:\\Windows\\System32\\rundll32.exe"
COOKIE = "rundll32.exe C:\\Windows\\system32\\davclnt.dll,DavSetCookie {} {}"
SVCHOST = "C:\\Windows\\system32\\svchost.exe -k LocalService -p -s WebClient"
LURE = "C:\\Users\\alice\\Downloads\\invoice.library-ms"
CHROME = "C:\\Chrome\\chrome.exe"
URL = "https://45.83.122.10/invoice.zip"


def told(document: Document) -> Activity | None:
    found = read(document, ReadOptions())
    return None if found is None else activity(*found, Origin("events.ndjson", 1))


@pytest.mark.parametrize(
    ("command", "remote"),
    [
        (COOKIE.format("srv@80", "http://srv/share"), Remote("srv", "", 80)),
        (COOKIE.format("srv@SSL", "https://srv/share"), Remote("srv", "", 443)),
        (COOKIE.format("srv@SSL@8443", "https://srv:8443/DavWWWRoot"), Remote("srv", "", 8443)),
        (COOKIE.format("srv", "http://srv/share"), Remote("srv", "", 80)),
        (COOKIE.format('"srv"', '"http://srv:8080/a b"'), Remote("srv", "", 8080)),
        (COOKIE.format("45.83.122.10", URL), Remote("45.83.122.10", "45.83.122.10", 443)),
        (
            COOKIE.format("2001-db8--1.ipv6-literal.net@80", "http://[2001:db8::1]/x"),
            Remote("2001-db8--1.ipv6-literal.net", "2001:db8::1", 80),
        ),
        (
            '"rundll32" "C:\\WINDOWS\\SYSTEM32\\DAVCLNT.DLL",davsetcookie SRV@80 http://srv/',
            Remote("SRV", "", 80),
        ),
        ('rundll32 "davclnt.dll,DavSetCookie" srv http://srv/', Remote("srv", "", 80)),
        ("rundll32 davclnt,DavSetCookie srv", Remote("srv", "", 0)),
        (COOKIE.format("", ""), None),
        ("rundll32 shell32.dll,Control_RunDLL srv http://srv/", None),
        ("notepad DavSetCookie.txt", None),
    ],
)
def test_the_server_of_a_webdav_cookie_is_read_from_its_command(
    command: str, remote: Remote | None
) -> None:
    assert of_command(command) == remote


WEBDAV: dict[str, Any] = {
    "kind": "webdav",
    "what": RUNDLL32,
    "detail": COOKIE.format("srv@8080", "http://45.83.122.10:8080/x"),
    "parent": "C:\\Windows\\System32\\svchost.exe",
    "user": "CORP\\alice",
    "server": "srv",
    "address": "45.83.122.10",
    "port": 8080,
    "outcome": "",
    "shows": "attempt",
}
STARTED = {
    "UtcTime": TIME.replace("T", " ").removesuffix("Z"),
    "Image": RUNDLL32,
    "CommandLine": WEBDAV["detail"],
    "User": "CORP\\alice",
    "ParentImage": WEBDAV["parent"],
}
MARK = "[ZoneTransfer]  ZoneId=3  ReferrerUrl=https://example.org/  HostUrl=" + URL
FILE: dict[str, Any] = {
    "kind": "file",
    "what": LURE,
    "detail": "",
    "parent": CHROME,
    "user": "CORP\\alice",
    "server": "",
    "address": "",
    "port": 0,
    "outcome": "",
    "shows": "",
}
WRITTEN = {
    "UtcTime": STARTED["UtcTime"],
    "Image": CHROME,
    "TargetFilename": LURE,
    "User": "CORP\\alice",
}


def assert_told(document: Document, tells: dict[str, Any]) -> None:
    found = told(document)
    assert found is not None
    assert {name: getattr(found, name) for name in tells} == tells
    assert found.host.lower() in {HOST.lower(), FULL}


EVENTS = {
    "Sysmon 1": (1, STARTED, WEBDAV),
    "Sysmon 11": (11, WRITTEN, FILE),
    "Sysmon 15": (
        15,
        {**WRITTEN, "TargetFilename": f"{LURE}:Zone.Identifier", "Contents": MARK},
        {**FILE, "detail": URL},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event", EVENTS)
def test_a_sysmon_event_tells_the_same_in_every_shape(shape: str, event: str) -> None:
    number, data, tells = EVENTS[event]
    assert_told(SHAPES[shape](SYSMON, number, data), tells)


CLIENT = {
    "InitiatingProcessFileName": "svchost.exe",
    "InitiatingProcessFolderPath": "C:\\Windows\\System32\\svchost.exe",
    "InitiatingProcessCommandLine": SVCHOST,
    "InitiatingProcessAccountName": "local service",
    "InitiatingProcessAccountDomain": "nt authority",
    "RemoteIP": "45.83.122.10",
    "RemotePort": 80,
    "RemoteUrl": "srv",
}
CONNECTED = {
    "kind": "webdav",
    "what": "srv",
    "detail": SVCHOST,
    "user": "nt authority\\local service",
    "server": "srv",
    "address": "45.83.122.10",
    "port": 80,
}
WRITER = {
    "InitiatingProcessFolderPath": CHROME,
    "InitiatingProcessAccountName": "alice",
    "InitiatingProcessAccountDomain": "CORP",
}
MADE = {
    "success": ("success", "connection"),
    "failed": ("failure", "attempt"),
    "request": ("", "attempt"),
}
VENDORS: dict[str, tuple[Document, dict[str, Any]]] = {
    **{
        f"Defender, a connection: {ending}": (
            defender("DeviceNetworkEvents", ActionType=f"Connection{ending.title()}", **CLIENT),
            {**CONNECTED, "outcome": outcome, "shows": shows},
        )
        for ending, (outcome, shows) in MADE.items()
    },
    "Defender, a process": (
        defender(
            "DeviceProcessEvents",
            ActionType="ProcessCreated",
            FolderPath=RUNDLL32,
            ProcessCommandLine=WEBDAV["detail"],
            InitiatingProcessFolderPath=WEBDAV["parent"],
            AccountName="alice",
            AccountDomain="CORP",
        ),
        WEBDAV,
    ),
    "Defender, a file": (
        defender(
            "DeviceFileEvents",
            ActionType="FileCreated",
            FolderPath=LURE,
            FileName="invoice.library-ms",
            FileOriginUrl=URL,
            **WRITER,
        ),
        {**FILE, "detail": URL},
    ),
    "Defender, a renamed file": (
        defender("DeviceFileEvents", ActionType="FileRenamed", FileName="Desktop.INI", **WRITER),
        {**FILE, "what": "Desktop.INI"},
    ),
    "Security 4688": (
        security(
            4688,
            {
                "NewProcessName": RUNDLL32,
                "CommandLine": WEBDAV["detail"],
                "ParentProcessName": WEBDAV["parent"],
                "SubjectUserName": "alice",
                "SubjectDomainName": "CORP",
            },
        ),
        WEBDAV,
    ),
    "Elastic Defend, a process": (
        mapped(
            "process",
            **{
                "event.type": ["start"],
                "process.executable": RUNDLL32,
                "process.args": WEBDAV["detail"].split(),
                "process.parent.executable": WEBDAV["parent"],
            },
        ),
        {**WEBDAV, "detail": WEBDAV["detail"].replace(" ", "; ")},
    ),
    "Elastic Defend, a file": (
        mapped(
            "file",
            **{
                "event.action": "creation",
                "event.type": ["creation"],
                "file": {"path": LURE, "origin_url": URL},
                "process.executable": CHROME,
            },
        ),
        {**FILE, "detail": URL},
    ),
    "Elastic Defend, a renamed file": (
        mapped(
            "file",
            **{
                "event.action": "rename",
                "event.type": ["change"],
                "file.path": LURE,
                "process.executable": CHROME,
            },
        ),
        FILE,
    ),
    "a Sysmon 15 that a pipeline mapped": (
        mapped(
            "file",
            **{
                "event.code": "15",
                "winlog": {"channel": SYSMON, "event_data": {"Contents": MARK}},
                "file.path": f"{LURE}:Zone.Identifier",
                "process.executable": CHROME,
            },
        ),
        {**FILE, "detail": URL},
    ),
    "an ECS connection of the WebClient service": (
        mapped(
            "network",
            **{
                "event.outcome": "success",
                "process.command_line": SVCHOST,
                "destination": {"ip": "45.83.122.10", "port": [443, 80], "domain": "srv"},
            },
        ),
        {**CONNECTED, "user": "CORP\\alice", "port": 443, "shows": "connection"},
    ),
    "a 4648 that a pipeline mapped": (
        mapped(
            "authentication",
            **{
                "event.code": "4648",
                "event.action": "logged-in-explicit",
                "winlog": {
                    "channel": "Security",
                    "event_id": "4648",
                    "computer_name": HOST,
                    "event_data": {
                        "TargetUserName": "svc",
                        "TargetDomainName": "LAB",
                        "TargetServerName": "srv",
                    },
                },
            },
        ),
        {"kind": "credentials", "user": "LAB\\svc", "server": "srv", "shows": "authentication"},
    ),
}


@pytest.mark.parametrize(("document", "tells"), VENDORS.values(), ids=VENDORS)
def test_a_vendors_event_tells_of_webdav_and_lures(
    document: Document, tells: dict[str, Any]
) -> None:
    assert_told(document, tells)


NOTHING = {
    "another file": SHAPES["Winlogbeat"](SYSMON, 11, {**WRITTEN, "TargetFilename": "C:\\a.log"}),
    "a stream that is no mark": SHAPES["Winlogbeat"](
        SYSMON, 15, {**WRITTEN, "TargetFilename": "C:\\a.docx:other"}
    ),
    "a lure that was deleted": mapped(
        "file", **{"event.action": "deletion", "event.type": ["deletion"], "file.path": LURE}
    ),
    "a deletion of Sysmon": mapped(
        "file", **{"event.code": "23", "event.type": ["deletion"], "file.path": LURE}
    ),
    "a modified file of Defender": defender(
        "DeviceFileEvents", ActionType="FileModified", FolderPath=LURE
    ),
    "another service's connection": defender(
        "DeviceNetworkEvents",
        **{
            **CLIENT,
            "ActionType": "ConnectionSuccess",
            "InitiatingProcessCommandLine": "svchost.exe -k netsvcs -s BITS",
        },
    ),
    "the service at another port": defender(
        "DeviceNetworkEvents", **{**CLIENT, "ActionType": "ConnectionSuccess", "RemotePort": 5357}
    ),
}


@pytest.mark.parametrize("document", NOTHING.values(), ids=NOTHING)
def test_other_files_and_connections_tell_nothing(document: Document) -> None:
    assert told(document) is None


@pytest.mark.parametrize(
    ("path", "lure"),
    [
        ("C:\\a\\x.LIBRARY-MS", True),
        ("C:\\a\\x.url", True),
        ("/share/x.lnk", True),
        ("x.scf", True),
        ("x.searchConnector-ms", True),
        ("x.search-ms", True),
        ("x.theme", True),
        ("x.themepack", True),
        ("x.rdp", True),
        ("x.application", True),
        ("x.docx", True),
        ("x.xlsx", True),
        ("x.rtf", True),
        ("x.msg", True),
        ("x.pdf", True),
        ("x.zip", True),
        ("C:\\a\\desktop.ini", True),
        ("C:\\a\\mydesktop.ini", False),
        ("C:\\a.zip\\x.txt", False),
        ("zip", False),
        ("x.zip.part", False),
        ("", False),
    ],
)
def test_a_lure_is_known_by_its_name(path: str, lure: object) -> None:
    assert (lure_of(path) == path) is lure


@pytest.mark.parametrize(
    ("contents", "url"),
    [
        (MARK, URL),
        (
            "[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=about:internet\r\nReferrerUrl=https://a.b/",
            "https://a.b/",
        ),
        ("[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=C:\\x.zip", None),
        ("-", None),
    ],
)
def test_a_zone_identifier_names_where_a_file_came_from(contents: str, url: str | None) -> None:
    assert source_url(contents) == url


def test_the_webclient_service_is_known_by_its_command_line() -> None:
    assert is_web_client(SVCHOST, "443")
    assert is_web_client('"C:\\Windows\\System32\\SVCHOST.EXE" -k LocalService -s webclient', 80)
    assert not is_web_client(SVCHOST, 445)
    assert not is_web_client("C:\\tools\\webclient.exe", 80)
