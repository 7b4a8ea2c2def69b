"""Servers on the internet that only events beside the rule's name, as outputs show them."""

from collections.abc import Iterator
from typing import Any

from smbrare.detection.also_seen import MOST_SERVERS, Server
from smbrare.detection.finding import MOST_HOSTS
from smbrare.detection.report import Report
from smbrare.outputs import grid
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column
from smbrare.outputs.wording import time_text
from smbrare.records.times import format_time
from smbrare.text import code_span, counted, some

TITLE = "Also seen: servers on the internet that SMB, WebDAV or NTLM clients named"
NOTE = "No connection event shows them, so they are no findings and change no exit code."
_KINDS = {"smb": "SMB client", "webdav": "WebDAV", "ntlm": "NTLM"}


def count_text(report: Report) -> str:
    """Return how many there are (``2 servers on the internet``)."""
    number = len(report.also_seen)
    at_least = "at least " if number >= MOST_SERVERS else ""
    return f"{at_least}{counted(number, 'server')} on the internet"


def kinds_text(server: Server) -> str:
    """Return what kinds of events name a server."""
    return ", ".join(_KINDS[kind] for kind in sorted(server.kinds))


def when_text(server: Server) -> str:
    """Return from when to when a server was named."""
    first, last = time_text(server.first), time_text(server.last)
    return first if first == last else f"{first} to {last}"


def who_text(server: Server) -> tuple[str, str]:
    """Return the first few accounts and hosts that named a server."""
    return some(sorted(server.accounts.values())), some(sorted(server.hosts.values()))


_COLUMNS = (
    Column[Server]("Also seen", lambda each: each.destination),
    Column[Server]("First, last (UTC)", when_text, folds=True),
    Column[Server]("Account", lambda each: who_text(each)[0], folds=True),
    Column[Server]("Host", lambda each: who_text(each)[1], folds=True),
    Column[Server]("Named by", kinds_text, folds=True),
    Column[Server]("N", lambda each: f"{each.events:,}", right=True),
)


def lines(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield a table of them for the terminal, nothing where there are none."""
    if report.also_seen:
        yield from grid.lines(_COLUMNS, report.also_seen, options)


def markdown(report: Report) -> Iterator[str]:
    """Yield a section of a ticket, nothing where there are none."""
    if not report.also_seen:
        return
    yield f"\n## {TITLE}\n\n{NOTE}\n\n"
    yield "| Destination | First, last (UTC) | Account | Host | Named by | Events |\n"
    yield "|---|---|---|---|---|---|\n"
    for each in report.also_seen:
        who = " | ".join(map(code_span, who_text(each)))
        yield f"| {code_span(each.destination)} | {when_text(each)} | {who} "
        yield f"| {kinds_text(each)} | {each.events:,} |\n"


def document(server: Server) -> dict[str, Any]:
    """Return one as JSON values."""
    return {
        "destination": server.destination,
        "hosts": sorted(server.hosts.values())[:MOST_HOSTS],
        "host_count": len(server.hosts),
        "first": format_time(server.first),
        "last": format_time(server.last),
        "accounts": sorted(server.accounts.values())[:MOST_HOSTS],
        "kinds": sorted(server.kinds),
        "events": server.events,
    }
