"""Markdown: a ticket in which text out of a log stays text."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from smbrare.text import code_block, code_span, visible
from tests.conftest import FIXTURES, Run
from tests.support.events import matching

SAMPLE = FIXTURES / "sample.ndjson"
ATTACKS = [
    "[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "https://evil.example www.evil.example a@evil.example",
    "a | b | c",
    "a \\| b",
    "`code` ``more`` ```three",
    "`",
    " `` ",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "</details></td>",
    "&lt;b&gt; &#x3c;",
    "**bold** _it_ ~~gone~~ # head",
    "new\nline\n\n# heading",
    "@everyone #1",
    "$x$ \\(x\\)",
]


def tokens(text: str) -> list[Token]:
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    found = []
    for token in parser.parse(text):
        found.append(token)
        found += token.children or []
    return found


def ticket(run: Run, tmp_path: Path) -> str:
    path = tmp_path / "hostile.ndjson"
    documents = [
        matching(
            host__name=attack, destination__ip=f"45.83.122.{number}", destination__domain=attack
        )
        for number, attack in enumerate(ATTACKS)
    ]
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return run("scan", path, "--format", "markdown").out


def test_nothing_of_a_log_is_a_link_an_image_or_html(run: Run, tmp_path: Path) -> None:
    found = tokens(ticket(run, tmp_path))
    links = {token.attrs["href"] for token in found if token.type == "link_open"}
    assert all(str(link).startswith("https://github.com/elastic/") for link in links)
    assert {"image", "html_inline", "html_block", "s_open", "strong_open", "em_open"}.isdisjoint(
        token.type for token in found
    )
    headings = [token for token in found if token.type == "heading_open"]
    assert len(headings) == 2 + len(ATTACKS)


def test_no_text_of_a_log_stands_outside_of_code(run: Run, tmp_path: Path) -> None:
    plain = " ".join(t.content for t in tokens(ticket(run, tmp_path)) if t.type == "text")
    assert "evil" not in plain
    assert "everyone" not in plain
    assert "hidden" not in plain


def test_every_row_of_the_table_has_every_cell(run: Run, tmp_path: Path) -> None:
    text = ticket(run, tmp_path)
    rows = [line for line in text.splitlines() if line.startswith(("| Time", "| 2026"))]
    cells = [token for token in tokens(text) if token.type in {"td_open", "th_open"}]
    assert len(rows) == 1 + len(ATTACKS)
    assert len(cells) == 8 * len(rows)
    assert {line.count("|") for line in rows} == {9}


@given(st.text(min_size=1))
def test_a_code_span_shows_its_text_as_it_is(text: str) -> None:
    span = code_span(text)
    shown = visible(text).replace("|", "\\x7c")
    if not shown.strip(" "):
        assert span == ""
        return
    (inline,) = MarkdownIt().parse(f"x {span} y")[1:2]
    assert [(t.type, t.content) for t in inline.children or []] == [
        ("text", "x "),
        ("code_inline", shown),
        ("text", " y"),
    ]


@given(st.text())
def test_a_code_block_shows_its_lines(text: str) -> None:
    (block,) = MarkdownIt().parse(code_block(text))
    assert block.type == "fence"
    assert block.content == "".join(visible(line) + "\n" for line in text.split("\n"))


def test_the_ticket_names_what_was_found_and_how_to_go_on(run: Run) -> None:
    text = run("scan", SAMPLE, "--format", "markdown").out
    assert text.startswith("# Rare SMB connections to the internet: 3 findings\n")
    assert "`45.83.122.10` | `cdn.example` | `WS-02.corp.example +1`" in text
    assert "- All hosts: `WS-02`, `WS-02.corp.example`" in text
    assert "| failed or unknown |" in text
    assert len(re.findall(r"^```$", text, re.MULTILINE)) == 2 * 6 * 3


def test_without_findings_it_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(destination__ip="10.0.0.1")) + "\n")
    text = run("scan", path, "--format", "markdown").out
    assert text.endswith("\nNothing to show.\n")
