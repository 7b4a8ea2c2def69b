"""Looks destinations up in reference data: country, network, cloud service, known addresses.

It decides nothing: a finding is one with or without it. A file that cannot be used is an error
before the scan; one that turns out to be damaged in it is reported.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from smbrare.detection.finding import Finding
from smbrare.detection.reference import INDICATOR, LABELS, PROVIDER, Reference, ReferenceKind
from smbrare.enrichment import geoip, intel, labels
from smbrare.errors import UsageError, need

_KINDS: Mapping[ReferenceKind, tuple[Callable[[str, Iterable[str]], Reference], str]] = {
    "geoip": (geoip.look_up, "a MaxMind DB file (.mmdb)"),
    "intel": (intel.look_up, "a list of addresses and ranges, or FILE#COLUMN of a CSV file"),
    "labels": (
        labels.look_up,
        "Azure service tags, AWS or Google ranges as published, or CSV of range,label",
    ),
}
"""Option → what looks destinations up in its files, and what such a file is."""


def references(options: Mapping[str, Any], destinations: Iterable[str]) -> tuple[Reference, ...]:
    """Return what the files that options give say of some destinations.

    Args:
        options: Those of a command; files by the kind of reference.
        destinations: Addresses in canonical text.
    """
    wanted = list(destinations)
    return tuple(
        look_up(file, wanted) for kind, (look_up, _) in _KINDS.items() for file in options[kind]
    )


def check(options: Mapping[str, Any]) -> None:
    """Make sure before a scan that the files that options give can be used.

    Raises:
        UsageError: If one cannot, with what the option takes.
    """
    if options["geoip"]:
        need("--geoip", "geoip", "maxminddb")
    for reference in references(options, ()):
        if reference.problem:
            what = f"--{reference.kind} {reference.file}: {reference.problem}"
            raise UsageError(f"{what}; give {_KINDS[reference.kind][1]}")


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

    Of several databases the first that knows a field is taken; every list that contains the
    address is named, and every label.

    Args:
        destination: An address in canonical text.
        references: The reference data, in the user's order.
    """
    facts: dict[str, Any] = {}
    listed: list[Mapping[str, Any]] = []
    labelled: list[str] = []
    for reference in references:
        known = reference.facts.get(destination)
        if not known:
            continue
        if reference.kind == "intel":
            listed.append(known)
        elif reference.kind == "labels":
            labelled += known[LABELS]
        else:
            facts |= {name: value for name, value in known.items() if name not in facts}
    if listed:
        facts["threat.indicator.ip"] = destination
        facts["threat.indicator.type"] = f"ipv{ip_address(destination).version}-addr"
        facts[INDICATOR] = [known[INDICATOR] for known in listed]
        facts[PROVIDER] = [known[PROVIDER] for known in listed]
    if labelled:
        facts[LABELS] = list(dict.fromkeys(labelled))
    return facts
