"""A finding's facts in words, the same in every output that a person reads."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from smbrare.detection.dns import Query
from smbrare.detection.exposure import accounts
from smbrare.detection.finding import Finding, History
from smbrare.detection.host_context import is_person
from smbrare.detection.rank import FAILURE, SUCCESS, Grade, grade, reported_outcomes
from smbrare.detection.reference import AS_NAME, AS_NUMBER, COUNTRY, INDICATOR, LABELS, PROVIDER
from smbrare.records.event import Origin
from smbrare.records.times import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS, format_time, seconds
from smbrare.text import MOST_NAMED, duration, some

GRADE_MARKS: Mapping[Grade, tuple[str, str]] = {
    "authentication": ("!!!", "credentials sent"),
    "connected": ("!!", "connected"),
    "unknown": ("!", "not logged"),
    "attempted": (".", "failed"),
}
"""How each grade is marked, and what it is called, the worst first."""

_INBOUND = frozenset({"inbound", "ingress"})


def values(finding: Finding, field: str) -> list[str]:
    """Return an ECS field of the finding's event as texts, none where it is missing."""
    value = finding.event.get(field, [])
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def time_text(time: int | None) -> str:
    """Return microseconds since 1970 UTC to the second (``2026-11-18 09:11:18``)."""
    return "undated" if time is None else format_time(time)[:19].replace("T", " ")


def mark(finding: Finding) -> str:
    """Return the mark of a finding's grade (``!!``), none of what was suppressed."""
    return GRADE_MARKS[grade(finding)][0] if finding.status == "new" else ""


def short_paths(paths: Iterable[str]) -> dict[str, str]:
    """Return each path with its shortest end that names no other of them (``a/x.ndjson``)."""
    every = {path: path.split("/") for path in paths}
    short: dict[str, str] = {}
    depth = 1
    while left := every.keys() - short.keys():
        ends: dict[str, list[str]] = {}
        for path, parts in every.items():
            ends.setdefault("/".join(parts[-depth:]), []).append(path)
        for end, ending in ends.items():
            if len(ending) == 1 and ending[0] in left:
                short[ending[0]] = end
        depth += 1
    return short


def record_text(origin: Origin, paths: Mapping[str, str]) -> str:
    """Return where a record stands, with its path as short as `short_paths` makes it."""
    path = paths.get(origin.path, origin.path)
    return f"{path}:{origin.number}" if origin.number else path


def likely_users(finding: Finding) -> tuple[str, ...]:
    """Return whose credentials events show sent, else whose a finding may have sent."""
    proven = tuple(activity.user for activity in accounts(finding.evidence))
    return proven or (() if finding.host_context is None else finding.host_context.users)


def account_text(finding: Finding) -> str:
    r"""Return the account that the connection may have given away (``CORP\j.doe +1``).

    By the host's other events, the likeliest first; else the event's own, unless it is a service's.
    """
    if users := likely_users(finding):
        return f"{users[0]} +{len(users) - 1}" if len(users) > 1 else users[0]
    name, domain = (values(finding, f"user.{field}")[:1] for field in ("name", "domain"))
    text = "\\".join(domain + name)
    return text if name and is_person(text) else ""


def short_history_text(history: History) -> str:
    """Return how much of the history was known, in days or else hours (``7d``, ``>=3h``)."""
    size, unit = (DAY_SECONDS, "d") if history.known >= DAY_SECONDS else (HOUR_SECONDS, "h")
    at_least = ">=" if history.sampled and not history.complete else ""
    return f"{at_least}{history.known // size}{unit}"


def outcome_text(finding: Finding) -> str:
    """Return what came of the connections: established, failed or unknown, or a mix of them."""
    reported = reported_outcomes(finding)
    established, failed = bool(reported & SUCCESS), bool(reported & FAILURE)
    if established:
        return "established, some failed" if failed else "established"
    if failed:
        return "failed or unknown" if "unknown" in reported else "failed"
    return "unknown"


def is_inbound(finding: Finding) -> bool:
    """Return whether the exporter calls the connection inbound, which is odd for this rule."""
    return not _INBOUND.isdisjoint(values(finding, "network.direction"))


def host_text(finding: Finding) -> str:
    """Return the name of the first event's host, and how many others there are (``WS-02 +1``)."""
    name = ", ".join(values(finding, "host.name") or finding.hosts[:1])
    more = finding.host_count - 1
    return f"{name} +{more}" if more > 0 else name


def more_hosts_text(finding: Finding) -> str:
    """Return how many hosts there are beside those that a finding names (`` and 3 more``)."""
    more = finding.host_count - len(finding.hosts)
    return f" and {more:,} more" if more else ""


