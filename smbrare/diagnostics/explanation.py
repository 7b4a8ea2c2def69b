"""What is said of one event: why it is a sighting or none, and a finding or none."""

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from smbrare.detection.criteria import Criteria
from smbrare.detection.dns import Query
from smbrare.detection.finding import History
from smbrare.detection.host_context import Around
from smbrare.errors import EXIT_CLEAN, EXIT_UNJUDGED, EXIT_UNREADABLE
from smbrare.records.event import Origin, Reading, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.rule import predicate

Verdict: TypeAlias = Literal["PASS", "INFERRED", "FAIL", "MISSING"]
"""How a clause ended; INFERRED is a pass that rests on a value the exporter left out."""

Standing: TypeAlias = Literal["new", "known", "seen", "excluded", "undated"]
"""Whether a sighting is a finding: ``new`` and ``undated`` are, ``known`` was held back by the
baseline alone, ``seen`` by the same input."""

EXAMPLES: dict[str, str | int] = {
    "destination.port": 445,
    "process.pid": predicate.KERNEL_PID,
    "destination.ip": "1.1.1.1",
    "source.ip": "10.0.0.1",
    "network.transport": "tcp",
    "event.category": "network",
    "host.os.type": "windows",
}
"""A value that satisfies each clause; the rule excludes every address kept for documentation."""


class Excluded(Struct, frozen=True):
    """An address that is not the internet to the rule.

    Attributes:
        address: The address.
        network: The range of the rule that holds it.
        name: The range's name in IANA's registries.
    """

    address: str
    network: str
    name: str


class Change(Struct, frozen=True):
    """A change of one field that satisfies its clause.

    Attributes:
        field: The ECS field.
        read_from: The raw field that it is read from, where there is one.
        now: What it holds.
        to: What it would have to hold, as JSON values; for addresses an example.
    """

    field: str
    read_from: str
    now: tuple[Any, ...]
    to: tuple[str | int, ...]


class ClauseResult(Struct, frozen=True):
    """What one clause said to an event.

    Attributes:
        field: The ECS field.
        wants: What it has to hold, for people.
        verdict: How the clause ended.
        values: What the field holds, typed.
        read_from: The raw field it was read from; empty for what the format implies.
        inferred: What an inferred value rests on; empty otherwise.
        malformed: Values that the field's type did not accept; to the rule they are not there.
        excluded: For destination.ip, the addresses that are not the internet.
        without_literal: What ``--literal`` kept from being inferred, if it did.
    """

    field: str
    wants: str
    verdict: Verdict
    values: tuple[Any, ...]
    read_from: str
    inferred: str
    malformed: tuple[Any, ...]
    excluded: tuple[Excluded, ...] = ()
    without_literal: Reading | None = None

    @property
    def fails(self) -> bool:
        """Whether the event does not satisfy it."""
        return self.verdict in {"FAIL", "MISSING"}

    def change(self) -> Change:
        """Return the smallest change of the field that satisfies the clause."""
        excluded = {entry.address for entry in self.excluded}
        # An address on the internet beside an excluded one: taking that one out is enough.
        left = tuple(str(value) for value in self.values if str(value) not in excluded)
        keep = left if excluded and left else (EXAMPLES[self.field],)
        return Change(self.field, self.read_from, self.values, keep)


class Rarity(Struct, frozen=True):
    """Whether a sighting is a finding.

    Attributes:
        destination: The address on the internet.
        standing: The answer.
        previous: A sighting of it before, in microseconds since 1970 UTC: the last of an earlier
            hour, or one within the hour.
        history: How much of the history was known.
        reason: Why it is excluded, if it is.
        stands: Where the event is that the finding is reported on, if it is another of the same
            moment.
        queries: The DNS queries of the input that the destination answered.
    """

    destination: str
    standing: Standing
    previous: int | None
    history: History
    reason: str = ""
    stands: Origin | None = None
    queries: tuple[Query, ...] = ()


class Explanation(Struct, frozen=True):
    """One event explained.

    Attributes:
        source: The source that recognized it; empty if none did.
        kind: What kind of record it is, for people.
        alert: Whether it is an alert or a finding itself, and so passed over.
        identified_by: The fields by which its source recognized it, with their raw values.
        time: Microseconds since 1970 UTC; None if it has no time that can be read.
        time_from: The raw field of the time.
        zone_assumed: Whether the time names no zone.
        host: The host's name, or its id.
        clauses: The answer of each clause, in the rule's order.
        rarity: For a sighting, an answer for each of its destinations.
        keys: The first field names of a record that no source recognized.
        around: For a sighting, what else happened on its host around it.
    """

    source: str = ""
    kind: str = ""
    alert: bool = False
    identified_by: tuple[tuple[str, Any], ...] = ()
    time: int | None = None
    time_from: str = ""
    zone_assumed: bool = False
    host: str = ""
    clauses: tuple[ClauseResult, ...] = ()
    rarity: tuple[Rarity, ...] = ()
    keys: tuple[str, ...] = ()
    around: Around | None = None

    @property
    def judged(self) -> bool:
        """Whether the rule was asked at all."""
        return bool(self.clauses)

    @property
    def failing(self) -> tuple[ClauseResult, ...]:
        """The clauses that the event does not satisfy."""
        return tuple(clause for clause in self.clauses if clause.fails)

    @property
    def sighting(self) -> bool:
        """Whether the event matches the whole rule."""
        return self.judged and not self.failing

    @property
    def changes(self) -> tuple[Change, ...]:
        """The smallest change that makes it a sighting: one of each failing clause's field."""
        return tuple(clause.change() for clause in self.failing)


class Explained(Struct, frozen=True):
    """What is said of a record.

    Attributes:
        origin: Where it stands.
        options: How it was read.
        criteria: How rarity was asked.
        skipped: Why it could not be read; None if it could.
        events: The events in it, one unless the record is an envelope of several.
        baseline_exists: Whether the baseline that was named holds anything yet.
        rest_cut: Whether the rest of the input, which is history, could not be read to its end.
    """

    origin: Origin
    options: ReadOptions
    criteria: Criteria
    skipped: Skipped | None = None
    events: tuple[Explanation, ...] = ()
    baseline_exists: bool = False
    rest_cut: bool = False

    @property
    def exit_code(self) -> int:
        """3 for a record that cannot be read, 4 where no event of it is judged, else 0."""
        if self.skipped is not None:
            return EXIT_UNREADABLE
        if not any(event.judged for event in self.events):
            return EXIT_UNJUDGED
        return EXIT_CLEAN
