"""How far the connections of a finding got, and which findings are shown first.

Both serve people: what is a finding, and its place in machine formats, they do not change.
"""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from smbrare.detection.finding import Finding
from smbrare.detection.reference import INDICATOR

Grade: TypeAlias = Literal["authentication", "connected", "unknown", "attempted"]

GRADES: tuple[Grade, ...] = ("authentication", "connected", "unknown", "attempted")
"""From the worst on: a log-on was sent, connected, outcome not logged, failed."""

SUCCESS = frozenset({"success", "connectionsuccess"})
FAILURE = frozenset({"failure", "connectionfailed", "denied"})


def reported_outcomes(finding: Finding) -> frozenset[str]:
    """Return what the events of a finding say became of the connections, in the vendors' words.

    ``event.outcome`` of all of them decides. Where none of them tells, ``event.type`` and
    ``event.action`` of the first do (Microsoft Defender fills only those).
    """
    outcomes = frozenset(finding.outcomes)
    if outcomes & (SUCCESS | FAILURE):
        return outcomes
    return frozenset(_texts(finding, "event.type") + _texts(finding, "event.action"))


def grade(finding: Finding) -> Grade:
    """Return how far its connections got, never higher than its events show.

    Where some failed and others have no outcome, those may have got through: ``unknown``.
    """
    reported = reported_outcomes(finding)
    if reported & SUCCESS:
        return "connected"
    return "attempted" if reported & FAILURE and "unknown" not in reported else "unknown"


def rank(finding: Finding) -> tuple[int, bool, bool, int, int, Any]:
    """Return what findings are sorted by for people, the worst first.

    Grade, full history, listed by ``--intel``, hosts, events, then time and destination.
    """
    return (
        GRADES.index(grade(finding)),
        not finding.history.complete,
        INDICATOR not in finding.extra,
        -finding.host_count,
        -finding.events,
        finding.order,
    )


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings as people see them: the worst first, behind them what was suppressed."""
    return sorted(findings, key=lambda finding: (finding.status != "new", rank(finding)))


def _texts(finding: Finding, field: str) -> list[str]:
    value = finding.event.get(field, [])
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
