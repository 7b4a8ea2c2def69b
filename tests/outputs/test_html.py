"""HTML: the worst first, sized for a mail, nothing from outside, and a log's text is only text."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from browsertests import logs
from smbrare.detection.finding import Finding
from smbrare.detection.rank import rank
from smbrare.outputs import html_report
from tests.conftest import FIXTURES, Run
from tests.support.events import DESTINATION, matching
from tests.support.reports import Page, html, printed, report, write

SAMPLE = FIXTURES / "sample.ndjson"
ATTACKS = [*logs.HOSTILE, "' onmouseover='alert(1)", "\u2028\u202ex"]
LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction"}


@pytest.fixture(scope="module")
def sample() -> Page:
    return Page(html(SAMPLE))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    return html(write(tmp_path_factory.mktemp("few") / "few.ndjson", logs.few()))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("logs") / "x<script>y.ndjson"
    return Page(html(write(path, logs.hostile(ATTACKS))))


def test_nothing_is_loaded_from_anywhere(hostile: Page) -> None:
    found = [
        (tag, value or "")
        for tag, attributes in hostile.tags
        for name, value in attributes.items()
        if name in LOADING and not (value or "").startswith("#")
    ]
    assert [tag for tag, _ in found] == ["a"]
    assert "://github.com/elastic/detection-rules/" in found[0][1]
    assert "url(" not in Path(html_report.__file__).with_name("report.css").read_text()


def test_no_element_and_no_attribute_comes_from_a_log(few: str, hostile: Page) -> None:
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in Page(few).tags}
    names = {name for _, attributes in hostile.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    assert "style" not in names
    assert sum(tag == "script" for tag, _ in hostile.tags) == 1


def test_every_attack_is_shown_as_text_wherever_it_stands(hostile: Page) -> None:
    shown = [*ATTACKS[:-1], "\\u2028\\u202ex"]
    names = set(hostile.texts["span"])  # the destination's names
    codes = set(hostile.texts["code"])  # hosts
    facts = set(hostile.texts["dd"])
    for attack in shown:
        assert attack in names, attack
        assert attack in codes, attack
        assert attack in facts, attack
    assert {f"CORP\\{attack}" for attack in shown} <= names


def test_the_policy_allows_the_script_and_the_style_of_the_page_and_no_more(hostile: Page) -> None:
    policy = next(
        attributes["content"] or ""
        for tag, attributes in hostile.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    (script,), (style,) = hostile.texts["script"], hostile.texts["style"]
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (script, style)
    ]
    assert re.findall(r"-src 'sha256-([^']+)'", policy) == hashes
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_the_worst_is_first_and_findings_stand_before_pictures(few: str) -> None:
    order = ['class="verdict"', 'id="findings"', 'id="f-1"', 'id="f-3"', 'id="pictures"']
    places = [few.index(each) for each in (*order, 'id="coverage"', 'id="method"')]
    assert places == sorted(places)
    assert [few.index(each) for each in ('id="g-connected"', 'id="g-attempted"')] == sorted(
        few.index(each) for each in ('id="g-connected"', 'id="g-attempted"')
    )
    assert 'id="g-unknown"' not in few
    assert few.count("<details open>") == 2


def test_the_evidence_stands_in_order_with_its_records(few: str) -> None:
    text = few[few.index('id="f-1"') : few.index('id="f-2"')]
    what = re.findall(r"<td>([A-Z][^<]+)</td><td><code>", text)
    assert what == [
        "Logon",
        *["Process start"] * 2,
        "DNS query",
        "SMB connection",
        "NTLM sent to",
        "Process start",
    ]
    assert len(re.findall('<tr class="decides">', text)) == 2
    assert "-2:14:52" in text
    assert "Reset the password of <code>CORP\\m.berger</code>: NTLM sent at " in text


def test_the_report_is_the_same_in_every_process(run_process: Run) -> None:
    result = run_process("scan", "fixtures/sample.ndjson", "--format", "html")
    assert result.code == 1
    assert result.out == html(Path("fixtures/sample.ndjson"))


def test_a_report_has_queries_to_paste_line_by_line(sample: Page) -> None:
    (query,) = [
        code
        for code in sample.texts["code"]
        if code.startswith("DeviceNetworkEvents") and "45.83" in code
    ]
    assert query.split("\n")[1].startswith('| where RemoteIP in~ ("45.83.122.10", "::ffff:')


def test_what_was_not_evaluated_stands_at_the_top(tmp_path: Path) -> None:
    text = html(write(tmp_path / "events.ndjson", [matching(host__os__type=None)]))
    assert text.index("Not fully evaluated") < text.index('id="coverage"')
    assert 'id="findings"' not in text
    assert 'id="pictures"' not in text
    assert "Exit code 4." in text


def test_a_file_that_ends_early_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching()])
    made = report(path)
    made.inputs[0].cut = True
    text = printed("html", made)
    assert "ends early; 1 record read. <strong>Copy or export it again.</strong>" in text
    assert "Not fully evaluated" not in printed("html", report(path))


def test_every_input_that_was_not_fully_evaluated_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching()])
    gone = printed("html", report(path, "gone.ndjson"))
    assert "<li>cannot read gone.ndjson: no such file</li>" in gone
    assert "ends early" not in gone
    with path.open("a") as file:
        file.write("x\n")
    made = report(path)
    strict = replace(made, criteria=replace(made.criteria, strict=True))
    assert f"<code>{path}</code>: 1 record could not be read." in printed("html", strict)
    assert "Not fully evaluated" not in printed("html", made)


def test_two_contacts_in_one_second_are_a_span(tmp_path: Path) -> None:
    events = [
        matching(timestamp=f"2026-11-18T09:11:18.{millis}Z", destination__ip=destination)
        for millis, destination in ((100, "45.83.122.11"), (200, DESTINATION), (900, DESTINATION))
    ]
    assert "2 events in 0s" in html(write(tmp_path / "events.ndjson", events))


def test_a_report_is_small(tmp_path: Path, few: str) -> None:
    assert 30_000 < len(few) < 80_000
    sizes = {
        number: len(printed("html", report(write(tmp_path / "many.ndjson", logs.many(number)))))
        for number in (80, 200, 400)
    }
    assert sizes[80] < 500_000
    each = (sizes[400] - sizes[200]) / 200
    assert sizes[400] + each * (html_report.MOST_FINDINGS - 400) < 10_000_000


def test_what_is_not_shown_has_the_lowest_rank_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_report, "MOST_FINDINGS", 30)
    made = report(write(tmp_path / "many.ndjson", logs.many(40)))
    ranked = sorted(made.findings, key=rank)
    text = printed("html", made)
    assert f"The 30 highest ranks of {len(ranked)} findings." in text
    text = text[text.index('id="findings"') : text.index('id="pictures"')]
    assert re.findall(r'class="address">([^<]+)<', text) == [
        finding.sighting.destination for finding in ranked[:30]
    ]


def test_many_inputs_are_summed_up_by_form(tmp_path: Path) -> None:
    made = report(write(tmp_path / "events.ndjson", [matching()]))
    inputs = tuple(
        replace(made.inputs[0], path=f"logs/{number:03}.ndjson") for number in range(300)
    )
    page = Page(printed("html", replace(made, inputs=inputs)))
    assert "300 inputs, from " in page.texts["td"]
    assert sum(".ndjson" in code for code in page.texts["code"]) < 10


def test_a_suppressed_finding_says_why_it_is_shown(tmp_path: Path) -> None:
    made = report(write(tmp_path / "events.ndjson", [matching()]))
    finding: Finding = replace(made.judged[0], status="excluded", reason="our <b>backup</b>")
    text = printed("html", replace(made, judged=(finding,)), show="all")
    assert "<em>excluded: our &lt;b&gt;backup&lt;/b&gt;</em>" in text
