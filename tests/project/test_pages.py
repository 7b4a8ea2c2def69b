"""The pages of docs/: what their commands print, their links, and the list of them.

``python -m tests.project.test_pages`` updates what they show.
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run
from tests.support.console import current
from tests.support.events import matching
from tests.support.reports import write

DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = [
    DOCS / f"{name}.md"
    for name in (
        "baseline",
        "ci",
        "daily",
        "elastic",
        "exposure",
        "first-scan",
        "reading",
        "schema",
    )
]
"""Pages whose console blocks run, a page in a folder of its own."""
LINKING = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]

_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == current(text, tmp_path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "baseline",
            (
                "late",
                "known to the baseline london",
                "from a new host PA-03",
                "expired: contract 17",
                "the same\n",
                "london is intact",
            ),
        ),
        ("ci", ("exit code 0", "missing", "exit code 1")),
        (
            "daily",
            ("learnt", "91.219.236.18", "exit code 0", "late.ndjson.md", "acme is intact"),
        ),
        ("elastic", ('{"create":{"_id":"fef1d', "excluded contract 17", "| STATS")),
        ("first-scan", ("sysmon", "exit code 1", "all 7 conditions hold", "exit code 4")),
        ("reading", ("- [ ] Find what", "Other hosts?", '"not_evaluated": []')),
        ("schema", ("ok -- validation done\n```\n\nOf NDJSON", "ok -- validation done\n```\n\n##")),
    ],
)
def test_the_page_shows_what_it_is_about(name: str, shown: tuple[str, ...]) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert [part for part in shown if part not in text] == []


def test_the_index_names_every_page_in_a_line() -> None:
    lines = INDEX.read_text(encoding="utf-8").splitlines()
    named = [match[1] for line in lines if (match := re.match(r"- \[[^]]+\]\(([^)]+)\): ", line))]
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(named) == sorted(pages - {INDEX.name})


def test_the_bulk_file_has_the_id_of_each_finding_whatever_a_log_says(
    run: Run, tmp_path: Path
) -> None:
    (command,) = re.findall(r"^\$ (awk .*)$", (DOCS / "elastic.md").read_text(), re.MULTILINE)
    hostile = matching(host__name='"smbrare":{"id":"planted"')
    log = write(tmp_path / "log.ndjson", [hostile, matching(destination__ip="91.219.236.18")])
    run("scan", log, "--format", "ndjson", "--output", tmp_path / "findings.ndjson")
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    lines = [json.loads(line) for line in (tmp_path / "bulk.ndjson").read_text().splitlines()]
    actions, findings = lines[::2], lines[1::2]
    assert len(findings) == 2
    assert actions == [{"create": {"_id": finding["smbrare"]["id"]}} for finding in findings]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for name, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in name:
            continue
        target = page.parent / name if name else page
        # What lies outside of docs/ is not part of the site.
        is_outside = page.parent == DOCS and not target.resolve().is_relative_to(DOCS)
        if is_outside or not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{name}#{anchor}")
    assert dead == []


if __name__ == "__main__":
    for one in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            made = current(one.read_text(encoding="utf-8"), Path(folder))
        one.write_text(made, encoding="utf-8")
