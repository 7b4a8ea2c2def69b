"""The rule for other tools, written from its clauses: KQL, EQL, ES|QL, Sigma, a rule for Elastic.

What is not derived from the clauses is our own wording; Elastic's stands under its own licence.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from smbrare.detection.exclusions import Exclusion
from smbrare.outputs.rule.exclusions import (
    in_kql,
    in_sigma,
    in_words,
    list_missing,
    sigma_list,
    split,
)
from smbrare.outputs.rule.queries import eql, esql, kql
from smbrare.rule import predicate
from smbrare.rule.networks import Network
from smbrare.rule.predicate import TACTICS, TECHNIQUES
from smbrare.text import code_span

_OWN_ID = uuid.UUID(predicate.RULE_ID)
_ATTACK = "https://attack.mitre.org"
_LOOK_BACK, _INTERVAL, _MOST_ALERTS = "now-9m", "5m", 100
_WHAT = (
    "A Windows kernel spoke SMB, from a private address, to an address on the internet that was "
    f"not contacted in the {predicate.HISTORY_DAYS} days before. Windows logs on to such a server "
    "by itself, and hands over a NetNTLM response of the logged-on user."
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

_SIGMA_FIELDS = {
    "process.pid": "ProcessId",
    "network.transport": "Protocol",
    "destination.port": "DestinationPort",
    "source.ip": "SourceIp",
    "destination.ip": "DestinationIp",
}
"""Names of Sigma's network_connection category (Sysmon event 3); the log source says the rest."""


def sigma(exclusions: Sequence[Exclusion] = ()) -> str:
    """Return the predicate as a Sigma rule, which has no notion of what is new."""
    return f"""\
title: {predicate.RULE_NAME}
id: {uuid.uuid5(_OWN_ID, "sigma")}
related:
  - id: {predicate.RULE_ID}
    type: derived
status: test
description: |
  {_WHAT}
  Sigma cannot ask whether an address is new: this rule finds every such connection,
  and smbrare, or a new-terms rule of the backend, tells the rare ones.
references:
  - {predicate.RULE_URL}
author: smbrare
date: 2026-11-24
tags:
{_block(f"  - {tag}" for tag in _sigma_tags())}\
logsource:
  category: network_connection
  product: windows
detection:
  selection:
{_sigma_items(negated=False)}\
  filter_main_not_internet:
{_sigma_items(negated=True)}\
{_block(_sigma_filters(exclusions))}\
  condition: selection and not 1 of filter_*
falsepositives:
{_block(f"  - {text}" for text in _HARMLESS)}\
level: {predicate.SEVERITY}
"""


def _block(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _sigma_items(*, negated: bool) -> str:
    clauses = [clause for clause in predicate.CLAUSES if clause.negated == negated]
    return _block(line for clause in clauses for line in _sigma(clause))


def _sigma_filters(exclusions: Sequence[Exclusion]) -> Iterator[str]:
    yield from (f"  # {text}" for text in list_missing("sigma", exclusions))
    for number, (exclusion, items) in enumerate(split(exclusions, in_sigma)[0], 1):
        yield f"  # {in_words(exclusion)}"
        yield f"  filter_optional_excluded_{number}:"
        yield items


def _sigma_tags() -> Iterator[str]:
    for (technique, _), (_, tactic) in zip(TECHNIQUES, TACTICS, strict=True):
        yield f"attack.{tactic.lower().replace(' ', '-')}"
        yield f"attack.{technique.lower()}"


def _sigma(clause: predicate.Clause) -> list[str]:
    name = _SIGMA_FIELDS.get(clause.field)
    if name is None:
        return []
    values = [_plain(value) for value in clause.among]
    are_ranges = not isinstance(clause.among[0], str | int)
    return sigma_list(f"{name}|cidr" if are_ranges else name, values)


def _plain(value: str | int | Network) -> str | int:
    return value if isinstance(value, int) else str(value)


def elastic_rule(exclusions: Sequence[Exclusion] = ()) -> str:
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
    return "".join(json.dumps(line) + "\n" for line in (_elastic_rule(exclusions), summary))


def _elastic_rule(exclusions: Sequence[Exclusion]) -> dict[str, Any]:
    return {
        # Not the id of Elastic's own rule, which the import would refuse to overwrite.
        "rule_id": str(uuid.uuid5(_OWN_ID, "elastic-rule")),
        "name": f"{predicate.RULE_NAME} (smbrare)",
        "description": _WHAT,
        "note": _NOTE + "".join(_note(exclusions)),
        "false_positives": list(_HARMLESS),
        "author": ["smbrare"],
        "license": "Apache-2.0",
        "version": 1,
        "enabled": False,
        "immutable": False,
        "type": "new_terms",
        "language": "kuery",
        "query": kql(exclusions).strip(),
        "filters": [],
        "index": list(predicate.INDICES),
        "new_terms_fields": ["destination.ip"],
        "history_window_start": f"now-{predicate.HISTORY_DAYS}d",
        "from": _LOOK_BACK,
        "to": "now",
        "interval": _INTERVAL,
        "timestamp_override": "event.ingested",
        "max_signals": _MOST_ALERTS,
        "severity": predicate.SEVERITY,
        "severity_mapping": [],
        "risk_score": predicate.RISK_SCORE,
        "risk_score_mapping": [],
        "references": [predicate.RULE_URL],
        "tags": ["OS: Windows", "Use Case: Threat Detection", "smbrare"],
        "threat": list(_threat()),
        "actions": [],
        "exceptions_list": [],
    }


def _note(exclusions: Sequence[Exclusion]) -> Iterator[str]:
    """Yield what the rule's note says of exclusions: a query has no comments."""
    said, _ = split(exclusions, in_kql)
    lines = [code_span(in_words(exclusion)) for exclusion, _ in said]
    lines += map(code_span, list_missing("elastic-rule", exclusions))
    if lines:
        yield "\n## Exclusions\n\n"
    yield from (f"- {line}\n" for line in lines)


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


EXPORTS: dict[str, Callable[[Sequence[Exclusion]], str]] = {
    "kql": kql,
    "eql": eql,
    "esql": esql,
    "sigma": sigma,
    "elastic-rule": elastic_rule,
}
"""Each export by the name that the command line knows it by."""
