"""Every format that a command prints in: a line each, and what a command has to know of it.

A command asks here and knows no format by name. A run imports the one module that it uses.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from smbrare.text import visible

if TYPE_CHECKING:
    from smbrare.baseline.seen import SeenDestinations
    from smbrare.detection.finding import Finding
    from smbrare.detection.report import Report
    from smbrare.diagnostics.explain import Explained
    from smbrare.diagnostics.inspection import Inspected
    from smbrare.diagnostics.preview import Preview
    from smbrare.scanning.replay import Difference

T = TypeVar("T")


class RenderOptions(Struct, frozen=True):
    """What to show of a report, and what the screen can show.

    Attributes:
        show: The status of the findings to show (``new``, ``known``, ``excluded``), or ``all``.
        width: Columns of the terminal; None for as wide as the text is.
        color: Whether to use the terminal's colours.
        encoding: What the text has to be encodable in; other characters show as escapes.
        brief: Whether a ticket is one paragraph a finding.
    """

    show: str = "new"
    width: int | None = None
    color: bool = False
    encoding: str = "utf-8"
    brief: bool = False

    def findings_of(self, report: "Report") -> "list[Finding]":
        """Return the findings of a report that are to be shown."""
        return [finding for finding in report.judged if self.show in {"all", finding.status}]

    def has(self, character: str) -> bool:
        """Return whether the encoding has a character."""
        try:
            character.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def clean(self, text: str) -> str:
        """Return text with what the screen cannot or should not show as escapes."""
        seen = visible(text) if self.has("≥") else visible(text).replace("≥", ">=")
        return seen.encode(self.encoding, "backslashreplace").decode(self.encoding)


class OutputFormat(Struct, Generic[T], frozen=True):
    """A format, of reports or of whatever else a command prints.

    Attributes:
        name: What the user calls it.
        renderer: The module of ``smbrare.outputs`` and its function, which yields texts of what to
            print, given `RenderOptions` too.
        for_terminal: Whether it is laid out for a terminal, with its width, colours and encoding.
        second_pass: Whether it shows by default what only a second pass over the inputs finds.
        show: The findings that it shows unless the user chooses.
        of_replay: Whether a replay is printed in it too.
        most: How many findings the services take that it is made for; None if any number.
        most_packed: How many bytes they take, packed by gzip; None if any number.
        brief: Whether it can be made brief.
    """

    name: str
    renderer: str
    for_terminal: bool = False
    second_pass: bool = False
    show: str = "new"
    of_replay: bool = False
    most: int | None = None
    most_packed: int | None = None
    brief: bool = False

    def render(self, content: T, options: RenderOptions) -> Iterable[str]:
        """Return the texts of what is printed."""
        module, _, function = self.renderer.rpartition(".")
        texts: Iterable[str] = getattr(import_module(f"smbrare.outputs.{module}"), function)(
            content, options
        )
        return texts


def _by_name(*formats: OutputFormat[Any]) -> dict[str, OutputFormat[Any]]:
    return {each.name: each for each in formats}


REPORT: "Mapping[str, OutputFormat[Report]]" = _by_name(
    OutputFormat("table", "table.render", for_terminal=True, second_pass=True, of_replay=True),
    OutputFormat("json", "json_document.render_json", second_pass=True, of_replay=True),
    OutputFormat("ndjson", "json_document.render_ndjson", of_replay=True),
    OutputFormat("csv", "csv_rows.render", of_replay=True),
    OutputFormat("html", "html_report.render", second_pass=True),
    OutputFormat("markdown", "markdown.render", second_pass=True, brief=True),
    # SARIF says itself what was suppressed, and a result that is suppressed alerts nobody.
    # Source of the numbers: GitHub's limits for SARIF uploads, of one run and of one file.
    OutputFormat("sarif", "sarif.render", show="all", most=25_000, most_packed=10_000_000),
)
"""The findings of a scan; the first is the default, here as below."""

COMPARISON: "Mapping[str, OutputFormat[list[Difference]]]" = _by_name(
    OutputFormat("table", "comparison.render_table", for_terminal=True),
    OutputFormat("json", "comparison.render_json"),
    OutputFormat("ndjson", "comparison.render_ndjson"),
)
"""Where a scan and a replay differ."""

SEEN: "Mapping[str, OutputFormat[SeenDestinations]]" = _by_name(
    OutputFormat("table", "seen_destinations.render_table", for_terminal=True),
    OutputFormat("json", "seen_destinations.render_json"),
    OutputFormat("ndjson", "seen_destinations.render_ndjson"),
    OutputFormat("csv", "seen_destinations.render_csv"),
)
"""The destinations of a baseline."""

PREVIEW: "Mapping[str, OutputFormat[list[Preview]]]" = _by_name(
    OutputFormat("table", "preview.render_table", for_terminal=True),
    OutputFormat("json", "preview.render_json"),
)
"""What a scan would read."""

EXPLANATION: "Mapping[str, OutputFormat[Explained]]" = _by_name(
    OutputFormat("text", "explanation.render_text", for_terminal=True),
    OutputFormat("json", "explanation.render_json"),
)
"""Why an event is a finding, or isn't."""

INSPECTION: "Mapping[str, OutputFormat[Inspected]]" = _by_name(
    OutputFormat("text", "inspection.render", for_terminal=True),
    OutputFormat("json", "inspection_json.render"),
)
"""What an export contains."""

RULE: Mapping[str, OutputFormat[None]] = _by_name(
    OutputFormat("text", "rule.text.render"), OutputFormat("json", "rule.text.render_json")
)
"""The rule itself, which needs no content."""

SOURCES: Mapping[str, OutputFormat[None]] = _by_name(
    OutputFormat("text", "rule.sources.render"),
    OutputFormat("json", "rule.sources.render_json"),
)
"""The forms that are read."""
