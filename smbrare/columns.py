"""The table's columns: what each shows of a finding, in layouts from wide to narrow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from smbrare.finding import Finding
from smbrare.wording import history_text, host_text, oddities, outcome_text, time_text, values

_USUAL_PORTS = (445,)
INFERRED_MARK = "~"
"""Stands before a finding that rests on inferred fields."""


class Line(NamedTuple):
    """A line of a cell; a whole one is never broken."""

    text: str
    style: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Column:
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


def _destination(finding: Finding) -> list[Line]:
    return [Line(finding.sighting.destination, "bold", whole=True)]


def _domain(finding: Finding) -> list[Line]:
    return [Line(", ".join(values(finding, "destination.domain")))]


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


def _all(*parts: Callable[[Finding], list[Line]]) -> Callable[[Finding], list[Line]]:
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
)

LAYOUTS: tuple[tuple[Column, ...], ...] = (
    (
        Column("", _mark),
        Column("Time (UTC)", _time),
        Column("Destination", _destination),
        Column("Domain", _domain),
        *_WIDE,
    ),
    (
        Column("", _mark),
        Column("Time (UTC)", _time),
        Column("Destination", _all(_destination, _domain)),
        *_WIDE,
    ),
    (
        Column("", _mark),
        Column("Time (UTC)", _date_and_time),
        Column("Destination", _all(_destination, _domain, _odd_ports)),
        Column("From", _all(_host, _source)),
        Column("Outcome", _all(_outcome, _notes)),
        Column("Events", _events, right=True),
        Column("History", _history),
    ),
    (
        Column("", _mark),
        Column("Destination", _all(_destination, _time, _domain, _odd_ports)),
        Column("From", _all(_host, _source)),
        Column("Outcome", _all(_outcome, _events_in_words, _history_in_words, _notes)),
    ),
    (
        Column(
            "Findings",
            _all(
                *(_time, _destination, _domain, _odd_ports, _host, _source, _outcome),
                *(_events_in_words, _history_in_words, _notes, _inferred),
            ),
        ),
    ),
)
"""The columns of each layout, the widest first; one that has nothing to say does not show.

A line a finding; the domain below its address; cells of two or three lines; cells of more; and all
of a finding in one column.
"""
