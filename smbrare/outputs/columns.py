"""The table's columns: what each shows of a finding, in layouts from wide to narrow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.outputs.wording import (
    domain_text,
    history_text,
    host_text,
    network_text,
    oddities,
    outcome_text,
    time_text,
)

_USUAL_PORTS = (445,)
INFERRED_MARK = "~"
"""Stands before a finding that rests on inferred fields."""


class Line(NamedTuple):
    """A line of a cell; a whole one is never broken."""

    text: str
    style: str = ""
    whole: bool = False


Lines: TypeAlias = Callable[[Finding], list[Line]]
"""What a column shows of a finding."""


class Column(Struct, frozen=True):
    """One column.

    Attributes:
        title: Its heading.
        lines: What it shows of a finding; lines without text do not show.
        right: Whether it is aligned to the right.
    """

    title: str
    lines: Callable[[Finding], Sequence[Line]]
    right: bool = False


def _mark(finding: Finding) -> list[Line]:
    return [Line(INFERRED_MARK if finding.sighting.inferred else "", whole=True)]


def _time(finding: Finding) -> list[Line]:
    return [Line(time_text(finding.sighting.time), whole=True)]


def _date_and_time(finding: Finding) -> list[Line]:
    return [Line(part, whole=True) for part in time_text(finding.sighting.time).split(" ")]


def _last(finding: Finding) -> list[Line]:
    """Return the last sighting of what was not reported: of findings it would only take room."""
    if finding.status == "new" or finding.last is None:
        return []
    return [Line(time_text(finding.last), whole=True)]


def _place(finding: Finding) -> list[Line]:
    return [Line("" if finding.status == "new" else str(finding.sighting.origin))]


def _run(finding: Finding) -> list[Line]:
    """Return the time of the run in a replay, without the date where it is the event's."""
    if finding.alert is None:
        return []
    run = time_text(finding.alert.run)
    same = run[:10] == time_text(finding.sighting.time)[:10]
    return [Line(run[11:] if same else run, whole=True)]


def _phase(finding: Finding) -> list[Line]:
    depends = finding.alert is not None and finding.alert.phase_dependent
    return [Line("depends" if depends else "", whole=True)]


def _in_words(
    what: str, column: Callable[[Finding], list[Line]]
) -> Callable[[Finding], list[Line]]:
    """Return the lines of a column that say themselves what they are."""
    return lambda finding: [
        line._replace(text=f"{what} {line.text}") for line in column(finding) if line.text
    ]


def _destination(finding: Finding) -> list[Line]:
    return [Line(finding.sighting.destination, "bold", whole=True)]


def _domain(finding: Finding) -> list[Line]:
    return [Line(domain_text(finding))]


def _network(finding: Finding) -> list[Line]:
    return [Line(network_text(finding.extra))]


def _ports(finding: Finding) -> list[Line]:
    return [Line(", ".join(map(str, finding.ports)), whole=True)]


def _odd_ports(finding: Finding) -> list[Line]:
    if finding.ports == _USUAL_PORTS:
        return []
    return [line._replace(text=f"port {line.text}") for line in _ports(finding)]


def _host(finding: Finding) -> list[Line]:
    return [Line(host_text(finding))]


def _source(finding: Finding) -> list[Line]:
    return [Line(finding.sighting.source, whole=True)]


def _outcome(finding: Finding) -> list[Line]:
    text = outcome_text(finding)
    return [Line(text, "red" if text.startswith("established") else "")]


def _events(finding: Finding) -> list[Line]:
    return [Line(f"{finding.events:,}", whole=True)]


def _history(finding: Finding) -> list[Line]:
    style = "" if finding.history.complete else "dim"
    return [Line(history_text(finding.history), style, whole=True)]


def _notes(finding: Finding) -> list[Line]:
    return [Line("; ".join(oddities(finding)))]


def _inferred(finding: Finding) -> list[Line]:
    names = ", ".join(finding.sighting.inferred)
    return [Line(f"inferred: {names}")] if names else []


def _all(*parts: Lines) -> Lines:
    return lambda finding: [line for part in parts for line in part(finding)]


def _events_in_words(finding: Finding) -> list[Line]:
    plural = "" if finding.events == 1 else "s"
    return [Line(f"{finding.events:,} event{plural}")]


def _history_in_words(finding: Finding) -> list[Line]:
    return [line._replace(text=f"known: {line.text}", whole=False) for line in _history(finding)]


_WIDE = (
    Column("Port", _ports, right=True),
    Column("Host", _host),
    Column("Source", _source),
    Column("Outcome", _outcome),
    Column("Events", _events, right=True),
    Column("History", _history),
    Column("Notes", _notes),
    Column("Record", _place),
)
_TIMES = (
    Column("Time (UTC)", _time),
    Column("Run (UTC)", _run),
    Column("Phase", _phase),
    Column("Last (UTC)", _last),
)
_RUN_IN_WORDS = (_in_words("run", _run), _in_words("phase", _phase), _in_words("last", _last))

LAYOUTS: tuple[tuple[Column, ...], ...] = (
    (
        Column("", _mark),
        *_TIMES,
        Column("Destination", _destination),
        Column("Domain", _domain),
        Column("Network", _network),
        *_WIDE,
    ),
    (
        Column("", _mark),
        *_TIMES,
        Column("Destination", _all(_destination, _domain, _network)),
        *_WIDE,
    ),
    (
        Column("", _mark),
        Column("Time (UTC)", _all(_date_and_time, *_RUN_IN_WORDS)),
        Column("Destination", _all(_destination, _domain, _network, _odd_ports)),
        Column("From", _all(_host, _source)),
        Column("Outcome", _all(_outcome, _notes, _place)),
        Column("Events", _events, right=True),
        Column("History", _history),
    ),
    (
        Column("", _mark),
        Column(
            "Destination", _all(_destination, _time, *_RUN_IN_WORDS, _domain, _network, _odd_ports)
        ),
        Column("From", _all(_host, _source)),
        Column("Outcome", _all(_outcome, _events_in_words, _history_in_words, _notes, _place)),
    ),
    (
        Column(
            "Findings",
            _all(
                *(
                    _time,
                    *_RUN_IN_WORDS,
                    _destination,
                    _domain,
                    _network,
                    _odd_ports,
                    _host,
                    _source,
                ),
                *(_outcome, _events_in_words, _history_in_words, _notes, _place, _inferred),
            ),
        ),
    ),
)
"""The columns of each layout, the widest first; one that has nothing to say does not show.

A line a finding; the domain below its address; cells of two or three lines; cells of more; and all
of a finding in one column.
"""
