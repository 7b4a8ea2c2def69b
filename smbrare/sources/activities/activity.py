"""What a host did besides its network connections, as one event shows it."""

from typing import Literal, TypeAlias

from msgspec import Struct

from smbrare.records.event import Origin
from smbrare.sources.mapping import one_of

ActivityKind: TypeAlias = Literal[
    "process",
    "share",
    "dns",
    "smb",
    "ntlm",
    "credentials",
    "webdav",
    "file",
    "logon",
    "logoff",
]

SessionOutcome: TypeAlias = Literal["", "success", "failure"]

Shown: TypeAlias = Literal["", "attempt", "connection", "authentication"]


class Activity(Struct, frozen=True):
    r"""One event of a host besides its network connections.

    Attributes:
        time: Microseconds since 1970 UTC.
        kind: What it is.
        host: The host's name, or its id, as the event spells it.
        user: ``DOMAIN\name`` of who did it, or the name alone; empty if unknown.
        what: The program that started, the share, the name or server asked for, the file that was
            written, or the type of the logon.
        detail: The command line, the answers, the address that a logon came from, or where a file
            was downloaded from.
        parent: The program that started it, asked for it, or wrote it.
        origin: Where the record stands.
        address: The remote address that the event names, spelled as ``destination.ip`` is; empty
            where it names none.
        port: The remote port; 0 where the event has none.
        server: The server's name as the event spells it, without backslashes, service class
            (``cifs/``), share, path, port or ``@SSL``; empty where it names none.
        outcome: How the connection or session ended, where the event itself shows it.
        shows: The most that this event alone shows about SMB or WebDAV to that server: that a
            connection failed, that one was made, or that credentials were used.
    """

    time: int
    kind: ActivityKind
    host: str
    user: str = ""
    what: str = ""
    detail: str = ""
    parent: str = ""
    origin: Origin = Origin("", 0)
    address: str = ""
    port: int = 0
    server: str = ""
    outcome: SessionOutcome = ""
    shows: Shown = ""

    @property
    def content(self) -> tuple[int | str, ...]:
        """What it says, wherever it stands: copies of an event are one event."""
        return (
            self.time,
            self.kind,
            self.host,
            self.user,
            self.what,
            self.detail,
            self.parent,
            self.address,
            self.port,
            self.server,
            self.outcome,
            self.shows,
        )


logon_type = one_of(
    {
        "2": "Interactive",
        "3": "Network",
        "7": "Unlock",
        "8": "NetworkCleartext",
        "9": "NewCredentials",
        "10": "RemoteInteractive",
        "11": "CachedInteractive",
        "12": "CachedRemoteInteractive",
        "13": "CachedUnlock",
        "interactive": "Interactive",
        "network": "Network",
        "networkcleartext": "NetworkCleartext",
        "newcredentials": "NewCredentials",
        "unlock": "Unlock",
        "remoteinteractive": "RemoteInteractive",
        "remote interactive": "RemoteInteractive",
        "cachedinteractive": "CachedInteractive",
        "cached interactive": "CachedInteractive",
        "cachedremoteinteractive": "CachedRemoteInteractive",
        "cachedunlock": "CachedUnlock",
    }
)
"""Services, batches and the system itself log on in other ways, and are no value."""
