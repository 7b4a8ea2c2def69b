"""Findings, and what a finding looks like as an ECS document."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import orjson
from msgspec import Struct

from smbrare.detection.dns import Query
from smbrare.detection.exposure import JoinedEvent
from smbrare.detection.host_context import HostContext
from smbrare.detection.kept_events import KeptEvent, Sighting
from smbrare.detection.schedule import Alert
from smbrare.records.times import format_time
from smbrare.rule import predicate
from smbrare.rule.predicate import _SEVERITY_NUMBERS, TACTICS, TECHNIQUES
from smbrare.text import duration

Status: TypeAlias = Literal["new", "known", "excluded"]

MOST_HOSTS = 20
"""How many host names a finding lists; the count is exact."""

MOST_NAMES = 20
"""How many DNS names, and DNS queries, a finding lists."""


class History(Struct, frozen=True):
    """How much of the time before a finding was known.

    Attributes:
        known: Hours before it in which network events were read, in seconds.
        wanted: The length of the rule's history, in seconds; None for all time.
        sampled: Whether ``known`` is only a lower bound.
    """

    known: int
    wanted: int | None
    sampled: bool = False

    @property
    def complete(self) -> bool:
        """Whether every hour of the history was known."""
        return self.wanted is not None and self.known >= self.wanted


class Recorded(Struct, frozen=True):
    """What the baseline holds of a destination.

    Attributes:
        first: The first sighting, in microseconds since 1970 UTC.
        last: The last one.
        hosts: The host keys, sorted.
    """

    first: int
    last: int
    hosts: tuple[str, ...]


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Finding(Struct, frozen=True, gc=False):
    """A sighting of a destination that was not seen in the history before it.

    Attributes:
        sighting: The sighting that stands for it.
        status: ``new``; ``known`` if only the baseline kept it back; ``excluded``.
        previous: The last sighting of the destination before, in microseconds, if any.
        last: The last sighting that belongs to this finding, in microseconds.
        events: Records sighted from this finding to the next one of the destination.
        outcomes: Their values of event.outcome, sorted.
        ports: Their SMB ports, sorted.
        hosts: Their hosts' names, sorted, at most `MOST_HOSTS`.
        host_count: How many hosts they came from.
        history: How much history was known.
        late: Whether the baseline held the destination already at or after this time.
        per_host: Whether destination and host together were judged.
        reason: Why it is excluded.
        recorded: What the baseline holds of the destination, where that kept it back.
        new_hosts: Hosts that the baseline does not know to have contacted the destination,
            where it kept it back.
        extra: ECS fields by dotted name that reference data adds; they decide nothing.
        queries: The DNS queries read in this scan that the destination answered, those of the
            finding's host first; they decide nothing.
        host_context: What else happened on its host around it; None where nobody looked.
        evidence: What of that is evidence of its connections, what proves most first.
        alert: The run that raises it, in a replay.
    """

    sighting: Sighting
    status: Status
    previous: int | None
    last: int | None
    events: int
    outcomes: tuple[str, ...]
    ports: tuple[int, ...]
    hosts: tuple[str, ...]
    host_count: int
    history: History
    late: bool = False
    per_host: bool = False
    reason: str = ""
    recorded: Recorded | None = None
    new_hosts: tuple[str, ...] = ()
    alert: Alert | None = None
    extra: Mapping[str, Any] = _NOTHING
    queries: tuple[Query, ...] = ()
    host_context: HostContext | None = None
    evidence: tuple[JoinedEvent, ...] = ()

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The names of its queries, each once, at most `MOST_NAMES` of them."""
        return tuple(dict.fromkeys(query.name for query in self.queries))[:MOST_NAMES]

    def __repr__(self) -> str:
        return f"<Finding {self.id}: {reason(self)}>"

    @property
    def id(self) -> str:
        """The stable id: the same finding has it in every scan of every copy of the logs."""
        sighting = self.sighting
        parts = [predicate.RULE_ID, sighting.destination, str(sighting.time)]
        if self.per_host:
            parts.append(sighting.host)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    @property
    def order(self) -> tuple[bool, int, str, str, str, str]:
        """The order of output: time, destination, host, then status; undated ones last."""
        time, place = self.sighting.time, (self.sighting.destination, self.sighting.host)
        return (time is None, time or 0, *place, self.status, self.reason)

    @property
    def fields(self) -> dict[str, Any]:
        """All its ECS fields by dotted name, as `flat` has them."""
        return flat(self)

    @property
    def document(self) -> dict[str, Any]:
        """The same as nested objects: what a line of NDJSON holds."""
        return nested(flat(self))

    @property
    def event(self) -> dict[str, Any]:
        """The event's ECS fields by dotted name."""
        fields: dict[str, Any] = orjson.loads(self.sighting.event.ecs)
        return fields


