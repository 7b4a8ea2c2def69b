"""Reports and pages for tests, made in this process."""

import json
from collections import defaultdict
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import Finding
from smbrare.detection.report import Report
from smbrare.inputs.discovery import discover
from smbrare.outputs.formats import REPORT, RenderOptions
from smbrare.records.read_options import ReadOptions
from smbrare.scanning.gathering import gather
from smbrare.scanning.scan import judge
from smbrare.scanning.second_pass import add_host_context


def report(*paths: str | Path, cluster: str | None = None) -> Report:
    """Return the report of a scan without a baseline."""
    options = ReadOptions(cluster=cluster)
    partial = gather(discover([str(path) for path in paths]), options, lambda _: None)
    return judge(partial, options, Criteria())


def printed(name: str, made: Report, **options: Any) -> str:
    """Return a report in a format, with what `RenderOptions` takes."""
    return "".join(REPORT[name].render(made, RenderOptions(**options)))


def document(made: Report) -> str:
    """Return a report as JSON."""
    return printed("json", made)


def html(path: Path) -> str:
    """Return the HTML report of a scan."""
    made = report(path)
    return printed("html", replace(made, judged=with_host_context(made, path)))


def with_host_context(made: Report, *paths: Path) -> tuple[Finding, ...]:
    """Return the findings of a report with what happened around them."""
    inputs = discover([str(path) for path in paths])
    return add_host_context(
        made.findings, inputs, ReadOptions(), lambda _: None, traffic=made.traffic
    )[0]


def write(path: Path, documents: Iterable[Any]) -> Path:
    """Write documents as NDJSON."""
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


class Page(HTMLParser):
    """The elements of a page, and the text of its cells, scripts and code.

    Attributes:
        tags: Each element's name and attributes, in order.
        texts: The text of each element by its name, without that of the elements in it, in order.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = defaultdict(list)
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in the start of an element."""
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        self.texts[tag].append("")

    def handle_data(self, data: str) -> None:
        """Take in text."""
        if self._open:
            self.texts[self._open][-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Take in the end of an element."""
        if tag == self._open:
            self._open = ""
