"""A table of many rows, which is padded without rich, shows what rich would."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.outputs import grid
from smbrare.outputs.formats import RenderOptions
from smbrare.outputs.grid import Column, Line

WORDS = st.text("ab1.:é漢/ ", max_size=30).map(str.strip)
CELLS = st.lists(st.builds(Line, WORDS, st.sampled_from(["", "bold", "dim", "red"])), max_size=3)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)
COLUMNS = (
    Column[Any]("Name", lambda row: row[0], folds=True),
    Column[Any]("N", lambda row: row[1], right=True),
    Column[Any]("Where", lambda row: row[2], folds=True),
)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def drawn(rows: Any, options: RenderOptions, most: int, *, apart: bool) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_MANY_ROWS", most)
        laid_out = grid.lay_out(COLUMNS, rows, options)
        return "".join(laid_out.draw(slice(None), options, apart=apart))


@given(ROWS, st.none() | st.integers(20, 90), st.booleans())
def test_rows_are_what_rich_makes_of_them(rows: Any, width: int | None, apart: bool) -> None:  # noqa: FBT001
    options = RenderOptions(width=width)
    assert drawn(rows, options, 0, apart=apart) == drawn(rows, options, 99, apart=apart)


@given(ROWS)
def test_colours_change_no_text(rows: Any) -> None:
    colored = drawn(rows, RenderOptions(color=True), 0, apart=False)
    plain = drawn(rows, RenderOptions(), 0, apart=False)
    lines = [line.rstrip() for line in _ESCAPE.sub("", colored).split("\n")]
    assert lines == plain.split("\n")
    assert ("\x1b[" in colored) is True
