"""JSON of any form with flaws that hide nothing gives what it gives without them, and is marked."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from smbrare.inputs.readers import document
from smbrare.records.event import Record
from smbrare.records.json_mending import JsonMender
from smbrare.scanning import planning
from tests.conftest import Run
from tests.inputs.test_arrays import OBJECTS
from tests.support.container_world import read
from tests.support.events import matching

Join = Callable[[list[str], str], str]

FORMS: dict[str, Join] = {
    "array": lambda elements, comma: f"[{comma.join(elements)}]",
    "an element a line": lambda elements, comma: "[\n" + f"{comma}\n".join(elements) + "\n]\n",
    "search response": lambda elements, comma: (
        '{"took":1,"hits":{"total":3,"hits":[' + f"{comma} ".join(elements) + "]}}"
    ),
    "batch": lambda elements, comma: '{"value":[\n' + f"{comma}\r\n".join(elements) + "\n]\n}",
    "one after another": lambda elements, _: "\n".join(elements),
}
INSIDE = {
    "NaN": ('"x":NaN', '"x":null'),
    "Infinity": ('"x":[-Infinity,Infinity ]', '"x":[null,null]'),
    "control": ('"x":"\t\n\x01\\t\\\\\0é"', '"x":"\\t\\n\\u0001\\t\\\\\\u0000é"'),
    "comma in object": ('"x":{"y":"},]",\n} ,', '"x":{"y":"},]"}'),
    "comma in array": ('"x":[1,[{},],"NaN,}", ]', '"x":[1,[{}],"NaN,}"]'),
}
"""More members of an object, with a flaw and without."""

JUNK = st.sampled_from(["\0" * 9, "\ufeff", "\0 \ufeff\n\0"])


def more(element: str, members: str) -> str:
    """Return an object with more members."""
    return f"{element.rstrip()[:-1].rstrip()},{members}}}"


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str, list[int]]:
    """Return a text with flaws, the same without, and the numbers of the elements that have one."""
    form = draw(st.sampled_from(sorted(FORMS)))
    join, apart = FORMS[form], form == "one after another"
    indent = 1 if apart else draw(st.sampled_from([None, 1]))
    events = [
        {"@timestamp": "x", **each} for each in draw(st.lists(OBJECTS, min_size=1, max_size=5))
    ]
    flawed = [json.dumps(event, indent=indent, ensure_ascii=False) for event in events]
    sound = list(flawed)
    numbers = set()
    for place in draw(st.sets(st.integers(0, len(events) - 1), min_size=1, max_size=2)):
        numbers.add(place + 1)
        flaw = draw(st.sampled_from([*INSIDE, "junk"]))
        if flaw == "junk":
            flawed[place] = draw(JUNK) + flawed[place]
        else:
            flawed[place], sound[place] = (more(flawed[place], each) for each in INSIDE[flaw])
    last = draw(st.sampled_from(["", ",", " ,\n", "\0", "\0,\ufeff"]))
    if last and not (apart and "," in last):
        flawed[-1] += last
        numbers.add(len(events))
    return join(flawed, ","), join(sound, ","), sorted(numbers)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("each_seed", [1, 2, 3])
def test_flaws_that_hide_nothing_change_nothing(each_seed: int, pack: Any) -> None:
    @seed(each_seed)
    @settings(max_examples=80, deadline=None)
    @given(texts())
    def holds(made: tuple[str, str, list[int]]) -> None:
        flawed, sound, numbers = made
        outcome, twin = read(pack(flawed.encode())), read(pack(sound.encode()))
        assert outcome.containers[0].endswith("json")
        assert outcome.documents == twin.documents
        assert outcome.skipped == twin.skipped == ()
        items = document.read(io.BytesIO(flawed.encode()), "x")
        assert [
            item.origin.number for item in items if isinstance(item, Record) and item.mended
        ] == numbers

    holds()


@given(
    texts() | st.text('{}[],:"\\0 a1NaInfinity-\n\0\ufeff', max_size=40).map(lambda text: (text,)),
    st.integers(1, 20),
)
def test_no_cut_of_a_text_changes_what_becomes_of_it(made: tuple[Any, ...], size: int) -> None:
    text = made[0].encode()
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    at_once, in_blocks = JsonMender(), JsonMender()
    whole, pieces = list(at_once.pieces([text])), list(in_blocks.pieces(blocks))
    assert all(pieces)
    # Of blanks and what stands for them any number is as good as one.
    of_no_weight = str.maketrans("", "", " \t\r\n\0\ufeff")
    assert b"".join(pieces).decode().translate(of_no_weight) == (
        b"".join(whole).decode().translate(of_no_weight)
    )
    assert in_blocks.take_flaws() == at_once.take_flaws()


def test_a_string_of_control_characters_is_mended_in_one_piece() -> None:
    """An escaped line end is no flaw that can be mended: nothing says what was meant."""
    pieces = list(JsonMender().pieces([b'["' + b"\x01\t" * 5_000, b'\\\n\t"]']))
    assert len(pieces) < 9
    assert b"".join(pieces) == b'["' + b"\\u0001\\u0009" * 5_000 + b'\\\n\\u0009"]'


@given(OBJECTS, st.sampled_from([None, 1]))
def test_strict_json_stays_as_it_is(value: Any, indent: int | None) -> None:
    text = json.dumps([value] * 3, indent=indent).encode()
    mender = JsonMender()
    mender.inside = True
    assert b"".join(mender.pieces([text[:7], text[7:]])).split() == text.split()
    assert not mender.take_flaws()


GOOD = matching(destination__ip="10.20.0.5")


@pytest.fixture(params=[False, True], ids=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file small, or large."""
    if request.param:
        monkeypatch.setattr(planning, "LARGE_BYTES", 1)
        monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 2_000)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("size")
