"""The rule as a query: in Kibana's query language, in EQL and in ES|QL."""

from collections.abc import Iterable, Iterator, Sequence

from smbrare.detection.exclusions import Exclusion
from smbrare.outputs.rule.exclusions import (
    HOST_FIELDS,
    any_of_kql,
    in_eql,
    in_esql,
    in_kql,
    in_words,
    list_missing,
    split,
)
from smbrare.rule import predicate


def kql(exclusions: Sequence[Exclusion] = ()) -> str:
    """Return the predicate in Kibana's query language, as one line."""
    said, _ = split(exclusions, in_kql)
    return " and ".join((*map(_kql, predicate.CLAUSES), *(term for _, term in said))) + "\n"


def _kql(clause: predicate.Clause) -> str:
    listed = any_of_kql(
        str(value) if isinstance(value, int) else f'"{value}"' for value in clause.among
    )
    return f"{'not ' if clause.negated else ''}{clause.field} : {listed}"


def eql(exclusions: Sequence[Exclusion] = ()) -> str:
    """Return the predicate in EQL, which has no notion of what is new."""
    said, _ = split(exclusions, in_eql)
    conditions = [_eql(clause) for clause in predicate.CLAUSES if clause.field != _CATEGORY]
    (category,) = (clause.among[0] for clause in predicate.CLAUSES if clause.field == _CATEGORY)
    return "\n".join(
        (
            f"// {predicate.RULE_NAME} ({predicate.RULE_ID})",
            "// EQL cannot ask whether an address is new: this finds every such connection.",
            "// The rare ones are found by smbrare, or by a rule of rule export --to elastic-rule.",
            *(f"// {text}" for text in list_missing("eql", exclusions)),
            f"{category} where {conditions[0]}",
            *(f"  and {condition}" for condition in conditions[1:]),
            *(
                line
                for exclusion, condition in said
                for line in (f"  // {in_words(exclusion)}", f"  and {condition}")
            ),
            "",
        )
    )


_CATEGORY = "event.category"
"""The field that EQL takes the word before ``where`` from."""


def _eql(clause: predicate.Clause) -> str:
    values = [str(value) if isinstance(value, int) else f'"{value}"' for value in clause.among]
    if not isinstance(clause.among[0], str | int):
        condition = f"cidrMatch({clause.field}, {', '.join(values)})"
    elif len(values) == 1:
        condition = f"{clause.field} == {values[0]}"
    else:
        condition = f"{clause.field} in ({', '.join(values)})"
    return f"not {condition}" if clause.negated else condition


_ESQL_LIMITS = (
    "// KQL() needs Elasticsearch 8.18 or later. To hunt over more time, widen both spans.",
    f"// Set the time range to {predicate.HISTORY_DAYS} days or more: in less, all is new.",
    "// Not for an ES|QL detection rule, which reads only its own look-back: use the rule that",
    "// rule export --to elastic-rule writes.",
)


def esql(exclusions: Sequence[Exclusion] = ()) -> str:
    """Return the rule in ES|QL: the predicate, and destinations that are new.

    Of an event with several destinations each counts by itself, as in Kibana's own query for new
    terms (``execute_new_terms_esql_approach.ts``).
    """
    said, _ = split(exclusions, in_esql)
    return "\n".join(
        (
            f"// {predicate.RULE_NAME} ({predicate.RULE_ID})",
            *_ESQL_LIMITS,
            *_unmapped_fields(exclusion for exclusion, _ in said),
            f"FROM {', '.join(predicate.INDICES)}",
            f"| WHERE @timestamp >= NOW() - {predicate.HISTORY_DAYS} days",
            f'| WHERE KQL("""{kql().strip()}""")',
            "| MV_EXPAND destination.ip",
            *(f"// {text}" for text in list_missing("esql", exclusions)),
            *(
                line
                for exclusion, condition in said
                for line in (f"// {in_words(exclusion)}", f"| WHERE {condition}")
            ),
            "| STATS first_seen = MIN(@timestamp), last_seen = MAX(@timestamp), events = COUNT(*),",
            "    hosts = VALUES(host.name), sources = VALUES(source.ip)",
            "    BY destination.ip",
            "| WHERE first_seen >= NOW() - 9 minutes",
            "| SORT first_seen",
            "",
        )
    )


def _unmapped_fields(exclusions: Iterable[Exclusion]) -> Iterator[str]:
    if any(exclusion.host for exclusion in exclusions):
        yield (
            f"// ES|QL refuses a field that no index has: of {', '.join(HOST_FIELDS)} take out"
            " those that yours lack."
        )
