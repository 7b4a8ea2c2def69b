"""The site's list of pages, for mkdocs: what docs/README.md lists, in its sections."""

import re
from pathlib import Path
from typing import Any

_LINE = re.compile(r"## (?P<section>.+)|- \[(?P<title>[^]]+)\]\((?P<page>[^)]+)\)")


def on_config(config: Any) -> Any:
    """Return mkdocs's configuration with the pages in it."""
    pages: list[Any] = ["README.md"]
    for line in Path(config.docs_dir, "README.md").read_text(encoding="utf-8").splitlines():
        if found := _LINE.match(line):
            if found["section"]:
                pages.append({found["section"]: []})
            else:
                next(iter(pages[-1].values())).append({found["title"]: found["page"]})
    config.nav = pages
    return config
