"""Draw the pictures of the documentation from shipped and invented logs: ``make pictures``.

The reports' need a Chromium with its driver; the text in them looks as the machine's fonts do.
"""

import os
import re
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SAMPLE = Path("fixtures/sample.ndjson")
COLUMNS = 100


def table() -> None:
    """Write ``docs/table.svg``: a scan in a terminal. It names no font to load."""
    command = f"smbrare scan {SAMPLE}"
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--color", "always"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        check=False,
        env=os.environ | {"COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)},
    )
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        for text in (f"$ {command}", done.stdout.decode()):
            console.print(Text.from_ansi(text))
    svg = console.export_svg(
        title="smbrare",
        theme=MONOKAI,
        unique_id="smbrare",
        code_format=re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL),
    )
    lines = [line.rstrip() for line in svg.splitlines()]
    (DOCS / "table.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


def reports() -> None:
    """Write ``docs/report*.png``: the HTML report of few and of many findings, dark, on paper."""
    sys.path.insert(0, str(ROOT))
    from browsertests import logs  # noqa: PLC0415 - the path is set above
    from browsertests.chromium import PAPER, chromium, show  # noqa: PLC0415
    from tests.support.reports import html, write  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, chdir(folder), chromium() as browser:
        few, many = Path(folder) / "few.html", Path(folder) / "many.html"
        few.write_text(html(write(Path("week47.ndjson"), logs.few())), encoding="utf-8")
        many.write_text(html(write(Path("logs.ndjson"), logs.many(80))), encoding="utf-8")

        def save(name: str) -> None:
            browser.get_screenshot_as_file(str(DOCS / f"{name}.png"))

        show(browser, few, height=1100)
        save("report")
        show(browser, many, height=1100)
        save("report-many")
        show(browser, few, height=800, scheme="dark")
        save("report-dark")
        show(browser, few, PAPER, height=974, medium="print")
        save("report-print")


if __name__ == "__main__":
    table()
    reports()
