"""What an input holds of one source: counts, and what kept its connections from being evaluated.

Pure counters that merge by sum and union.
"""

from collections import Counter

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.records.event import Reading, Skipped, shift
from smbrare.records.fields import ORDINARY, is_ordinary, words
from smbrare.rule.predicate import CLAUSES
from smbrare.sources.compiled import FieldNotes
from smbrare.sources.event_kinds import CONNECTS, OTHER
from smbrare.sources.mapping import View

MOST_LOCATED = 10
"""How many skipped records of an input are kept with their place; all are counted."""

MOST_KINDS = 5
"""How many values or kinds are named."""
_LONGEST_VALUE = 100


class Unread(Struct, frozen=True):
    """A connection that cannot be evaluated, because a field of it cannot be read.

    Attributes:
        missing: The fields that it lacks, if that is all that is wrong with it; else empty.
        skipped: Where it stands, and what is wrong with it.
    """

    missing: tuple[str, ...]
    skipped: Skipped


class SourceSurvey(Struct):
    """Counts of one source in one input.

    Attributes:
        records: Records recognized as this source's.
        network: Network events among them: event.category network, or a destination address.
        connections: Network events that are connections, and not DNS queries or listening sockets.
        kinds: Network events by kind of record.
        others: Records that are no connections, by what they are about.
        absent: Connections that lack a field of the rule, by field.
        unusual: Connections with no ordinary value in a field that the rule compares with a word,
            by field.
        unusual_values: Such values, by field; the first few.
        malformed: Values that their field's type did not accept, by field.
        kernel_smb: Connections of PID 4 to an SMB port, internal ones too.
        barred: Connections that an ordinary word keeps from matching, as ``linux`` and ``udp`` do.
        unread: Connections that might have matched but cannot be read, by the fields that they
            lack; see `Unread`.
        unread_located: The first of them with their places.
    """

    records: int = 0
    network: int = 0
    connections: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    unusual: Counter[str] = field(default_factory=Counter)
    unusual_values: dict[str, list[str]] = field(default_factory=dict)
    malformed: Counter[str] = field(default_factory=Counter)
    kernel_smb: int = 0
    barred: int = 0
    unread: Counter[tuple[str, ...]] = field(default_factory=Counter)
    unread_located: list[Unread] = field(default_factory=list)

    def merge(self, other: "SourceSurvey") -> None:
        """Add another part's counts."""
        self.records += other.records
        self.network += other.network
        self.connections += other.connections
        self.kinds.update(other.kinds)
        self.others.update(other.others)
        self.absent.update(other.absent)
        self.unusual.update(other.unusual)
        for name, values in other.unusual_values.items():
            for value in values:
                self._note_unusual(name, value)
        self.malformed.update(other.malformed)
        self.kernel_smb += other.kernel_smb
        self.barred += other.barred
        self.unread.update(other.unread)
        room = max(MOST_LOCATED - len(self.unread_located), 0)
        self.unread_located += other.unread_located[:room]

    @property
    def present(self) -> Counter[str]:
        """How many connections have a field of the rule, by field."""
        fields = [clause.field for clause in CLAUSES]
        # Nearly every event has them all, so that counting those without is the lesser work.
        return +Counter({name: self.connections - self.absent[name] for name in fields})

    def missing(self) -> list[str]:
        """Return the rule's fields that no connection of this source has."""
        present = self.present
        return [clause.field for clause in CLAUSES if not present[clause.field]]

    def gaps(self) -> list[str]:
        """Return what kept every connection of this source from being evaluated, in words."""
        if self.barred == self.connections:
            return []
        missing = self.missing()
        number = self.connections
        all_of_them = "in the only connection" if number == 1 else f"in all {number:,} connections"
        found = [f"{', '.join(missing)} missing {all_of_them}"] if missing else []
        for name in WORDS:
            if name not in missing and self.unusual[name] + self.absent[name] == self.connections:
                values = ", ".join(f'"{value}"' for value in self.unusual_values[name])
                found.append(
                    f"{name} is {values} {all_of_them}, which is no value of that ECS field"
                )
        return found

    def concerns(self, missing: tuple[str, ...]) -> bool:
        """Return whether a connection is not evaluated by its own fault.

        What every connection of the source lacks is told by `gaps` instead.

        Args:
            missing: The fields that it lacks; empty where a value of it is malformed.
        """
        return not missing or not set(missing) <= set(self.missing())

    def not_evaluated(self) -> int:
        """Return how many connections might have matched but cannot be read."""
        return sum(count for missing, count in self.unread.items() if self.concerns(missing))

    def not_evaluated_located(self) -> list[Skipped]:
        """Return the first of them with their places."""
        return [one.skipped for one in self.unread_located if self.concerns(one.missing)]

    def renumber(self, lines_before: int | None) -> None:
        """Count lines from the start of the input; see `Partial.renumber`."""
        self.unread_located = [
            replace(
                one, skipped=replace(one.skipped, origin=shift(one.skipped.origin, lines_before))
            )
            for one in self.unread_located
        ]

    def note_unread(self, unread: Unread) -> None:
        """Count a connection that cannot be evaluated."""
        self.unread[unread.missing] += 1
        if len(self.unread_located) < MOST_LOCATED:
            self.unread_located.append(unread)

    def observe(self, event: View) -> bool:
        """Count one record and return whether it is a network event."""
        self.records += 1
        marks = event.noted(MARKS)
        every = every_mark(marks)
        if every & ODD and not self._is_network(event):
            return False
        self.network += 1
        self.kinds[event.kind] += 1
        if every & ODD:
            if not self._is_connection(event):
                return True
            self._note_odd(event, marks)
        self.connections += 1
        self.barred += bool(every & BARS)
        self.kernel_smb += not (marks[0] | marks[1]) & FAILS  # The port and the PID.
        return True

    def _is_network(self, event: View) -> bool:
        if is_network(event):
            return True
        categories = event.read("event.category").values
        self.others[event.known_kind or _ordinary_category(categories)] += 1
        return False

    def _is_connection(self, event: View) -> bool:
        # What has a port and an address is a connection, whatever it is called.
        if event.read("destination.ip").values and event.read("destination.port").values:
            return True
        about = event.event_kind()
        if about in CONNECTS:
            return True
        self.others[about] += 1
        return False

    def _note_odd(self, event: View, marks: list[int]) -> None:
        for name in (name for name, mark in zip(MARKS.fields, marks, strict=True) if mark & ODD):
            reading = event.read(name)
            if not reading.values:
                self.absent[name] += 1
            elif is_unusual(name, reading.values):
                self.unusual[name] += 1
                self._note_unusual(name, str(reading.values[0])[:_LONGEST_VALUE])
            if reading.malformed:
                self.malformed[name] += len(reading.malformed)

    def _note_unusual(self, name: str, value: str) -> None:
        values = self.unusual_values.setdefault(name, [])
        if value not in values and len(values) < MOST_KINDS:
            values.append(value)


