"""The HTML report in a real browser: in order, legible, quiet, offline, and deaf to a log."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from browsertests import logs
from browsertests.chromium import PAPER, chromium, console, printed, requests, show
from tests.support.reports import html, write

REACHABLE = "a[href], button, input, select, summary"
TITLE = "Rare SMB connections to the internet"
GEOMETRY, CONTRAST = (
    (Path(__file__).parent / f"{name}.js").read_text(encoding="utf-8")
    for name in ("geometry", "contrast")
)
PAGES = {
    "few": logs.few,
    "many": lambda: logs.many(80),
    "hostile": lambda: logs.hostile(logs.HOSTILE),
    "incomplete": logs.incomplete,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, events in PAGES.items():
        log = write(folder / f"{name}.ndjson", events())
        made[name] = folder / f"{name}.html"
        made[name].write_text(html(log), encoding="utf-8")
    return made


def without_scripts(page: Path) -> Path:
    """Return a copy of a page whose policy runs no script at all."""
    text = re.sub("script-src &#39;[^&]+", "script-src &#39;none", page.read_text(encoding="utf-8"))
    copy = page.with_suffix(".noscript.html")
    copy.write_text(text, encoding="utf-8")
    return copy


def wrong_layout(browser: webdriver.Chrome, *, opened: bool = False) -> list[str]:
    """Return what is wrong with the layout, with everything opened or as it is."""
    found: list[str] = browser.execute_script(GEOMETRY, opened)
    return found


def addresses(browser: webdriver.Chrome) -> list[str]:
    cells = browser.find_elements(By.CSS_SELECTOR, "#findings .address")
    return [cell.text for cell in cells if cell.is_displayed()]


@pytest.mark.parametrize("width", [390, 800, 1280, 1600])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overlaps_or_runs_out_of_the_window(
    browser: webdriver.Chrome, pages: dict[str, Path], name: str, width: int
) -> None:
    show(browser, pages[name], width)
    assert wrong_layout(browser) == []
    assert wrong_layout(browser, opened=True) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_overlaps_on_paper(
    browser: webdriver.Chrome, pages: dict[str, Path], name: str
) -> None:
    show(browser, pages[name], PAPER, medium="print")
    assert wrong_layout(browser) == []


def test_three_findings_fit_three_pages(browser: webdriver.Chrome, pages: dict[str, Path]) -> None:
    made = printed(browser, pages["few"])
    assert len(re.findall(rb"/Type\s*/Page\b", made)) == 3


@pytest.mark.parametrize("width", [390, 1280])
def test_findings_stand_above_pictures(
    browser: webdriver.Chrome, pages: dict[str, Path], width: int
) -> None:
    show(browser, pages["many"], width)
    places = [
        browser.find_element(By.CSS_SELECTOR, place).location["y"]
        for place in (".verdict", "#findings", "#pictures", "#coverage", "#method")
    ]
    assert places == sorted(places)
    assert places[1] < 1200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_has_the_contrast_of_level_aa(
    browser: webdriver.Chrome, pages: dict[str, Path], name: str, scheme: str
) -> None:
    show(browser, pages[name], scheme="dark" if scheme == "dark" else "light")
    assert browser.execute_script(CONTRAST) == []


def test_paper_is_light_in_a_dark_scheme_too(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["few"], PAPER, scheme="dark", medium="print")
    color = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert color == "rgb(255, 255, 255)"
    assert browser.execute_script(CONTRAST) == []


def test_the_keyboard_reaches_everything_in_order_and_opens_it(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["few"])
    wanted = [
        each for each in browser.find_elements(By.CSS_SELECTOR, REACHABLE) if each.is_displayed()
    ]
    reached = []
    for _ in wanted:
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element)
        outline = reached[-1].value_of_css_property("outline-style")
        assert outline != "none"
    assert [each.get_attribute("outerHTML") for each in reached] == [
        each.get_attribute("outerHTML") for each in wanted
    ]
    (details,) = browser.find_elements(By.XPATH, "//details[div[@id='f-3']]")
    assert details.get_attribute("open") is None
    next(each for each in reached if "91.219" in each.text).send_keys(Keys.ENTER)
    assert details.get_attribute("open") is not None


@pytest.mark.parametrize("name", PAGES)
def test_it_loads_without_a_complaint_and_asks_for_nothing_but_itself(
    browser: webdriver.Chrome, pages: dict[str, Path], name: str
) -> None:
    console(browser), requests(browser)
    show(browser, pages[name])
    assert console(browser) == []
    assert requests(browser) == [pages[name].as_uri()]


def test_it_is_complete_without_scripts(browser: webdriver.Chrome, pages: dict[str, Path]) -> None:
    show(browser, pages["few"])
    with_scripts = addresses(browser)
    assert browser.find_element(By.ID, "controls").is_displayed()
    show(browser, without_scripts(pages["few"]))
    assert addresses(browser) == with_scripts
    assert not browser.find_element(By.ID, "controls").is_displayed()
    assert browser.find_elements(By.TAG_NAME, "button") == []
    assert wrong_layout(browser, opened=True) == []
    (details,) = browser.find_elements(By.XPATH, "//details[div[@id='f-3']]")
    browser.execute_script("arguments[0].open = false", details)
    browser.find_element(By.CSS_SELECTOR, ".verdict a[href='#f-3']").click()
    assert details.get_attribute("open") is not None
    console(browser)


def test_a_filter_and_an_order_change_the_list(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["few"])
    ranked = addresses(browser)
    browser.find_element(By.ID, "filter").send_keys("FIN-LT")
    assert addresses(browser) == ["185.243.115.84"]
    assert browser.find_element(By.ID, "matches").text == "1 of 3"
    browser.find_element(By.ID, "filter").send_keys(Keys.BACKSPACE * 6)
    order = Select(browser.find_element(By.ID, "sort"))
    for choice, expected in {
        "time": ["20.60.40.9", "185.243.115.84", "91.219.236.18"],
        "destination": ["20.60.40.9", "91.219.236.18", "185.243.115.84"],
        "events": ["185.243.115.84", "20.60.40.9", "91.219.236.18"],
        "evidence": ranked,
    }.items():
        order.select_by_visible_text(choice)
        assert addresses(browser) == expected, choice
    assert browser.find_element(By.CSS_SELECTOR, "#g-attempted h3").is_displayed()


def test_a_button_copies_the_command_beside_it(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["few"])
    browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    button = browser.find_element(By.CSS_SELECTOR, ".copies button")
    command = browser.find_element(By.CSS_SELECTOR, ".copies code").text
    button.click()
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == command
    assert button.text == "Copied"


def test_hostile_text_stays_text_in_every_field(
    browser: webdriver.Chrome, pages: dict[str, Path]
) -> None:
    show(browser, pages["hostile"])
    ActionChains(browser).move_to_element(
        browser.find_element(By.CSS_SELECTOR, "#pictures .dots circle")
    ).perform()
    assert browser.title == TITLE
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert browser.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed, [onload]") == []
    text = browser.execute_script(
        "document.querySelectorAll('details').forEach((each) => { each.open = true; });"
        "return document.body.innerText"
    )
    assert [attack for attack in logs.HOSTILE if text.count(attack) < 5] == []
    assert console(browser) == []


def test_the_policy_stops_a_script_and_a_style_that_got_in_all_the_same(
    browser: webdriver.Chrome, pages: dict[str, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    injected = "<script>document.title='owned'</script><style>main { display: none }</style>"
    text = pages["few"].read_text(encoding="utf-8").replace("<main>", f"<main>{injected}", 1)
    page.write_text(text, encoding="utf-8")
    show(browser, page)
    assert browser.title == TITLE
    assert browser.find_element(By.TAG_NAME, "main").is_displayed()
    assert any("Content Security Policy" in message for message in console(browser))
