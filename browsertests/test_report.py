"""The HTML report in a real browser: quiet, offline, sortable, and deaf to what a log says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from browsertests.chromium import chromium, console, load, requests
from tests.conftest import FIXTURES
from tests.support.events import matching
from tests.support.reports import html, write

ATTACKS = [
    "</script><script>document.title='owned'</script>",
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "{{ 7 * 7 }}{% raw %}",
    "javascript:document.title='owned'",
    "<!--<script>",
    "https://evil.example/x",
    "\u202egnp.exe",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("sample") / "report.html"
    page.write_text(html(FIXTURES / "sample.ndjson"), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    documents = [
        matching(
            host__name=attack,
            destination__ip=f"45.83.122.{number}",
            destination__domain=attack,
            process__executable=attack,
        )
        for number, attack in enumerate(ATTACKS)
    ]
    page = folder / "report.html"
    page.write_text(html(write(folder / "hostile.ndjson", documents)), encoding="utf-8")
    return page


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    cells = browser.find_elements(By.CSS_SELECTOR, f"#findings tbody td:nth-child({number})")
    return [cell.text for cell in cells if cell.is_displayed()]


def click(browser: webdriver.Chrome, title: str) -> None:
    (button,) = browser.find_elements(By.XPATH, f"//th/button[text()='{title}']")
    browser.execute_script("arguments[0].click()", button)


def test_it_loads_without_a_complaint_and_asks_for_nothing_but_itself(
    browser: webdriver.Chrome, sample: Path
) -> None:
    requests(browser)
    load(browser, sample)
    assert console(browser) == []
    assert requests(browser) == [sample.as_uri()]
    assert len(browser.find_elements(By.CSS_SELECTOR, ".chart svg")) == 2


def test_a_click_sorts_and_a_second_click_turns_round(
    browser: webdriver.Chrome, sample: Path
) -> None:
    load(browser, sample)
    click(browser, "Destination")
    assert column(browser, 2) == ["20.60.40.9", "45.83.122.10", "91.219.236.18"]
    click(browser, "Destination")
    assert column(browser, 2) == ["91.219.236.18", "45.83.122.10", "20.60.40.9"]
    click(browser, "Events")
    assert column(browser, 7) == ["2", "2", "5"]
    click(browser, "Time (UTC)")
    assert column(browser, 2)[0] == "20.60.40.9"


def test_the_filter_leaves_the_rows_with_the_text(browser: webdriver.Chrome, sample: Path) -> None:
    load(browser, sample)
    browser.find_element(By.ID, "filter").send_keys("CDN.exam")
    assert column(browser, 2) == ["45.83.122.10"]


def test_a_hostile_name_stays_text(browser: webdriver.Chrome, hostile: Path) -> None:
    requests(browser)
    load(browser, hostile)
    assert console(browser) == []
    assert requests(browser) == [hostile.as_uri()]
    assert browser.title == "Rare SMB connections to the internet"
    assert column(browser, 4) == [*ATTACKS[:-1], "\\u202egnp.exe"]
    assert len(browser.find_elements(By.CSS_SELECTOR, "script")) == 4
    assert browser.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed") == []


def test_a_hostile_name_stays_text_in_a_chart_and_its_tooltip(
    browser: webdriver.Chrome, hostile: Path
) -> None:
    load(browser, hostile)
    labels = [label.text for label in browser.find_elements(By.CSS_SELECTOR, "#hosts svg text")]
    assert any(label.startswith("<img src=x onerror=") for label in labels)
    cells = browser.find_elements(By.CSS_SELECTOR, "#hosts svg .mark-rect path")
    for cell in cells:
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
        ActionChains(browser).move_to_element(cell).perform()
    tooltip = browser.find_element(By.ID, "vg-tooltip-element")
    assert tooltip.find_elements(By.CSS_SELECTOR, "script, img, a") == []
    assert tooltip.find_elements(By.TAG_NAME, "svg") == []
    assert browser.title == "Rare SMB connections to the internet"
    assert console(browser) == []


def test_the_policy_stops_a_script_that_got_in_all_the_same(
    browser: webdriver.Chrome, sample: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    text = sample.read_text(encoding="utf-8")
    page.write_text(
        text.replace("<main>", "<main><script>document.title='owned'</script>", 1),
        encoding="utf-8",
    )
    load(browser, page)
    assert browser.title == "Rare SMB connections to the internet"
    assert any("Content Security Policy" in message for message in console(browser))


def test_a_link_of_the_table_opens_its_details(browser: webdriver.Chrome, sample: Path) -> None:
    load(browser, sample)
    (details,) = browser.find_elements(By.CSS_SELECTOR, "details[id^=f-]")[:1]
    browser.execute_script("arguments[0].open = false", details)
    browser.execute_script("document.querySelector('#findings tbody a').click()")
    assert details.get_attribute("open") is not None
