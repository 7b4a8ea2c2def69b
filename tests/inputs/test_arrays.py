"""An array read as lines gives what the stream of tokens gives, whatever stands in it."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare.inputs.json_tokens import has_long_number
from smbrare.inputs.readers import arrays, document
from smbrare.inputs.readers.arrays import WINDOW_BYTES, ArrayLines, begins_array
from smbrare.inputs.readers.reader import ReaderOptions
from smbrare.limits import DEFAULT, Limits
from smbrare.outputs.summary import summary_lines
from smbrare.records.event import Record, Sample, Skipped, Tally
from smbrare.scanning import planning
from tests.conftest import FIXTURES, Run
from tests.scanning.test_gathering import documents, gathered
from tests.support.events import matching
from tests.support.reports import report

WINDOWS = (16, 40, 300, WINDOW_BYTES)
LINES = (FIXTURES / "sample.ndjson").read_text().splitlines()

STRINGS = st.sampled_from(
    ["", "},{", '"},{"', "}]", "[{", "\\", '\\"', "\u2028", "a\nb", "é\U0001f600", "x" * 70, "445"]
)
VALUES = st.recursive(
    STRINGS | st.integers(-10, 2**70) | st.sampled_from([None, True, 4.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(STRINGS, inner, max_size=3)
        | st.lists(st.dictionaries(STRINGS, inner, max_size=2), max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(STRINGS, VALUES, max_size=3)
BAD = [
    *("null", "445", '"a"', "[]", "{", "}", "]", ",", "x", "][", "\ufeff", '{"a":1', '{"a":"}'),
    *('{"a":01}', '{"a" 1}', '{"a":"\n"}', '{"a":"\\ud800"}', '{"a":nul}', '{"a":1,}'),
    *('{"a":' + "[" * 250 + "]" * 250 + "}", '{"a":' + "1" * 1_100 + "}", '{"a":1}{"b":2}'),
    *('{"records":[{"a":1},{"b":2}]}', '{"records":[]}'),
    *('{"a":1,"a":2}', '{"a":{"b":1,"b":[{"c":1,"c":2}]}}'),
]
SEPARATORS = st.sampled_from([",", ", ", ",\n", "\n,\n  ", ",\r\n\t"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    indent = draw(st.sampled_from([None, None, 0, 2]))
    elements = [json.dumps(one, indent=indent) for one in draw(st.lists(OBJECTS, max_size=8))]
    for bad in draw(st.lists(st.sampled_from(BAD), max_size=2)):
        elements.insert(draw(st.integers(0, len(elements))), bad)
    begin, end = (
        draw(st.sampled_from(["[", " [\n"])),
        draw(st.sampled_from(["]", "\n]\n", "", ",]"])),
    )
    text = (begin + draw(SEPARATORS).join(elements) + end).encode("utf-8")
    text += draw(st.sampled_from([b"", b"", b"", b" x", b'[{"a":1},{"b":2}]', b'\n{"a":1}']))
    if draw(st.integers(0, 9)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    if text and draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = (
            text[:at] + draw(st.sampled_from([b"\xff", b"\xe2\x82", b'"', b"\\"])) + text[at + 1 :]
        )
    return text


def comparable(value: Any) -> Any:
    """Return a value without the types of its numbers."""
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    return value if isinstance(value, str | bool | None) else "number"


def read(stream: io.BytesIO, window: int, limits: Limits = DEFAULT) -> Iterator[Record | Skipped]:
    for item in arrays.elements(ArrayLines(stream, limits, window), "x", ReaderOptions(limits)):
        assert isinstance(item, Record | Skipped)
        yield item


def told(items: Iterator[Record | Skipped]) -> list[Any]:
    return [
        (item.origin, comparable(item.document)) if isinstance(item, Record) else item
        for item in items
    ]


@given(texts(), st.sampled_from(WINDOWS))
@settings(max_examples=120, deadline=None)
def test_an_array_reads_as_its_tokens_do(text: bytes, window: int) -> None:
    as_lines = told(read(io.BytesIO(text), window))
    assert as_lines == told(document.read(io.BytesIO(text), "x"))


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("window", WINDOWS)
def test_a_bad_element_is_the_same_at_every_place(bad: str, window: int) -> None:
    for place in range(4):
        elements = ['{"a":1}', '{"b":"},{"}', '{"c":[{"d":1},{"d":2}]}']
        elements.insert(place, bad)
        text = f"[{', '.join(elements)}]".encode()
        as_lines = told(read(io.BytesIO(text), window))
        assert as_lines == told(document.read(io.BytesIO(text), "x"))


@given(st.lists(OBJECTS, min_size=1, max_size=8), st.sampled_from([None, 1]), st.integers(16, 400))
@settings(max_examples=60, deadline=None)
def test_a_sound_array_is_given_as_lines_to_its_end(
    objects: list[dict[str, Any]], indent: int | None, window: int
) -> None:
    text = json.dumps(objects, indent=indent).encode()
    array = ArrayLines(io.BytesIO(text), window_bytes=window)
    lines = b"".join(array.blocks())
    assert [json.loads(line) for line in lines.split(b"\n")[:-1]] == objects
    assert array.complete
    assert array.elements == len(objects)


def test_an_element_that_is_too_long_ends_the_input_as_in_any_document() -> None:
    limits = Limits(record_bytes=100_000)
    text = b'[{"a":1},{"b":"' + b"x" * 300_000 + b'"},{"c":1}]'
    for window in (16, WINDOW_BYTES):
        first, last = read(io.BytesIO(text), window, limits)
        assert isinstance(first, Record)
        assert isinstance(last, Skipped)
        assert last.origin.number == 2
        assert "limit record-bytes" in last.reason
        assert last.ends_input


class Failing(io.BytesIO):
    """A stream whose end cannot be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what there is, and then fail."""
        if text := super().read(size):
            return text
        raise OSError(5, "Input/output error")


def test_a_stream_that_fails_gives_what_was_complete_before() -> None:
    items = read(Failing(b'[{"a":1},{"b":2},{"c"'), 16)
    assert [next(items).origin.number, next(items).origin.number] == [1, 2]
    with pytest.raises(OSError, match="Input/output error"):
        next(items)


def test_no_element_is_decoded_that_cannot_match() -> None:
    text = b"[" + b", ".join(b'{"a": %d}' % (number % 9) for number in range(5_000)) + b"]"
    options = ReaderOptions(sample_every=10_000)
    items = list(arrays.elements(ArrayLines(io.BytesIO(text)), "x", options))
    assert not any(isinstance(item, Record | Skipped) for item in items)
    assert sum(item.lines for item in items if isinstance(item, Tally)) == 5_000
    assert 2 < sum(isinstance(item, Sample) for item in items) < 10


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 2_000)


NOISE = [
    json.dumps(matching(destination__ip="10.20.0.5")),
    json.dumps({"records": [matching(destination__ip="185.220.101.4"), {"a": 1}]}),
    json.dumps({"message": "445},{445"}),
    json.dumps({"_source": matching()}),
    json.dumps(matching(), indent=2),
]
BROKEN = ["null", '{"a":"\\ud800"}', "{broken", "445", '{"a":[' + "[" * 220 + "]" * 220 + "445]}"]


@given(
    st.lists(st.sampled_from(LINES + NOISE), min_size=1, max_size=40),
    st.lists(st.sampled_from(BROKEN), max_size=1),
    st.randoms(use_true_random=False),
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_sifted_array_gives_the_findings_of_a_thorough_reading(
    small: None,
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    broken: list[str],
    chance: random.Random,
) -> None:
    del small
    for one in broken:
        lines.insert(chance.randrange(len(lines)) + 1, one)
    path = tmp_path_factory.mktemp("arrays") / "events.json"
    separator = ",\n"
    path.write_text(f"[{separator.join(lines)}]")
    sifted, thorough = gathered(path), gathered(path, thorough=True)
    # Where a sample leaves doubt, all is read again.
    assert sifted.surveys[0].sampled or sifted.surveys[0].unjudged()
    assert documents(sifted) == documents(thorough)
    assert sifted.near_misses == thorough.near_misses
    assert [one.origin for one in sifted.surveys[0].located] == [
        one.origin for one in thorough.surveys[0].located
    ]
    assert sifted.surveys[0].skipped == thorough.surveys[0].skipped


@pytest.mark.usefixtures("small")
def test_a_finding_of_a_sifted_array_names_the_element_and_no_offset(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "events.json"
    inside = matching(destination__ip="10.20.0.5")
    path.write_text(json.dumps([inside] * 40 + [matching()] + [inside] * 40, indent=1))
    (sifted,), (whole,) = documents(gathered(path)), documents(gathered(path, thorough=True))
    assert sifted == whole
    assert "log.offset" not in sifted
    assert "45.83.122.10" in run("explain", f"{path}:41").out


@pytest.mark.usefixtures("small")
def test_an_empty_or_other_document_is_left_to_the_tokens(tmp_path: Path) -> None:
    for text in (
        "[]",
        f"[[{json.dumps(matching())}]]",
        json.dumps({"events": [matching()]}, indent=1),
    ):
        assert not begins_array(text.encode())
        path = tmp_path / "events.json"
        path.write_text(text)
        (survey,) = gathered(path).surveys
        assert not survey.sampled


@pytest.mark.parametrize("most", [64, 1_000])
@pytest.mark.parametrize("shift", range(0, 130, 13))
def test_a_number_of_one_digit_too_many_is_noticed_wherever_it_stands(
    most: int, shift: int
) -> None:
    def text(digits: int) -> bytes:
        return b"x" * shift + b"7" * digits + b"}"

    assert has_long_number(text(most + 1), most)
    assert not has_long_number(text(most), most)


def test_a_windows_many_nested_objects_do_not_hide_the_ends_of_elements() -> None:
    element = {"a": [{"b": number} for number in range(30)]}
    text = json.dumps([element] * 100).encode()
    blocks = list(ArrayLines(io.BytesIO(text), window_bytes=1_500).blocks())
    assert len(blocks) > 20


@pytest.mark.parametrize("backend", ["python", "yajl2_c"])
def test_a_slow_library_is_named_where_it_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backend: str
) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps({"events": [matching()]}, indent=1))
    made = report(path)
    monkeypatch.setattr(ijson, "backend", backend)
    notes = [line for line in summary_lines(made) if "library in C" in line.text]
    assert len(notes) == (backend == "python")


def test_a_slow_library_is_no_news_to_who_reads_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ijson, "backend", "python")
    made = report(FIXTURES / "sample.ndjson")
    assert not any("library in C" in line.text for line in summary_lines(made))
