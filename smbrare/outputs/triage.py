"""What to do: the steps of a finding, and what comes first for all findings of a report.

The steps are smbrare's own words. They know that the log names SYSTEM and PID 4, and that what SMB
sends is nevertheless the NetNTLM response of whoever was logged on.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import PureWindowsPath
from typing import Literal, TypeAlias

from msgspec import Struct, field

from smbrare.detection.exposure import accounts
from smbrare.detection.finding import Finding
from smbrare.detection.host_context import is_person
from smbrare.detection.rank import GRADES, Grade, grade
from smbrare.detection.reference import INDICATOR
from smbrare.outputs.host_context import proof_text
from smbrare.outputs.wording import is_inbound, likely_users, time_text, values
from smbrare.sources.activities.activity import ActivityKind
from smbrare.text import MOST_NAMED, counted, duration

MOST_STEPS = 4
"""Steps that a report or a ticket shows of a finding."""

Mark: TypeAlias = Callable[[str], str]
"""How an output marks a name out of a log, as a code span for example."""

Purpose: TypeAlias = Literal["investigate", "harmless_if", "respond"]
_CONTAIN = "take {hosts} off the network, keep the event logs, and block {destination}."
_Values: TypeAlias = dict[str, str | tuple[str, ...]]
_Steps: TypeAlias = Iterator[tuple[Purpose, str]]


class Step(Struct, frozen=True):
    """One step.

    Attributes:
        text: What to do, with ``{names}`` for what comes out of the log.
        names: The names, each one text or several.
        purpose: What it is for.
    """

    text: str
    names: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    purpose: Purpose = "investigate"

    def say(self, mark: Mark = str) -> str:
        """Return the step as a sentence, each name marked."""
        marked = {
            name: mark(value) if isinstance(value, str) else ", ".join(map(mark, value))
            for name, value in self.names.items()
        }
        return self.text.format(**marked)


def triage(finding: Finding) -> tuple[Step, ...]:
    """Return the steps of a finding, the most urgent first."""
    names = _names(finding)
    return tuple(_step(finding, names, purpose, text) for purpose, text in _steps(finding))


def _step(finding: Finding, names: _Values, purpose: Purpose, text: str) -> Step:
    """Return a step with the first few of the names in it, and how many more there are."""
    shown: _Values = {}
    for name in [name for name in names if f"{{{name}}}" in text]:
        value = names[name]
        if not isinstance(value, str):
            count = max(len(value), finding.host_count) if name == "hosts" else len(value)
            value = value[:MOST_NAMED]
            if (more := count - len(value)) > 0:
                text = text.replace(f"{{{name}}}", f"{{{name}}} and {more:,} more")
        shown[name] = value
    return Step(text, shown, purpose)


def programs_before(finding: Finding) -> tuple[str, ...]:
    """Return the programs that started last before a finding, each once, the last first."""
    return _before(finding, "process")


def files_before(finding: Finding) -> tuple[str, ...]:
    """Return the files written last before a finding, each once, the last first."""
    return _before(finding, "file")


def _before(finding: Finding, kind: ActivityKind) -> tuple[str, ...]:
    events = () if finding.host_context is None else finding.host_context.events
    names = [
        PureWindowsPath(event.what).name or event.what
        for event in reversed(events)
        if event.kind == kind and event.time <= (finding.sighting.event_time or 0)
    ]
    return tuple(dict.fromkeys(names))[:MOST_NAMED]


def _proof(finding: Finding) -> str:
    """Return what shows whose credentials were sent, with ``{record}``; empty if nothing does."""
    return next((proof_text(each, "{record}") for each in accounts(finding.evidence)), "")


def _names(finding: Finding) -> _Values:
    sighting, first = finding.sighting, finding.sighting.event_time
    host = values(finding, "host.name") or list(finding.hosts)
    return {
        "host": host[0] if host and host[0] else sighting.source,
        "hosts": finding.hosts or (sighting.source,),
        "source": sighting.source,
        "destination": sighting.destination,
        "lists": tuple(finding.extra.get(INDICATOR, ())),
        "names": (*values(finding, "destination.domain"), *finding.dns_names),
        "users": likely_users(finding),
        "programs": programs_before(finding),
        "files": files_before(finding),
        "record": next((str(each.origin) for each in accounts(finding.evidence)), ""),
        "origin": str(sighting.origin),
        "fields": sighting.inferred,
        "first": "an unknown time" if first is None else f"{time_text(first)} UTC",
        "previous": f"{time_text(finding.previous)} UTC",
    }


def _steps(finding: Finding) -> _Steps:
    match grade(finding):
        case "authentication":
            yield from _after_credentials(finding)
        case "connected":
            yield from _after_connection(finding)
        case "unknown":
            yield from _after_unknown(finding)
        case "attempted":
            what = "Look for HTTP from {hosts} to {destination}"
            yield "investigate", f"{what}: where SMB fails, Windows may try WebDAV."
    yield "investigate", _cause(finding)
    if grade(finding) == "attempted":
        yield "respond", "Block SMB (ports 139 and 445) to the internet."
    yield from _about_evidence(finding)
    yield "harmless_if", "{destination} is a file share or backup service that is in use here."
    yield "harmless_if", "An authorized scan or penetration test was running on {host}."
    yield "harmless_if", "The network uses public addresses inside, or a device routes SMB out."
    yield "respond", "Restrict outgoing NTLM, require SMB signing, stop WebClient, and patch."
    if finding.host_count > 1 or grade(finding) != "attempted":
        yield "respond", "Hand it to incident response if an account or a second host is affected."


def _after_credentials(finding: Finding) -> _Steps:
    yield "respond", _reset(finding)
    yield "respond", "Take {hosts} off the network, and keep the event logs."
    yield "respond", "Block {destination}, and ports 139 and 445 to the internet."


def _after_connection(finding: Finding) -> _Steps:
    if INDICATOR in finding.extra:
        yield from _after_credentials(finding)
        return
    if likely_users(finding):
        yield "investigate", "Ask {users} whether they use a share at {destination}."
    else:
        who = "Find out who was logged on to {host} ({source}) at {first}"
        yield "investigate", f"{who}, and whether they use a share at {{destination}}."
    yield "harmless_if", "If so, exclude {destination} with a reason and an end date."
    yield "respond", f"If not, {_CONTAIN} {_reset(finding)}"


def _after_unknown(finding: Finding) -> _Steps:
    asked = "Ask the firewall whether {source} reached {destination} at {first}"
    yield "investigate", f"{asked}: the logs do not show it."
    yield "respond", f"If it did, {_CONTAIN} {_reset(finding)}"


def _reset(finding: Finding) -> str:
    if proof := _proof(finding):
        if not any(map(is_person, likely_users(finding))):
            return (
                f"Look for logons of {{users}} from elsewhere: {proof}. A computer's own password "
                "is too long to crack, but what was sent can be relayed."
            )
        passwords = "password" if len(accounts(finding.evidence)) == 1 else "passwords"
        return (
            f"Reset the {passwords} of {{users}}: {proof}. End the sessions, and look for logons "
            "from elsewhere."
        )
    if likely_users(finding):
        return (
            "Treat the NetNTLM response of {users} as compromised: reset the password, end the "
            "sessions, and look for logons from elsewhere."
        )
    what = "Treat the NetNTLM responses of all users of {hosts} as compromised"
    return f"{what}: reset the passwords, and look for logons from elsewhere."


def _cause(finding: Finding) -> str:
    wrote = ["wrote {files}"] if files_before(finding) else []
    started = ["started {programs}"] if programs_before(finding) else []
    if did := " and ".join([*wrote, *started]):
        return f"Find what named the server. Shortly before, {{host}} {did}."
    if finding.host_count > 1:
        return "Find what {hosts} have in common: a mail, a document, a script."
    return (
        "Find what named the server: look for a mail, document, shortcut or script that {host} "
        "opened shortly before {first}."
    )


def _about_evidence(finding: Finding) -> _Steps:
    history = finding.history
    if finding.sighting.time is None:
        yield "investigate", "Read the record at {origin}: its time cannot be read."
    elif not history.complete and history.wanted is not None:
        yield (
            "investigate",
            (
                f"Scan older logs: only {duration(history.known)} of {duration(history.wanted)} of "
                "history were read, and {destination} may be well known."
            ),
        )
    if finding.previous is not None:
        yield "investigate", "Find out what {destination} was at {previous}, its last contact."
    if values(finding, "destination.domain") or finding.dns_names:
        yield "investigate", "Look up {destination} and {names}: who owns them, and since when."
    else:
        yield "investigate", "Look up {destination}: who owns it, and which names lead there."
    if finding.per_host:
        yield "investigate", "Look for other hosts that contacted {destination}."
    if is_inbound(finding):
        asked = "check whether {host} offers SMB to the internet"
        yield "investigate", f"The exporter calls the connection inbound: {asked}."
    if finding.sighting.inferred:
        yield "investigate", "Check the record at {origin}: {fields} was inferred."


MEANINGS: dict[Grade, str] = {
    "authentication": "Treat the NetNTLM responses as compromised: they can be relayed at once or "
    "cracked later.",
    "connected": "A server that was reached may hold the NetNTLM response of the logged-on user.",
    "unknown": "Ask the firewall whether any connection succeeded.",
    "attempted": "Find out what caused the attempts.",
}
"""What follows from the worst grade."""

_MOST_ITEMS = 5
_MOST_LINKS = _MOST_NAMED = 3


class Priority(Struct, frozen=True):
    """One thing to do.

    Attributes:
        step: What to do.
        ranks: The ranks of the findings that it is about, the first few.
    """

    step: Step
    ranks: tuple[int, ...]


def do_first(ranked: list[Finding]) -> list[Priority]:
    """Return what to do first, for all findings together."""
    return list(_priorities(ranked))[:_MOST_ITEMS]


def _priorities(ranked: list[Finding]) -> Iterator[Priority]:
    new = [(rank, each) for rank, each in enumerate(ranked, 1) if each.status == "new"]
    by_grade = {one: [each for each in new if grade(each[1]) == one] for one in GRADES}
    listed = [each for each in by_grade["connected"] if INDICATOR in each[1].extra]
    if sent := by_grade["authentication"] + listed:
        users = _all_users(sent)
        who = "{users}" if users else "all users of {hosts}"
        passwords = "password" if len(users) == 1 else "passwords"
        proof = next(filter(None, (_proof(each) for _, each in sent)), "")
        why = f": {proof}. End" if proof else ", and end"
        if users and not any(map(is_person, users)):
            yield _priority(sent, f"Look for logons of {{users}} from elsewhere: {proof}.")
        else:
            yield _priority(sent, f"Reset the {passwords} of {who}{why} the sessions.")
        yield _priority(sent, "Take {hosts} off the network, and keep the event logs.")
    if others := [each for each in by_grade["connected"] if INDICATOR not in each[1].extra]:
        who = "Ask {users}" if _all_users(others) else "Find out who uses {hosts}, and ask"
        yield _priority(
            others,
            f"{who} about {{destinations}}. Unless it is expected, take the hosts off the network "
            "and reset the passwords.",
        )
    if unknown := by_grade["unknown"]:
        yield _priority(unknown, "Ask the firewall about {destinations}: no outcome was logged.")
    if failed := by_grade["attempted"]:
        yield _priority(
            failed, "Find out what made {hosts} try {destinations}. Every attempt failed."
        )
    if reached := sent or others or unknown:
        yield _priority(reached, "Block SMB (ports 139 and 445) to the internet.")
    short = [each for each in new if not each[1].history.complete]
    if 2 * len(short) > len(new):
        yield _priority(
            short,
            f"Scan older logs too: {len(short):,} of {counted(len(new), 'finding')} have less than "
            "the full history, so their destinations may be known ones.",
        )


def _all_users(findings: list[tuple[int, Finding]]) -> list[str]:
    return list(dict.fromkeys(user for _, finding in findings for user in likely_users(finding)))


def _priority(findings: list[tuple[int, Finding]], text: str) -> Priority:
    names: _Values = {}
    for name, found in (
        ("users", _all_users(findings)),
        ("hosts", [host or each.sighting.source for _, each in findings for host in each.hosts]),
        ("destinations", [each.sighting.destination for _, each in findings]),
        ("record", [str(a.origin) for _, each in findings for a in accounts(each.evidence)][:1]),
    ):
        if f"{{{name}}}" in text:
            unique = tuple(dict.fromkeys(found))
            names[name] = unique[:_MOST_NAMED]
            if (more := len(unique) - _MOST_NAMED) > 0:
                text = text.replace(f"{{{name}}}", f"{{{name}}} and {more:,} more")
    return Priority(Step(text, names), tuple(rank for rank, _ in findings[:_MOST_LINKS]))
