"""``csv``: one finding a row, columns named as ECS names them, safe to open in a spreadsheet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from smbrare.detection import reference
from smbrare.detection.finding import Finding, flat
from smbrare.detection.rank import grade
from smbrare.detection.report import Report
from smbrare.outputs.formats import RenderOptions
from smbrare.text import cell

COLUMNS = (
    "@timestamp",
    "destination.ip",
    "destination.port",
    "destination.domain",
    "source.ip",
    "source.port",
    "host.name",
    "host.id",
    "user.domain",
    "user.name",
    "process.pid",
    "process.executable",
    "event.action",
    "event.outcome",
    "event.code",
    "event.id",
    "network.transport",
    "network.direction",
    "event.reason",
    "rule.uuid",
    "log.file.path",
    "log.offset",
    "smbrare.id",
    "smbrare.status",
    "smbrare.source",
    "smbrare.record",
    "smbrare.previous_seen",
    "smbrare.last_seen",
    "smbrare.events",
    "smbrare.outcomes",
    "smbrare.ports",
    "smbrare.hosts",
    "smbrare.host_count",
    "smbrare.history_known_seconds",
    "smbrare.history_sampled",
    "smbrare.inferred",
    "smbrare.late",
    "smbrare.exclusion",
    "smbrare.known_first_seen",
    "smbrare.known_last_seen",
    "smbrare.known_hosts",
    "smbrare.new_hosts",
    "smbrare.dns_names",
    "smbrare.exposure.grade",
    *reference.FIELDS,
    "event.ingested",  # Only where it is what is evaluated.
)

USERS = "smbrare.users"
"""Whose credentials the connection may have given away, with ``--context``."""

REPLAY_COLUMNS = (
    "smbrare.run",
    "smbrare.window.from",
    "smbrare.window.to",
    "smbrare.phase_dependent",
    "smbrare.max_signals_exceeded",
)


_DIGITS_KEPT = 15
"""From so many on, a sheet may round a number."""


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield a header and one row a finding."""
    columns = COLUMNS if report.replayed is None else COLUMNS + REPLAY_COLUMNS
    findings = options.findings_of(report)
    if not any(finding.host_context for finding in findings):
        return csv_lines(columns, map(_fields, findings))
    return csv_lines((*columns, USERS), map(_with_users, findings))


def _fields(finding: Finding) -> dict[str, Any]:
    return flat(finding) | {"smbrare.exposure.grade": grade(finding)}


def _with_users(finding: Finding) -> dict[str, Any]:
    context = finding.host_context
    return _fields(finding) | {USERS: [] if context is None else list(context.users)}


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a header and then rows (RFC 4180, lines end with CR LF), safe in a spreadsheet.

    Every text is quoted; what is empty or a number is not.
    """
    header = ",".join(map(_quoted, columns)) + "\r\n"
    for row in rows:
        yield header + ",".join(_text(row.get(column)) for column in columns) + "\r\n"
        header = ""
    yield header


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text else ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = str(value)
    if isinstance(value, int | float) and len(text) < _DIGITS_KEPT:
        return text
    return _quoted(cell(text))
