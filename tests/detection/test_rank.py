"""The grade of a finding is never higher than its events show, and the worst ranks first."""

from itertools import permutations

import pytest

from smbrare.detection.finding import History
from smbrare.detection.rank import grade, rank
from smbrare.detection.reference import INDICATOR
from tests.support.findings import WEEK, finding


@pytest.mark.parametrize(
    ("outcomes", "event", "expected"),
    [
        (("success",), {}, "connected"),
        (("failure", "success", "unknown"), {}, "connected"),
        (("failure",), {}, "attempted"),
        (("failure", "unknown"), {}, "unknown"),
        (("unknown",), {}, "unknown"),
        ((), {}, "unknown"),
        (("unknown",), {"event.type": ["connectionsuccess"]}, "connected"),
        (("unknown",), {"event.action": "connectionfailed"}, "attempted"),
        # What all events say counts before what the first one is called.
        (("failure",), {"event.action": "connectionsuccess"}, "attempted"),
    ],
)
def test_the_grade_follows_the_outcomes(
    outcomes: tuple[str, ...], event: dict[str, object], expected: str
) -> None:
    assert grade(finding(outcomes=outcomes, event=event)) == expected


def test_each_criterion_of_the_rank_decides_before_the_next() -> None:
    listed = {INDICATOR: ["45.83.122.10"]}
    part = History(3_600, WEEK)
    in_order = [
        finding(outcomes=("success",), history=part),
        finding(extra=listed),
        finding(hosts=("WS-01", "WS-02")),
        finding(events=9),
        finding(timestamp="2026-11-16T07:00:00Z"),
        finding(),
        finding(timestamp="2026-11-16T06:00:00Z", history=part),
        finding(outcomes=("failure",), extra=listed, events=99),
    ]
    for shuffled in list(permutations(in_order))[::97]:
        assert sorted(shuffled, key=rank) == in_order
