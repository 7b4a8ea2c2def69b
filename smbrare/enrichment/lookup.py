"""What reference data says of destinations: country, network, lists of known addresses.

It decides nothing: a finding is one with or without it, and data that is absent, damaged or old
is said and never an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection.finding import Finding

Kind: TypeAlias = Literal["geoip", "intel"]

COUNTRY = "destination.geo.country_iso_code"
AS_NUMBER = "destination.as.number"
AS_NAME = "destination.as.organization.name"
INDICATOR = "threat.indicator.name"
PROVIDER = "threat.indicator.provider"

FIELDS = (COUNTRY, AS_NUMBER, AS_NAME, INDICATOR, PROVIDER)
"""The ECS fields that tell what was found; others only repeat the address and its type."""


class Reference(Struct, frozen=True):
    """A file of reference data, and what it says.

    Attributes:
        kind: What it is.
        file: Its name as the user gave it.
        name: The database's type, or the list's name.
        built: When it was built, in microseconds since 1970 UTC, where it tells.
        entries: Addresses and ranges of a list.
        passed_over: Lines of a list that hold no address.
        problem: Why it was not used, or not for all; empty if it was.
        facts: ECS fields by destination, for those that it knows.
    """

    kind: Kind
    file: str
    name: str = ""
    built: int | None = None
    entries: int | None = None
    passed_over: int = 0
    problem: str = ""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def enrich(findings: Iterable[Finding], references: Sequence[Reference]) -> tuple[Finding, ...]:
    """Return the findings with what the references say of their destinations."""
    return tuple(
        replace(finding, extra=facts)
        if (facts := facts_of(finding.sighting.destination, references))
        else finding
        for finding in findings
    )


def facts_of(destination: str, references: Sequence[Reference]) -> dict[str, Any]:
    """Return the ECS fields of a destination.

    Of several databases the first that knows a field is taken; every list that holds the address
    is named.

    Args:
        destination: An address in canonical text.
        references: The reference data, in the user's order.
    """
    facts: dict[str, Any] = {}
    listed: list[Mapping[str, Any]] = []
    for reference in references:
        known = reference.facts.get(destination)
        if not known:
            continue
        if reference.kind == "intel":
            listed.append(known)
        else:
            facts |= {name: value for name, value in known.items() if name not in facts}
    if listed:
        facts["threat.indicator.ip"] = destination
        facts["threat.indicator.type"] = f"ipv{ip_address(destination).version}-addr"
        facts[INDICATOR] = [known[INDICATOR] for known in listed]
        facts[PROVIDER] = [known[PROVIDER] for known in listed]
    return facts


def network_text(extra: Mapping[str, Any]) -> str:
    """Return country and network of a destination (``DE, AS64500 Example``), empty if unknown."""
    number, name = extra.get(AS_NUMBER), extra.get(AS_NAME, "")
    network = name if number is None else f"AS{number} {name}".strip()
    return ", ".join(part for part in (extra.get(COUNTRY, ""), network) if part)


def listings(extra: Mapping[str, Any]) -> list[str]:
    """Return each list that holds a destination (``listed by feed (1.2.3.0/24)``)."""
    named = zip(extra.get(PROVIDER, ()), extra.get(INDICATOR, ()), strict=True)
    return [f"listed by {provider} ({entry})" for provider, entry in named]
