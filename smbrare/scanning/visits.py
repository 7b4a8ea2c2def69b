"""Where and when the hosts of findings connected, other than at each finding's first connection."""

from collections import Counter
from collections.abc import Iterable

from smbrare.detection.finding import Finding
from smbrare.detection.host_context import Place
from smbrare.detection.sightings import Contact, Sightings

MOST_VISITS = 10
"""How many findings of a host have its other connections looked around: the highest ranked."""

TOO_MANY_VISITS = (
    f"evidence of later connections was looked for in {MOST_VISITS} findings of each host"
)


def visits_of(
    findings: Iterable[Finding], traffic: Sightings
) -> tuple[dict[int, list[Place]], set[int]]:
    """Return the visits of ranked findings by `id`, and the ids of findings with some left out."""
    ranked_findings = tuple(findings)
    contacts = traffic.of(each.sighting.destination for each in ranked_findings)
    visits: dict[int, list[Place]] = {}
    are_cut: set[int] = set()
    count: Counter[str] = Counter()
    for finding in ranked_findings:
        places = _visits(finding, contacts[finding.sighting.destination])
        count.update(place.host for place in places)
        visits[id(finding)] = [place for place in places if count[place.host] <= MOST_VISITS]
        if len(visits[id(finding)]) < len(places):
            are_cut.add(id(finding))
    return visits, are_cut


def _visits(finding: Finding, contacts: Iterable[Contact]) -> tuple[Place, ...]:
    """Return where and when the hosts that a finding lists by name connected."""
    sighting, first, last = finding.sighting, finding.sighting.time, finding.last
    if first is None or last is None or sighting.own_time is not None:
        return ()
    listed = {sighting.host} if finding.per_host else {name.lower() for name in finding.hosts}
    spans: dict[str, tuple[int, int]] = {}
    for (_, _, host, _), start, end, *_ in contacts:
        if host in listed and start is not None and first <= start <= end <= last:
            known = spans.get(host, (start, end))
            spans[host] = (min(known[0], start), max(known[1], end))
    return tuple(
        Place(host, start, sighting.destination, end)
        for host, (start, end) in sorted(spans.items())
        if host and (host, end) != (sighting.host, first)
    )
