"""Documents that are alerts themselves: of Elastic's rules, or findings of smbrare."""

from collections.abc import Iterable
from typing import Any

from smbrare.records.event import Document
from smbrare.records.paths import leaves

_ELASTIC_ALERTS = (
    ("kibana", ("kibana.alert.uuid", "kibana.alert.rule.uuid", "kibana.alert.rule.rule_id")),
    ("signal", ("signal.rule.id", "signal.rule.rule_id")),
)
"""Key at the top → fields that identify an alert: of Elastic 8 and later, of Elastic 7."""
_ALERT_KINDS = frozenset({"alert", "signal"})


def is_alert(document: Document) -> bool:
    """Return whether a document is an alert of Elastic's, or a finding of smbrare's.

    They repeat the event that they were raised on; to read them would count it twice. A key alone
    proves nothing, as any log may hold it: the document must say that it is an alert, too.
    """
    if not may_be_alert(document):
        return False
    keys = " ".join(document)
    if "smbrare" in keys and leaves(document, "smbrare.id"):
        return _is_of_alert_kind(document) or _is_row_of_findings(document)
    for word, fields in _ELASTIC_ALERTS:
        if word in keys and any(leaves(document, field) for field in fields):
            return _is_of_alert_kind(document)
    return False


def without_alerts(document: Document) -> tuple[Document, int]:
    """Return a document without the alerts that lie in it, and how many those are.

    So a report of findings is recognized by its content. What it says of itself proves nothing.
    """
    rest: Document = {}
    count = 0
    pending: list[tuple[Any, Any]] = [(document, rest)]
    while pending:
        value, copy = pending.pop()
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            kind = type(inner)
            if kind is dict and (is_alert(inner) or _is_result_of_alert(inner)):
                count += 1
                continue
            made: Any = kind() if kind is dict or kind is list else inner
            if made is not inner:
                pending.append((inner, made))
            if isinstance(copy, dict):
                copy[key] = made
            else:
                copy.append(made)
    return rest, count


def may_be_alert(keys: Iterable[str]) -> bool:
    """Return whether keys at the top of a document may belong to an alert."""
    # One search over the keys at the top spares nearly every document a closer look.
    text = " ".join(keys)
    return any(word in text for word in ("smbrare", *(word for word, _ in _ELASTIC_ALERTS)))


def _is_result_of_alert(document: Document) -> bool:
    """Return whether a document is a result of SARIF that has an alert as its properties."""
    properties = document.get("properties")
    return "ruleId" in document and isinstance(properties, dict) and is_alert(properties)


def _is_of_alert_kind(document: Document) -> bool:
    kinds = leaves(document, "event.kind")
    return any(isinstance(kind, str) and kind in _ALERT_KINDS for kind in kinds)


def _is_row_of_findings(document: Document) -> bool:
    """Return whether a document is a row of smbrare's CSV, which has no room for what it is."""
    if leaves(document, "event.kind") or leaves(document, "event.category"):
        return False
    return bool(leaves(document, "smbrare.status") and leaves(document, "rule.uuid"))
