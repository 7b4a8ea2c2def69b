"""What the logs show of a finding, in order: its connection, and what its host did around it."""

import shlex
from collections.abc import Iterator

from msgspec import Struct

from smbrare.detection.exposure import proofs
from smbrare.detection.finding import Finding
from smbrare.detection.host_context import HostContext, same_host
from smbrare.detection.rank import Grade, grade
from smbrare.outputs.host_context import KINDS, event_text, offset_text, proof_text
from smbrare.outputs.triage import Step, files_before, programs_before
from smbrare.outputs.wording import outcome_text, values
from smbrare.records.event import Origin
from smbrare.sources.activities.activity import Activity
from smbrare.text import counted

_MOST_NAMES = 3
_PROVEN: dict[Grade, str] = {
    "authentication": "A record shows credentials sent to {destination}: {proof}.",
    "connected": "{destination} was reached.",
    "unknown": "The logs do not show what came of the connection to {destination}.",
    "attempted": "Every logged connection to {destination} failed.",
}
_LOGON, _CONNECTION = "Logon", "SMB connection"


class Evidence(Struct, frozen=True):
    """One event.

    Attributes:
        time: Microseconds since 1970 UTC; None if it cannot be read.
        what: What happened.
        detail: What the event says of it.
        user: Who did it; empty if unknown.
        origin: Where its record stands, if that is known.
        decides: Whether it is the connection, or shows what became of it.
    """

    time: int | None
    what: str
    detail: str
    user: str = ""
    origin: Origin | None = None
    decides: bool = False

    def offset(self, finding: Finding) -> str:
        """Return how long before or after a finding it was, for people."""
        at = finding.sighting.event_time or 0
        return offset_text((at if self.time is None else self.time) - at)


def evidence(finding: Finding) -> list[Evidence]:
    """Return the events of a finding in order of time."""
    sighting = finding.sighting
    source = _endpoint(sighting.source, values(finding, "source.port"))
    destination = _endpoint(sighting.destination, values(finding, "destination.port"))
    outcome = outcome_text(finding).replace("unknown", "outcome not logged")
    found = [
        Evidence(
            sighting.event_time,
            _CONNECTION,
            f"{source} to {destination}, PID 4, {outcome}",
            origin=sighting.origin,
            decides=True,
        ),
        *_before(finding),
    ]
    context = finding.host_context or HostContext()
    proving = {each.activity.content: each.activity for each in finding.evidence if each.proves}
    around = {event.content: event for event in context.events} | proving
    for event in around.values():
        what = KINDS[event.kind]
        found.append(
            Evidence(
                event.time,
                what[0].upper() + what[1:],
                _text(event, sighting.host),
                event.user,
                event.origin,
                event.content in proving and bool(event.shows),
            )
        )
    return sorted(found, key=lambda each: (each.time or 0, each.what != _CONNECTION, each.decides))


def nearest(events: list[Evidence], most: int) -> tuple[list[Evidence], str]:
    """Return at most so many events in their order, and how many more there are, in words.

    What decides stays, then logons, then what is nearest in time.
    """
    at = next(each.time or 0 for each in events if each.decides)
    ranked = sorted(
        range(len(events)),
        key=lambda number: (
            not events[number].decides,
            events[number].what != _LOGON,
            abs((events[number].time or 0) - at),
        ),
    )
    left = len(events) - most
    kept = [events[number] for number in sorted(ranked[:most])]
    return kept, f"{counted(left, 'more event')}, further away in time" if left > 0 else ""


def explain_command(finding: Finding) -> str:
    """Return the command that explains a finding by its record."""
    return shlex.join(["smbrare", "explain", str(finding.sighting.origin)])


def why(finding: Finding) -> Iterator[Step]:
    """Yield what the events prove, and what they do not, as sentences with names."""
    names: dict[str, str | tuple[str, ...]] = {
        "destination": finding.sighting.destination,
        "names": finding.dns_names[:_MOST_NAMES],
        "programs": programs_before(finding),
        "files": files_before(finding),
    }
    proven = _PROVEN[grade(finding)]
    for activity in proofs(finding.evidence)[:1]:
        proven = proven.replace("{proof}", proof_text(activity, "{record}"))
        names["record"] = str(activity.origin)
    yield Step(proven, names)
    if grade(finding) == "connected":
        yield Step("The logs do not show whether credentials were sent.")
    if finding.dns_names:
        yield Step("It was the answer to a DNS query for {names}.", names)
    if files_before(finding):
        yield Step("Shortly before, the host wrote {files}.", names)
    if programs_before(finding):
        yield Step("Shortly before, the host started {programs}.", names)
    context = finding.host_context
    if context is not None and not context.logged_on and not context.gaps:
        yield Step("No interactive logon was found in the 24 hours before.", names)


def _text(event: Activity, host: str) -> str:
    """Return what an event says, and on which host it was if that is another of the finding's."""
    return event_text(event) + (f" on {event.host}" * (not same_host(event.host, host)))


def _endpoint(address: str, ports: list[str]) -> str:
    shown = f"[{address}]" if ":" in address and ports else address
    return ":".join([shown, *ports[:1]])


def _before(finding: Finding) -> Iterator[Evidence]:
    """Yield the logons before it, and the DNS queries that no event around it shows."""
    at, context = finding.sighting.event_time, finding.host_context or HostContext()
    if at is None:
        return
    shown = {event.origin for event in context.events}
    for each in context.logged_on:
        if each.origin not in shown:
            yield Evidence(each.since, _LOGON, each.how, each.user, each.origin)
    asked = {event.what.lower() for event in context.events if event.kind == "dns"}
    for query in finding.queries:
        time = query.last if query.last is not None and query.last <= at else query.first
        if time is not None and query.name not in asked:
            by = f" asked by {query.host}" if query.host else ""
            detail = f"{query.name}: {finding.sighting.destination}{by}"
            yield Evidence(time, KINDS["dns"], detail)
