"""A headless Chromium, and everything that it complained of or asked the network for."""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HEIGHT = 1000
PAPER = 688
"""The width of A4 without the page's margins, in CSS pixels."""


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
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield opened
    finally:
        opened.quit()


def show(
    browser: webdriver.Chrome,
    page: Path,
    width: int = 1280,
    *,
    height: int = HEIGHT,
    scheme: Literal["light", "dark"] = "light",
    medium: Literal["screen", "print"] = "screen",
) -> None:
    """Open a page in a window of so many CSS pixels, in a colour scheme, for a medium."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    _command(browser, "Emulation.setEmulatedMedia", media=medium, features=features)
    _command(
        browser,
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    browser.get(page.as_uri())


def printed(browser: webdriver.Chrome, page: Path) -> bytes:
    """Return a page as PDF, as its own style wants it on paper."""
    show(browser, page, PAPER, medium="print")
    made = _command(browser, "Page.printToPDF", preferCSSPageSize=True, printBackground=True)
    return base64.b64decode(made["data"])


def _command(browser: webdriver.Chrome, name: str, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = browser.execute_cdp_cmd(name, options)
    return result


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
