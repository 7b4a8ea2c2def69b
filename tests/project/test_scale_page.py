"""docs/scale.md shows what is computed; ``python -m tests.project.test_scale_page`` updates it."""

import re

import pytest

from bench import scale
from smbrare.scanning.planning import RANGE_BYTES
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "scale.md"
_BLOCK = re.compile(r"(?<=<!-- scale -->\n).*?(?=<!-- end -->)", re.DOTALL)


def current(text: str) -> str:
    """Return the page with the table as it is computed now."""
    return _BLOCK.sub(lambda _: scale.table(), text)


def test_the_page_shows_what_is_computed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "| 10 TB of plain NDJSON |" in text
    assert text == current(text)


def test_the_page_tells_the_figures_that_it_rests_on() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for figure in (
        f"plain {scale.measured('smbrare, 1 job')}, gzip {scale.measured('smbrare on gzip')}",
        f"{scale.WORKER_SECONDS * 1_000:g} ms of a worker",
        f"{scale.SCHEDULER_SECONDS * 1_000:g} ms of the scheduler",
        f"{scale.RESULT_BYTES / 1_000:g} kB",
        f"{scale.TIMES_SMALLER:g} times smaller",
        f"answers after {scale.REQUEST_SECONDS * 1_000:g} ms",
    ):
        assert figure in text


@pytest.mark.parametrize(("size", "count"), [(1, 1), (2**18, 1), (2**18 + 1, 2), (RANGE_BYTES, 7)])
def test_requests_are_counted_as_a_stream_makes_them(size: int, count: int) -> None:
    assert scale.requests(size) == count


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
