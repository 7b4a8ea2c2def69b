"""Whatever a log is packed in, the same events come out of it."""

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from smbrare.inputs.containers import parts
from smbrare.inputs.unpack.streams import HEAD_BYTES
from smbrare.rule import predicate
from tests.support.container_world import (
    ENCODINGS,
    LINE_ENDS,
    MULTIPLE,
    PACKED,
    TEXTS,
    WORLD,
    Pipe,
    evtx_file,
    expected,
    packed,
    read,
    records_of,
    tarred,
    told,
    zipped,
)
from tests.support.events import view

NDJSON = told("ndjson").encode()
FORMATS = {
    "ndjson": NDJSON,
    "json": told("pretty array").encode(),
    "csv": told("Kibana CSV").encode(),
    "xml": told("event XML with a root").encode(),
    "evtx": evtx_file(WORLD),
}
KINDS = {"CSV": "csv", "XML": "xml", "line": "ndjson", "ndjson": "ndjson"}


@pytest.mark.parametrize("line_end", LINE_ENDS.values(), ids=LINE_ENDS)
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("form", TEXTS)
def test_every_form_of_text_gives_the_same_events(
    form: str, encode: Callable[[str], bytes], line_end: str
) -> None:
    text = told(form).replace("\n", line_end)
    outcome = read(encode(text))
    assert outcome.skipped == ()
    assert outcome.seen == expected()
    # What the containers leave of an event is all that the rule needs.
    assert all(predicate.matches(view(document)) for document in outcome.documents)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("layers", PACKED)
def test_every_format_is_read_out_of_every_packing(layers: str, format_name: str) -> None:
    outcome = read(packed(layers, FORMATS[format_name]))
    assert outcome.skipped == ()
    assert outcome.containers == [f"{layers} {format_name}".strip()]
    assert outcome.seen == expected()


@pytest.mark.parametrize("layers", MULTIPLE)
def test_a_stream_of_several_members_is_read_to_its_real_end(layers: str) -> None:
    outcome = read(MULTIPLE[layers](NDJSON))
    assert outcome.skipped == ()
    assert outcome.seen == expected()


@pytest.mark.parametrize("layers", PACKED)
def test_a_pipe_works_like_a_file(layers: str) -> None:
    for content in FORMATS.values():
        outcome = read(io.BufferedReader(Pipe(packed(layers, content))))
        assert outcome.skipped == ()
        assert outcome.seen == expected()


@pytest.mark.parametrize("form", TEXTS)
def test_a_form_that_begins_beyond_what_is_peeked_at_is_still_known(form: str) -> None:
    """Every form is longer than that, so no shape is known by having been seen whole."""
    text = told(form).encode()
    assert len(text) > HEAD_BYTES or "CSV" in form
    (container,) = read(text).containers
    *_, container = container.split()  # Behind what stands around the text.
    lines = "line" in form and form != "array, an element a line"
    kinds = {"CSV": "csv", "XML": "xml"}
    kind = next((kind for mark, kind in kinds.items() if mark in form), "json")
    assert container == ("ndjson" if lines or form.startswith("ndjson") else kind)


def test_the_members_of_an_archive_follow_its_name() -> None:
    archive = zipped({"day/a.json": NDJSON, "b.tar": tarred({"c.json": NDJSON})})
    assert [part.path for part in read(archive).parts] == [
        "input!day/a.json",
        "input!b.tar!c.json",
    ]


def test_what_archivers_leave_behind_is_junk() -> None:
    archive = zipped(
        {
            "__MACOSX/._a.json": b"\0\x05\x16\x07 nothing",
            "a.json": NDJSON,
            ".DS_Store": b"\0\0\0\1Bud1",
            "notes.txt": b"hello",
        }
    )
    assert [part.is_junk for part in read(archive).parts] == [True, False, True, False]


def test_no_name_hides_what_can_be_read() -> None:
    outcome = read(zipped({"__MACOSX/._a.json": NDJSON}))
    assert [part.is_junk for part in outcome.parts] == [False]
    assert outcome.seen == expected()


NOTHING = {
    "nothing": (b"", "empty"),
    "blank lines": (b"\r\n \n", "empty"),
    "a byte order mark": (b"\xef\xbb\xbf", "empty"),
    "nothing in gzip": (gzip.compress(b""), "gzip empty"),
    "a zip without members": (zipped({}), "zip empty"),
    "an empty member": (zipped({"a": b""}), "zip empty"),
    "text": (b"hello\nworld\n", ""),
    "another table": (b"time,colour\n1,red\n", ""),
    "a program's log": (b"[2026-11-16 08:00:00] INFO started\n", ""),
    "rich text": (b"{\\rtf1 text}", ""),
    "a web page": (b"<html><body>Event</body></html>", ""),
    "zero bytes": (bytes(1000), ""),
    "text in gzip": (gzip.compress(b"hello"), ""),
}


@pytest.mark.parametrize(("content", "container"), NOTHING.values(), ids=NOTHING)
def test_what_holds_no_records_is_empty_or_unknown(content: bytes, container: str) -> None:
    outcome = read(content)
    assert outcome.containers == [container]
    assert not outcome.documents
    assert not outcome.skipped


@pytest.mark.parametrize(
    "magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\0", b"PAR1"], ids=["7z", "rar", "parquet"]
)
def test_a_known_format_without_a_reader_is_named(magic: bytes) -> None:
    outcome = read(magic + bytes(100))
    (skipped,) = outcome.skipped
    assert skipped.ends_input
    assert outcome.containers[0] in skipped.reason
    assert outcome.containers[0]


def test_a_stream_that_does_not_stand_at_its_start_is_read_from_where_it_stands() -> None:
    for content in FORMATS.values():
        stream = io.BytesIO(b"before" + zipped({"a": content}))
        stream.seek(6)
        assert read(stream).seen == expected()


def test_nothing_temporary_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("smbrare.inputs.unpack.streams._SPOOLED_IN_MEMORY", 100)
    content = io.BufferedReader(Pipe(zipped({"a.evtx": evtx_file(WORLD)})))
    for part in parts(content, "input"):
        next(records_of(part))
        assert list(tmp_path.iterdir()) == []
        break
    assert list(tmp_path.iterdir()) == []


def test_an_offset_is_that_of_the_input_behind_a_mark() -> None:
    (part,) = parts(io.BytesIO(b"\xef\xbb\xbf" + b'{"a":1}\n{"a":2}\n'), "input")
    assert [item.origin.offset for item in records_of(part)] == [0, 3 + 8]
