"""What follows from the findings of a report: what they mean, and what to do first."""

from collections.abc import Iterator

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.detection.rank import GRADES, Grade, grade
from smbrare.detection.reference import INDICATOR
from smbrare.outputs.triage import Step, users
from smbrare.text import counted

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
    return list(_items(ranked))[:_MOST_ITEMS]


def _items(ranked: list[Finding]) -> Iterator[Priority]:
    new = [(rank, each) for rank, each in enumerate(ranked, 1) if each.status == "new"]
    by_grade = {one: [each for each in new if grade(each[1]) == one] for one in GRADES}
    listed = [each for each in by_grade["connected"] if INDICATOR in each[1].extra]
    if sent := by_grade["authentication"] + listed:
        who = "{users}" if _users(sent) else "all users of {hosts}"
        passwords = "password" if len(_users(sent)) == 1 else "passwords"
        yield _item(sent, f"Reset the {passwords} of {who}, and end the sessions.")
        yield _item(sent, "Take {hosts} off the network, and keep their event logs.")
    if others := [each for each in by_grade["connected"] if INDICATOR not in each[1].extra]:
        who = "Ask {users}" if _users(others) else "Find out who uses {hosts}, and ask"
        yield _item(
            others,
            f"{who} about {{destinations}}. Unless it is expected, take the hosts off the network "
            "and reset the passwords.",
        )
    if unknown := by_grade["unknown"]:
        yield _item(unknown, "Ask the firewall about {destinations}: no outcome was logged.")
    if failed := by_grade["attempted"]:
        yield _item(failed, "Find out what made {hosts} try {destinations}. Every attempt failed.")
    if reached := sent or others or unknown:
        yield _item(reached, "Block SMB (ports 139 and 445) to the internet.")
    short = [each for each in new if not each[1].history.complete]
    if 2 * len(short) > len(new):
        yield _item(
            short,
            f"Scan older logs too: {len(short):,} of {counted(len(new), 'finding')} have less than "
            "the full history, so their destinations may be known ones.",
        )


def _users(findings: list[tuple[int, Finding]]) -> list[str]:
    return list(dict.fromkeys(user for _, finding in findings for user in users(finding)))


def _item(findings: list[tuple[int, Finding]], text: str) -> Priority:
    names: dict[str, str | tuple[str, ...]] = {}
    for name, values in (
        ("users", _users(findings)),
        ("hosts", [host or each.sighting.source for _, each in findings for host in each.hosts]),
        ("destinations", [each.sighting.destination for _, each in findings]),
    ):
        if f"{{{name}}}" in text:
            unique = tuple(dict.fromkeys(values))
            names[name] = unique[:_MOST_NAMED]
            if (more := len(unique) - _MOST_NAMED) > 0:
                text = text.replace(f"{{{name}}}", f"{{{name}}} and {more:,} more")
    return Priority(Step(text, names), tuple(rank for rank, _ in findings[:_MOST_LINKS]))
