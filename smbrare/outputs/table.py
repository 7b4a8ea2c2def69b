"""``table``: findings for a person, at any width without losing a fact or cutting an address.

Colours are few, and none says what the words do not.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Cell, Column, Grid, Line, lay_out
from smbrare.outputs.wording import (
    domain_text,
    history_text,
    host_text,
    network_text,
    oddities,
    outcome_text,
    time_text,
)
from smbrare.text import counted

_USUAL_PORTS = (445,)
_INFERRED_MARK = "~"
"""Stands before a finding that rests on inferred fields."""

Lines: TypeAlias = Callable[[Finding], Cell]
"""What a column shows of a finding; lines without text do not show."""


def _whole(text: Callable[[Finding], str], style: str = "") -> Lines:
    """Return one line that is never broken."""
    return lambda finding: [Line(text(finding), style, whole=True)]


def _folding(text: Callable[[Finding], str]) -> Lines:
    """Return one line that may be broken."""
    return lambda finding: [Line(text(finding))]


_mark = _whole(lambda finding: _INFERRED_MARK if finding.sighting.inferred else "")
_destination = _whole(lambda finding: finding.sighting.destination, "bold")
_ports = _whole(lambda finding: ", ".join(map(str, finding.ports)))
_source = _whole(lambda finding: finding.sighting.source)
_events = _whole(lambda finding: f"{finding.events:,}")
_domain = _folding(domain_text)
_host = _folding(host_text)
_network = _folding(lambda finding: network_text(finding.extra))
_notes = _folding(lambda finding: "; ".join(oddities(finding)))
_inferred = _folding(lambda finding: ", ".join(finding.sighting.inferred))
_events_in_words = _folding(lambda finding: counted(finding.events, "event"))
# Of findings the last sighting would only take room, as their record would.
_last = _whole(lambda finding: "" if _is_new(finding) else time_text(finding.last))
_place = _folding(lambda finding: "" if finding.status == "new" else str(finding.sighting.origin))


def _is_new(finding: Finding) -> bool:
    return finding.status == "new" or finding.last is None


def _time(finding: Finding) -> Cell:
    return _times(finding, [time_text(finding.sighting.event_time)])


def _date_and_time(finding: Finding) -> Cell:
    return _times(finding, time_text(finding.sighting.event_time).split(" "))


def _times(finding: Finding, parts: list[str]) -> Cell:
    """Return when an event happened, and when it was ingested if that is judged."""
    sighting = finding.sighting
    if sighting.time != sighting.event_time:
        parts = [*parts, f"ingested {_shortened(time_text(sighting.time), finding)}"]
    return [Line(part, whole=True) for part in parts]


def _shortened(text: str, finding: Finding) -> str:
    """Return a time without the date where it is the event's."""
    return text[11:] if text[:10] == time_text(finding.sighting.event_time)[:10] else text


def _run(finding: Finding) -> Cell:
    """Return the time of the run in a replay."""
    if finding.alert is None:
        return []
    return [Line(_shortened(time_text(finding.alert.run), finding), whole=True)]


def _phase(finding: Finding) -> Cell:
    depends = finding.alert is not None and finding.alert.phase_dependent
    return [Line("depends" if depends else "", whole=True)]


def _odd_ports(finding: Finding) -> Cell:
    return [] if finding.ports == _USUAL_PORTS else _in_words("port", _ports)(finding)


def _outcome(finding: Finding) -> Cell:
    text = outcome_text(finding)
    return [Line(text, "red" if text.startswith("established") else "")]


def _history(finding: Finding) -> Cell:
    style = "" if finding.history.complete else "dim"
    return [Line(history_text(finding.history), style, whole=True)]


def _history_in_words(finding: Finding) -> Cell:
    return [line._replace(text=f"known: {line.text}", whole=False) for line in _history(finding)]


def _in_words(what: str, column: Lines) -> Lines:
    """Return the lines of a column that say themselves what they are."""
    return lambda finding: [
        line._replace(text=f"{what} {line.text}") for line in column(finding) if line.text
    ]


