"""A stream over an object: few requests, little memory, and no end that comes early unseen."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs import read_ahead
from smbrare.inputs.read_ahead import ReadAhead


class Remote(io.BytesIO):
    """An object that notes each request, and fails when it is told to."""

    def __init__(self, content: bytes, failing: int = 0) -> None:
        super().__init__(content)
        self.asked: list[int] = []
        self.failing = failing

    def read(self, size: int | None = -1, /) -> bytes:
        """Answer one request."""
        self.asked.append(size or 0)
        if self.failing:
            self.failing -= 1
            raise RuntimeError("a library's own error")
        return super().read(size)


def stream(remote: Remote, size: int | None = None, tries: int = 1) -> ReadAhead:
    explain: Callable[[Exception], str] = lambda error: f"explained: {error}"  # noqa: E731
    return ReadAhead(remote, len(remote.getvalue()) if size is None else size, explain, tries)


Step = tuple[int, int]


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 220), st.integers(1, 90))))
def test_reading_anywhere_gives_what_a_file_gives(content: bytes, steps: list[Step]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_ahead, "FIRST_BYTES", 3)
        patch.setattr(read_ahead, "MOST_BYTES", 40)
        ours, plain = stream(Remote(content)), io.BytesIO(content)
        for offset, count in steps:
            assert ours.seek(offset) == plain.seek(offset)
            wanted = b""
            while len(wanted) < count and (more := ours.read(count - len(wanted))):
                wanted += more
            assert wanted == plain.read(count)
            assert ours.tell() == plain.tell()


def test_requests_grow_to_a_bound_and_begin_small_again_after_a_jump() -> None:
    remote = Remote(bytes(40 * 2**20))
    ours = stream(remote)
    while ours.read(32 * 2**10):
        pass
    assert remote.asked[:4] == [2**18, 2**20, 2**22, 2**23]
    assert max(remote.asked) == read_ahead.MOST_BYTES
    assert len(remote.asked) == 8
    ours.seek(5)
    ours.read(1)
    assert remote.asked[-1] == read_ahead.FIRST_BYTES


def test_an_early_end_is_trouble_and_no_end() -> None:
    ours = stream(Remote(b"half of it"), size=20)
    assert ours.read(100) == b"half of it"
    with pytest.raises(OSError, match="ended after 10 of 20 bytes"):
        ours.read(100)


def test_every_error_of_a_library_is_the_systems() -> None:
    with pytest.raises(OSError, match="explained: a library's own error"):
        stream(Remote(b"content", failing=1)).read(1)


def test_it_asks_again_as_often_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_FIRST_PAUSE", 0)
    assert stream(Remote(b"content", failing=2), tries=3).read(100) == b"content"
    with pytest.raises(OSError, match="explained"):
        stream(Remote(b"content", failing=3), tries=3).read(100)
