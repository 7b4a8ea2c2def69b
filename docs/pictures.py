"""Draw the pictures of the documentation from the shipped sample: ``make pictures``.

The report's needs a Chromium with its driver; the text in it looks as the machine's fonts do.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from browsertests.chromium import chromium, load  # noqa: E402 - the path is set above
from tests.reports import html  # noqa: E402

SAMPLE = Path("fixtures/sample.ndjson")


def report() -> None:
    """Write ``docs/report.png``: the top of the HTML report."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        page.write_text(html(SAMPLE), encoding="utf-8")
        load(browser, page)
        browser.get_screenshot_as_file(str(ROOT / "docs" / "report.png"))


if __name__ == "__main__":
    report()
