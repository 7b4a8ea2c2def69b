"""The window of a report: ``--since`` and ``--until`` choose what is told, never what is judged."""

from collections.abc import Iterable, Iterator

from smbrare.detection.finding import Finding
from smbrare.detection.rarity import Question
from smbrare.detection.report import Setup
from smbrare.detection.sightings import Sightings


def _inside(time: int, setup: Setup) -> bool:
    return (setup.since is None or time >= setup.since) and (
        setup.until is None or time < setup.until
    )


def reports(finding: Finding, setup: Setup) -> bool:
    """Return whether a finding belongs into the report.

    Its time decides; of what exclusions kept back, all of it together, any time of it. What has no
    time is always told.
    """
    time = finding.sighting.time
    if time is None:
        return True
    if finding.status != "excluded" or finding.last is None:
        return _inside(time, setup)
    return (setup.since is None or finding.last >= setup.since) and (
        setup.until is None or time < setup.until
    )


def found_before(
    judged: Iterable[Finding], sightings: Sightings, setup: Setup, question: Question
) -> int:
    """Return how many destinations were active in the window, but found before it.

    Args:
        judged: Every finding, in the window or not.
        sightings: What they were judged from.
        setup: The window.
        question: How they were judged.
    """
    if setup.since is None:
        return 0
    before: set[tuple[str, str]] = set()
    inside: set[tuple[str, str]] = set()
    for finding in judged:
        time = finding.sighting.time
        if finding.status == "new" and time is not None:
            term = (finding.sighting.destination, finding.sighting.host * question.per_host)
            if time < setup.since:
                before.add(term)
            elif _inside(time, setup):
                inside.add(term)
    active = set(_active(sightings, setup, question)) if before else set()
    return len(before & active - inside)


def _active(sightings: Sightings, setup: Setup, question: Question) -> Iterator[tuple[str, str]]:
    for key, contact in sightings.contacts.items():
        first = contact.earliest.time
        if first is None or question.excluded(key):
            continue
        if _inside(first, setup) or _inside(contact.last, setup):
            yield key[0], key[2] * question.per_host
