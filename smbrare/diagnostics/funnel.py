"""The stages from all records of an inspection to the matches, in the rule's order."""

from msgspec import Struct

from smbrare.detection.examine import Outside
from smbrare.diagnostics.inspection import ExampleCount, Inspected
from smbrare.rule import predicate

_ADMITTED: tuple[tuple[Outside, str], ...] = (
    ("alert", "no alert itself"),
    ("unknown", "of a known source"),
    ("other", "network event"),
)


class FunnelStage(Struct, frozen=True):
    """One stage.

    Attributes:
        name: What an event has to be to pass it; a field of the rule for its clauses.
        wants: What the field has to hold; empty for other stages.
        left: How many passed.
        removed: Those that did not, with an example.
    """

    name: str
    wants: str
    left: int
    removed: ExampleCount


def funnel(inspected: Inspected) -> list[FunnelStage]:
    """Return the stages from all records to the sightings, the clauses in the rule's order.

    An event that fails several clauses is counted at the first of them.
    """
    inspection, inputs = inspected.inspection, inspected.report.inputs
    unreadable = ExampleCount()
    for survey in inputs:
        unreadable.count += survey.skipped
        for skipped in survey.located:
            unreadable.illustrate(skipped.origin, skipped.reason)
    removals = [
        ("readable", "", unreadable),
        *((name, "", inspection.outside.get(why, ExampleCount())) for why, name in _ADMITTED),
        *(
            (clause.field, clause.wants, inspection.removed.get(clause.field, ExampleCount()))
            for clause in predicate.CLAUSES
        ),
    ]
    left = unreadable.count + sum(survey.records for survey in inputs)
    stages = [FunnelStage("records, read or skipped", "", left, ExampleCount())]
    for name, wants, removed in removals:
        left -= removed.count
        stages.append(FunnelStage(name, wants, left, removed))
    return stages