def domain_text(finding: Finding) -> str:
    """Return the destination's domain; where its events have none, names from DNS events.

    Those are marked (``files.example +1 (DNS)``): the finding's own event does not name them.
    """
    own = values(finding, "destination.domain")
    if own or not finding.queries:
        return ", ".join(own)
    name, *others = finding.dns_names
    return f"{name} +{len(others)} (DNS)" if others else f"{name} (DNS)"


def query_text(query: Query) -> str:
    """Return who asked for a name, and when (``files.example, asked by WS-01 at …``)."""
    by = f" by {query.host}" if query.host else ""
    if query.first is None or query.last is None:
        return f"{query.name}, asked{by}"
    if query.first == query.last:
        return f"{query.name}, asked{by} at {time_text(query.first)}"
    return f"{query.name}, asked{by} from {time_text(query.first)} to {time_text(query.last)}"


def queries_text(finding: Finding) -> list[str]:
    """Return the DNS queries that led to the destination, the first few of them in words."""
    shown = [query_text(query) for query in finding.queries[:MOST_NAMED]]
    more = len(finding.queries) - len(shown)
    return [*shown, f"and {more:,} more"] if more else shown


def full_history_text(history: int | None) -> str:
    """Return the length of the history, in microseconds, that makes a destination new."""
    return "all time" if history is None else duration(seconds(history))


def history_text(history: History, *, at_least: str = "≥ ") -> str:
    """Return how much of the history was known (``2d 3h of 7d``).

    Args:
        history: What was known.
        at_least: What stands before a lower bound.
    """
    known = f"{at_least if history.sampled else ''}{duration(history.known)}"
    return known if history.wanted is None else f"{known} of {duration(history.wanted)}"


def notes(finding: Finding) -> list[str]:
    """Return what is odd about a finding, its destination's network, and its inferred fields."""
    network, inferred = network_text(finding.extra), ", ".join(finding.sighting.inferred)
    return [
        *([network] if network else []),
        *listings(finding.extra),
        *oddities(finding),
        *([f"inferred: {inferred}"] if inferred else []),
    ]


def oddities(finding: Finding) -> list[str]:
    """Return what is odd about a finding, but for lists, in a few words each."""
    found = list(_why_suppressed(finding))
    if is_inbound(finding):
        found.append("inbound")
    if finding.late:
        found.append("late")
    if finding.alert is not None and finding.alert.crowded:
        found.append("max-signals exceeded")
    if finding.previous is not None and finding.sighting.time is not None:
        found.append(f"again after {silence(finding)}")
    return found


def _why_suppressed(finding: Finding) -> Iterator[str]:
    """Yield why a finding is none, and since when the baseline knows it from where."""
    if finding.status == "excluded":
        yield f"excluded: {finding.reason}" if finding.reason else "excluded"
    elif finding.status == "known":
        known = finding.recorded
        if known is None:
            yield "known"
            return
        on = f" on {some([host for host in known.hosts if host])}" if any(known.hosts) else ""
        yield f"known since {time_text(known.first)}{on}"
        if finding.new_hosts:
            yield f"new on {some(finding.new_hosts)}"


def ingested_text(finding: Finding) -> str:
    """Return the time of ingest where that is judged, empty where the event's own time is."""
    sighting = finding.sighting
    if sighting.own_time is None or sighting.time is None:
        return ""
    return f"{format_time(sighting.time)}, by which it is evaluated"


def silence(finding: Finding) -> str:
    """Return how long the destination was not contacted before, empty where it never was.

    From a day on minutes are left out.
    """
    time, previous = finding.sighting.time, finding.previous
    if time is None or previous is None:
        return ""
    silent = (time - previous) // MICROSECONDS
    return duration(silent if silent < DAY_SECONDS else silent - silent % HOUR_SECONDS)


def label_text(finding: Finding) -> str:
    """Return the cloud services of a destination (``Azure Storage (westeurope)``), if known."""
    return ", ".join(finding.extra.get(LABELS, ()))


def network_text(extra: Mapping[str, Any]) -> str:
    """Return country, network and cloud of a destination (``DE, AS64500 Example``), if known."""
    number, name = extra.get(AS_NUMBER), extra.get(AS_NAME, "")
    network = name if number is None else f"AS{number} {name}".strip()
    return ", ".join(filter(None, (extra.get(COUNTRY, ""), network, *extra.get(LABELS, ()))))


def short_network_text(extra: Mapping[str, Any]) -> str:
    """Return number and country of a destination's network (``AS64500 DE``), its name without."""
    number = extra.get(AS_NUMBER)
    network = extra.get(AS_NAME, "") if number is None else f"AS{number}"
    return " ".join(filter(None, (network, extra.get(COUNTRY, ""))))


def listings(extra: Mapping[str, Any]) -> list[str]:
    """Return each list that contains a destination (``listed by feed (1.2.3.0/24)``)."""
    named = zip(extra.get(PROVIDER, ()), extra.get(INDICATOR, ()), strict=True)
    return [f"listed by {provider} ({entry})" for provider, entry in named]
