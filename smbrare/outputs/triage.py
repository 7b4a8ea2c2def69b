"""What to do about a finding: short steps, chosen and filled in by its facts.

The steps are smbrare's own words. They know that the log names SYSTEM and PID 4, and that what SMB
gives away is nevertheless the NetNTLM response of whoever was logged on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct, field

from smbrare.detection.finding import Finding
from smbrare.outputs.wording import is_inbound, more_hosts_text, outcome_text, values
from smbrare.records.times import format_time
from smbrare.text import MOST_NAMED, duration

Mark: TypeAlias = Callable[[str], str]
"""How an output marks a name out of a log, as a code span for example."""


class Step(Struct, frozen=True):
    """One step.

    Attributes:
        text: What to do, with ``{names}`` for what comes out of the log.
        names: The names, each one text or several.
    """

    text: str
    names: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def say(self, mark: Mark = str) -> str:
        """Return the step as a sentence, each name marked."""
        marked = {
            name: mark(value) if isinstance(value, str) else ", ".join(map(mark, value))
            for name, value in self.names.items()
        }
        return self.text.format(**marked)


class Triage(Struct, frozen=True):
    """The steps of a finding.

    Attributes:
        investigate: What to find out, in order.
        harmless_if: What would explain it.
        respond: What to do if nothing explains it.
    """

    investigate: tuple[Step, ...]
    harmless_if: tuple[Step, ...]
    respond: tuple[Step, ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[Step, ...]], ...]:
        """The steps under their titles."""
        return (
            ("Investigate", self.investigate),
            ("Harmless if", self.harmless_if),
            ("Respond", self.respond),
        )


def triage(finding: Finding) -> Triage:
    """Return the steps of a finding."""
    names = _names(finding)
    outcome = outcome_text(finding)

    def steps(texts: Iterator[str]) -> tuple[Step, ...]:
        return tuple(
            Step(text, {name: names[name] for name in names if f"{{{name}}}" in text})
            for text in texts
        )

    return Triage(
        steps(_investigate(finding, outcome)),
        steps(_harmless_if()),
        steps(_respond(finding, outcome)),
    )


def _names(finding: Finding) -> dict[str, str | tuple[str, ...]]:
    sighting = finding.sighting
    host = values(finding, "host.name") or list(finding.hosts)
    return {
        "host": host[0] if host and host[0] else sighting.source,
        "hosts": finding.hosts or (sighting.source,),
        "source": sighting.source,
        "destination": sighting.destination,
        "domain": tuple(values(finding, "destination.domain")),
        "names": finding.dns_names[:MOST_NAMED],
        **_context_names(finding),
        "origin": str(sighting.origin),
        "fields": sighting.inferred,
        "first": _time(sighting.event_time, "a time unknown"),
        "last": _judged(finding, finding.last, "a time unknown"),
        "previous": _judged(finding, finding.previous, "never"),
    }


def _time(time: int | None, otherwise: str) -> str:
    return otherwise if time is None else format_time(time)


def _judged(finding: Finding, time: int | None, otherwise: str) -> str:
    """Return a time that was judged, and by which field where that is not the event's own."""
    by = "" if finding.sighting.own_time is None or time is None else " (by event.ingested)"
    return _time(time, otherwise) + by


def _investigate(finding: Finding, outcome: str) -> Iterator[str]:
    yield _about_users(finding)
    yield _about_outcome(outcome)
    if _programs_before(finding):
        yield "Look first at what ran on {host} shortly before {first}: {programs}."
    yield (
        "Look at what ran on {host} in the minutes before {first}: PID 4 does not tell the cause. "
        "Usual ones are a mail preview, a document, a shortcut or a script that names a path on "
        "the server."
    )
    if finding.host_count > 1:
        yield (
            f"{finding.host_count:,} hosts contacted {{destination}} between {{first}} and "
            f"{{last}}: {{hosts}}{more_hosts_text(finding)}. Find what they have in common."
        )
    elif finding.per_host:
        yield "Look for other hosts that contacted {destination}: this finding is of {host} alone."
    else:
        yield (
            "In what was read only {host} contacted {destination}, between {first} and {last}. "
            "Look for it in the other logs."
        )
    if values(finding, "destination.domain"):
        yield (
            "Look up {destination} and {domain}: who owns them, since when, and who reports them."
        )
    elif finding.dns_names:
        yield (
            "Look up {destination} and {names}, the names that it was an answer for in the DNS "
            "events read here: who owns them, since when, and who reports them."
        )
    else:
        yield "Look up {destination}: who owns it, which names lead there, and who reports it."
    yield from _about_history(finding)
    if is_inbound(finding):
        yield (
            "The exporter calls the connection inbound: find out whether {host} offers SMB to the "
            "internet."
        )
    if finding.sighting.inferred:
        yield "Read the record at {origin}: the exporter left out {fields}, which was inferred."


