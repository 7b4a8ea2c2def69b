"""What the languages of the exports make of an event: real parsers, and a small judge for each.

Kibana's query language is read by kibana-ql, Sigma by pySigma. No parser of ES|QL is published for
Python; its conditions run in SQLite, whose logic of nulls is the same, with ES|QL's functions.
"""

import re
import sqlite3
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

from kibana_ql import KqlParser
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT
from sigma.rule import SigmaRule
from sigma.types import SigmaCIDRExpression, SigmaRegularExpression

from smbrare.records.times import date

_PARSER = KqlParser()
_SIGMA_FIELDS = {
    "ProcessId": "process.pid",
    "Protocol": "network.transport",
    "DestinationPort": "destination.port",
    "SourceIp": "source.ip",
    "DestinationIp": "destination.ip",
    "Computer": "host.name",
}


def field(event: Any, name: str) -> Any:
    for part in name.split("."):
        event = event[part]
    return event


def _holds(value: Any, wanted: str) -> bool:
    if "/" in wanted:
        return ip_address(value) in ip_network(wanted)
    return wanted in map(str, value if isinstance(value, list) else [value])


def kql_holds(text: str, event: Any) -> bool:
    """Return whether a query of KQL matches an event."""
    return _kql(_PARSER.ast(_PARSER.parse(text.strip())), event)


def _kql(tree: Any, event: Any) -> bool:
    if tree.get("op") == "and":
        right = tree["right"].get("exprs", [tree["right"]])
        return all(_kql(part, event) for part in (tree["left"], *right))
    if tree.get("op") == "not":
        return not _kql(tree["expr"], event)
    if "op" in tree:
        time, bound = date(field(event, tree["field"])).time, date(tree["value"]).time
        return {">=": time >= bound, "<": time < bound}[tree["op"]]
    value = field(event, tree["field"])
    return any(
        # The parser sets what stands without quotes apart, where * is any text.
        fnmatchcase(value, wanted) if wildcard else _holds(value, wanted)
        for wanted, wildcard in _leaves(tree["value"])
    )


def _leaves(value: Any) -> list[tuple[str, bool]]:
    if isinstance(value, str):
        return [(value, False)]
    if isinstance(value, tuple):
        return [(value[0], "*" in value[0])]
    right = value["right"]
    rest = right["exprs"] if isinstance(right, dict) and "exprs" in right else [right]
    return [leaf for part in (value["left"], *rest) for leaf in _leaves(part)]


def sigma_rule(text: str) -> SigmaRule:
    (parsed,) = SigmaCollection.from_yaml(text).rules
    assert isinstance(parsed, SigmaRule)
    return parsed


def sigma_holds(text: str, event: Any) -> bool:
    """Return whether a Sigma rule matches an event, its log source aside."""
    (condition,) = sigma_rule(text).detection.parsed_condition
    return _sigma(condition.parsed, event)


def _sigma(node: Any, event: Any) -> bool:
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _sigma_value(node.value, field(event, _SIGMA_FIELDS[node.field]))
    parts = (_sigma(part, event) for part in node.args)
    if isinstance(node, ConditionNOT):
        return not any(parts)
    return all(parts) if isinstance(node, ConditionAND) else any(parts)


def _sigma_value(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, SigmaCIDRExpression):
        return _holds(value, wanted.cidr)
    if isinstance(wanted, SigmaRegularExpression):
        return re.search(str(wanted.regexp.to_plain()), value, re.IGNORECASE) is not None
    # Sigma ignores case.
    return fnmatchcase(str(value).lower(), str(wanted).lower())


_ESQL_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(@?\w+(?:\.\w+)+|@timestamp)|RLIKE')


def esql_holds(condition: str, event: Any) -> bool:
    """Return whether a condition of ES|QL keeps an event; a field may be null."""
    row: dict[str, Any] = {}

    def token(match: re.Match[str]) -> str:
        text, name = match.groups()
        if name:
            row[name] = field(event, name)
            return f'"{name}"'
        if text is None:
            return "REGEXP"
        return "'" + re.sub(r"\\(.)", r"\1", text).replace("'", "''") + "'"

    translated = _ESQL_TOKEN.sub(token, condition)
    columns = ", ".join(f'? AS "{name}"' for name in row)
    with sqlite3.connect(":memory:") as database:
        _add_functions(database)
        query = f"SELECT 1 FROM (SELECT {columns}) WHERE {translated}"  # noqa: S608 - our own text
        return database.execute(query, tuple(row.values())).fetchone() is not None


def _add_functions(database: sqlite3.Connection) -> None:
    def null_in_null_out(name: str, count: int, function: Any) -> None:
        database.create_function(
            name, count, lambda *given: None if None in given else function(*given)
        )

    null_in_null_out("CIDR_MATCH", -1, lambda ip, *nets: any(_holds(ip, net) for net in nets))
    null_in_null_out("TO_LOWER", 1, str.lower)
    null_in_null_out("MV_FIRST", 1, lambda value: value)
    null_in_null_out("TO_DATETIME", 1, lambda text: text)
    null_in_null_out("like", 2, lambda pattern, value: fnmatchcase(value, pattern))
    null_in_null_out("regexp", 2, lambda pattern, value: bool(re.fullmatch(pattern, value)))
