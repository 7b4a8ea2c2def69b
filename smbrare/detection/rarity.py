"""Rarity: which sightings are findings.

With H the length of the history, a sighting of a destination at time t is a finding if and only
if the destination has no sighting in [t - H, t). Every sighting counts as history, reported or
not. H is an hour or more, so the finding of an hour is the first sighting in it, and the first
and last sighting of each hour decide every criteria exactly.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, zip_longest
from sys import maxsize

from msgspec import Struct, field

from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import MOST_HOSTS, Finding, History, Recorded, Status
from smbrare.detection.sightings import Contact, Key, Row, Sightings, Told
from smbrare.records.times import HOUR, HOUR_SECONDS, seconds

ExcludedBecause = Callable[[Key], str]
"""Why sightings of a key do not count; empty where they do."""


def _nothing_excluded(_: Key) -> str:
    return ""


class Known(Struct, frozen=True):
    """What is known besides the scan's own sightings.

    Attributes:
        rows: The baseline's rows of the destinations that the scan sighted.
        hours: UTC hours in which network events were read, in the scan or before.
        sampled: Whether some hours may be missing, because an input was only sampled.
        excluded: Which keys do not count, and why.
        raised: Which sightings, as destination and time, start a finding, where a replay has
            decided it; None to decide by the history.
    """

    rows: Sequence[Row] = ()
    hours: frozenset[int] = frozenset()
    sampled: bool = False
    excluded: ExcludedBecause = _nothing_excluded
    raised: frozenset[tuple[str, int]] | None = None


class _Question(Struct, frozen=True):
    """All that the sightings of each destination are judged by."""

    sightings: Sightings
    known: Known
    criteria: Criteria
    hours: list[int]


class _Group(Struct):
    """Everything about one destination, or one destination and host."""

    contacts: dict[int, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    seen: set[int] = field(default_factory=set)
    recorded: set[int] = field(default_factory=set)
    recorded_hosts: set[str] = field(default_factory=set)


def judge(sightings: Sightings, known: Known, criteria: Criteria) -> list[Finding]:
    """Return the findings, those that the baseline kept back, and those excluded, in order.

    Undated sightings are findings each by destination (and host), and never history.
    """
    question = _Question(sightings, known, criteria, sorted(known.hours))
    recorded: dict[str, list[Row]] = defaultdict(list)
    for row in known.rows:
        recorded[row.destination].append(row)
    findings = [
        finding
        for contacts in sightings.by_destination()
        for finding in _judge_destination(contacts, recorded.get(contacts[0].key[0], ()), question)
    ]
    # By the time alone first: the whole key of each would take as much room as the findings.
    findings.sort(key=_time)
    return [
        finding
        for _, together in groupby(findings, key=_time)
        for finding in sorted(together, key=lambda finding: finding.order)
    ]


def _time(finding: Finding) -> int:
    """Return the time of a finding; an undated one is behind all others."""
    return maxsize if finding.sighting.time is None else finding.sighting.time


def _judge_destination(
    contacts: Iterable[Contact], rows: Iterable[Row], question: _Question
) -> Iterator[Finding]:
    """Yield all findings of one destination, given its contacts and the baseline's rows."""
    known, per_host = question.known, question.criteria.per_host
    groups: dict[str, list[Contact]] = defaultdict(list)
    undated: dict[str, list[Contact]] = defaultdict(list)
    excluded: dict[tuple[str, str, bool], list[Contact]] = defaultdict(list)
    for contact in contacts:
        term = contact.key[2] if per_host else ""
        if reason := known.excluded(contact.key):
            excluded[term, reason, contact.first is None].append(contact)
        else:
            (undated if contact.first is None else groups)[term].append(contact)
    recorded: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not known.excluded(row[:4]):
            recorded[row.host if per_host else ""].append(row)
    for term, alike in groups.items():
        yield from _judge_group(_group(alike, recorded.get(term, ())), question)
    untold = History(0, _wanted(question.criteria))
    for alike in undated.values():
        yield _finding(alike, "new", None, untold, question)
    for (_, reason, is_undated), alike in excluded.items():
        first = min(contact.first or 0 for contact in alike)
        history = untold if is_undated else _history(first, question)
        yield _finding(alike, "excluded", None, history, question, reason=reason)


