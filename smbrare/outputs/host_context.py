"""What happened around a finding, in words for people and as JSON values."""

from collections.abc import Iterator
from typing import Any

from smbrare.detection.exposure import MOST_WEAK, JoinedEvent, accounts
from smbrare.detection.finding import Finding, flat
from smbrare.detection.host_context import LURES, REACH, SESSION, HostContext
from smbrare.detection.rank import grade
from smbrare.outputs import grid
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column
from smbrare.outputs.json_values import place_value
from smbrare.outputs.wording import GRADE_MARKS, time_text
from smbrare.records.times import HOUR, MICROSECONDS, format_time
from smbrare.sources.activities.activity import Activity, ActivityKind
from smbrare.text import counted, some, visible

KINDS: dict[ActivityKind, str] = {
    "process": "process start",
    "share": "file share",
    "dns": "DNS query",
    "smb": "SMB client",
    "ntlm": "NTLM sent to",
    "credentials": "credentials used",
    "webdav": "WebDAV",
    "file": "file written",
    "logon": "logon",
    "logoff": "logoff",
}
"""What each kind of event is called."""

SENT: dict[ActivityKind, str] = {
    "smb": "SMB session",
    "ntlm": "NTLM sent",
    "credentials": "credentials used",
    "webdav": "WebDAV session",
}
"""What an event shows that credentials were sent by."""

_MINUTE = 60
_REACH = f"{REACH // MICROSECONDS // _MINUTE} minutes"
_FILES = f"{LURES // MICROSECONDS // _MINUTE} minutes"
_LOGONS = f"{SESSION // HOUR} hours"
SCOPE = (
    f"Events of the host from {_REACH} before to {_REACH} after, files from "
    f"{_FILES} and logons from {_LOGONS} before."
)
"""What was looked at, for people."""


