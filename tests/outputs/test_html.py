"""HTML: one file, nothing from outside, and no text of a log that is more than text."""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from smbrare.outputs.html_report import script_json
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.activities import logon, process
from tests.support.events import matching
from tests.support.reports import Page, html, write

SAMPLE = FIXTURES / "sample.ndjson"
ATTACKS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "</code></pre></details><h1>x</h1>",
    "{{ 7 * 7 }} {% if %} {# #}",
    "https://evil.example",
    "&lt;b&gt;",
    "<!--",
    "]]>",
    "\u2028\u202ex",
]
LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction"}


@pytest.fixture(scope="module")
def sample() -> Page:
    return Page(html(SAMPLE))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    documents = [
        matching(
            host__name=attack,
            destination__ip=f"45.83.122.{number}",
            destination__domain=attack,
            process__executable=attack,
        )
        for number, attack in enumerate(ATTACKS)
    ]
    path = tmp_path_factory.mktemp("logs") / "x<script>y.ndjson"
    return Page(html(write(path, documents)))


def test_nothing_is_loaded_from_anywhere(hostile: Page) -> None:
    found = [
        (tag, name, value or "")
        for tag, attributes in hostile.tags
        for name, value in attributes.items()
        if name in LOADING and not (value or "").startswith("#f-")
    ]
    assert {(tag, name) for tag, name, _ in found} == {("a", "href")}
    assert all("://github.com/elastic/detection-rules/" in value for _, _, value in found)
    assert "url(" not in (ROOT / "smbrare" / "outputs" / "report.css").read_text()


def test_no_element_and_no_attribute_comes_from_a_log(sample: Page, hostile: Page) -> None:
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in sample.tags}
    names = {name for _, attributes in hostile.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    assert sum(tag == "script" for tag, _ in hostile.tags) == 4


def test_the_table_shows_every_attack_as_text(hostile: Page) -> None:
    cells = hostile.texts["td"]
    assert {attack for attack in ATTACKS if attack not in cells} == {ATTACKS[-1]}
    assert "\\u2028\\u202ex" in cells


def test_the_policy_allows_the_two_scripts_of_the_page_and_no_more(hostile: Page) -> None:
    policy = next(
        attributes["content"] or ""
        for tag, attributes in hostile.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in hostile.texts["script"][-2:]
    ]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_the_charts_hold_every_name_and_no_markup(hostile: Page) -> None:
    assert "<" not in "".join(hostile.texts["script"][:2])
    _, hosts = hostile.charts()
    assert {row["host"] for row in hosts["data"]["values"]} >= set(ATTACKS[:-1])


def test_the_report_is_the_same_in_every_process(run_process: Run) -> None:
    result = run_process("scan", "fixtures/sample.ndjson", "--format", "html")
    assert result.code == 1
    assert result.out == html(Path("fixtures/sample.ndjson"))


def test_what_happened_around_a_finding_is_text_however_hostile(tmp_path: Path) -> None:
    events = [matching(timestamp="2026-11-16T08:00:00.000Z")]
    events += [process(image=attack, user=f"CORP\\{attack}") for attack in ATTACKS]
    events += [logon(user=attack) for attack in ATTACKS]
    page = Page(html(write(tmp_path / "x<script>y.ndjson", events)))
    assert {tag for tag, _ in page.tags if tag.startswith(("script", "img", "h1"))} == {
        "script",
        "h1",
    }
    assert sum(tag == "script" for tag, _ in page.tags) == 4
    names = {name for _, attributes in page.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    users = set(page.texts["td"])
    assert {attack for attack in ATTACKS[:-1] if f"CORP\\{attack}" not in users} == set()
    assert "CORP\\\\u2028\\u202ex" in users


def test_details_hold_queries_to_paste_line_by_line(sample: Page) -> None:
    (query,) = [
        code
        for code in sample.texts["code"]
        if code.startswith("DeviceNetworkEvents") and "45.83" in code
    ]
    assert query.split("\n")[1].startswith('| where RemoteIP in~ ("45.83.122.10", "::ffff:')


def test_what_was_not_evaluated_stands_at_the_top(tmp_path: Path) -> None:
    text = html(write(tmp_path / "events.ndjson", [matching(host__os__type=None)]))
    assert text.index("Not everything was judged") < text.index("<h2>Findings")
    assert "Nothing to show." in text
    assert "Exit code 4." in text


def test_json_in_a_script_element_cannot_end_it() -> None:
    value = {"<!--": "</script>\u2028&"}
    text = script_json(value)
    assert not set(text) & {"<", ">", "&", "\u2028"}
    assert json.loads(text) == value


@pytest.mark.parametrize("missing", ["jinja2", "vl_convert"])
def test_without_its_libraries_it_names_the_extra_before_the_scan(
    run: Run, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    result = run("scan", "no-such-file", "--format", "html")
    assert result.code == 2
    assert result.err.startswith(f"smbrare: --format html needs {missing}: ")
    assert 'install "smbrare[html]' in result.err
