"""How far the connections of a finding got, and which findings are shown first.

Both serve people: what is a finding, and its place in machine formats, they do not change.
"""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from smbrare.detection.finding import Finding
from smbrare.detection.host_context import REACH
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

    That is what its own events say, unless another event of its host that names its destination
    shows more. Such an event that shows a failure counts only where no event of the finding may
    be of another attempt.
    """
    own = _own_grade(reported_outcomes(finding))
    shown = {each.activity.shows for each in finding.evidence if each.proves}
    if "authentication" in shown:
        return "authentication"
    if "connection" in shown:
        return "connected"
    return "attempted" if own == "unknown" and _all_failed(finding) else own


def _own_grade(reported: frozenset[str]) -> Grade:
    """Return the grade by outcomes; where some failed, others without one may have got through."""
    if reported & SUCCESS:
        return "connected"
    return "attempted" if reported & FAILURE and "unknown" not in reported else "unknown"


def _all_failed(finding: Finding) -> bool:
    first, last = finding.sighting.time, finding.last
    is_one_attempt = finding.host_count == 1 and (
        first is None or last is None or last - first <= REACH
    )
    return is_one_attempt and any(
        each.activity.kind == "smb"
        and each.activity.outcome == "failure"
        and each.joined[0] == "address"
        for each in finding.evidence
    )


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
