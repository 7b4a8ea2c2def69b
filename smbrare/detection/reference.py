"""What reference data says about a destination, as a finding carries it."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

ReferenceKind: TypeAlias = Literal["geoip", "intel", "labels"]

COUNTRY = "destination.geo.country_iso_code"

AS_NUMBER = "destination.as.number"

AS_NAME = "destination.as.organization.name"

INDICATOR = "threat.indicator.name"

PROVIDER = "threat.indicator.provider"

LABELS = "smbrare.labels"

FIELDS = (COUNTRY, AS_NUMBER, AS_NAME, INDICATOR, PROVIDER, LABELS)
"""The ECS fields that tell what was found; others only repeat the address and its type."""


class Reference(Struct, frozen=True):
    """A file of reference data, and what it says.

    Attributes:
        kind: What it is.
        file: Its name as the user gave it.
        name: The database's type, or the list's name.
        built: When it was built, in microseconds since 1970 UTC, where it tells.
        entries: Addresses and ranges of a list.
        skipped: Lines of a list that hold no address.
        problem: Why it was not used, or not for all; empty if it was.
        facts: ECS fields by destination, for those that it knows.
    """

    kind: ReferenceKind
    file: str
    name: str = ""
    built: int | None = None
    entries: int | None = None
    skipped: int = 0
    problem: str = ""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
