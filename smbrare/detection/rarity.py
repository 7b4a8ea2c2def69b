"""Rarity: which sightings are findings.

With H the length of the history, a sighting of a destination at time t is a finding if and only
if the destination has no sighting in [t - H, t). Every sighting counts as history, reported or
not. H is an hour or more, so the finding of an hour is the first sighting in it, and the first
and last sighting of each hour decide every criteria exactly.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct, field

from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import MOST_HOSTS, Finding, History, Recorded, Status
from smbrare.detection.sightings import Contact, Key, Row, Sightings
from smbrare.records.times import HOUR, seconds

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
    groups: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    undated: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    excluded: dict[tuple[str, str, str, bool], list[Contact]] = defaultdict(list)
    for key, contact in sightings.contacts.items():
        group_key = (key[0], key[2] if criteria.per_host else "")
        if reason := known.excluded(key):
            excluded[*group_key, reason, key[3] is None].append(contact)
        else:
            (undated if key[3] is None else groups)[group_key].append(contact)
    recorded = _by_group(known, groups, criteria)
    hours = sorted(known.hours)
    findings = [
        finding
        for group_key, contacts in groups.items()
        for finding in _judge_group(
            group_key[0], _group(contacts, recorded.get(group_key, ())), hours, known, criteria
        )
    ]
    untold = History(0, _wanted(criteria))
    findings += [_finding(contacts, "new", None, untold, criteria) for contacts in undated.values()]
    for (_, _, reason, is_undated), contacts in excluded.items():
        time = min(contact.earliest.time or 0 for contact in contacts)
        history = untold if is_undated else _history(hours, time, known, criteria)
        findings.append(_finding(contacts, "excluded", None, history, criteria, reason=reason))
    return sorted(findings, key=lambda finding: finding.order)


def _by_group(
    known: Known, groups: Container[tuple[str, str]], criteria: Criteria
) -> dict[tuple[str, str], list[Row]]:
    """Return the rows that count, of the groups that were sighted."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in known.rows:
        group_key = (row.destination, row.host if criteria.per_host else "")
        if group_key in groups and not known.excluded(row[:4]):
            found[group_key].append(row)
    return found


def _group(contacts: Iterable[Contact], rows: Iterable[Row]) -> _Group:
    group = _Group()
    for contact in contacts:
        time = contact.earliest.time or 0
        group.contacts[time // HOUR].append(contact)
        group.seen.update((time, contact.last))
    for row in rows:
        group.recorded.update((row.first, row.last))
        group.recorded_hosts.add(row.host)
    return group


def _judge_group(
    destination: str, group: _Group, hours: list[int], known: Known, criteria: Criteria
) -> Iterator[Finding]:
    seen = sorted(group.seen)
    together = sorted(group.seen | group.recorded)
    started: list[tuple[int, Status, int | None, int]] = []
    for hour in sorted(group.contacts):
        time = min(contact.earliest.time or 0 for contact in group.contacts[hour])
        previous = _before(together, time)
        if _is_rare(destination, previous, time, known, criteria):
            started.append((hour, "new", previous, time))
        elif _is_rare(destination, _before(seen, time), time, known, criteria):
            started.append((hour, "known", previous, time))
    ends = [hour for hour, *_ in started[1:]]
    latest = max(group.recorded, default=None)
    in_order = sorted(group.contacts)
    for (hour, status, previous, time), end in zip_longest(started, ends):
        upto = len(in_order) if end is None else bisect_left(in_order, end)
        spanned = in_order[bisect_left(in_order, hour) : upto]
        yield _finding(
            [contact for at in spanned for contact in group.contacts[at]],
            status,
            previous,
            _history(hours, time, known, criteria),
            criteria,
            late=latest is not None and time <= latest,
            recorded=_recorded(group) if status == "known" else None,
        )


def _recorded(group: _Group) -> Recorded:
    return Recorded(min(group.recorded), max(group.recorded), tuple(sorted(group.recorded_hosts)))


def _before(times: list[int], time: int) -> int | None:
    at = bisect_left(times, time)
    return times[at - 1] if at else None


def _is_rare(
    destination: str, previous: int | None, time: int, known: Known, criteria: Criteria
) -> bool:
    if known.raised is not None:
        return (destination, time) in known.raised
    if previous is None:
        return True
    return criteria.history is not None and previous < time - criteria.history


def _wanted(criteria: Criteria) -> int | None:
    return None if criteria.history is None else seconds(criteria.history)


def _history(hours: list[int], time: int, known: Known, criteria: Criteria) -> History:
    """Count the covered hours from the one that t - H lies in up to the one before t's own."""
    start = 0 if criteria.history is None else bisect_left(hours, (time - criteria.history) // HOUR)
    count = bisect_left(hours, time // HOUR) - start
    covered = count * 3_600
    wanted = _wanted(criteria)
    if wanted is None:
        return History(covered, None, known.sampled)
    # What is complete is no lower bound.
    return History(min(covered, wanted), wanted, known.sampled and covered < wanted)


def _finding(
    contacts: list[Contact],
    status: Status,
    previous: int | None,
    history: History,
    criteria: Criteria,
    *,
    late: bool = False,
    reason: str = "",
    recorded: Recorded | None = None,
) -> Finding:
    earliest = min((contact.earliest for contact in contacts), key=lambda first: first.order)
    hosts: dict[str, str] = {}
    for contact in contacts:
        name = hosts.get(contact.earliest.host, contact.told.host_name)
        hosts[contact.earliest.host] = min(name, contact.told.host_name)
    new_hosts = () if recorded is None else set(hosts) - set(recorded.hosts)
    return Finding(
        sighting=earliest,
        status=status,
        previous=previous,
        last=None if earliest.time is None else max(contact.last for contact in contacts),
        events=sum(contact.events for contact in contacts),
        outcomes=tuple(sorted(frozenset().union(*(contact.told.outcomes for contact in contacts)))),
        ports=tuple(sorted(frozenset().union(*(contact.told.ports for contact in contacts)))),
        hosts=tuple(sorted(hosts.values()))[:MOST_HOSTS],
        host_count=len(hosts),
        history=history,
        late=late,
        per_host=criteria.per_host,
        reason=reason,
        recorded=recorded,
        new_hosts=tuple(sorted(hosts[host] for host in new_hosts if host)),
    )