def is_network(event: View) -> bool:
    """Return whether a record is a network event: by its category, or as it has a destination."""
    return "network" in event.read("event.category").values or bool(
        event.read("destination.ip").values
    )


def _ordinary_category(values: tuple[str, ...]) -> str:
    """Return the first category if it is one of ECS; a log may hold any number of other words."""
    first = next(iter(values), OTHER)
    return first if first in ORDINARY["event.category"] else OTHER


FAILS = 1
"""The clause does not hold."""


ODD = 2
"""The survey has to look at the reading: it is missing, malformed or no ordinary word."""


BARS = 4
"""An ordinary word keeps the event from matching, as ``linux`` and ``udp`` do."""


INFERRED = 8
"""The exporter left the field out, and smbrare supplied it."""

WORDS = {clause.field: str(clause.among[0]) for clause in CLAUSES if clause.field in ORDINARY}
"""Fields that the rule compares with one word → that word."""


_CLAUSES = {clause.field: clause for clause in CLAUSES}


def is_unusual(name: str, values: tuple[str, ...]) -> bool:
    """Return whether a field lacks the rule's word, and no value of it is an ordinary one.

    A value that only spells the word differently is unusual too: it stands for it only where
    nothing is inferred.
    """
    word = WORDS.get(name)
    if word is None or word in values:
        return False
    return not is_ordinary(name, values) or any(word in words(value) for value in values)


def _marks(name: str, reading: Reading) -> int:
    values = reading.values
    holds = _CLAUSES[name].holds(values)
    unusual = is_unusual(name, values)
    is_odd = unusual or not values or bool(reading.malformed)
    # Exporters differ too much in categories for those to excuse a gap.
    bars = not (holds or unusual) and name in WORDS and name != "event.category"
    marks = FAILS * (not holds) | ODD * is_odd | BARS * bars
    return marks | INFERRED * bool(reading.inferred)


MARKS = FieldNotes(tuple(_CLAUSES), _marks)
"""The marks of an event's fields: `View.noted` gives them in the order of the clauses."""


def every_mark(marks: list[int]) -> int:
    """Return the marks that any of an event's fields has."""
    port, pid, destination, source, transport, category, system = marks
    return port | pid | destination | source | transport | category | system
