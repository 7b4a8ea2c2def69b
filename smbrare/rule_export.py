"""The rule for other tools, written from its clauses: KQL, ES|QL, Sigma, a rule for Elastic.

What is not derived from the clauses is our own wording; Elastic's stands under its own licence.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from smbrare import __version__, rule
from smbrare.finding import TACTICS, TECHNIQUES
from smbrare.networks import Network

Excluded = Sequence[Network]

_OWN_ID = uuid.UUID(rule.RULE_ID)
_ATTACK = "https://attack.mitre.org"
_LOOK_BACK, _INTERVAL, _MOST_ALERTS = "now-9m", "5m", 100
_WHAT = (
    "A Windows kernel spoke SMB, from a private address, to an address on the internet that was "
    f"not contacted in the {rule.HISTORY_DAYS} days before. Windows logs on to such a server by "
    "itself, and hands over a NetNTLM response of the logged-on user."
)
_HARMLESS = (
    "A file share or backup service on the internet that is in use",
    "A scanner or penetration test with permission",
    "Public addresses used inside, or SMB routed out by mistake",
)
_NOTE = """\
## What to do

- Find out who was logged on: the event names SYSTEM, but the hash is the logged-on user's.
- See whether the connection was established; if it failed, look for WebDAV to the same address.
- Look for the cause in the minutes before: a mail, document, shortcut or script with a UNC path.
- Find the other hosts that contacted the address, and what they have in common.
- If nothing explains it: isolate the host, change the users' passwords, block SMB to the internet.
"""


def kql(excluded: Excluded = ()) -> str:
    """Return the predicate in Kibana's query language, as one line."""
    return " and ".join(_kql_clauses(excluded)) + "\n"


def _kql_clauses(excluded: Excluded) -> Iterator[str]:
    for clause in rule.CLAUSES:
        among = [_literal(value) for value in _among(clause, excluded)]
        listed = among[0] if len(among) == 1 else f"({' or '.join(among)})"
        yield f"{'not ' if clause.negated else ''}{clause.field} : {listed}"


def _among(clause: rule.Clause, excluded: Excluded) -> Iterable[str | int | Network]:
    """Return what a clause asks for; exclusions join the ranges that are not the internet."""
    return (*clause.among, *excluded) if clause.negated else clause.among


def _literal(value: str | int | Network) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def esql(excluded: Excluded = ()) -> str:
    """Return the rule in ES|QL: the predicate, and destinations that are new."""
    return "\n".join(
        (
            f"// {rule.RULE_NAME} ({rule.RULE_ID})",
            "// KQL() needs Elasticsearch 8.18 or later. To hunt over more time, widen both spans.",
            f"FROM {', '.join(rule.INDICES)}",
            f"| WHERE @timestamp >= NOW() - {rule.HISTORY_DAYS} days",
            f'| WHERE KQL("""{kql(excluded).strip()}""")',
            "| STATS first_seen = MIN(@timestamp), last_seen = MAX(@timestamp), events = COUNT(*),",
            "    hosts = VALUES(host.name), sources = VALUES(source.ip)",
            "    BY destination.ip",
            "| WHERE first_seen >= NOW() - 9 minutes",
            "| SORT first_seen",
            "",
        )
    )


_SIGMA_FIELDS = {
    "process.pid": "ProcessId",
    "network.transport": "Protocol",
    "destination.port": "DestinationPort",
    "source.ip": "SourceIp",
    "destination.ip": "DestinationIp",
}
"""Names of Sigma's network_connection category (Sysmon event 3); the log source says the rest."""


def sigma(excluded: Excluded = ()) -> str:
    """Return the predicate as a Sigma rule, which has no notion of what is new."""
    return "\n".join(
        (
            f"title: {rule.RULE_NAME}",
            f"id: {uuid.uuid5(_OWN_ID, 'sigma')}",
            "related:",
            f"  - id: {rule.RULE_ID}",
            "    type: derived",
            "status: test",
            "description: |",
            f"  {_WHAT}",
            "  Sigma cannot ask whether an address is new: this rule finds every such connection,",
            "  and smbrare, or a new-terms rule of the backend, tells the rare ones.",
            "references:",
            f"  - {rule.RULE_URL}",
            "author: smbrare",
            "date: 2026-11-24",
            "tags:",
            *(f"  - {tag}" for tag in _sigma_tags()),
            "logsource:",
            "  category: network_connection",
            "  product: windows",
            "detection:",
            "  selection:",
            *(line for clause in rule.CLAUSES if not clause.negated for line in _sigma(clause)),
            "  filter_main_not_internet:",
            *(line for clause in rule.CLAUSES if clause.negated for line in _sigma(clause)),
            *(
                ["  filter_optional_excluded:", *_sigma_list("DestinationIp|cidr", excluded)]
                if excluded
                else []
            ),
            "  condition: selection and not 1 of filter_*",
            "falsepositives:",
            *(f"  - {text}" for text in _HARMLESS),
            f"level: {rule.SEVERITY}",
            "",
        )
    )