def _about_users(finding: Finding) -> str:
    context = finding.host_context
    if context is not None and context.logged_on:
        return (
            "Ask {logged_on}: logged on to {host} ({source}) at {first}, as the logs tell. "
            "The record names SYSTEM, but what SMB gives away is the hash of the logged-on user. "
            "Find out who else was."
        )
    if context is not None and context.active:
        return (
            "Ask {active}: programs of theirs started on {host} ({source}) around {first}, though "
            "the logs tell no logon. The record names SYSTEM, but what SMB gives away "
            "is the hash of the logged-on user. Find out who that was."
        )
    return (
        "Find out whose machine {host} ({source}) is and who was logged on at {first}. The record "
        "names SYSTEM, but what SMB gives away is the hash of the logged-on user."
    )


def _context_names(finding: Finding) -> dict[str, tuple[str, ...]]:
    if finding.host_context is None:
        return {}
    return {
        "logged_on": tuple(each.user for each in finding.host_context.logged_on[:MOST_NAMED]),
        "active": finding.host_context.active[:MOST_NAMED],
        "users": finding.host_context.users[:MOST_NAMED],
        "programs": _programs_before(finding),
    }


def _programs_before(finding: Finding) -> tuple[str, ...]:
    """Return the programs that started last before the finding, each once, the last first."""
    if finding.host_context is None:
        return ()
    starts = [
        event.what
        for event in reversed(finding.host_context.events)
        if event.kind == "process" and event.time <= (finding.sighting.event_time or 0)
    ]
    return tuple(dict.fromkeys(starts))[:MOST_NAMED]


def _about_outcome(outcome: str) -> str:
    if outcome.startswith("established"):
        return (
            "A connection to {destination} was established: take the user's NetNTLM response for "
            "stolen, and look for data that went the same way."
        )
    if outcome == "failed":
        return (
            "Every connection to {destination} failed, so SMB gave nothing away. Windows may have "
            "tried WebDAV instead: look for HTTP from {host} to {destination} by the WebClient "
            "service."
        )
    return (
        "The log does not tell whether a connection was established: ask the firewall about "
        "{source} and {destination}."
    )


def _about_history(finding: Finding) -> Iterator[str]:
    if finding.sighting.time is None:
        yield "The event has no readable time: read the record at {origin} and date it by others."
        return
    if finding.previous is not None:
        yield "{destination} was last contacted at {previous}: find out what it was then."
    history = finding.history
    if not history.complete and history.wanted is not None:
        yield (
            f"Only {duration(history.known)} of the {duration(history.wanted)} before were read: "
            "scan older logs, {destination} may be well known."
        )


def _harmless_if() -> Iterator[str]:
    yield "{destination} is a file share or backup service on the internet that is in use here."
    yield "A scanner or a penetration test with permission was at work on {host}."
    yield "The network uses public addresses inside, or a device routes SMB out by mistake."
    yield "In these cases exclude {destination} or its range, and note why."


def _respond(finding: Finding, outcome: str) -> Iterator[str]:
    yield "Keep the record at {origin} and the event logs of {hosts} before anything is changed."
    if outcome == "failed":
        yield "Keep {host} under watch until the cause is known."
    else:
        yield "Take {hosts} off the network unless the connection is explained."
        if finding.host_context is not None and finding.host_context.users:
            yield "Begin with the password of {users}."
        yield (
            "Change the passwords of all who were logged on to {hosts} since {first}, the "
            "privileged first, and look for logons with these accounts from elsewhere: an NTLM "
            "response can be relayed at once or cracked later."
        )
    yield "Block {destination}, and SMB (139 and 445) to the internet at the border and on hosts."
    yield "Remove the cause, a mail or a file, from every mailbox and share that holds it."
    yield (
        "Close the way: restrict outgoing NTLM by policy, require SMB signing, stop the WebClient "
        "service where nobody needs it, and patch."
    )
    if finding.host_count > 1 or outcome != "failed":
        yield "Hand the case to incident response if an account or a second host is affected."
    yield "Scan the following days over a baseline, to see whether {destination} comes back."
