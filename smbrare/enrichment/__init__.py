"""Looks destinations up in reference data: country, network, lists of known addresses.

It decides nothing: a finding is one with or without it, and data that is absent, damaged or old
is reported and never an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from smbrare.detection.finding import Finding
from smbrare.detection.reference import INDICATOR, PROVIDER, Reference


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