def _sigma_tags() -> Iterator[str]:
    for (technique, _), (_, tactic) in zip(TECHNIQUES, TACTICS, strict=True):
        yield f"attack.{tactic.lower().replace(' ', '-')}"
        yield f"attack.{technique.lower()}"


def _sigma(clause: rule.Clause) -> list[str]:
    name = _SIGMA_FIELDS.get(clause.field)
    if name is None:
        return []
    are_ranges = not isinstance(clause.among[0], str | int)
    return _sigma_list(f"{name}|cidr" if are_ranges else name, clause.among)


def _sigma_list(name: str, values: Iterable[str | int | Network]) -> list[str]:
    return [f"    {name}:", *(f"      - {_yaml(value)}" for value in values)]


def _yaml(value: str | int | Network) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def elastic_rule(excluded: Excluded = ()) -> str:
    """Return a rule for Elastic Security's import (NDJSON: the rule, then the export's summary)."""
    summary = {
        "exported_count": 1,
        "exported_rules_count": 1,
        "missing_rules": [],
        "missing_rules_count": 0,
        "exported_exception_list_count": 0,
        "exported_exception_list_item_count": 0,
        "missing_exception_list_item_count": 0,
        "missing_exception_list_items": [],
        "missing_exception_lists": [],
        "missing_exception_lists_count": 0,
    }
    return "".join(json.dumps(line) + "\n" for line in (_elastic_rule(excluded), summary))


def _elastic_rule(excluded: Excluded) -> dict[str, Any]:
    return {
        # Not the id of Elastic's own rule, which the import would refuse to overwrite.
        "rule_id": str(uuid.uuid5(_OWN_ID, "elastic-rule")),
        "name": f"{rule.RULE_NAME} (smbrare)",
        "description": _WHAT,
        "note": _NOTE,
        "false_positives": list(_HARMLESS),
        "author": ["smbrare"],
        "license": "Apache-2.0",
        "version": 1,
        "meta": {"from": f"smbrare {__version__}"},
        "enabled": False,
        "immutable": False,
        "type": "new_terms",
        "language": "kuery",
        "query": kql(excluded).strip(),
        "filters": [],
        "index": list(rule.INDICES),
        "new_terms_fields": ["destination.ip"],
        "history_window_start": f"now-{rule.HISTORY_DAYS}d",
        "from": _LOOK_BACK,
        "to": "now",
        "interval": _INTERVAL,
        "timestamp_override": "event.ingested",
        "max_signals": _MOST_ALERTS,
        "severity": rule.SEVERITY,
        "severity_mapping": [],
        "risk_score": rule.RISK_SCORE,
        "risk_score_mapping": [],
        "references": [rule.RULE_URL],
        "tags": ["OS: Windows", "Use Case: Threat Detection", "smbrare"],
        "threat": list(_threat()),
        "actions": [],
        "exceptions_list": [],
    }


def _threat() -> Iterator[dict[str, Any]]:
    for (technique, title), (tactic, aim) in zip(TECHNIQUES, TACTICS, strict=True):
        yield {
            "framework": "MITRE ATT&CK",
            "tactic": {"id": tactic, "name": aim, "reference": f"{_ATTACK}/tactics/{tactic}/"},
            "technique": [
                {
                    "id": technique,
                    "name": title,
                    "reference": f"{_ATTACK}/techniques/{technique}/",
                    "subtechnique": [],
                }
            ],
        }


EXPORTS: dict[str, Callable[[Excluded], str]] = {
    "kql": kql,
    "esql": esql,
    "sigma": sigma,
    "elastic-rule": elastic_rule,
}
"""Each export by the name that the command line knows it by."""
