"""What one part of the inputs gave to the judgement."""

from collections import Counter

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection.also_seen import Servers
from smbrare.detection.dns import Answers, Resolutions
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import InputSurvey, Span
from smbrare.records.event import shift


class Partial(Struct):
    """What one part of the inputs gave; neighbouring parts merge to what both give."""

    sightings: Sightings = field(default_factory=Sightings)
    near_misses: Counter[str] = field(default_factory=Counter)
    span: Span = field(default_factory=Span)
    surveys: list[InputSurvey] = field(default_factory=list)
    resolutions: Resolutions = field(default_factory=Resolutions)
    answers: Answers = field(default_factory=Answers)
    servers: Servers = field(default_factory=Servers)

    @property
    def sampled(self) -> bool:
        """Whether what it holds rests on a sample of some input."""
        return any(survey.sampled for survey in self.surveys)

    def merge(self, other: "Partial") -> None:
        """Take in the part of the inputs that follows.

        Where it goes on with a range of the last input, that stays one input, its lines numbered
        from its start. So neighbours may be merged in any grouping.
        """
        first = next(iter(other.surveys), None)
        if first is not None and first.start and self.surveys:
            last = self.surveys[-1]
            # A part that was not read to its end counted only so far.
            other.renumber(first, None if last.cut else last.lines)
            last.merge(first)
            self.surveys.extend(other.surveys[1:])
        else:
            self.surveys.extend(other.surveys)
        self.sightings.merge(other.sightings)
        self.near_misses.update(other.near_misses)
        self.span.merge(other.span)
        self.resolutions.merge(other.resolutions)
        self.answers.merge(other.answers)
        self.servers.merge(other.servers)

    def renumber(self, survey: InputSurvey, lines_before: int | None) -> None:
        """Count the lines of an input from its start, and not from that of its range.

        Args:
            survey: The counts of the input, one of this part.
            lines_before: Lines of the input before this part; None if that is unknown.
        """
        self.sightings.kept.renumber(survey.path, lines_before)
        survey.located = [
            replace(skipped, origin=shift(skipped.origin, lines_before))
            for skipped in survey.located
        ]
        survey.suspected = [shift(origin, lines_before) for origin in survey.suspected]
        if survey.first_mended is not None:
            origin, flaw = survey.first_mended
            survey.first_mended = (shift(origin, lines_before), flaw)
        for odd in survey.odd_times.values():
            if odd.origin is not None:
                odd.origin = shift(odd.origin, lines_before)
        for source in survey.sources.values():
            source.renumber(lines_before)
