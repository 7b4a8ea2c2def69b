"""``table``: findings for a person, the worst first, at any width without cutting an address.

Under 100 columns two lines a finding; from 100 on a row, with the name below it; from 160 on, and
where nothing bounds the width, seconds, source and port too. Colours repeat what the words say.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.detection.rank import ranked
from smbrare.detection.reference import PROVIDER
from smbrare.detection.report import Report
from smbrare.outputs import also_seen
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Styled, cells, painted, wrapped
from smbrare.outputs.wording import (
    account_text,
    domain_text,
    host_text,
    label_text,
    mark,
    oddities,
    record_text,
    short_history_text,
    short_network_text,
    short_paths,
    time_text,
)
from smbrare.text import counted

_GAP = "  "
_FULL, _ROWS = 160, 100
"""From how many columns on rows have every fact, and from how many on a finding is a row."""
_MINUTE = 16
"""Characters of a time up to its minute."""
_STYLES = {"!!!": "bold red", "!!": "yellow", ".": "dim"}
_USUAL_PORT = "445"


class _FindingRow(Struct, frozen=True):
    """What the table shows of a finding, safe for the terminal; empty where it is not known."""

    mark: str
    number: str
    time: str
    destination: str
    lists: tuple[str, ...]
    about: str
    network: str
    account: str
    host: str
    source: str
    ports: str
    events: str
    known: str
    record: str

    def tags(self, *more: str) -> list[Styled]:
        """Return the words of the line about the destination: lists, name, notes, and more."""
        text = "; ".join(filter(None, (self.about, *more)))
        return [
            *(Styled(f"[{name}]", "reverse") for name in self.lists),
            *map(Styled, text.split(" ") if text else ()),
        ]

    @property
    def unusual_port(self) -> str:
        """What the ports are where they are not the usual one."""
        return "" if self.ports == _USUAL_PORT else f"port {self.ports}"


class _Fact(NamedTuple):
    title: str
    text: Callable[[_FindingRow], str]
    right: bool = False


_Widths: TypeAlias = Sequence[tuple[_Fact, int]]
_PLAIN = RenderOptions()

_MINUTES = _Fact("First (UTC)", lambda row: row.time[:_MINUTE])
_SECONDS = _Fact("First (UTC)", lambda row: row.time)
_DESTINATION = _Fact("Destination", lambda row: row.destination)
_NAME = _Fact("Name, list, notes", lambda row: " ".join(word.text for word in row.tags()))
_WHO = (
    _Fact("Network", lambda row: row.network),
    _Fact("Account", lambda row: row.account),
    _Fact("Host", lambda row: row.host),
)
_PORT = _Fact("Port", lambda row: row.ports, right=True)
_WHENCE = (_Fact("Source", lambda row: row.source), _PORT)
_REST = (
    _Fact("N", lambda row: row.events, right=True),
    _Fact("Known", lambda row: row.known, right=True),
    _Fact("Record", lambda row: row.record),
)
_LAYOUTS: tuple[tuple[int, tuple[_Fact, ...]], ...] = (
    (_FULL, (_SECONDS, _DESTINATION, _NAME, *_WHO, *_WHENCE, *_REST)),
    (_FULL, (_SECONDS, _DESTINATION, *_WHO, *_WHENCE, *_REST)),
    (_ROWS, (_MINUTES, _DESTINATION, *_WHO, *_REST)),
)
"""From how many columns on each is taken if it fits, the best first."""


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield the table, or nothing where there is nothing to show; below it what else was seen."""
    shown = ranked(options.findings_of(report))
    if shown:
        yield from _findings(shown, report, options)
    if shown and report.also_seen:
        yield "\n"
    yield from also_seen.lines(report, options)


def _findings(shown: Sequence[Finding], report: Report, options: RenderOptions) -> Iterator[str]:
    paths = short_paths([survey.path for survey in report.inputs])
    digits = len(str(len(shown)))
    rows = [_row(finding, f"{at:>{digits}}", paths, options) for at, finding in enumerate(shown, 1)]
    for least, columns in _LAYOUTS:
        if options.width is not None and options.width < least:
            continue
        there = [column for column in columns if any(map(column.text, rows))]
        shape = [
            (column, max(cells(text) for text in (column.title, *map(column.text, rows))))
            for column in there
        ]
        total = len(rows[0].mark) + 1 + digits + sum(len(_GAP) + width for _, width in shape)
        if options.width is None or total <= options.width:
            yield from _table(rows, shape, options)
            return
    for row in rows:
        yield from _two_lines(row, options.width or _ROWS, options)


def render_one(finding: Finding, options: RenderOptions) -> Iterator[str]:
    """Yield the lines of one finding, without headings."""
    paths = {finding.sighting.origin.path: finding.sighting.origin.path}
    yield from _two_lines(_row(finding, "", paths, options), options.width or _FULL, options)


