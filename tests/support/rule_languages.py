"""What the languages of the exports make of an event: real parsers, and a small judge for each.

Kibana's query language is read by kibana-ql, Sigma by pySigma. The conditions of ES|QL run in
SQLite, whose logic of nulls is the same, with ES|QL's functions; those of EQL run there too, where
a field that an event lacks makes a condition false, as Elasticsearch's queries do.
"""

import operator
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
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
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
}
_SIGMA_FIELDS = {
    "ProcessId": "process.pid",
    "Protocol": "network.transport",
    "DestinationPort": "destination.port",
    "SourceIp": "source.ip",
    "DestinationIp": "destination.ip",
    "Computer": "host.name",
}


def field(event: Any, name: str) -> Any:
    """Return a field of nested objects or dotted keys; None where it is missing."""
    if not isinstance(event, dict):
        return None
    if name in event:
        return event[name]
    for key in event:
        if (
            name.startswith(f"{key}.")
            and (found := field(event[key], name[len(key) + 1 :])) is not None
        ):
            return found
    return None


def _holds(value: Any, wanted: str) -> bool:
    values = _listed(value)
    if "/" in wanted:
        return any(ip_address(each) in ip_network(wanted) for each in values)
    return wanted in map(str, values)


def kql_holds(text: str, event: Any) -> bool:
    """Return whether a query of KQL matches an event."""
    return _kql(_PARSER.ast(_PARSER.parse(text.strip())), event)


def _kql(tree: Any, event: Any) -> bool:
    if tree.get("op") == "and":
        right = tree["right"].get("exprs", [tree["right"]])
        return all(_kql(part, event) for part in (tree["left"], *right))
    if tree.get("op") == "or":
        right = tree["right"].get("exprs", [tree["right"]])
        return any(_kql(part, event) for part in (tree["left"], *right))
    if tree.get("op") == "not":
        return not _kql(tree["expr"], event)
    value = field(event, tree["field"])
    if value is None:
        return False
    if "op" in tree:
        time, bound = date(value).time, date(tree["value"]).time
        return _COMPARISONS[tree["op"]](time, bound)
    return any(
        # The parser sets what stands without quotes apart, where * is any text.
        any(fnmatchcase(str(each), wanted) for each in _listed(value))
        if wildcard
        else _holds(value, wanted)
        for wanted, wildcard in _leaves(tree["value"])
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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


_DEFENDER_TERM = re.compile(r"(\w+) (in~|has_any) \(([^()]*)\)")
_DEFENDER_TIME = re.compile(r"Timestamp between \(datetime\((\S+)\) \.\. datetime\((\S+)\)\)")


def _defender_time(row: Any) -> Any:
    """Return a row's time; Microsoft Sentinel's export names its column otherwise."""
    return next(row[name] for name in ("Timestamp", *row) if name in row and name[:4] == "Time")


def defender_holds(query: str, row: Any) -> bool:
    """Return whether each ``where`` of a query in Defender's language keeps a row.

    Terms are joined by ``or``; ``has_any`` is taken for a search of the whole value.
    """
    for line in query.splitlines():
        if line.startswith("| where ") and (span := _DEFENDER_TIME.search(line)):
            start, end = (date(text).time for text in span.groups())
            if not start <= date(_defender_time(row)).time <= end:
                return False
        elif line.startswith("| where "):
            terms = _DEFENDER_TERM.findall(line)
            assert terms
            if not any(
                re.sub(r"\\(.)", r"\1", text).lower() == str(row.get(column) or "").lower()
                for column, _, listed in terms
                for text in re.findall(r'"((?:[^"\\]|\\.)*)"', listed)
            ):
                return False
    return True


_EQL_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"|\??([a-z_]+(?:\.[a-z_]+)+)|(==)(?: (null))?|(like~|regex~) \(|//[^\n]*\n?'
)


def eql_holds(query: str, event: Any) -> bool:
    """Return whether a query of EQL matches an event."""
    category, _, condition = re.sub(r"(?m)^ *//.*\n", "", query).partition(" where ")
    if category not in _listed(field(event, "event.category")):
        return False
    row: dict[str, Any] = {}

    def token(match: re.Match[str]) -> str:
        text, name, equal, null, pattern = match.groups()
        if name:
            value = field(event, name)
            row[name] = value[0] if isinstance(value, list) else value
            return f'"{name}"'
        if equal:
            return "IS NULL" if null else "="
        if pattern:
            return f"|| {pattern[:-1]}_of("
        return "'" + re.sub(r"\\(.)", r"\1", text).replace("'", "''") + "'"

    # Functions stand before what they are asked of: "field like~ (...)" is like_of(field, ...).
    translated = re.sub(
        r'("[a-z_.]+") \|\| (like|regex)_of\(', r"\2_of(\1, ", _EQL_TOKEN.sub(token, condition)
    )
    columns = ", ".join(f'? AS "{name}"' for name in row)
    with closing(sqlite3.connect(":memory:")) as database:
        _add_functions(database)
        query = f"SELECT 1 FROM (SELECT {columns}) WHERE {translated}"  # noqa: S608 - our own text
        return database.execute(query, tuple(row.values())).fetchone() is not None


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
    with closing(sqlite3.connect(":memory:")) as database:
        _add_functions(database)
        query = f"SELECT 1 FROM (SELECT {columns}) WHERE {translated}"  # noqa: S608 - our own text
        return database.execute(query, tuple(row.values())).fetchone() is not None


def _add_functions(database: sqlite3.Connection) -> None:
    def null_in_null_out(name: str, count: int, function: Any) -> None:
        database.create_function(
            name, count, lambda *given: None if None in given else function(*given)
        )

    null_in_null_out("CIDR_MATCH", -1, lambda ip, *nets: any(_holds(ip, net) for net in nets))
    database.create_function(
        "cidrMatch", -1, lambda ip, *nets: ip is not None and any(_holds(ip, net) for net in nets)
    )
    database.create_function(
        "like_of",
        -1,
        lambda value, *wanted: (
            value is not None and any(fnmatchcase(value.lower(), each.lower()) for each in wanted)
        ),
    )
    database.create_function(
        "regex_of",
        -1,
        lambda value, *wanted: (
            value is not None and any(re.fullmatch(each, value, re.IGNORECASE) for each in wanted)
        ),
    )
    null_in_null_out("TO_LOWER", 1, str.lower)
    null_in_null_out("MV_FIRST", 1, lambda value: value)
    null_in_null_out("TO_DATETIME", 1, lambda text: text)
    null_in_null_out("like", 2, lambda pattern, value: fnmatchcase(value, pattern))
    null_in_null_out("regexp", 2, lambda pattern, value: bool(re.fullmatch(pattern, value)))