def test_a_scan_finds_and_counts_what_it_does_without_the_flaw(
    run: Run, tmp_path: Path, form: str, jobs: int
) -> None:
    path = tmp_path / "events.json"
    elements = [json.dumps(GOOD, indent=1)] * 40
    elements[30] = json.dumps(matching(), indent=1)
    flawed, sound = list(elements), list(elements)
    for place, (flaw, twin) in zip(range(17, 40, 13), INSIDE.values(), strict=False):
        flawed[place], sound[place] = more(elements[place], flaw), more(elements[place], twin)
    flawed[20] = "\0\0" + flawed[20]
    results = []
    for comma, written in ((",", sound), (",", flawed)):
        path.write_bytes(FORMS[form](written, comma).encode())
        results.append(run("scan", path, "-f", "ndjson", "--strict", "--jobs", str(jobs)))
    twin_result, result = results
    assert (result.out, result.code) == (twin_result.out, twin_result.code)
    assert (len(result.out.splitlines()), result.code) == (1, 1)
    assert f"mended   3 records of flawed JSON, the first at {path}:18: " in result.err
    counts = [
        [line for line in each.err.splitlines() if line.startswith(("grades", "suppr.", "read "))]
        for each in results
    ]
    assert counts[0] == counts[1]


def test_no_comma_between_objects_of_an_array_is_mended_in_the_second(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "events.json"
    good, match = json.dumps(GOOD), json.dumps(matching())
    path.write_text(f"[{good},{good}{match} {good}]")
    result = run("scan", path, "-f", "ndjson", "--strict")
    assert (len(result.out.splitlines()), result.code) == (1, 1)
    assert (
        f"2 records of flawed JSON, the first at {path}:3: no comma between objects" in result.err
    )


def test_only_what_stands_behind_the_flaw_is_read_by_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sound array never is; of a flawed one the windows before are not."""
    calls: list[int] = []
    real = document.read

    def counted(*args: Any, **how: Any) -> Any:
        calls.append(how.get("before", 0))
        return real(*args, **how)

    monkeypatch.setattr(document, "read", counted)
    elements = [json.dumps({"@timestamp": "x", "n": "x" * 1_000})] * 2_000
    for flaw, expected in (("", []), ("\0", [1])):
        calls.clear()
        outcome = read(f"[{','.join([*elements, flaw + elements[0]])}]".encode())
        assert len(outcome.documents) == 2_001
        assert [before > 1_000 for before in calls] == expected
