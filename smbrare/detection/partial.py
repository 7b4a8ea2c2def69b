"""What one part of the inputs gave to the judgement."""

from collections import Counter

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection.dns import Answers, Resolutions
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey, Span
from smbrare.records.event import moved


class Partial(Struct):
    """What one part of the input gave; parts merge in any order to the same whole."""

    sightings: Sightings = field(default_factory=Sightings)
    one_clause_away: Counter[str] = field(default_factory=Counter)
    span: Span = field(default_factory=Span)
    surveys: list[InputSurvey] = field(default_factory=list)
    resolutions: Resolutions = field(default_factory=Resolutions)
    answers: Answers = field(default_factory=Answers)

    def merge(self, other: "Partial") -> None:
        """Take in another part."""
        self.sightings.merge(other.sightings)
        self.one_clause_away.update(other.one_clause_away)
        self.span.merge(other.span)
        self.surveys.extend(other.surveys)
        self.resolutions.merge(other.resolutions)
        self.answers.merge(other.answers)

    def renumber(self, lines_before: int | None) -> None:
        """Count the lines of this part from the start of its input, and not from its own.

        Args:
            lines_before: Lines of the input before this part; None if that is unknown.
        """
        for contact in self.sightings.contacts.values():
            contact.earliest = replace(
                contact.earliest, origin=moved(contact.earliest.origin, lines_before)
            )
        for survey in self.surveys:
            survey.located = [
                replace(skipped, origin=moved(skipped.origin, lines_before))
                for skipped in survey.located
            ]
