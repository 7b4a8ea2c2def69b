"""What the charts of a report draw: Vega-Lite specifications as plain JSON values.

Source: Vega-Lite 6. Every text out of a log is made visible here, since a chart's labels are no
HTML and no template escapes them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, TypeAlias

from msgspec import Struct

from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.outputs.wording import host_text, outcome_text, time_text
from smbrare.records.times import HOUR
from smbrare.text import visible

MOST_DRAWN = 40
"""Destinations, and hosts, that a chart draws; more of them could not be read."""

_MOST_STEPS = 400
_MOST_LEVEL = 6
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_ROW_HEIGHT = 24
_INK, _FAINT, _GRID = "#24303c", "#8795a3", "#e4e9ee"
_OUTCOMES = {
    "established": "#b3261e",
    "established, some failed": "#b3261e",
    "failed": "#4d6b8a",
    "failed or unknown": "#8d6b00",
    "unknown": "#8d6b00",
}
Spec: TypeAlias = dict[str, Any]


class Chart(Struct, frozen=True):
    """A chart.

    Attributes:
        spec: Its Vega-Lite specification.
        omitted: How many destinations, or hosts and destinations, it does not draw.
    """

    spec: Spec
    omitted: int


def timeline(report: Report, shown: list[Finding]) -> Chart | None:
    """Return findings and all sightings by destination over time; None where none is dated."""
    findings = [finding for finding in shown if finding.sighting.time is not None]
    dated: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for (destination, *_), contact in report.traffic.contacts.items():
        if contact.earliest.time is not None:
            dated[destination].append((contact.earliest.time, contact.events))
    if not dated:
        return None
    firsts = {destination: min(contacts)[0] for destination, contacts in dated.items()}
    found = dict.fromkeys(finding.sighting.destination for finding in findings)
    others = sorted(firsts.keys() - found.keys(), key=lambda name: (firsts[name], name))
    order = [*found, *others]
    drawn = order[:MOST_DRAWN]
    spec = _base("Findings and all sightings by destination, over time in UTC", len(drawn))
    spec["layer"] = [
        _sightings_layer(_steps(dated, drawn), drawn),
        _findings_layer(findings, drawn),
    ]
    return Chart(spec, len(order) - len(drawn))


def _steps(dated: dict[str, list[tuple[int, int]]], drawn: list[str]) -> list[dict[str, Any]]:
    """Return events by destination and step of time, in hours enough to keep the steps few."""
    every = [time for destination in drawn for time, _ in dated.get(destination, ())]
    step = HOUR * (1 + (max(every) - min(every)) // HOUR // _MOST_STEPS) if every else HOUR
    rows = []
    for destination in drawn:
        counts: Counter[int] = Counter()
        firsts: dict[int, int] = {}
        for time, events in sorted(dated.get(destination, ())):
            start = time // step * step
            counts[start] += events
            firsts.setdefault(start, time)
        for start, time in firsts.items():
            span = f"{time_text(time)}, within {step // HOUR} h"
            rows.append(_row(time, destination) | {"events": counts[start], "span": span})
    return rows


def _row(time: int, destination: str) -> dict[str, Any]:
    return {"time": time // 1_000, "destination": destination}


def _sightings_layer(rows: list[dict[str, Any]], order: list[str]) -> Spec:
    return {
        "data": {"values": rows},
        "mark": {"type": "circle", "color": _FAINT, "opacity": 0.55},
        "encoding": {
            "x": _time_axis(),
            "y": _destination_axis(order),
            "size": {
                "field": "events",
                "type": "quantitative",
                "scale": {"type": "sqrt", "range": [24, 260]},
                "legend": None,
            },
            "tooltip": _tooltip(destination="Destination", span="From", events="Sightings"),
        },
    }


def _findings_layer(findings: Iterable[Finding], order: list[str]) -> Spec:
    rows = [
        _row(finding.sighting.time or 0, finding.sighting.destination)
        | {
            "at": time_text(finding.sighting.time),
            "host": visible(host_text(finding)),
            "outcome": outcome_text(finding),
            "status": finding.status,
        }
        for finding in findings
        if finding.sighting.destination in order
    ]
    return {
        "data": {"values": rows},
        "params": [
            {
                "name": "zoom",
                "select": {
                    "type": "interval",
                    "encodings": ["x"],
                    "zoom": "wheel![event.shiftKey]",
                },
                "bind": "scales",
            }
        ],
        "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 130, "opacity": 1},
        "encoding": {
            "x": _time_axis(),
            "y": _destination_axis(order),
            "color": {
                "field": "outcome",
                "type": "nominal",
                "scale": {"domain": list(_OUTCOMES), "range": list(_OUTCOMES.values())},
                "legend": {"title": "Finding", "orient": "top", "values": _outcomes_of(rows)},
            },
            "tooltip": _tooltip(
                destination="Destination",
                at="First (UTC)",
                host="Host",
                outcome="Outcome",
                status="Status",
            ),
        },
    }


def _tooltip(**titles: str) -> list[Spec]:
    return [{"field": field, "title": title} for field, title in titles.items()]


def _outcomes_of(rows: list[dict[str, Any]]) -> list[str]:
    there = {row["outcome"] for row in rows}
    return [outcome for outcome in _OUTCOMES if outcome in there]


def _time_axis() -> Spec:
    return {
        "field": "time",
        "type": "temporal",
        "scale": {"type": "utc", "padding": 12},
        "axis": {
            "title": "Time (UTC)",
            "format": "%Y-%m-%d %H:%M",
            "tickCount": 7,
            "labelOverlap": True,
        },
    }


def _destination_axis(order: list[str]) -> Spec:
    return {
        "field": "destination",
        "type": "nominal",
        "sort": order,
        "axis": {"title": None, "grid": True},
    }


def contacts(report: Report, shown: list[Finding]) -> Chart | None:
    """Return which host contacted which destination, as a matrix; None without any sighting."""
    cells: Counter[tuple[str, str]] = Counter()
    names: dict[str, str] = {}
    for (destination, source, host, _), contact in report.traffic.contacts.items():
        key = host or source
        names[key] = min(names.get(key, contact.told.host_name), contact.told.host_name) or source
        cells[key, destination] += contact.events
    if not cells:
        return None
    found = dict.fromkeys(finding.sighting.destination for finding in shown)
    destinations = [*found, *sorted({destination for _, destination in cells} - found.keys())]
    reach = Counter(host for host, _ in cells)
    hosts = sorted(reach, key=lambda host: (-reach[host], host))
    columns, rows = destinations[:MOST_DRAWN], hosts[:MOST_DRAWN]
    spec = _base("Sightings by host and destination", len(rows))
    spec |= _matrix(
        [
            {"host": visible(names[host]), "destination": destination, "events": events}
            for (host, destination), events in sorted(cells.items())
            if host in rows and destination in columns
        ],
        [visible(names[host]) for host in rows],
        columns,
    )
    return Chart(spec, len(destinations) - len(columns) + len(hosts) - len(rows))


def _matrix(values: list[dict[str, Any]], rows: list[str], columns: list[str]) -> Spec:
    return {
        "data": {"values": values},
        "mark": {"type": "rect", "stroke": "white", "strokeWidth": 2, "cornerRadius": 3},
        "encoding": {
            "x": {
                "field": "destination",
                "type": "nominal",
                "sort": columns,
                "axis": {"title": None, "labelAngle": 0 if len(columns) <= _MOST_LEVEL else -40},
            },
            "y": {"field": "host", "type": "nominal", "sort": rows, "axis": {"title": None}},
            "color": {
                "field": "events",
                "type": "quantitative",
                "scale": {"type": "symlog", "range": ["#cfdbe6", "#1f4e79"]},
                "legend": {"title": "Sightings", "orient": "top", "tickCount": 3},
            },
            "tooltip": _tooltip(host="Host", destination="Destination", events="Sightings"),
        },
    }


def _base(description: str, rows: int) -> Spec:
    return {
        "$schema": _SCHEMA,
        "description": description,
        "width": "container",
        "height": _ROW_HEIGHT * max(rows, 2),
        "background": "transparent",
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelLimit": 280,
                "labelColor": _INK,
                "titleColor": _INK,
                "gridColor": _GRID,
                "domainColor": _FAINT,
                "tickColor": _FAINT,
                "labelFontSize": 12,
            },
            "legend": {"labelColor": _INK, "titleColor": _INK},
        },
    }
