"""The report of a scan: what was found, what was read, and the exit code that both decide."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from smbrare.detection.also_seen import Server
from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import Finding
from smbrare.detection.rarity import Known
from smbrare.detection.reference import Reference
from smbrare.detection.schedule import Outcome
from smbrare.detection.sightings import Sightings
from smbrare.detection.survey import BY_INFERENCE, InputSurvey, Span
from smbrare.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import seconds

_JUNK = "archiver junk only"


def settings_document(options: ReadOptions, criteria: Criteria) -> dict[str, Any]:
    """Return how the judgement was asked for, as JSON outputs say it."""
    history = criteria.history
    return {
        "history_seconds": None if history is None else seconds(history),
        "per_host": criteria.per_host,
        "literal": options.literal,
        "time_field": options.time_field,
        "input_zone": str(options.zone),
        "baseline": criteria.baseline,
    }


class Excluded(Struct, frozen=True):
    """What one exclusion suppressed in a scan.

    Attributes:
        exclusion: What it excludes and why, in words.
        destinations: How many destinations it suppressed.
        sightings: How many records of theirs.
        recorded: How many rows of the baseline it left out of the history.
        expired: Whether it expired before the last event that was read.
    """

    exclusion: str
    destinations: int
    sightings: int
    recorded: int
    expired: bool

    @property
    def is_unused(self) -> bool:
        """Whether it suppressed nothing."""
        return not self.sightings and not self.recorded


class Report(Struct, frozen=True, dict=True):
    """Everything that an output or the summary shows.

    Attributes:
        options: How the inputs were read.
        criteria: What was looked for.
        judged: Findings of every status, in the order of output.
        inputs: What was read, sorted by path.
        sightings: Records that match the rule, duplicates included.
        near_misses: Events to an SMB port on the internet that fail one clause, by field.
        span: The time that the network events cover.
        outside: Destinations sighted in the window whose finding lies before it.
        exclusions: What each exclusion suppressed, in the order they were given.
        replayed: What the rule's schedule makes of the sightings, in a replay.
        unseen: Matching events that no run of a replay can read, because they have no time.
        traffic: The sightings themselves, by destination, source, host and hour.
        as_expected: Whether the findings are those expected; None if nobody said which.
        references: The reference data that findings were looked up in.
        also_seen: Servers on the internet that only events other than the rule's name.
        unresolved: Servers that such events name, whose addresses no DNS event has.
        too_many_names: Whether DNS events tell more names than a scan keeps.
        second_pass_done: Whether the names of what is shown were looked for in a second pass.
    """

    options: ReadOptions
    criteria: Criteria
    judged: tuple[Finding, ...]
    inputs: tuple[InputSurvey, ...]
    sightings: int
    near_misses: dict[str, int]
    span: Span
    outside: int = 0
    exclusions: tuple[Excluded, ...] = ()
    replayed: Outcome | None = None
    unseen: int = 0
    traffic: Sightings = field(default_factory=Sightings)
    as_expected: bool | None = None
    references: tuple[Reference, ...] = ()
    also_seen: tuple[Server, ...] = ()
    unresolved: Mapping[str, Server] = field(default_factory=dict)
    too_many_names: bool = False
    second_pass_done: bool = False

    def __repr__(self) -> str:
        return f"<Report: {len(self.findings)} findings, exit code {self.exit_code}>"

    @property
    def names_unread(self) -> tuple[str, ...]:
        """The inputs whose DNS events were not all read, because they were sampled."""
        if self.second_pass_done:
            return ()
        return tuple(survey.path for survey in self.inputs if survey.sampled)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The new findings: what the rule would raise."""
        return self._with_status("new")

    @property
    def suppressed(self) -> tuple[Finding, ...]:
        """What would have been a finding without the baseline."""
        return self._with_status("known")

    @property
    def excluded(self) -> tuple[Finding, ...]:
        """Sightings that an exclusion suppressed."""
        return self._with_status("excluded")

    def _with_status(self, status: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.judged if finding.status == status)

    def unjudged(self) -> list[tuple[InputSurvey, str, str]]:
        """Return each input, or source in an input, that could not be judged, and why.

        A file that was merely found in a directory or an archive, and holds no source of the rule,
        is none of them, unless nothing else could be judged either: in all inputs, or in the
        archive that the user named.
        """
        fruitful = {survey.input for survey in self.inputs if survey.has_rule_source}
        judged = self._judged()
        gaps = [
            (survey, source, reason)
            for survey in self.inputs
            if not (judged and survey.sources and not survey.connections)
            if survey.has_rule_source or (survey.named and survey.input not in fruitful)
            for source, reason in survey.unjudged()
            if self._counts(source)
        ]
        if not gaps and not judged:
            return [
                (survey, source, why)
                for survey in self.inputs
                for source, why in survey.unjudged() or survey.is_junk * [("", _JUNK)]
            ]
        return gaps

    @property
    def suspected(self) -> list[InputSurvey]:
        """The inputs with content of no known source or format that might hold a match."""
        if self.criteria.ignore_unknown:
            return []
        return [survey for survey in self.inputs if survey.suspects]

    def _counts(self, source: str) -> bool:
        """Return whether a source is one at all: some are by inference only."""
        return not (self.options.literal and source in BY_INFERENCE)

    def _judged(self) -> bool:
        """Return whether a connection of any source that counts was read."""
        return any(
            source.connections
            for survey in self.inputs
            for name, source in survey.sources.items()
            if self._counts(name)
        )

    @property
    def exit_code(self) -> int:
        """The exit code, the first of these that applies.

        3: an input could not be read to its end; or nothing was found, but a record that might have
            matched was unreadable, or a connection had no readable port, address or process id
            (with `--strict`: any of these, whatever was found)
        1: findings
        4: nothing could be evaluated; or a source in an input could not be, because every
            connection lacks a field of the rule or has a value that ECS does not know; or content
            of no known source or format might hold a match (`--ignore-unknown`)
        0: everything else: all sources were evaluated, and nothing was found
        """
        skipped = any(survey.skipped or survey.not_evaluated for survey in self.inputs)
        lost = any(survey.lost or survey.not_evaluated for survey in self.inputs)
        if any(survey.cut for survey in self.inputs) or (self.criteria.strict and skipped):
            return EXIT_UNREADABLE
        if self.as_expected is False:
            return EXIT_FINDINGS
        if self.findings and not self.criteria.exit_zero:
            return EXIT_CLEAN if self.as_expected else EXIT_FINDINGS
        if lost:
            return EXIT_UNREADABLE
        if not self.inputs or self.unjudged() or self.unseen or self.suspected:
            return EXIT_UNJUDGED
        return EXIT_CLEAN


