"""Reads what else happened on a host from its other events, with a table for each form of them.

The tables fill fields of their own, named as those of
`smbrare.sources.activities.activity.Activity`: ``what``, ``detail``, ``parent``, ``address``,
``port``, ``server``, ``outcome`` and ``shows``. ``account`` and ``domain`` make the user,
``supplied.account`` and ``supplied.domain`` where somebody else's credentials were used;
``sent`` says whether credentials left the machine, where that limits what an event shows.
"""

from itertools import chain
from typing import TypeAlias, cast

from smbrare.records.event import Document, Origin
from smbrare.records.read_options import ReadOptions
from smbrare.sources import ecs, recognize
from smbrare.sources.activities import defender, ecs_documents, webdav, windows
from smbrare.sources.activities.activity import Activity, ActivityKind, SessionOutcome, Shown
from smbrare.sources.activities.remote import Remote
from smbrare.sources.mapping import View
from smbrare.sources.opening import Opened, inner_records, view_of_inner
from smbrare.sources.windows_event import WindowsEvent, mapped_event, unwrap

LONGEST = 500
"""Characters of a command line or another text that are kept."""

_NOBODY = frozenset({"anonymous logon", "local service"})
"""Who has none to send: LocalService is anonymous to servers (Microsoft's page of that account)."""


Found: TypeAlias = tuple[ActivityKind | None, View] | None
"""The kind of activity that an event shows, and its view; or no kind, and a view of its host."""


def read(document: Document, options: ReadOptions) -> Found:
    """Return what kind of activity an event shows, and its view.

    Without a kind it is a Windows event of another kind. None is anything else.

    Args:
        document: The event as the exporter wrote it, out of its envelope.
        options: How to read it.
    """
    for inner in chain((Opened(document),), inner_records(document, options.limits)):
        is_known, found = _read(inner.document, options)
        if is_known:
            return found and (_kind(*found), view_of_inner(found[1], inner))
    return _dns(document, options)


def _kind(kind: ActivityKind | None, view: View) -> ActivityKind | None:
    """Return WebDAV for the start of the program that belongs to it."""
    is_webdav = kind == "process" and webdav.of_command(_joined(view, "detail")) is not None
    return "webdav" if is_webdav else kind


def _read(document: Document, options: ReadOptions) -> tuple[bool, Found]:
    """Return whether a record is of a form that is known here, and what activity it shows."""
    if (event := unwrap(document)) is not None:
        return True, _of_windows(event, document, options)
    if (row := defender.row_of(document)) is not None:
        if defender.is_dns(row):
            return True, _dns(document, options)
        return True, defender.read(document, row, options)
    if ecs_documents.is_ecs(document):
        return True, _of_ecs(document, options)
    return False, None


def activity(kind: ActivityKind | None, view: View, origin: Origin) -> Activity | None:
    """Return an event as what happened on its host; None without a kind, a time or anything to say.

    Args:
        kind: What kind of event it is.
        view: The event, as `read` returned it.
        origin: Where it stands.
    """
    if kind is None or not (what := _text(view, ecs.NAME if kind == "dns" else "what")):
        return None
    # When it happened, whatever time the matches are judged by.
    times = view.read("@timestamp").values or view.time().values
    if not times:
        return None
    cookie = webdav.of_command(_joined(view, "detail")) if kind == "webdav" else None
    remote = cookie or Remote(
        _first(view, "server"), _first(view, "address"), int(_first(view, "port") or 0)
    )
    user = _user(kind, view)
    return Activity(
        time=times[0].time,
        kind=kind,
        host=host_of(view),
        user=user,
        what=what,
        detail=_text(view, ecs.ANSWERS if kind == "dns" else "detail", separator="; "),
        parent=_text(view, "parent"),
        origin=origin,
        address=remote.address,
        port=remote.port,
        server=remote.server,
        outcome=cast("SessionOutcome", _first(view, "outcome")),
        shows=_shown(kind, view, user),
    )


def host_of(view: View) -> str:
    """Return the name of an event's host, else its id, as the event spells it."""
    return _text(view, "host.name") or _text(view, "host.id")


def _user(kind: ActivityKind, view: View) -> str:
    place = "user.name" if kind == "dns" else "account"
    domain, name = _text(view, "user.domain" if kind == "dns" else "domain"), _text(view, place)
    if _first(view, "supplied.account"):
        domain, name = _text(view, "supplied.domain"), _text(view, "supplied.account")
    return f"{domain}\\{name}" if domain and name else name


def _shown(kind: ActivityKind, view: View, user: str) -> Shown:
    if kind == "webdav":
        return "connection" if _first(view, "outcome") == "success" else "attempt"
    shown = cast("Shown", _first(view, "shows"))
    is_unsent = _first(view, "sent") not in {"", "sent"}
    is_nobody = user.lower().rpartition("\\")[2] in _NOBODY
    return "connection" if shown == "authentication" and (is_unsent or is_nobody) else shown


def _first(view: View, name: str) -> str:
    # Most tables have none of the fields that only events of a server have.
    return next(map(str, view.read(name).values), "") if name in view.table else ""


def _joined(view: View, name: str, separator: str = " ") -> str:
    return separator.join(str(value) for value in view.read(name).values)


def _text(view: View, name: str, separator: str = " ") -> str:
    text = _joined(view, name, separator)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _of_windows(event: WindowsEvent, document: Document, options: ReadOptions) -> Found:
    found = _dns(document, options) if windows.is_dns(event) else windows.read(event, options)
    return found or (None, event.record("", "").view(document, options))


def _of_ecs(document: Document, options: ReadOptions) -> tuple[ActivityKind, View] | None:
    event = mapped_event(document)
    if event is not None and windows.is_never_mapped(event):
        return windows.read(event, options)
    found = ecs_documents.read(document, options)
    return found or (_dns(document, options) if ecs_documents.is_dns(document) else None)


def _dns(document: Document, options: ReadOptions) -> tuple[ActivityKind, View] | None:
    """Return a DNS event as its source reads it."""
    view = recognize(document, options)
    if view is None or ecs.NAME not in view.table or not view.read(ecs.NAME).values:
        return None
    return "dns", view
