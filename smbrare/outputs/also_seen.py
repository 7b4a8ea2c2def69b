"""Servers on the internet that only events other than the rule's name, as outputs show them."""

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
    """Return how many there are, and what they are."""
    number = len(report.also_seen)
    at_least = "at least " if number >= MOST_SERVERS else ""
    servers = f"{at_least}{counted(number, 'server')} on the internet"
    return f"{servers} named only by SMB, WebDAV or NTLM clients"


def _when(server: Server) -> str:
    first, last = time_text(server.first), time_text(server.last)
    return first if first == last else f"{first} to {last}"


COLUMNS = (
    Column[Server]("Also seen", lambda each: each.destination),
    Column[Server]("First, last (UTC)", _when, folds=True),
    Column[Server]("Account", lambda each: some(sorted(each.accounts.values())), folds=True),
    Column[Server]("Host", lambda each: some(sorted(each.hosts.values())), folds=True),
    Column[Server]("Named by", lambda each: ", ".join(_KINDS[kind] for kind in sorted(each.kinds))),
    Column[Server]("N", lambda each: f"{each.events:,}", right=True),
)
"""What every output shows of one."""


def lines(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield a table of them for the terminal, nothing where there are none."""
    if report.also_seen:
        yield from grid.lines(COLUMNS, report.also_seen, options)


def markdown(report: Report) -> Iterator[str]:
    """Yield a section of a ticket, nothing where there are none."""
    if not report.also_seen:
        return
    yield f"\n## {TITLE}\n\n{NOTE}\n\n"
    titles = " | ".join(column.title for column in COLUMNS)
    yield f"| {titles} |\n|{'---|' * len(COLUMNS)}\n"
    for each in report.also_seen:
        cells = " | ".join(code_span(str(column.show(each))) for column in COLUMNS)
        yield f"| {cells} |\n"


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
