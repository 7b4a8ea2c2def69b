"""WebDAV by Windows' own client, by the programs that it runs as.

The WebClient service starts ``rundll32 davclnt.dll,DavSetCookie SERVER URL`` for a server that it
turns to, which no log of connections shows. It says neither whether the server answered nor
whether it was given credentials.

Source: the names of davclnt.dll's exports; published command lines.
"""

import re

from smbrare.sources.activities.remote import Remote, remote_of

_COOKIE = re.compile("davsetcookie", re.IGNORECASE)
_WEB_CLIENT = re.compile(r"\bwebclient\b")
_PORTS = frozenset({"80", "443"})


def of_command(command: str) -> Remote | None:
    """Return the server that a command line of DavSetCookie names; None for any other command."""
    cookie = _COOKIE.search(command)
    library = command[: cookie.start()].lower().rstrip(' \t",') if cookie else ""
    if cookie is None or not library.removesuffix(".dll").endswith("davclnt"):
        return None
    words = command[cookie.end() :].replace('"', " ").split()
    server, url = (remote_of(word) for word in (*words, "", "")[:2])
    found = Remote(
        server.server or url.server, server.address or url.address, server.port or url.port
    )
    return found if found.server else None


def is_web_client(command: str, port: object) -> bool:
    """Return whether a connection is WebDAV, by the service's command line and the remote port."""
    return str(port) in _PORTS and bool(_WEB_CLIENT.search(command.lower().partition("svchost")[2]))