def flat(finding: Finding) -> dict[str, Any]:
    """Return a finding as ECS fields by dotted name, in the order of output.

    The event keeps its own fields; ``event.kind`` and below say that this is an alert, ``rule``
    and ``threat`` which one, ``smbrare`` what only smbrare knows.
    """
    sighting, event = finding.sighting, finding.sighting.event
    document: dict[str, Any] = {}
    if event.own_time is not None:
        document["@timestamp"] = format_time(event.own_time)
    elif sighting.time is not None:
        document["@timestamp"] = format_time(sighting.time)
    if sighting.time is not None and event.own_time is not None:
        document["event.ingested"] = format_time(sighting.time)
    document["event.kind"] = "alert"
    document |= orjson.loads(event.ecs)
    document["destination.ip"] = sighting.destination
    document |= finding.extra
    document |= {
        "event.risk_score": predicate.RISK_SCORE,
        "event.severity": _SEVERITY_NUMBERS[predicate.SEVERITY],
        "event.reason": reason(finding),
        "rule.uuid": predicate.RULE_ID,
        "rule.name": predicate.RULE_NAME,
        "rule.version": predicate.RULE_VERSION,
        "rule.ruleset": "Elastic detection rules",
        "rule.reference": predicate.RULE_URL,
        "tags": ["smbrare", finding.status],
        "threat.technique.id": [identifier for identifier, _ in TECHNIQUES],
        "threat.technique.name": [name for _, name in TECHNIQUES],
        "threat.tactic.id": [identifier for identifier, _ in TACTICS],
        "threat.tactic.name": [name for _, name in TACTICS],
        "log.file.path": event.origin.path,
    }
    if event.origin.offset is not None:
        document["log.offset"] = event.origin.offset
    return document | _own(finding, event)


def _own(finding: Finding, event: KeptEvent) -> dict[str, Any]:
    own: dict[str, Any] = {
        "id": finding.id,
        "status": finding.status,
        "source": event.event_source,
        "record": event.origin.number,
        "previous_seen": None if finding.previous is None else format_time(finding.previous),
        "last_seen": None if finding.last is None else format_time(finding.last),
        "events": finding.events,
        "outcomes": list(finding.outcomes),
        "ports": list(finding.ports),
        "hosts": list(finding.hosts),
        "host_count": finding.host_count,
        "history_known_seconds": finding.history.known,
        "history_sampled": finding.history.sampled,
        "inferred": list(event.inferred),
        "late": finding.late,
    }
    if finding.queries:
        own["dns_names"] = list(finding.dns_names)
        own["dns_queries"] = [query_fields(query) for query in finding.queries[:MOST_NAMES]]
    if finding.reason:
        own["exclusion"] = finding.reason
    if finding.recorded is not None:
        own["known_first_seen"] = format_time(finding.recorded.first)
        own["known_last_seen"] = format_time(finding.recorded.last)
        own["known_hosts"] = list(finding.recorded.hosts[:MOST_HOSTS])
        own["new_hosts"] = list(finding.new_hosts[:MOST_HOSTS])
    if finding.alert is not None:
        own |= _run(finding.alert)
    return {f"smbrare.{name}": value for name, value in own.items()}


def query_fields(query: Query) -> dict[str, str | None]:
    """Return a DNS query as JSON values."""
    return {
        "name": query.name,
        "host": query.host or None,
        "first": None if query.first is None else format_time(query.first),
        "last": None if query.last is None else format_time(query.last),
    }


def _run(alert: Alert) -> dict[str, Any]:
    return {
        "run": format_time(alert.run),
        "window.from": format_time(alert.start),
        "window.to": format_time(alert.run),
        "phase_dependent": alert.phase_dependent,
        "max_signals_exceeded": alert.crowded,
    }


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """Return dotted fields as nested objects, as Elasticsearch indexes them."""
    document: dict[str, Any] = {}
    for name, value in fields.items():
        *parents, leaf = name.split(".")
        node = document
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return document


def reason(finding: Finding) -> str:
    """Return one sentence for people: what was seen, and how new it is."""
    sighting = finding.sighting
    ports = "/".join(map(str, finding.ports))
    what = f"SMB from {sighting.source} to {sighting.destination} port {ports}"
    if sighting.time is None:
        return f"{what}, at a time that the event does not tell"
    if finding.history.wanted is None:
        span = "before"
    else:
        span = f"in the {duration(finding.history.wanted)} before"
    if finding.alert is not None:
        span += f" the run at {format_time(finding.alert.run)}"
    known = ("at least " if finding.history.sampled else "") + duration(finding.history.known)
    return f"{what}, not seen {span} ({known} of it known)"
