"""Two hundred hosts whose logs tell in many ways, or do not, what was sent where; seeded.

No public log holds these events beside connections: they follow the providers' manifests.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from random import Random
from typing import Any

from msgspec import Struct, field

from tests.support.activities import defender, windows
from tests.support.events import matching

HOSTS = 200
FINDINGS = 100
"""Hosts with a connection that the rule matches; the others have events of clients alone."""

START = datetime(2026, 11, 16, 8, tzinfo=UTC)
INSIDE = "10.20.0.5"
_SYSMON = "Microsoft-Windows-Sysmon/Operational"
_NTLM = "Microsoft-Windows-NTLM/Operational"
_CONNECTIVITY = "Microsoft-Windows-SmbClient/Connectivity"

Event = dict[str, Any]


class Host(Struct):
    """A host, what happened on it, and the truth of it."""

    number: int
    outcome: str
    grade: str = ""
    accounts: set[str] = field(default_factory=set)
    also: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)

    @property
    def full(self) -> str:
        """Its full name; every fifth host shares the first part of it with another domain's."""
        return f"ws-{self.number:03}.corp.example"

    @property
    def destination(self) -> str:
        """The address that it connects to, and no other host does."""
        return str(IPv4Address("45.83.0.10") + 256 * self.number)

    @property
    def other(self) -> str:
        """An address on the internet that nobody connects to."""
        return str(IPv4Address("91.219.0.10") + 256 * self.number)

    @property
    def name(self) -> str:
        """A server's name."""
        return f"srv-{self.number:03}.share.example"

    @property
    def user(self) -> str:
        """The name of its user."""
        return f"user{self.number:03}"

    def add(
        self, channel: str, number: int, data: Event, *, after: int = 1, host: str = ""
    ) -> None:
        """Add a Windows event, so many seconds after the connection."""
        time = self.time(after)
        if channel == _SYSMON:
            data = {"UtcTime": time.replace("T", " ").removesuffix("Z"), **data}
        self.events.append(windows(channel, number, data, time=time, host=host or self.full))

    def time(self, after: int = 0) -> str:
        """Return the time so many seconds after the connection."""
        moment = START + timedelta(minutes=self.number, seconds=after)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"

    def ntlm(self, target: str, *, user: str = "", after: int = 1, host: str = "") -> None:
        """Add outgoing NTLM to a target."""
        data = {
            "TargetName": f"cifs/{target}",
            "UserName": "(NULL)",
            "DomainName": "(NULL)",
            "ClientUserName": user or self.user,
            "ClientDomainName": "CORP",
            "ProcessName": "System",
        }
        self.add(_NTLM, 8001, data, after=after, host=host)

    def smb(self, number: int, address: str, *, after: int = 1, host: str = "") -> None:
        """Add a message of SMB's client about a connection to an address."""
        socket = f"020001BD{int(IPv4Address(address)):08X}{'0' * 16}"
        data = {"ServerName": f"\\{address}", "Address": socket, "Status": "3221225653"}
        self.add(_CONNECTIVITY, number, data, after=after, host=host)

    def resolved(self, *addresses: str, host: str = "") -> None:
        """Add a DNS query for its server."""
        answers = "".join(f"::ffff:{address};" for address in addresses)
        data = {"QueryName": self.name, "QueryResults": answers, "Image": "C:\\x.exe"}
        self.add(_SYSMON, 22, data, after=-2, host=host)


def _sent(host: Host, *users: str) -> None:
    host.grade = "authentication"
    host.accounts = {f"CORP\\{user}" for user in users or (host.user,)}


def _ntlm_by_address(host: Host) -> None:
    host.ntlm(host.destination)
    host.ntlm(host.destination, user="other", after=3)
    _sent(host, host.user, "other")


def _ntlm_by_name(host: Host) -> None:
    host.resolved(host.destination)
    host.ntlm(host.name)
    _sent(host)


def _ntlm_by_short_host(host: Host) -> None:
    host.ntlm(host.destination, host=host.full.partition(".")[0].upper())
    _sent(host)


def _ntlm_of_either_host(host: Host) -> None:
    short, _, _ = host.full.partition(".")
    host.ntlm(host.destination, host=short)
    host.ntlm(INSIDE, host=f"{short}.other.example")


def _ntlm_of_another_host(host: Host) -> None:
    host.ntlm(host.destination, host=f"srv-{host.number:03}.corp.example")


def _ntlm_by_a_name_of_nothing(host: Host) -> None:
    host.ntlm(host.name)


def _ntlm_by_a_name_of_several(host: Host) -> None:
    host.resolved(host.destination, host.other)
    host.ntlm(host.name)


def _ntlm_by_a_name_of_another(host: Host) -> None:
    host.resolved(INSIDE)
    host.ntlm(host.name)


