"""``html``: one file that says what to do first, then why, and loads nothing from the network.

Two walls stand between a log and the reader's browser: every text is escaped by the template and
made visible first; and the page's own policy knows its script and its style by their hashes, and
loads nothing.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from itertools import groupby
from pathlib import PurePath
from typing import Any

from smbrare import __version__
from smbrare.detection.finding import Finding
from smbrare.detection.rank import grade, rank
from smbrare.detection.reference import LABELS, PROVIDER
from smbrare.detection.report import Report
from smbrare.outputs import also_seen, evidence, host_context, wording
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.pictures import Pictures
from smbrare.outputs.pivots import pivots
from smbrare.outputs.triage import MEANINGS, MOST_STEPS, Step, do_first, triage
from smbrare.outputs.verdict import incomplete_inputs, unread_text, verdict
from smbrare.outputs.warning_lines import unjudged_lines
from smbrare.records.times import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS, format_time
from smbrare.rule import predicate
from smbrare.text import counted, duration, visible

MOST_FINDINGS = 5_000
"""Findings that the page shows, the highest ranks; a browser could not bear many more."""


def render(report: Report, options: RenderOptions) -> Iterator[str]:
    """Yield one HTML document."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only this output needs it
    from markupsafe import Markup, escape  # noqa: PLC0415

    def make_visible(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def say(step: Step) -> Markup:
        return Markup(step.say(lambda name: f"<code>{escape(visible(name))}</code>"))  # noqa: S704

    environment = Environment(
        autoescape=True,
        finalize=make_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"say": say, "counted": counted, "number": "{:,}".format}
    style, script = _read_file("report.css"), _read_file("report.js")
    template = environment.from_string(_read_file("report.html.jinja"))
    # What is marked here is ours: the style and the script.
    yield from template.generate(
        _context(report, sorted(options.findings_of(report), key=rank))
        | {
            "newline": Markup("\n"),
            "policy": _policy(style, script),
            "style": Markup(style),  # noqa: S704
            "script": Markup(script),  # noqa: S704
        }
    )


def _policy(style: str, script: str) -> str:
    allowed = [
        f"{kind} 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for kind, text in (("script-src", script), ("style-src", style))
    ]
    return f"default-src 'none'; {'; '.join(allowed)}; base-uri 'none'; form-action 'none'"


def _read_file(name: str) -> str:
    return resources.files("smbrare.outputs").joinpath(name).read_text(encoding="utf-8")


def _context(report: Report, ranked: list[Finding]) -> dict[str, Any]:
    shown = list(enumerate(ranked[:MOST_FINDINGS], start=1))
    return {
        "version": __version__,
        "rule": predicate,
        "most": MOST_FINDINGS,
        "report": report,
        "ranked": ranked,
        "groups": [(one, list(each)) for one, each in groupby(shown, lambda pair: grade(pair[1]))],
        "grades_found": Counter(map(grade, ranked)),
        "pictures": Pictures(report, ranked),
        "grade_of": grade,
        "verdict": verdict(report),
        "meaning": MEANINGS[grade(ranked[0])] if ranked else "",
        "incomplete": incomplete_inputs(report),
        "unread_text": unread_text,
        "do_first": do_first(ranked),
        "gaps": [line.text for line in unjudged_lines(report)],
        "also_seen": also_seen,
        "evidence": evidence,
        "host_context": host_context,
        "wording": wording,
        "steps": lambda finding: triage(finding)[:MOST_STEPS],
        "queries": lambda finding: groupby(pivots(finding), lambda query: query.title),
        "lists": lambda finding: finding.extra.get(PROVIDER, ()),
        "network": lambda finding: wording.network_text({**finding.extra, LABELS: ()}),
        "time": format_time,
        "span": lambda start, end: _rounded((end - start) // MICROSECONDS),
        "file_name": lambda path: PurePath(path).name,
    }


def _rounded(seconds: int) -> str:
    """Return a time span in its largest unit."""
    unit = next(unit for unit in (DAY_SECONDS, HOUR_SECONDS, 60, 1) if seconds >= unit or unit == 1)
    return duration(seconds - seconds % unit) if unit > 1 else f"{seconds}s"
