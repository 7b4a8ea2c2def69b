"""What flows from a file to the judgement: records, and the places they came from."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Document: TypeAlias = Mapping[str, Any]
"""One decoded JSON object: what an exporter wrote for one event."""


# What is made for each event and can hold no cycle (gc=False) is not looked through for one.
class Origin(Struct, frozen=True, gc=False):
    """Where a record stands.

    Attributes:
        path: The input as the user named it; a member of an archive follows after ``!``.
        number: Line, record or row, counted from 1; 0 for the input as a whole, and where it is not
            known how many come before.
        offset: Bytes from the start of the (decompressed) input, where the reader knows.
    """

    path: str
    number: int
    offset: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.number}" if self.number else self.path


def shift(origin: Origin, lines: int | None) -> Origin:
    """Return an origin that stands a number of lines further down in its input, if it is known."""
    # What is unknown in one range stays so in the whole input.
    known = lines is not None and origin.number > 0
    return replace(origin, number=origin.number + (lines or 0) if known else 0)


class Record(Struct, frozen=True, gc=False):
    """One object that a reader decoded, not yet interpreted.

    Attributes:
        origin: Where it stands.
        document: What it holds; of a key given twice the last value.
        mended: What was wrong with its text and could be mended without a guess; empty if nothing.
    """

    origin: Origin
    document: Document
    mended: str = ""


class Skipped(Struct, frozen=True):
    """A record, or the rest of an input, that could not be read.

    Attributes:
        origin: Where it stands.
        reason: What was wrong with it, for the user.
        could_matter: Whether what was lost could have been a match of the rule.
        ends_input: Whether reading stopped here, so that what follows is unknown.
    """

    origin: Origin
    reason: str
    could_matter: bool
    ends_input: bool = False


class Reading(Struct, frozen=True, gc=False):
    """What a record says about one ECS field.

    Attributes:
        values: The values, typed; empty where the field is missing.
        path: The raw field that they were read from, empty for a constant.
        inferred: What an inferred value rests on, empty where the exporter gave the field.
        malformed: Values that the field's type did not accept.
    """

    values: tuple[Any, ...] = ()
    path: str = ""
    inferred: str = ""
    malformed: tuple[Any, ...] = ()


class EventFields(Protocol):
    """Anything that ECS fields can be read from."""

    def read(self, field: str) -> Reading:
        """Return what the record says about an ECS field."""


class Sample(Struct, frozen=True):
    """A record that was decoded only to tell what its input holds; it may be a `Record` too."""

    record: Record


class Mention(Struct, frozen=True):
    """A record that was decoded only because it names a client of SMB or WebDAV.

    Attributes:
        record: The record.
    """

    record: Record


class Tally(Struct, frozen=True):
    """What a stretch of an input held, decoded or not; tallies of stretches add up.

    Attributes:
        lines: All of its lines, blank and skipped ones too.
        blank: Lines that hold nothing but white space, and are no records.
        skipped: How often a line, or the rest of one, was yielded as skipped.
        more: What lines with several records hold beyond one each.
    """

    lines: int
    blank: int
    skipped: int = 0
    more: int = 0

    @property
    def records(self) -> int:
        """How many records there are."""
        return self.lines - self.blank - self.skipped + self.more


class Suspect(Struct, frozen=True):
    """Content of no known format that might hold a match of the rule.

    Attributes:
        origin: Where it stands, by its offset.
    """

    origin: Origin


Item: TypeAlias = Record | Skipped | Sample | Mention | Tally | Suspect
"""What a reader gives of an input."""


class Contents(Struct, frozen=True):
    """What a reader gives of one part of an input.

    Attributes:
        items: Its records, what had to be skipped, and what else the reader tells.
        sampled: Whether the records are only those that might match the rule, and the others are
            known by samples and tallies.
    """

    items: Iterator[Item]
    sampled: bool = False
