"""Exclusions in the languages that the rule is exported to.

An exclusion that a language cannot say is left out whole: with one of its conditions missing it
would keep back what the user did not exclude.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from smbrare.detection.exclusions import Exclusion, range_text
from smbrare.records.times import HOUR, format_time
from smbrare.rule.networks import Network
from smbrare.text import visible

Said: TypeAlias = list[tuple[Exclusion, str]]
"""Exclusions, each with what a language makes of it, or with why it makes nothing."""

_NO_DOMAIN = "a query on connections cannot ask what a DNS answer said"
_NO_TIME = "Sigma cannot ask for the time of an event"
_NO_DATE = "EQL documents no comparison with a date"
_NO_PATTERN = "KQL knows * alone in a pattern, and no space beside it"
_NO_SET = "its [...] is more than letters, digits and ranges of them"
_INVISIBLE = "its pattern holds a character that cannot be seen"
_PLAIN = re.compile(r"[a-z0-9._-]+")
_LIKE = re.compile(r"[a-z0-9._*?-]+")
_KQL_SPECIAL = re.compile(r'[\\():<>"{}]')
_PIECE = re.compile(
    r"(?P<any>\*+)|(?P<one>\?)|\[(?P<no>!?)(?P<set>(?:[a-z0-9](?:-[a-z0-9])?)+)\]|(?P<text>.)",
    re.DOTALL,
)
_REGEX_SPECIAL = re.compile(r'[\\.?+*|{}()\[\]"#@&<>~^$/]')

HOST_FIELDS = ("winlog.computer_name", "host.name", "host.hostname")
"""Where documents keep the name of their host; the first that one has is its host.

