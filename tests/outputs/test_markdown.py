"""Markdown: a ticket in which text out of a log stays text."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from browsertests import logs
from smbrare.text import code_span, visible
from tests.conftest import Run
from tests.support.activities import exposed, process
from tests.support.events import matching
from tests.support.reports import printed, report, write

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
    for number, attack in enumerate(ATTACKS):
        documents += exposed(attack, f"45.83.122.{number}")
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return run("scan", path, "--format", "markdown").out


def test_nothing_of_a_log_is_a_link_an_image_or_html(run: Run, tmp_path: Path) -> None:
    found = tokens(ticket(run, tmp_path))
    links = {token.attrs["href"] for token in found if token.type == "link_open"}
    assert all(str(link).startswith("https://github.com/elastic/") for link in links)
    assert {"image", "html_inline", "html_block", "s_open", "em_open"}.isdisjoint(
        token.type for token in found
    )
    headings = [token for token in found if token.type == "heading_open"]
    assert len(headings) == 1 + len(ATTACKS)


def test_no_text_of_a_log_stands_outside_of_code(run: Run, tmp_path: Path) -> None:
    plain = " ".join(t.content for t in tokens(ticket(run, tmp_path)) if t.type == "text")
    assert "evil" not in plain
    assert "everyone" not in plain
    assert "hidden" not in plain


def test_every_row_of_the_facts_has_two_cells(run: Run, tmp_path: Path) -> None:
    text = ticket(run, tmp_path)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [token for token in tokens(text) if token.type in {"td_open", "th_open"}]
    assert len(rows) >= 6 * len(ATTACKS)
    assert len(cells) == 2 * len(rows)
    assert {line.count("|") for line in rows} == {3}


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


def test_the_ticket_names_what_was_found_and_what_to_do(run: Run, tmp_path: Path) -> None:
    text = run("scan", write(tmp_path / "few.ndjson", logs.few()), "--format", "markdown").out
    proof = f"NTLM sent at 2026-11-17 10:17:04 UTC, record `{tmp_path / 'few.ndjson'}:437`"
    assert f"\n1. Reset the password of `CORP\\m.berger`: {proof}. End the sessions. (1)\n" in text
    title = "## 1. Credentials sent: `CORP\\m.berger` on `FIN-LT-042` to `185.243.115.84`, 2026-"
    assert title in text
    assert f"\n**Reset the password of `CORP\\m.berger`: {proof}. End the sessions, and" in text
    assert f"A record shows credentials sent to `185.243.115.84`: {proof}." in text
    assert "\n- `-0:02` DNS query `docs-cdn.invoice-portal.example (" in text
    assert "\n- `+0:01` **NTLM sent to** `cifs/docs-cdn.invoice-portal.example`" in text
    assert "| Hosts | `WS-131`, `WS-135` |" in text
    assert text.count("- [ ] Other hosts? Kibana: `destination.ip : ") == 3


def test_a_ticket_has_at_most_25_lines(run: Run, tmp_path: Path) -> None:
    busy = [process(f"C:\\{n}.exe", time=f"2026-11-16T07:59:{n}.000Z") for n in range(10, 50)]
    crowd = [matching(host__name=f"WS-{n:02}", event__outcome="success") for n in range(30)]
    path = write(tmp_path / "events.ndjson", [*busy, *crowd])
    for text in (run("scan", path, "-f", "markdown").out, ticket(run, tmp_path)):
        _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
        assert sections
        assert all(len(section.splitlines()) <= 25 for section in sections)


def test_inputs_are_summed_up(tmp_path: Path) -> None:
    made = report(write(tmp_path / "events.ndjson", [matching()]))
    inputs = tuple(replace(made.inputs[0], path=f"{number:03}.ndjson") for number in range(300))
    text = printed("markdown", replace(made, inputs=inputs))
    assert "`004.ndjson` and 295 more: 300 records, 300 network events" in text
    assert "`005.ndjson`" not in text


def test_brief_is_one_paragraph_each(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "few.ndjson", logs.few())
    text = run("scan", path, "--format", "markdown", "--brief").out
    paragraphs = [line for line in text.splitlines() if line.startswith("**")]
    assert [line[:7] for line in paragraphs] == ["**1. Cr", "**2. Co", "**3. Fa"]
    assert "##" not in text
    refused = run("scan", path, "--brief")
    assert (refused.code, refused.err) == (2, "smbrare: --brief needs --format markdown\n")


def test_the_name_of_a_file_that_cannot_be_read_is_text_too(run: Run) -> None:
    text = run("scan", "![x](www.evil.example)", "--format", "markdown").out
    assert text.startswith("# `No verdict: cannot read ![x](www.evil.example)")
    assert {token.type for token in tokens(text)}.isdisjoint({"image"})


def test_without_findings_it_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(destination__ip="10.0.0.1")) + "\n")
    text = run("scan", path, "--format", "markdown").out
    assert text.startswith("# No SMB to the internet in 1 network event")
    assert "##" not in text
