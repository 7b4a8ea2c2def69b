"""What an input holds: counts by source, and which fields of the rule its events have.

Pure counters that merge by sum, union, minimum and maximum.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct, field

from smbrare.detection.source_survey import MOST_KINDS, MOST_LOCATED, SourceSurvey
from smbrare.records.event import Origin, Record, Skipped
from smbrare.records.times import HOUR, Moment
from smbrare.sources.event_kinds import OTHER
from smbrare.text import counted

UNKNOWN_SOURCES = frozenset({"windows_event"})
"""Sources that are none of the rule's: recognized, but holding no network event ever."""

BY_INFERENCE = frozenset({"windows_firewall"})
"""Sources whose events match by inferred fields only: to ``--literal`` they are none."""

TimeOddity: TypeAlias = Literal["early", "ambiguous", "undated"]
"""A network event before 2000; one whose month and day could change places; a match undated."""


class OddTimes(Struct):
    """Events of one input with a time that may be read wrongly, or with none.

    Attributes:
        events: How many there are.
        field: The raw field of the first one's time; empty if it has none.
        value: Its raw value.
        time: How that was read, in microseconds since 1970 UTC; None if it was not.
        origin: Where the event is, if it is a match without a time.
    """

    events: int
    field: str
    value: str
    time: int | None = None
    origin: Origin | None = None


