"""The snippets of docs/api.md print what the page shows, and the names it promises are there."""

import doctest
import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

import smbrare
from tests.conftest import FIXTURES, ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "fixtures").symlink_to(FIXTURES)
    with chdir(tmp_path):
        yield tmp_path


def test_the_page_shows_what_its_snippets_print(folder: Path) -> None:
    code = "".join(re.findall(r"```python\n(.*?)```\n", PAGE, re.DOTALL))
    snippets = doctest.DocTestParser().get_doctest(code, {}, "api.md", None, 0)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(snippets, out=told.append)
    assert len(snippets.examples) > 10
    assert told == []
    assert (folder / "week.db").exists()


def test_the_page_promises_names_that_there_are() -> None:
    table = PAGE.partition("## What is stable")[2]
    rows = re.findall(r"^\| `(Report|Finding)(\..+?) \|", table, re.MULTILINE)
    named = {(kind, name) for kind, cell in rows for name in re.findall(r"\.(\w+)", cell)}
    assert len(named) > 10
    assert [name for name in named if not hasattr(getattr(smbrare, name[0]), name[1])] == []
    assert all(f"`{name}" in PAGE for name in smbrare.__all__)