def reports(finding: Finding, criteria: Criteria) -> bool:
    """Return whether a finding belongs into the report.

    Its time decides; of what exclusions suppressed, all of it together, any time of it. What has no
    time is always told.
    """
    time = finding.sighting.time
    if time is None:
        return True
    if finding.status != "excluded" or finding.last is None:
        return criteria.reports(time)
    return (criteria.since is None or finding.last >= criteria.since) and (
        criteria.until is None or time < criteria.until
    )


def found_before(
    judged: Iterable[Finding], sightings: Sightings, criteria: Criteria, known: Known
) -> int:
    """Return how many destinations were active in the window, but found before it.

    Args:
        judged: Every finding, in the window or not.
        sightings: What they were judged from.
        criteria: How they were judged, and the window.
        known: What was known.
    """
    if criteria.since is None:
        return 0
    before: set[tuple[str, str]] = set()
    inside: set[tuple[str, str]] = set()
    for finding in judged:
        time = finding.sighting.time
        if finding.status == "new" and time is not None:
            term = (finding.sighting.destination, finding.sighting.host * criteria.per_host)
            if time < criteria.since:
                before.add(term)
            elif criteria.reports(time):
                inside.add(term)
    active = set(_active(sightings, criteria, known)) if before else set()
    return len(before & active - inside)


def _active(sightings: Sightings, criteria: Criteria, known: Known) -> Iterator[tuple[str, str]]:
    for contact in sightings.contacts():
        if contact.first is None or known.excluded(contact.key):
            continue
        if criteria.reports(contact.first) or criteria.reports(contact.last):
            yield contact.key[0], contact.key[2] * criteria.per_host