class InputSurvey(Struct):
    """Counts of one input, or of one member of an archive.

    Attributes:
        path: Its name as shown.
        container: What it is, for people (``gzip ndjson``); empty where unknown.
        named: Whether the user named it, rather than a directory that it lies in.
        is_junk: Whether it is only what an archiver left behind.
        start: First byte of the range that it counts, above 0 where it goes on with another.
        size: Bytes read of the file as it lies on disk.
        records: Records read, blank lines not counted.
        lines: Lines read, where they are counted.
        alerts: Documents skipped because they are alerts or findings themselves.
        unknown: Records that no source recognized; of a sampled input, those that were decoded
            because they might match.
        suspects: Content of no known source or format that might hold a match.
        suspected: The first of it with its places.
        skipped: Records that could not be read.
        lost: Those among them that could have matched the rule.
        cut: Whether the input could not be read to its end.
        located: The first skipped records with their places.
        mended: Records whose text was flawed and could be mended without a guess.
        first_mended: Where the first of them is, and what was wrong with it.
        sources: Counts by source.
        odd_times: Times that may be read wrongly, and those that cannot be read.
        sampled: Whether ``sources`` and ``hours`` rest on a sample of the records.
    """

    path: str
    container: str = ""
    named: bool = True
    is_junk: bool = False
    start: int = 0
    size: int = 0
    records: int = 0
    lines: int = 0
    alerts: int = 0
    unknown: int = 0
    suspects: int = 0
    suspected: list[Origin] = field(default_factory=list)
    skipped: int = 0
    lost: int = 0
    cut: bool = False
    located: list[Skipped] = field(default_factory=list)
    mended: int = 0
    first_mended: tuple[Origin, str] | None = None
    sources: dict[str, SourceSurvey] = field(default_factory=dict)
    odd_times: dict[TimeOddity, OddTimes] = field(default_factory=dict)
    sampled: bool = False

    def source(self, name: str) -> SourceSurvey:
        """Return the counts of a source, new ones if it was not met before."""
        survey = self.sources.get(name)
        if survey is None:
            survey = self.sources[name] = SourceSurvey()
        return survey

    def skip(self, skipped: Skipped) -> None:
        """Count a record, or the rest of the input, that could not be read."""
        self.skipped += 1
        self.lost += skipped.could_matter
        self.cut |= skipped.ends_input
        if len(self.located) < MOST_LOCATED or skipped.ends_input:
            self.located.append(skipped)

    def note_mended(self, record: Record) -> None:
        """Count a record whose text was mended."""
        self.mended += 1
        self.first_mended = self.first_mended or (record.origin, record.mended)

    def note_odd_time(self, kind: TimeOddity, odd: OddTimes) -> None:
        """Count events with a time that may be read wrongly; the first ones' stands for all."""
        known = self.odd_times.get(kind)
        if known is None:
            self.odd_times[kind] = odd
        else:
            known.events += odd.events

    def suspect(self, origin: Origin) -> None:
        """Count content of no known source or format that might hold a match."""
        self.suspects += 1
        if len(self.suspected) < MOST_LOCATED:
            self.suspected.append(origin)

    def merge(self, other: "InputSurvey") -> None:
        """Take in the part of the same input that follows."""
        self.size += other.size
        self.records += other.records
        self.lines += other.lines
        self.alerts += other.alerts
        self.unknown += other.unknown
        self.suspects += other.suspects
        self.suspected += other.suspected[: MOST_LOCATED - len(self.suspected)]
        said = {skipped.reason for skipped in self.located if skipped.ends_input}
        # What ended one part of an input ends every part behind it, and is one loss.
        again = [one for one in other.located if one.ends_input and one.reason in said]
        self.skipped += other.skipped - len(again)
        self.lost += other.lost - sum(one.could_matter for one in again)
        self.cut |= other.cut
        located = [one for one in other.located if one not in again]
        room = max(MOST_LOCATED - len(self.located), 0)
        self.located += located[:room] + [one for one in located[room:] if one.ends_input]
        for name, survey in other.sources.items():
            self.source(name).merge(survey)
        for kind, odd in other.odd_times.items():
            self.note_odd_time(kind, odd)
        self.mended += other.mended
        self.first_mended = self.first_mended or other.first_mended
        self.sampled |= other.sampled

    @property
    def in_doubt(self) -> bool:
        """Whether its sample leaves something unjudged, so that only reading all of it can tell."""
        return self.sampled and bool(self.unjudged())

    @property
    def network(self) -> int:
        """How many network events it holds, of all sources."""
        return sum(survey.network for survey in self.sources.values())

    @property
    def connections(self) -> int:
        """How many connections it holds, of all sources."""
        return sum(survey.connections for survey in self.sources.values())

    @property
    def not_evaluated(self) -> int:
        """How many connections might have matched but cannot be read, of all sources."""
        return sum(survey.not_evaluated() for survey in self.sources.values())

    def not_evaluated_located(self) -> list[Skipped]:
        """Return the first of them with their places."""
        sources = self.sources.values()
        return [each for survey in sources for each in survey.not_evaluated_located()]

    @property
    def has_rule_source(self) -> bool:
        """Whether any record is of a source that the rule reads."""
        return any(name not in UNKNOWN_SOURCES for name in self.sources)

    def unjudged(self) -> list[tuple[str, str]]:
        """Return what kept this input, or a source in it, from being judged.

        Returns:
            Pairs of the source's name (empty for the whole input) and the reason.
        """
        if self.is_junk or (self.cut and not self.records):
            return []  # Its trouble is told where it was met.
        if not self.records:
            return [("", self._void())]
        if not self.sources:
            if self.alerts == self.records:
                return [("", "contains only alerts, which repeat events")]
            return [("", f"contains no record of a known source ({self.records:,} read)")]
        if not self.connections:
            return [(self._names(), f"contains no connections, only {self._others()}")]
        return [
            (name, "; ".join(gaps))
            for name, survey in sorted(self.sources.items())
            if (gaps := survey.gaps())
        ]

    def _others(self) -> str:
        """Return what it holds instead of connections, in words."""
        others = sum((survey.others for survey in self.sources.values()), Counter[str]())
        kinds = [kind for kind, _ in others.most_common() if kind != OTHER][:MOST_KINDS]
        if others[OTHER] or not kinds:
            kinds.append("other")
        named = ", ".join(kinds[:-1]) + " and " * (len(kinds) > 1) + kinds[-1]
        return f"{named} events ({counted(sum(others.values()), 'record')})"

    def _void(self) -> str:
        if self.skipped:
            return "contains no readable record"
        return "empty" if self.container else "of no known format"

    @property
    def input(self) -> str:
        """The path of the file that it is or lies in."""
        return self.path.partition("!")[0]

    def _names(self) -> str:
        return ", ".join(sorted(self.sources))


class Span(Struct):
    """The time that events cover.

    Attributes:
        first: Time of the earliest network event, in microseconds since 1970 UTC, if any.
        last: Time of the latest.
        hours: UTC hours with at least one network event.
        exact: Those of them that are known from inputs that were read whole.
    """

    first: int | None = None
    last: int | None = None
    hours: set[int] = field(default_factory=set)
    exact: set[int] = field(default_factory=set)

    def add(self, moment: Moment, *, sampled: bool = False) -> None:
        """Take in the time of a network event, and whether its input is only sampled."""
        time = moment.time
        self.hours.add(time // HOUR)
        if not sampled:
            self.exact.add(time // HOUR)
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time

    def merge(self, other: "Span") -> None:
        """Take in another part's span."""
        if other.first is not None and other.last is not None:
            self.first = other.first if self.first is None else min(self.first, other.first)
            self.last = other.last if self.last is None else max(self.last, other.last)
        self.hours |= other.hours
        self.exact |= other.exact


def totals(inputs: Iterable[InputSurvey]) -> dict[str, SourceSurvey]:
    """Return the counts of each source in all inputs together."""
    merged: dict[str, SourceSurvey] = {}
    for survey in inputs:
        for name, source in survey.sources.items():
            merged.setdefault(name, SourceSurvey()).merge(source)
    return merged
