"""Servers on the internet that SMB, WebDAV and NTLM clients name, apart from the rule's own events.

They may be the only trace where no SMB connection of the kernel is logged. They decide nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.records.event import Document, Origin
from smbrare.records.read_options import ReadOptions
from smbrare.rule.networks import excluded_range
from smbrare.sources import activities
from smbrare.sources.activities.activity import Activity

MOST_SERVERS = 1_000
"""How many servers are listed: the first by their text, whatever the order of the input."""

MOST_NAMES = 20_000
"""How many addresses and names are kept, likewise: most are of a network's own computers."""

MOST_ACCOUNTS = 1_000
"""How many accounts are kept of a server, likewise."""

_T = TypeVar("_T")
_KINDS = frozenset({"smb", "webdav", "ntlm"})
_NAMED = frozenset({"smb", "webdav"})
"""Kinds whose servers are followed by their names: NTLM is sent to servers of every protocol."""
_LONGEST_NAME = 255


class Server(Struct):
    """What some events say of one server.

    Attributes:
        destination: Its address, or a name that leads to several.
        first: Microseconds since 1970 UTC.
        last: Likewise.
        events: How many events name it, copies included.
        hosts: The hosts that named it, as their events spell them, by their name in lower case.
        accounts: The accounts in these events, likewise.
        kinds: What kind of events they are.
    """

    destination: str
    first: int
    last: int
    events: int = 1
    hosts: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def merge(self, other: "Server") -> None:
        """Take in what other events say of it."""
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.events += other.events
        for mine, more in ((self.hosts, other.hosts), (self.accounts, other.accounts)):
            for key, text in more.items():
                mine[key] = min(mine.get(key, text), text)
        self.kinds |= other.kinds
        if len(self.accounts) > 2 * MOST_ACCOUNTS:
            self.accounts = _least(self.accounts, MOST_ACCOUNTS)


class Servers(Struct):
    """Every server on the internet that the events of some inputs name.

    Attributes:
        by_address: Those with a public address.
        by_name: Those with a name alone, by that in lower case.
    """

    by_address: dict[str, Server] = field(default_factory=dict)
    by_name: dict[str, Server] = field(default_factory=dict)

    def observe(self, document: Document, options: ReadOptions) -> None:
        """Take in an event that is not a network connection."""
        found = activities.read(document, options)
        if found is None or found[0] not in _KINDS:
            return
        activity = activities.activity(*found, Origin("", 0))
        if activity is None:
            return
        address, name = activity.address, activity.server.rstrip(".").lower()
        if address:
            if excluded_range(ip_address(address)) is None:
                _add(self.by_address, _server(address, activity))
        # A name without a dot is one of the network's own.
        elif activity.kind in _NAMED and "." in name and len(name) <= _LONGEST_NAME:
            _add(self.by_name, _server(name, activity))

    def merge(self, other: "Servers") -> None:
        """Take in what another part of the inputs names."""
        for server in other.by_address.values():
            _add(self.by_address, server)
        for server in other.by_name.values():
            _add(self.by_name, server)

    def settled(self) -> "Servers":
        """Return what is kept whatever the order of the input."""
        return Servers(_least(self.by_address, MOST_NAMES), _least(self.by_name, MOST_NAMES))


def _add(kept: dict[str, Server], server: Server) -> None:
    known = kept.setdefault(server.destination, server)
    if known is not server:
        known.merge(server)
    elif len(kept) > 2 * MOST_NAMES:
        for last in sorted(kept)[MOST_NAMES:]:
            del kept[last]


def _least(kept: dict[str, _T], most: int) -> dict[str, _T]:
    """Return the first by their keys; in no order of the input were they thrown out."""
    return {key: kept[key] for key in sorted(kept)[:most]}


def _server(destination: str, activity: Activity) -> Server:
    host, user, time = activity.host, activity.user, activity.time
    return Server(
        destination,
        time,
        time,
        hosts={host.lower(): host} if host else {},
        accounts={user.lower(): user} if user else {},
        kinds={activity.kind},
    )


def also_seen(
    servers: Servers, covered: Collection[str], resolved: Mapping[str, Collection[str]]
) -> Iterator[Server]:
    """Yield the servers on the internet that no matching event shows.

    Args:
        servers: What the events name.
        covered: The destinations of the rule's own events.
        resolved: The public addresses of names, by DNS events; a name without any is not known to
            be on the internet.
    """
    yield from (each for key, each in servers.by_address.items() if key not in covered)
    for name, server in servers.by_name.items():
        addresses = resolved.get(name, ())
        if addresses and set(covered).isdisjoint(addresses):
            one = next(iter(addresses)) if len(addresses) == 1 else name
            yield replace(server, destination=one)


def merge_servers(servers: Iterable[Server]) -> tuple[Server, ...]:
    """Return one server for each destination, in the order of their text."""
    found: dict[str, Server] = {}
    for each in servers:
        empty = Server(each.destination, each.first, each.last, events=0)
        found.setdefault(each.destination, empty).merge(each)
    return tuple(found[destination] for destination in sorted(found))[:MOST_SERVERS]