def _group(contacts: Iterable[Contact], rows: Iterable[Row]) -> _Group:
    group = _Group()
    for contact in contacts:
        first = contact.first or 0
        group.contacts[first // HOUR].append(contact)
        group.seen.update((first, contact.last))
    for row in rows:
        group.recorded.update((row.first, row.last))
        group.recorded_hosts.add(row.host)
    return group


def _judge_group(group: _Group, question: _Question) -> Iterator[Finding]:
    seen = sorted(group.seen)
    together = sorted(group.seen | group.recorded) if group.recorded else seen
    in_order = sorted(group.contacts)
    started: list[tuple[int, Status, int | None, int]] = []
    for hour in in_order:
        time = min(contact.first or 0 for contact in group.contacts[hour])
        destination = group.contacts[hour][0].key[0]
        previous = _before(together, time)
        if _is_rare(destination, previous, time, question):
            started.append((hour, "new", previous, time))
        elif _is_rare(destination, _before(seen, time), time, question):
            started.append((hour, "known", previous, time))
    ends = [hour for hour, *_ in started[1:]]
    latest = max(group.recorded, default=None)
    for (hour, status, previous, time), end in zip_longest(started, ends):
        upto = len(in_order) if end is None else bisect_left(in_order, end)
        spanned = in_order[bisect_left(in_order, hour) : upto]
        yield _finding(
            [contact for at in spanned for contact in group.contacts[at]],
            status,
            previous,
            _history(time, question),
            question,
            late=latest is not None and time <= latest,
            recorded=_recorded(group) if status == "known" else None,
        )


def _recorded(group: _Group) -> Recorded:
    return Recorded(min(group.recorded), max(group.recorded), tuple(sorted(group.recorded_hosts)))


def _before(times: list[int], time: int) -> int | None:
    at = bisect_left(times, time)
    return times[at - 1] if at else None


def _is_rare(destination: str, previous: int | None, time: int, question: _Question) -> bool:
    if question.known.raised is not None:
        return (destination, time) in question.known.raised
    if previous is None:
        return True
    history = question.criteria.history
    return history is not None and previous < time - history


def _wanted(criteria: Criteria) -> int | None:
    return None if criteria.history is None else seconds(criteria.history)


def _history(time: int, question: _Question) -> History:
    """Count the covered hours from the one that t - H lies in up to the one before t's own."""
    hours, history = question.hours, question.criteria.history
    start = 0 if history is None else bisect_left(hours, (time - history) // HOUR)
    covered = (bisect_left(hours, time // HOUR) - start) * HOUR_SECONDS
    wanted = _wanted(question.criteria)
    if wanted is None:
        return _one_history(covered, None, question.known.sampled)
    # What is complete is no lower bound.
    sampled = question.known.sampled and covered < wanted
    return _one_history(min(covered, wanted), wanted, sampled)


# Findings may be as many as events, and what they tell besides is mostly the same.
_one_history = lru_cache(maxsize=1_024)(History)


@lru_cache(maxsize=1_024)
def _all_told(tolds: frozenset[Told]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the outcomes and the ports of some events, sorted."""
    outcomes = frozenset[str]().union(*(told.outcomes for told in tolds))
    ports = frozenset[int]().union(*(told.ports for told in tolds))
    return tuple(sorted(outcomes)), tuple(sorted(ports))


@lru_cache(maxsize=1_024)
def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return names


def _finding(
    contacts: list[Contact],
    status: Status,
    previous: int | None,
    history: History,
    question: _Question,
    *,
    late: bool = False,
    reason: str = "",
    recorded: Recorded | None = None,
) -> Finding:
    sighting = question.sightings.least(contacts)
    hosts: dict[str, str] = {}
    for contact in contacts:
        host, name = contact.key[2], contact.told.host_name
        hosts[host] = min(hosts.get(host, name), name)
    new_hosts = () if recorded is None else set(hosts) - set(recorded.hosts)
    outcomes, ports = _all_told(frozenset(contact.told for contact in contacts))
    last = max(contact.last for contact in contacts)
    return Finding(
        sighting=sighting,
        status=status,
        previous=previous,
        last=sighting.time if sighting.time is None or last == sighting.time else last,
        events=sum(contact.events for contact in contacts),
        outcomes=outcomes,
        ports=ports,
        hosts=_once(tuple(sorted(hosts.values()))[:MOST_HOSTS]),
        host_count=len(hosts),
        history=history,
        late=late,
        per_host=question.criteria.per_host,
        reason=reason,
        recorded=recorded,
        new_hosts=tuple(sorted(hosts[host] for host in new_hosts if host)),
    )
