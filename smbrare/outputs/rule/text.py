"""The rule for people: what it is, what it asks, and what it leaves out."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.json_values import json_text
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET, PRIVATE, Network
from smbrare.rule.predicate import TACTICS, TECHNIQUES

LEFT_OUT: dict[Network, str] = {
    ip_network("0.0.0.0/8"): '"This network" (RFC 791)',
    ip_network("64:ff9b:1::/48"): "IPv4-IPv6 Translation (RFC 8215)",
    ip_network("100::/64"): "Discard-Only (RFC 6666)",
    ip_network("100:0:0:1::/64"): "Dummy IPv6 Prefix (RFC 9780)",
    ip_network("2001:2::/48"): "Benchmarking (RFC 5180)",
    ip_network("2001:db8::/32"): "Documentation (RFC 3849)",
    ip_network("3fff::/20"): "Documentation (RFC 9637)",
    ip_network("5f00::/16"): "Segment Routing SIDs (RFC 9602)",
    ip_network("fc00::/7"): "Unique-Local (RFC 4193)",
}
"""Ranges that IANA's special-purpose registries call not globally reachable and the rule lets pass.

The registries: https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry.
"""

NOTES = (
    "source.ip has to be private IPv4: a connection from an IPv6 address is never seen.",
    "WebDAV, to which Windows turns when SMB is blocked, and SMB over QUIC are other ports.",
    "Outcome and direction are not asked: a failed, denied or inbound connection counts.",
    "Six ranges lie within 192.0.0.0/24 and exclude nothing of their own.",
)
_PRIVATE_NAME = "Private-Use"


def render(_content: None, _: RenderOptions) -> Iterator[str]:
    """Yield the lines of ``rule show``."""
    return (f"{line}\n" for line in _describe())


def _describe() -> Iterator[str]:
    yield predicate.RULE_NAME
    for name, text in _identity():
        yield f"  {name:<11}{text}"
    yield ""
    yield "An event matches if each of these fields holds what is asked:"
    for clause in predicate.CLAUSES:
        yield f"  {clause.field:<19}{clause.wants}"
    yield ""
    yield f"A match is a finding if {_new_by()}."
    yield ""
    yield "Private ranges of source.ip, one of which it has to be in:"
    yield from _ranges((network, _PRIVATE_NAME) for network in PRIVATE)
    yield ""
    yield "Ranges of destination.ip that are not the internet, with their names at IANA:"
    yield from _ranges(iter(NOT_INTERNET.items()))
    yield ""
    yield "Special ranges that the rule takes for internet all the same:"
    yield from _ranges(iter(LEFT_OUT.items()))
    yield ""
    yield "What it does not see, or does not ask:"
    yield from (f"  {note}" for note in NOTES)


def _identity() -> Iterator[tuple[str, str]]:
    yield "id", predicate.RULE_ID
    yield "version", predicate.RULE_VERSION
    yield "type", f"new terms on destination.ip, history {predicate.HISTORY_DAYS} days"
    yield "severity", f"{predicate.SEVERITY}, risk score {predicate.RISK_SCORE}"
    for (technique, title), (tactic, aim) in zip(TECHNIQUES, TACTICS, strict=True):
        yield "ATT&CK", f"{technique} {title} ({tactic} {aim})"
    yield "indices", predicate.INDICES[0]
    for index in predicate.INDICES[1:]:
        yield "", index
    yield "reference", predicate.RULE_URL


def _new_by() -> str:
    return f"its destination.ip has no match in the {predicate.HISTORY_DAYS} days before it"


def _ranges(named: Iterator[tuple[Network, str]]) -> Iterator[str]:
    for network, name in named:
        yield f"  {network!s:<19}{name}"


def render_json(_content: None, _: RenderOptions) -> Iterator[str]:
    """Yield the same as one document."""
    document: dict[str, Any] = {
        "uuid": predicate.RULE_ID,
        "name": predicate.RULE_NAME,
        "version": predicate.RULE_VERSION,
        "type": "new_terms",
        "new_terms_fields": ["destination.ip"],
        "history_days": predicate.HISTORY_DAYS,
        "severity": predicate.SEVERITY,
        "risk_score": predicate.RISK_SCORE,
        "techniques": [{"id": name, "name": title} for name, title in TECHNIQUES],
        "tactics": [{"id": name, "name": title} for name, title in TACTICS],
        "indices": list(predicate.INDICES),
        "reference": predicate.RULE_URL,
        "conditions": [
            {
                "field": clause.field,
                "wants": clause.wants,
                "none_of" if clause.negated else "one_of": [
                    value if isinstance(value, str | int) else str(value) for value in clause.among
                ],
            }
            for clause in predicate.CLAUSES
        ],
        "not_internet": {str(network): name for network, name in NOT_INTERNET.items()},
        "taken_for_internet": {str(network): name for network, name in LEFT_OUT.items()},
        "notes": list(NOTES),
    }
    yield json_text(document, indent=True) + "\n"