def offset_text(offset: int) -> str:
    """Return microseconds before or after a finding as text (``-0:42``, ``-2:14:52``)."""
    minutes, seconds = divmod(abs(offset) // MICROSECONDS, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    length = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{'-' if offset < 0 else '+'}{length}"


def event_text(activity: Activity) -> str:
    """Return what an event says, without its time and its user."""
    match activity.kind:
        case "process":
            parent = f", started by {activity.parent}" if activity.parent else ""
            return f"{activity.detail or activity.what}{parent}"
        case "share":
            file = f" {activity.detail}" if activity.detail else ""
            return f"{activity.what}{file}" + (
                f" from {activity.parent}" if activity.parent else ""
            )
        case "ntlm" | "credentials":
            blocked = " (blocked, not sent)" if activity.outcome == "failure" else ""
            return f"{activity.what}{blocked}" + (
                f" by {activity.parent}" if activity.parent else ""
            )
        case "logon":
            return f"{activity.what}" + (f" from {activity.detail}" if activity.detail else "")
        case "dns" | "smb":
            return f"{activity.what}" + (f" ({activity.detail})" if activity.detail else "")
        case "webdav":
            return activity.detail or activity.what
        case "file":
            source = f" from {activity.detail}" if activity.detail else ""
            return f"{activity.what}{source}" + (
                f" by {activity.parent}" if activity.parent else ""
            )
        case "logoff":
            return ""


def users_text(context: HostContext) -> Iterator[str]:
    """Yield a line for each user whose hash the connection may have given away."""
    for each in context.logged_on:
        yield f"{each.user} was logged on ({each.how} since {time_text(each.since)}, {each.origin})"
    if context.active:
        yield f"programs started as {some(context.active)}"


def missing_text(context: HostContext) -> Iterator[str]:
    """Yield what is not shown, and why."""
    if context.omitted:
        counts = ", ".join(f"{number:,} {KINDS[kind]}" for kind, number in context.omitted.items())
        yield f"more that are further away in time: {counts}"
    for gap in context.gaps:
        yield f"not complete: {gap}"
    if not context.events and not context.gaps:
        yield "no other event of the host in that time was read"


def proof_text(activity: Activity, record: str = "") -> str:
    """Return how and when an event shows credentials sent, and where its record stands.

    Args:
        activity: The event.
        record: What stands for the place of its record, in a text that is filled in later.
    """
    sent = SENT.get(activity.kind, KINDS[activity.kind])
    return f"{sent} at {time_text(activity.time)} UTC, record {record or activity.origin}"


def evidence_text(finding: Finding) -> Iterator[str]:
    """Yield whose credentials were sent by which record, and what is weaker evidence of it."""
    for activity in accounts(finding.evidence):
        yield f"{activity.user}: {proof_text(activity)}"
    if weak := sum(not each.proves for each in finding.evidence):
        yield f"{counted(weak, 'event')} joined by host and time alone, which proves nothing"


def lines(finding: Finding, options: RenderOptions) -> Iterator[str]:
    """Yield what happened around a finding as lines: its grade, what that rests on, and events."""
    context, time = finding.host_context or HostContext(), finding.sighting.event_time or 0
    yield f"\ngrade: {' '.join(GRADE_MARKS[grade(finding)])}\n"
    for text in evidence_text(finding):
        yield f"  {visible(text)}\n"
    yield f"\naround it, {_REACH} each way (files: {_FILES} before, logons: {_LOGONS}):\n"
    for text in (*users_text(context), *missing_text(context)):
        yield f"  {visible(text)}\n"
    if context.events:
        yield "\n"
        columns = (
            Column[Activity]("Offset", lambda each: offset_text(each.time - time), right=True),
            Column[Activity]("What", lambda each: KINDS[each.kind]),
            Column[Activity]("User", lambda each: each.user, folds=True),
            Column[Activity]("Detail", event_text, folds=True),
            Column[Activity]("Record", lambda each: str(each.origin.number), right=True),
        )
        yield from grid.lines(columns, context.events, options)


def fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as ECS fields, with what happened around it where somebody looked."""
    context = finding.host_context
    more = {"smbrare.exposure": exposure(finding)}
    return (
        flat(finding)
        | more
        | ({} if context is None else {"smbrare.host_context": document(context)})
    )


def exposure(finding: Finding) -> dict[str, Any]:
    """Return how far a finding's connections got, and what shows it, as JSON values.

    Where nobody looked, its grade rests on its own events alone, and nothing is said of others.
    """
    if finding.host_context is None:
        return {"grade": grade(finding)}
    return {
        "grade": grade(finding),
        "accounts": [
            {
                "account": activity.user,
                "time": format_time(activity.time),
                "record": place_value(activity.origin),
            }
            for activity in accounts(finding.evidence)
        ],
        "evidence": [_evidence(each) for each in finding.evidence[: 2 * MOST_WEAK]],
        "evidence_count": len(finding.evidence),
    }


def _evidence(event: JoinedEvent) -> dict[str, Any]:
    activity = event.activity
    return _event(activity) | {
        "joined": list(event.joined),
        "shows": activity.shows or None,
        "outcome": activity.outcome or None,
        "server": activity.server or None,
        "address": activity.address or None,
    }


def _event(activity: Activity) -> dict[str, Any]:
    return {
        "time": format_time(activity.time),
        "kind": activity.kind,
        "host": activity.host,
        "user": activity.user or None,
        "what": activity.what,
        "detail": activity.detail or None,
        "parent": activity.parent or None,
        "record": place_value(activity.origin),
    }


def document(context: HostContext) -> dict[str, Any]:
    """Return what happened around a finding as JSON values."""
    return {
        "events": list(map(_event, context.events)),
        "omitted": dict(context.omitted),
        "logged_on": [
            {
                "user": each.user,
                "type": each.how,
                "since": format_time(each.since),
                "record": place_value(each.origin),
            }
            for each in context.logged_on
        ],
        "active_users": list(context.active),
        "not_complete": list(context.gaps),
    }