def _row(
    finding: Finding, number: str, paths: dict[str, str], options: RenderOptions
) -> _FindingRow:
    sighting = finding.sighting
    about = [domain_text(finding), label_text(finding), *oddities(finding)]
    if sighting.inferred:
        about.append(f"inferred: {', '.join(sighting.inferred)}")
    if sighting.time != sighting.event_time:
        about.append(f"ingested {time_text(sighting.time)}")
    if finding.alert is not None:
        depends = ", depends on the phase" if finding.alert.phase_dependent else ""
        about.append(f"run {time_text(finding.alert.run)}{depends}")
    if finding.status != "new" and finding.last is not None:
        about.append(f"last {time_text(finding.last)}")
    clean = options.clean
    return _FindingRow(
        mark=f"{mark(finding):<3}",
        number=number,
        time=time_text(sighting.event_time),
        destination=sighting.destination,
        lists=tuple(clean(name) for name in dict.fromkeys(finding.extra.get(PROVIDER, ()))),
        about=clean("; ".join(filter(None, about))),
        network=clean(short_network_text(finding.extra)),
        account=clean(account_text(finding)),
        host=clean(host_text(finding) or sighting.source),
        source=sighting.source,
        ports=",".join(map(str, finding.ports)),
        events=f"{finding.events:,}",
        known=short_history_text(finding.history),
        record=clean(record_text(sighting.origin, paths)),
    )


def _table(rows: Sequence[_FindingRow], shape: _Widths, options: RenderOptions) -> Iterator[str]:
    """Yield headings, then a row each, with what is known of the destination in it or below it.

    Args:
        rows: What to show.
        shape: The columns with values, each as wide as its widest value.
        options: The width and colours of the terminal.
    """
    start = len(rows[0].mark) + 1 + len(rows[0].number)
    titles = (_padded(column.title, column, width) for column, width in shape)
    heading = " " * (start - 1) + "#" + "".join(_GAP + title for title in titles)
    yield painted(heading.rstrip(), "dim", options) + "\n"
    indent = start + len(_GAP) + shape[0][1] + len(_GAP)
    columns = [column for column, _ in shape]
    is_named, has_ports = _NAME in columns, _PORT in columns
    for row in rows:
        texts = [
            _padded(column.text(row), column, width, row.lists if column is _NAME else (), options)
            for column, width in shape
        ]
        yield (_marked(row, options) + "".join(_GAP + text for text in texts)).rstrip() + "\n"
        if not is_named and (tags := row.tags("" if has_ports else row.unusual_port)):
            yield from _indented(tags, indent, options)


def _padded(
    text: str,
    column: _Fact,
    width: int,
    lists: Sequence[str] = (),
    options: RenderOptions = _PLAIN,
) -> str:
    """Return the text of a cell as wide as its column, names of lists at its start marked."""
    room = " " * (width - cells(text))
    listed = " ".join(f"[{name}]" for name in lists)
    text = painted(listed, "reverse", options) + text[len(listed) :]
    return room + text if column.right else text + room


def _marked(row: _FindingRow, options: RenderOptions) -> str:
    return painted(f"{row.mark} {row.number}", _STYLES.get(row.mark.strip(), ""), options)


def _indented(words: Sequence[Styled], indent: int, options: RenderOptions) -> Iterator[str]:
    width = None if options.width is None else max(options.width - indent, 1)
    for line in wrapped(words, width, options, breaks=True):
        yield " " * indent + line + "\n"


def _two_lines(row: _FindingRow, width: int, options: RenderOptions) -> Iterator[str]:
    """Yield a finding in two lines, and more where they are too narrow."""
    start = _marked(row, options)
    indent = len(row.mark) + 1 + len(row.number) + len(_GAP)
    if width < indent + len(row.destination):
        yield start.rstrip() + "\n"
        start, indent = "", 0
    else:
        start += _GAP
    room, tags = width - indent, row.tags(row.network, row.unusual_port)
    left = cells(" ".join([row.destination, *(word.text for word in tags)])) + 1
    fits = left + len(_GAP) + len(row.time) <= room
    if fits and tags:
        first = row.destination + _GAP + next(wrapped(tags, None, options))
        yield start + first + " " * (room - left - len(row.time)) + row.time + "\n"
    elif len(row.destination) + len(_GAP) + len(row.time) <= room:
        yield start + f"{row.destination}{row.time:>{room - len(row.destination)}}\n"
    else:
        yield start + row.destination + "\n" + " " * indent + row.time + "\n"
    if not fits:
        yield from _indented(tags, indent, options)
    who = f"{row.account} on {row.host}" if row.account else f"from {row.host}"
    text = f"{who}, {counted(int(row.events.replace(',', '')), 'event')}, {row.known} known"
    if cells(text) + len(_GAP) + cells(row.record) <= room:
        yield " " * indent + text + " " * (room - cells(text) - cells(row.record))
        yield row.record + "\n"
    else:
        yield from _indented(list(map(Styled, text.split(" "))), indent, options)
        yield from _indented([Styled(row.record)], indent, options)