def _stack(*parts: Lines) -> Lines:
    return lambda finding: [line for part in parts for line in part(finding)]


# Each line says for itself whether it may be broken.
_column = partial(Column[Finding], folds=True)
_RUN = (_in_words("run", _run), _in_words("phase", _phase), _in_words("last", _last))
_WHERE = (_domain, _network, _odd_ports)
_IN_WORDS = (_outcome, _events_in_words, _history_in_words, _notes, _place)
_TIMES = (
    _column("", _mark),
    _column("Time (UTC)", _time),
    _column("Run (UTC)", _run),
    _column("Phase", _phase),
    _column("Last (UTC)", _last),
)
_WIDE = (
    _column("Port", _ports, right=True),
    _column("Host", _host),
    _column("Source", _source),
    _column("Outcome", _outcome),
    _column("Events", _events, right=True),
    _column("History", _history),
    _column("Notes", _notes),
    _column("Record", _place),
)

_LAYOUTS: tuple[tuple[Column[Finding], ...], ...] = (
    (
        *_TIMES,
        _column("Destination", _destination),
        _column("Domain", _domain),
        _column("Network", _network),
        *_WIDE,
    ),
    (*_TIMES, _column("Destination", _stack(_destination, _domain, _network)), *_WIDE),
    (
        _column("", _mark),
        _column("Time (UTC)", _stack(_date_and_time, *_RUN)),
        _column("Destination", _stack(_destination, *_WHERE)),
        _column("From", _stack(_host, _source)),
        _column("Outcome", _stack(_outcome, _notes, _place)),
        _column("Events", _events, right=True),
        _column("History", _history),
    ),
    (
        _column("", _mark),
        _column("Destination", _stack(_destination, _time, *_RUN, *_WHERE)),
        _column("From", _stack(_host, _source)),
        _column("Outcome", _stack(*_IN_WORDS)),
    ),
    (
        _column(
            "Findings",
            _stack(
                _time,
                *_RUN,
                _destination,
                *_WHERE,
                _host,
                _source,
                *_IN_WORDS,
                _in_words("inferred:", _inferred),
            ),
        ),
    ),
)
"""The columns of each layout, the widest first; one that has nothing to say does not show.

A line a finding; the domain below its address; cells of two or three lines; cells of more; and all
of a finding in one column.
"""

_STACKED = 2
"""The first layout whose cells have several lines each."""


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield the table, or nothing where there is nothing to show.

    Findings whose history was known in full come first; those of one destination stand together.
    """
    shown = options.findings_of(report)
    if not shown:
        return
    known, cold = _parts(shown)
    grid, apart = _lay_out([*known, *cold], options)
    first = slice(len(known) or None)
    yield from grid.draw(first, options, apart=apart)
    if known and cold:
        yield "\nThe history before these was not known in full:\n\n"
        yield from grid.draw(slice(len(known), None), options, header=False, apart=apart)
    inferred = sorted({name for finding in shown for name in finding.sighting.inferred})
    if inferred and len(grid.columns) > 1:
        yield f"\n{_INFERRED_MARK} rests on inferred fields: {options.clean(', '.join(inferred))}\n"


def _parts(shown: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings by destination: those with one of full history, and the others."""
    groups: dict[str, list[Finding]] = {}
    for finding in shown:
        groups.setdefault(finding.sighting.destination, []).append(finding)
    parts: tuple[list[Finding], list[Finding]] = [], []
    for group in groups.values():
        parts[not any(finding.history.complete for finding in group)].extend(group)
    return parts


def _lay_out(findings: list[Finding], options: RenderOptions) -> tuple[Grid, bool]:
    """Return the first layout that fits, or the last, and whether its rows stand apart.

    Only those with stacked cells may break words for it.
    """
    for number, layout in enumerate(_LAYOUTS):
        attempts = (True,) if number < _STACKED else (True, False)
        grid = lay_out(layout, findings, options, keeps_words=attempts, keeps_empty=False)
        if grid.fits or layout is _LAYOUTS[-1]:
            return grid, number > _STACKED
    raise AssertionError("the last layout is taken in any case")
