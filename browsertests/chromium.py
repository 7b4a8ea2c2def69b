"""A headless Chromium, and everything that it complained of or asked the network for."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTH, HEIGHT = 1240, 1250
_SECONDS = 30


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Give a browser.

    Raises:
        RuntimeError: If no Chromium with its driver is installed.
    """
    driver, browser = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or browser is None:
        raise RuntimeError("no Chromium: apt-get install chromium chromium-driver, or the like")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--window-size={WIDTH},{HEIGHT}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield opened
    finally:
        opened.quit()


def load(browser: webdriver.Chrome, page: Path) -> None:
    """Open a report and wait until its charts are drawn."""
    browser.get(page.as_uri())
    charts = len(browser.find_elements(By.CSS_SELECTOR, ".chart"))
    WebDriverWait(browser, _SECONDS).until(
        lambda at: len(at.find_elements(By.CSS_SELECTOR, ".chart[data-drawn]")) == charts
    )


def _log(browser: webdriver.Chrome, name: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = browser.get_log(name)  # type: ignore[no-untyped-call]
    return entries


def console(browser: webdriver.Chrome) -> list[str]:
    """Return what the page wrote to the console, blocked scripts and exceptions included."""
    return [entry["message"] for entry in _log(browser, "browser")]


def requests(browser: webdriver.Chrome) -> list[str]:
    """Return the addresses that the page asked for."""
    messages = [json.loads(entry["message"])["message"] for entry in _log(browser, "performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
