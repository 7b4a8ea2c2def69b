"""``html``: one file for a ticket, with charts, a table that sorts, and nothing from the network.

Three walls stand between a log and the reader's browser: every text is escaped by the template and
made visible first; JSON in the page holds no ``<``; and the page's own policy runs no script but
its two, known by their hashes, and loads nothing.
"""

import base64
import hashlib
import ipaddress
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from smbrare import __version__
from smbrare.detection.finding import Finding, reason
from smbrare.detection.report import Report
from smbrare.outputs import host_context
from smbrare.outputs.charts import Chart, contacts, timeline
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.json_values import json_text, time_value
from smbrare.outputs.pivots import pivots
from smbrare.outputs.triage import Step, triage
from smbrare.outputs.wording import (
    domain_text,
    history_text,
    host_text,
    ingested_text,
    more_hosts_text,
    notes,
    outcome_text,
    queries_text,
    time_text,
    values,
)
from smbrare.records.times import format_time, seconds
from smbrare.rule import predicate
from smbrare.rule.networks import NOT_INTERNET
from smbrare.text import duration, visible

_MOST_OPEN = 3


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield one HTML document."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only this output needs it
    from markupsafe import Markup, escape  # noqa: PLC0415

    def make_visible(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def sentence(step: Step) -> Markup:
        return Markup(step.say(lambda name: f"<code>{escape(visible(name))}</code>"))  # noqa: S704

    environment = Environment(
        autoescape=True,
        finalize=make_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = sentence
    shown = options.findings_of(report)
    scripts = (_chart_library(), _read_file("report.js"))
    template = environment.from_string(_read_file("report.html.jinja"))
    # What is marked here is ours: the style, the scripts, and JSON without any "<".
    yield from template.generate(
        _context(report, shown)
        | {
            "newline": Markup("\n"),
            "policy": _policy(scripts),
            "style": Markup(_read_file("report.css")),  # noqa: S704
            "scripts": [Markup(script) for script in scripts],  # noqa: S704
            "charts": [
                {"id": name, "json": Markup(script_json(chart.spec)), "omitted": chart.omitted}  # noqa: S704
                for name, chart in _charts(report, shown)
            ],
        }
    )


@cache
def _chart_library() -> str:
    """Return the JavaScript that draws charts; bundling it takes about two seconds."""
    import vl_convert  # noqa: PLC0415 - only this output needs it

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _charts(report: Report, shown: list[Finding]) -> Iterator[tuple[str, Chart]]:
    for name, chart in (("timeline", timeline(report, shown)), ("hosts", contacts(report, shown))):
        if chart is not None:
            yield name, chart


def script_json(value: Any) -> str:
    r"""Return JSON for a script element, which nothing in it can end (``<`` is ``\u003c``)."""
    return json_text(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(scripts: tuple[str, ...]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _read_file(name: str) -> str:
    return resources.files("smbrare.outputs").joinpath(name).read_text(encoding="utf-8")


def _context(report: Report, shown: list[Finding]) -> dict[str, Any]:
    criteria, span = report.criteria, report.span
    return {
        "version": __version__,
        "rule": predicate,
        "report": report,
        "ranges": NOT_INTERNET,
        "host_context": host_context,
        "time_text": time_text,
        "criteria": criteria,
        "history": "all time" if criteria.history is None else duration(seconds(criteria.history)),
        "since": time_value(criteria.since),
        "until": time_value(criteria.until),
        "first": time_value(span.first),
        "last": time_value(span.last),
        "figures": list(_figures(report, shown)),
        "findings": [_finding(finding, len(shown)) for finding in shown],
    }


def _figures(report: Report, shown: list[Finding]) -> Iterator[tuple[str, str]]:
    yield "findings", f"{len(shown):,}"
    established = sum(outcome_text(finding).startswith("established") for finding in shown)
    yield "established", f"{established:,}"
    yield "destinations", f"{len({finding.sighting.destination for finding in shown}):,}"
    yield "hosts", f"{len({name for finding in shown for name in finding.hosts}):,}"
    yield "with full history", f"{sum(finding.history.complete for finding in shown):,}"
    yield "sightings", f"{report.sightings:,}"
    yield "held back", f"{len(report.suppressed) + len(report.excluded):,}"


def _finding(finding: Finding, count: int) -> dict[str, Any]:
    sighting = finding.sighting
    address = ipaddress.ip_address(sighting.destination)
    return {
        "id": finding.id,
        "open": count <= _MOST_OPEN,
        "time": time_text(sighting.event_time),
        "time_key": -1 if sighting.event_time is None else sighting.event_time,
        "at": sighting.event_time or 0,
        "destination": sighting.destination,
        "destination_key": f"{address.version}{int(address):039d}",
        "domain": domain_text(finding),
        "host": host_text(finding),
        "source": sighting.source,
        "outcome": outcome_text(finding),
        "events": finding.events,
        "history": history_text(finding.history),
        "history_key": finding.history.known,
        "notes": notes(finding),
        "reason": reason(finding),
        "steps": triage(finding).sections,
        "host_context": finding.host_context,
        "facts": [(name, text) for name, text in _facts(finding) if text],
        "pivots": [
            {"title": each.title, "language": each.language, "lines": each.text.split("\n")}
            for each in pivots(finding)
        ],
    }


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    sighting = finding.sighting
    yield "Destination", sighting.destination
    yield "Domain", ", ".join(values(finding, "destination.domain"))
    yield "DNS events name it", "; ".join(queries_text(finding))
    yield "Ports", ", ".join(map(str, finding.ports))
    yield "Source address", sighting.source
    yield "Hosts", ", ".join(finding.hosts) + more_hosts_text(finding)
    yield "Outcome", outcome_text(finding)
    yield "First", "undated" if sighting.event_time is None else format_time(sighting.event_time)
    yield "Ingested", ingested_text(finding)
    yield "Last", "" if finding.last is None else format_time(finding.last)
    yield "Seen before", "" if finding.previous is None else format_time(finding.previous)
    yield "Events", f"{finding.events:,}"
    yield "History known", history_text(finding.history)
    yield "Notes", "; ".join(notes(finding))
    yield "Process", ", ".join(values(finding, "process.executable"))
    yield "Record", f"{sighting.origin} ({sighting.event_source})"
    yield "Finding", finding.id
