"""The second pass: the same inputs once more, for what happened around the findings.

Only for the few hosts and addresses that were found, and only on inputs that can be read twice.
Of NDJSON, arrays and EVTX only records that name one of them are decoded. What the first pass could
not read is not reported again; what the second cannot read is a gap of the findings.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from smbrare.detection import also_seen, exposure
from smbrare.detection.dns import Answers, resolved
from smbrare.detection.exposure import EvidenceCollector, JoinedEvent
from smbrare.detection.finding import Finding
from smbrare.detection.host_context import (
    MOST_FINDINGS,
    TOO_MANY,
    Collector,
    HostContext,
    Place,
    name_gaps,
    place_of,
)
from smbrare.detection.rank import ranked
from smbrare.detection.report import Report
from smbrare.detection.sightings import Sightings
from smbrare.inputs.discovery import Input
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import Limits
from smbrare.records import envelope
from smbrare.records.event import Document, Origin, Record, Skipped
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.reading import Progress, parts
from smbrare.scanning.visits import TOO_MANY_VISITS, visits_of
from smbrare.sources import activities, recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.mapping import View

NO_HOST = "the event does not name its host"
NO_TIME = "the event has no time that can be read"
READ_ONCE = "standard input and pipes cannot be read again"

_PLAIN_NAME = re.compile(r"[a-z0-9._-]+")
"""Text that every exporter writes unescaped in JSON."""


_Surroundings: TypeAlias = tuple[Collector | None, EvidenceCollector]
"""What is gathered for one place: all of the host's events, and what names the destination."""


class Pass(Struct):
    """What the second pass looks for, and what it found.

    Attributes:
        options: How records are read as events.
        around: What is gathered for each place.
        by_name: The same, by the first part of their host's name.
        full_names: The full names of hosts by their first part: the first two of each.
        answers: The names that led to the addresses.
        gaps: Why something may be missing.
    """

    options: ReadOptions
    around: dict[Place, _Surroundings] = field(default_factory=dict)
    by_name: dict[str, list[_Surroundings]] = field(default_factory=dict)
    full_names: dict[str, set[str]] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    gaps: list[str] = field(default_factory=list)

    def observe(self, document: Document, origin: Origin) -> None:
        """Take in one event."""
        if is_alert(document):
            return
        found = activities.read(document, self.options)
        kind, view = found or (None, recognize(document, self.options))
        if view is None:
            return
        if kind is None:
            self._note_host(view)
            return
        if kind == "dns":
            times = view.time().values
            self.answers.observe(view, times[0].time if times else None)
        if not (looks := self.by_name.get(_short(activities.host_of(view)))):
            return
        activity = activities.activity(kind, view, origin)
        if activity is None:
            self._note_host(view)
            return
        self._note_name(activity.host)
        answers = [*resolved(view)] if kind == "dns" else []
        for context, evidence in looks:
            if context is not None:
                context.observe(activity)
            evidence.observe(activity)
            if answers:
                evidence.resolve(activity, answers)

    def look_around(
        self, finding: Finding, visits: Sequence[Place] = (), gaps: Sequence[str] = ()
    ) -> Finding:
        """Return a finding that was looked for with what happened around it, and its evidence.

        Args:
            finding: The finding.
            visits: Where and when else its hosts connected, which was looked for too.
            gaps: Why something may be missing of it.
        """
        place = place_of(finding.sighting)
        context = None if place is None else self.around[place][0]
        if place is None or context is None:
            gap = NO_TIME if finding.sighting.time is None else NO_HOST
            return replace(finding, host_context=HostContext(gaps=(gap,)))
        others = [event for visit in visits for event in self._evidence(visit)]
        its_gaps = [gap for each in (place, *visits) for gap in self.around[each][1].gaps]
        return replace(
            finding,
            host_context=context.result(name_gaps([*self.gaps, *gaps, *its_gaps])),
            evidence=exposure.merge_evidence(self._evidence(place), others),
        )

    def _evidence(self, place: Place) -> tuple[JoinedEvent, ...]:
        is_ambiguous = len(self.full_names.get(_short(place.host), ())) > 1
        return self.around[place][1].result(is_ambiguous=is_ambiguous)

    def add(self, place: Place) -> None:
        """Look at one more place."""
        host, time = place.host, place.time
        evidence = EvidenceCollector(host, time, place.destination, place.last)
        looks = Collector(host, time) if place.last is None else None, evidence
        self.around[place] = looks
        self.by_name.setdefault(_short(host), []).append(looks)
        self._note_name(host)

    def _note_host(self, view: View) -> None:
        """Note whose event it is, though it is not one that is looked for."""
        for host in view.read("host.name").values:
            if _short(host) in self.by_name:
                self._note_name(host)

    def _note_name(self, host: str) -> None:
        known = self.full_names.setdefault(_short(host), set())
        if "." in host and len(known) < 2:  # noqa: PLR2004 - two are enough to be several
            known.add(host.lower())


