"""docs/baseline.md shows what its commands print.

``python -m tests.test_baseline_page`` updates it.
"""

import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.console import current

PAGE = ROOT / "docs" / "baseline.md"


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == current(text, tmp_path)


def test_the_page_shows_what_it_is_about() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for shown in (
        "late",
        "not reported: seen before in baseline london",
        "from a new host PA-03",
        "expired     contract 17",
        "the same\n",
        "london is whole",
    ):
        assert shown in text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(current(PAGE.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