Forwarded events have the collector's name in host.name, SentinelOne's documents host.hostname
alone.
"""


class NotExpressibleError(ValueError):
    """A language cannot say an exclusion; the message says why."""


def split(exclusions: Iterable[Exclusion], say: Callable[[Exclusion], str]) -> tuple[Said, Said]:
    """Return exclusions as a language says them, and those that it cannot say with the reason.

    Args:
        exclusions: In any order, which both lists keep.
        say: One of `in_kql`, `in_eql`, `in_esql` and `in_sigma`.
    """
    said: Said = []
    unsaid: Said = []
    for exclusion in exclusions:
        try:
            said.append((exclusion, say(exclusion)))
        except NotExpressibleError as error:
            unsaid.append((exclusion, str(error)))
    return said, unsaid


def in_words(exclusion: Exclusion) -> str:
    """Return an exclusion as one line of a comment, with nothing that could end it."""
    return visible(str(exclusion))


def in_kql(exclusion: Exclusion) -> str:
    """Return a term of Kibana's query language that holds where an exclusion does not.

    A keyword keeps the case of its letters, and so does KQL: a pattern of host names is written in
    lower case, in upper case, and with its first label alone in upper case (``WS-01.corp``).

    Raises:
        NotExpressibleError: If it cannot say it; the message says why.
    """
    terms = [
        f"{field} : {any_of_kql(map(_quote, map(range_text, networks)))}"
        for field, networks in _addresses(exclusion)
    ]
    if exclusion.host:
        patterns = (spelled for host in _hosts(exclusion) for spelled in _spellings(host))
        terms.append(f"({_kql_host(any_of_kql(map(_kql_pattern, patterns)))})")
    terms += (f'@timestamp {sign} "{time}"' for sign, time in _times(exclusion))
    return f"not {terms[0]}" if len(terms) == 1 else f"not ({' and '.join(terms)})"


def _kql_host(wanted: str) -> str:
    """Return a condition on the first of `HOST_FIELDS` that a document has."""
    *before, last = HOST_FIELDS
    condition = f"{last} : {wanted}"
    for field in reversed(before):
        condition = f"{field} : {wanted} or (not {field} : * and ({condition}))"
    return condition


def any_of_kql(literals: Iterable[str]) -> str:
    """Return what a field of KQL has to hold to hold any of some literals."""
    listed = list(dict.fromkeys(literals))
    return listed[0] if len(listed) == 1 else f"({' or '.join(listed)})"


def _kql_pattern(pattern: str) -> str:
    if "?" in pattern or "[" in pattern:
        raise NotExpressibleError(_NO_PATTERN)
    if "*" not in pattern:
        return _quote(pattern)
    if re.search(r"\s", pattern):
        raise NotExpressibleError(_NO_PATTERN)
    return _KQL_SPECIAL.sub(r"\\\g<0>", pattern)


def _spellings(pattern: str) -> Iterator[str]:
    first, dot, rest = pattern.partition(".")
    yield from (pattern, pattern.upper(), f"{first.upper()}{dot}{rest}")


def in_esql(exclusion: Exclusion) -> str:
    """Return a condition of ES|QL that holds where an exclusion does not.

    ES|QL drops rows whose condition is null, as that on a field that is missing: an exclusion with
    such a field does not hold.

    Raises:
        NotExpressibleError: If it cannot say it; the message says why.
    """
    terms = [
        f"CIDR_MATCH({field}, {', '.join(map(_quote, networks))})"
        for field, networks in _addresses(exclusion)
    ]
    if exclusion.host:
        name = f"TO_LOWER(MV_FIRST(COALESCE({', '.join(HOST_FIELDS)})))"
        fits = [f"{name} {_esql_pattern(host)}" for host in _hosts(exclusion)]
        terms.append(fits[0] if len(fits) == 1 else f"({' OR '.join(fits)})")
    terms += (f'@timestamp {sign} TO_DATETIME("{time}")' for sign, time in _times(exclusion))
    return f"NOT COALESCE({' AND '.join(terms)}, false)"


def in_eql(exclusion: Exclusion) -> str:
    """Return a condition of EQL that holds where an exclusion does not.

    Elasticsearch's reference of EQL's syntax compares texts and numbers, and dates nowhere.

    Raises:
        NotExpressibleError: If it cannot say it; the message says why.
    """
    terms = [
        f"cidrMatch({field}, {', '.join(map(_quote, networks))})"
        for field, networks in _addresses(exclusion)
    ]
    if exclusion.host:
        terms.append(f"({_eql_host(_hosts(exclusion))})")
    if any(_times(exclusion)):
        raise NotExpressibleError(_NO_DATE)
    return f"not ({' and '.join(terms)})"


def _eql_host(patterns: Sequence[str]) -> str:
    """Return a condition on the first of `HOST_FIELDS` that a document has.

    A ``?`` before a field allows that no index has it; a ``~`` behind an operator ignores case.
    """
    plain = [_quote(pattern) for pattern in patterns if _LIKE.fullmatch(pattern)]
    others = [_quote(regex(pattern)) for pattern in patterns if not _LIKE.fullmatch(pattern)]

    def fits(field: str) -> str:
        asked = (("like~", plain), ("regex~", others))
        return " or ".join(
            f"?{field} {operator} ({', '.join(wanted)})" for operator, wanted in asked if wanted
        )

    *before, last = HOST_FIELDS
    condition = fits(last)
    for field in reversed(before):
        condition = f"{fits(field)} or (?{field} == null and ({condition}))"
    return condition


def _esql_pattern(pattern: str) -> str:
    if _LIKE.fullmatch(pattern):
        return f'LIKE "{pattern}"'
    return f"RLIKE {_quote(regex(pattern))}"


def _quote(value: str | Network) -> str:
    """Return a text as KQL, EQL and ES|QL take it as it is."""
    escaped = re.sub(r'[\\"]', r"\\\g<0>", str(value))
    return f'"{escaped}"'


def in_sigma(exclusion: Exclusion) -> str:
    """Return the items of a Sigma selection that holds where an exclusion does, as lines of YAML.

    Raises:
        NotExpressibleError: If it cannot say it; the message says why.
    """
    names = {"destination.ip": "DestinationIp|cidr", "source.ip": "SourceIp|cidr"}
    lines = []
    for field, networks in _addresses(exclusion):
        lines += sigma_list(names[field], map(str, networks))
    if exclusion.host:
        lines += _sigma_hosts(_hosts(exclusion))
    if any(_times(exclusion)):
        raise NotExpressibleError(_NO_TIME)
    return "\n".join(lines)


def sigma_list(name: str, values: Iterable[str | int]) -> list[str]:
    """Return an item of a Sigma selection, which holds any of some values, as lines of YAML."""
    return [f"    {name}:", *(f"      - {_yaml(value)}" for value in values)]


def _sigma_hosts(patterns: Sequence[str]) -> list[str]:
    if all(map(_PLAIN.fullmatch, patterns)):
        return sigma_list("Computer", patterns)
    starts = [pattern.removesuffix("*") for pattern in patterns]
    if all(pattern.endswith("*") for pattern in patterns) and all(map(_PLAIN.fullmatch, starts)):
        return sigma_list("Computer|startswith", starts)
    return sigma_list("Computer|re|i", (f"^{regex(pattern)}$" for pattern in patterns))


def _yaml(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def regex(pattern: str) -> str:
    """Return a shell pattern as a regular expression that Lucene and others read alike.

    It has no anchors: Lucene's always go for the whole text.

    Raises:
        NotExpressibleError: If the pattern asks for a set of other characters than these know.
    """
    return "".join(map(_piece, _PIECE.finditer(pattern)))


def _piece(match: re.Match[str]) -> str:
    if match["any"]:
        return ".*"
    if match["one"]:
        return "."
    if match["set"]:
        if any(low > high for low, high in re.findall("(.)-(.)", match["set"])):
            raise NotExpressibleError(_NO_SET)
        return f"[{'^' if match['no'] else ''}{match['set']}]"
    if match["text"] == "[":
        raise NotExpressibleError(_NO_SET)
    return _REGEX_SPECIAL.sub(r"\\\g<0>", match["text"])


def _addresses(exclusion: Exclusion) -> Iterator[tuple[str, tuple[Network, ...]]]:
    if exclusion.domain:
        raise NotExpressibleError(_NO_DOMAIN)
    if exclusion.destination:
        yield "destination.ip", exclusion.destination
    if exclusion.source:
        yield "source.ip", exclusion.source


def _hosts(exclusion: Exclusion) -> tuple[str, ...]:
    if not all(map(str.isprintable, exclusion.host)):
        raise NotExpressibleError(_INVISIBLE)
    return exclusion.host


def _times(exclusion: Exclusion) -> Iterator[tuple[str, str]]:
    """Yield how an event's time has to compare, and to what."""
    if exclusion.start is not None:
        yield ">=", format_time(exclusion.start * HOUR)
    ends = [end for end in (exclusion.until, exclusion.expires) if end is not None]
    if ends:
        yield "<", format_time(min(ends) * HOUR)


_LANGUAGES: dict[str, Callable[[Exclusion], str]] = {
    "kql": in_kql,
    "eql": in_eql,
    "esql": in_esql,
    "sigma": in_sigma,
    "elastic-rule": in_kql,
}


def list_included(target: str, exclusions: Sequence[Exclusion]) -> list[str]:
    """Return the exclusions that an export holds, a line each."""
    said, _ = split(exclusions, _LANGUAGES[target])
    return [in_words(exclusion) for exclusion, _ in said]


def list_missing(target: str, exclusions: Sequence[Exclusion]) -> list[str]:
    """Return what an export says less of exclusions than they do, and why, a line each."""
    said, unsaid = split(exclusions, _LANGUAGES[target])
    lines = [f"not in this export: {in_words(exclusion)}: {why}" for exclusion, why in unsaid]
    if _LANGUAGES[target] is in_kql and any(exclusion.host for exclusion, _ in said):
        lines.append(
            "KQL minds case: host patterns are there in lower case, in upper case and with the"
            " first label in upper case, and other spellings of a host are not excluded"
        )
    return lines