def add_host_context(
    findings: Iterable[Finding],
    inputs: Iterable[Input | Skipped],
    options: ReadOptions,
    progress: Progress,
    names: Collection[str] = (),
    *,
    traffic: Sightings | None = None,
) -> tuple[tuple[Finding, ...], dict[str, set[str]]]:
    """Return the findings with what happened around them, and with the names of destinations.

    Args:
        findings: What was found; it stays in its order. The highest ranked are looked around.
        inputs: What it was found in.
        options: How to read.
        progress: Called as bytes are read.
        names: Names whose addresses on the internet are looked for.
        traffic: All matches; without them no evidence of later ones is looked for.

    Returns:
        The findings, and these addresses by name.
    """
    every = tuple(findings)
    looked_at = ranked(every)[:MOST_FINDINGS]
    if not looked_at and not names:
        return every, {}
    visits, are_cut = visits_of(looked_at, traffic or Sightings())
    places = [place_of(finding.sighting) for finding in looked_at]
    found = trace(
        [*filter(None, places), *(place for each in visits.values() for place in each)],
        Answers(
            wanted=frozenset(finding.sighting.destination for finding in looked_at),
            names=frozenset(names),
        ),
        inputs,
        options,
        progress,
    )
    queries = found.answers.by_address(map(_query_key, looked_at))
    chosen = set(map(id, looked_at))
    looked = tuple(
        # Names that standard input held were kept by the first pass.
        replace(
            found.look_around(
                finding, visits[id(finding)], [TOO_MANY_VISITS] * (id(finding) in are_cut)
            ),
            queries=queries.get(_query_key(finding), finding.queries),
        )
        if id(finding) in chosen
        else replace(finding, host_context=HostContext(gaps=(TOO_MANY,)))
        for finding in every
    )
    return looked, found.answers.addresses_of(names)


def _query_key(finding: Finding) -> tuple[str, str]:
    return finding.sighting.destination, finding.sighting.host


def trace(
    places: Iterable[Place],
    answers: Answers,
    inputs: Iterable[Input | Skipped],
    options: ReadOptions,
    progress: Progress,
) -> Pass:
    """Read inputs again for what happened at some places, and for the DNS answers that are kept."""
    state = Pass(options, answers=answers)
    for place in dict.fromkeys(places):
        state.add(place)
    needles = _needles(state)
    for found in inputs:
        if isinstance(found, Skipped):
            continue
        if found.size is None:
            state.gaps.append(READ_ONCE)
            continue
        try:
            _read(found, needles, state, options.limits, progress)
        except OSError as error:
            state.gaps.append(f"{found.path} was not read again: {error.strerror or error}")
    return state


def _short(host: str) -> str:
    return host.lower().partition(".")[0]


def _read(
    found: Input, needles: tuple[bytes, ...], state: Pass, limits: Limits, progress: Progress
) -> None:
    with parts(found, limits, progress) as (_, each):
        for part in each:
            for item in part.read(ReaderOptions(limits, texts=needles)).items:
                if isinstance(item, Record):
                    for document in envelope.events(item.document):
                        state.observe(document, item.origin)


def _needles(state: Pass) -> tuple[bytes, ...]:
    """Return texts of which every line that matters holds one, in lower case; none to read all."""
    names = {*state.by_name, *(state.answers.wanted or ()), *state.answers.names}
    # Names may be written with escapes, and IPv6 in several ways.
    if not all(_PLAIN_NAME.fullmatch(name) for name in names):
        return ()
    return tuple(sorted(name.encode() for name in names))


def with_host_context(
    report: Report,
    which: str,
    inputs: Sequence[Input | Skipped],
    options: ReadOptions,
    progress_bar: Callable[[Sequence[Input | Skipped]], AbstractContextManager[Progress]],
) -> Report:
    """Return a report with what happened around the findings that its output shows.

    Args:
        report: What the scan gave.
        which: The status of the findings to look around, or ``all``.
        inputs: What was read.
        options: How it was read.
        progress_bar: Shows progress over inputs.
    """
    shown = [finding for finding in report.judged if which in {"all", finding.status}]
    # The first pass knows all names in inputs that it read completely.
    names = report.unresolved.keys() if report.names_unread else ()
    if not shown and not names:
        return replace(report, second_pass_done=True)
    with progress_bar(inputs) as progress:
        looked_at, resolved = add_host_context(
            shown, inputs, options, progress, names, traffic=report.traffic
        )
    known = {(finding.id, finding.status): finding for finding in looked_at}
    judged = tuple(known.get((each.id, each.status), each) for each in report.judged)
    servers = also_seen.also_seen(
        also_seen.Servers(by_name=dict(report.unresolved)), report.traffic.destinations(), resolved
    )
    return replace(
        report,
        judged=judged,
        also_seen=also_seen.merge_servers((*report.also_seen, *servers)),
        second_pass_done=True,
    )