def _ntlm_by_a_name_that_another_host_asked(host: Host) -> None:
    host.resolved(host.destination, host=f"srv-{host.number:03}.corp.example")
    host.ntlm(host.name)


def _ntlm_too_late(host: Host) -> None:
    host.ntlm(host.destination, after=301)


def _ntlm_inside(host: Host) -> None:
    host.ntlm("dc01.corp.example")
    host.ntlm(INSIDE)


def _credentials(host: Host) -> None:
    data = {
        "SubjectUserName": host.user,
        "SubjectDomainName": "CORP",
        "TargetUserName": "backup",
        "TargetDomainName": "CORP",
        "TargetServerName": host.destination,
        "ProcessName": "C:\\Windows\\System32\\net.exe",
    }
    host.add("Security", 4648, data)
    _sent(host, "backup")


def _smb_failed(host: Host) -> None:
    host.smb(30803, host.destination, after=20)
    if host.outcome == "unknown":
        host.grade = "attempted"


def _smb_failed_elsewhere(host: Host) -> None:
    host.smb(30803, INSIDE, after=20)


def _smb_connected(host: Host) -> None:
    host.smb(30803, host.destination)
    host.smb(30804, host.destination, after=20)
    host.grade = "connected"


def _smb_connected_by_another_host(host: Host) -> None:
    host.smb(30804, host.destination, host=f"srv-{host.number:03}.corp.example")


def _webdav(host: Host, server: str = "") -> None:
    line = (
        f"rundll32.exe C:\\Windows\\system32\\davclnt.dll,DavSetCookie {server or host.destination}"
    )
    host.events.append(
        defender(
            "DeviceProcessEvents",
            ActionType="ProcessCreated",
            FolderPath="C:\\Windows\\System32\\rundll32.exe",
            ProcessCommandLine=line,
            AccountName=host.user,
            AccountDomain="CORP",
        )
    )
    host.events[-1]["properties"] |= {"Timestamp": host.time(4), "DeviceName": host.full}


def _lure(host: Host) -> None:
    data = {"Image": "C:\\chrome.exe", "TargetFilename": f"C:\\{host.user}\\invoice.library-ms"}
    host.add(_SYSMON, 11, data, after=-1500)


def _nothing(host: Host) -> None:
    del host


_STORIES: tuple[Callable[[Host], None], ...] = (
    *(_nothing, _ntlm_by_address, _ntlm_by_name, _ntlm_by_short_host, _ntlm_of_either_host),
    *(_ntlm_of_another_host, _ntlm_by_a_name_of_nothing, _ntlm_by_a_name_of_several),
    *(_ntlm_by_a_name_of_another, _ntlm_by_a_name_that_another_host_asked, _ntlm_too_late),
    *(_ntlm_inside, _credentials, _smb_failed, _smb_failed_elsewhere, _smb_connected),
    *(_smb_connected_by_another_host, _webdav, _lure),
)
_OWN = {"success": "connected", "failure": "attempted", "unknown": "unknown"}


def _also_smb(host: Host) -> None:
    host.smb(30803, host.other)
    host.smb(30803, INSIDE)
    host.also = {host.other}


def _also_webdav(host: Host) -> None:
    host.resolved(host.other)
    _webdav(host, host.name)
    host.also = {host.other}


def _also_ntlm(host: Host) -> None:
    host.ntlm(host.other)
    host.ntlm("www.example")
    host.also = {host.other}


def _also_covered(host: Host) -> None:
    host.smb(30803, Host(host.number - FINDINGS, "unknown").destination)


def _also_unknown(host: Host) -> None:
    _webdav(host, host.name)
    host.resolved(INSIDE)


_CLIENTS = (_also_smb, _also_webdav, _also_ntlm, _also_covered, _also_unknown)


def world(seed: int = 1) -> list[Host]:
    """Return the hosts; of equal seeds they are equal."""
    chance = Random(seed)
    hosts = []
    for number in range(HOSTS):
        host = Host(number, chance.choice(sorted(_OWN)))
        if number < FINDINGS:
            host.grade = _OWN[host.outcome]
            _STORIES[number % len(_STORIES)](host)
            chance.choice((_nothing, _lure, _ntlm_inside, _smb_failed_elsewhere))(host)
            host.events.append(_connection(host))
        else:
            _CLIENTS[number % len(_CLIENTS)](host)
        hosts.append(host)
    return hosts


def _connection(host: Host) -> Event:
    return matching(
        timestamp=host.time(),
        host__name=host.full,
        destination__ip=host.destination,
        event__outcome=host.outcome,
    )


def padding() -> Iterator[Event]:
    """Yield events that tell nothing, so that a log is not of these events alone."""
    for number in range(2 * HOSTS):
        host = Host(number % HOSTS, "unknown")
        host.add("Security", 4634, {"TargetUserName": "x"}, after=number)
        yield from host.events
