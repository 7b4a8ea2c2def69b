"""The table engine: whatever the cells hold, every word is shown, in order and in the width."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Styled, lines

WORDS = st.text("ab1.:é漢/ ", max_size=30).map(lambda text: " ".join(text.split()))
CELLS = st.builds(Styled, WORDS, st.sampled_from(["", "bold", "dim", "red"]))
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)
COLUMNS = (
    Column[Any]("Name", lambda row: row[0], folds=True),
    Column[Any]("N", lambda row: row[1], right=True),
    Column[Any]("Where", lambda row: row[2], folds=True),
)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def drawn(rows: Any, options: RenderOptions) -> str:
    return "".join(lines(COLUMNS, rows, options))


def characters(text: str) -> list[str]:
    return sorted("".join(text.split()))


@given(ROWS, st.integers(20, 90))
def test_every_character_is_shown_and_no_line_is_too_wide(rows: Any, width: int) -> None:
    text = drawn(rows, RenderOptions(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    shown = [cell.text for row in rows for cell in row]
    missing = characters("".join(shown))
    for character in characters(text):
        if character in missing:
            missing.remove(character)
    assert missing == []


@given(ROWS)
def test_without_a_width_a_cell_is_on_one_line(rows: Any) -> None:
    text = drawn(rows, RenderOptions())
    shown = [cell.text for row in rows for cell in row]
    assert all(any(part in line for line in text.splitlines()) for part in shown)


@given(ROWS)
def test_colours_change_no_text(rows: Any) -> None:
    colored = drawn(rows, RenderOptions(color=True))
    plain = drawn(rows, RenderOptions())
    stripped = [line.rstrip() for line in _ESCAPE.sub("", colored).split("\n")]
    assert stripped == plain.split("\n")
    assert "\x1b[" in colored
