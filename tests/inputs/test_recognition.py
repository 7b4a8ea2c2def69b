"""What a file is read as follows from its form, and no text that a log holds changes it."""

import gzip
import io
import json
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.inputs.containers import UNREADABLE
from smbrare.inputs.readers import readers
from smbrare.inputs.unpack import archive_header
from smbrare.inputs.unpack.compression import COMPRESSIONS
from smbrare.inputs.unpack.streams import HEAD_BYTES
from smbrare.sources import column_names
from tests.support.container_world import (
    TEXTS,
    WORLD,
    ecs,
    evtx_file,
    expected,
    read,
    tarred,
)

EVENTS = [ecs(connection) for connection in WORLD[:6]]
COLUMNS = sorted(column_names())  # what an attacker would put into a string
MAGICS = [
    *(magic.decode("latin-1") for magic, _ in UNREADABLE),
    *("\x1f\x8b\x08", "BZh91AY&SY", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd"),
    *("PK\x03\x04", "PK\x05\x06", "ustar", "ustar\0", "ustar  \0", "ElfFile\0", "\ufeff"),
]
FORMS = [
    *("<Event>", "<Event><System>", "<Events>", "<?xml?>", "<!ENTITY", "</Event>"),
    *('{"a":1}', "[{", "[[", "{}", '"hits":{"hits":[{', '{"records":[{"a":1}]}'),
]
SEPARATORS = [",", ";", "\t", "\n", "\r\n", '"', "''", " ", "", "\\", ",,", '","', "sep=;"]
words = st.sampled_from([*COLUMNS, *MAGICS, *FORMS]) | st.text(max_size=3)
hostile_texts = st.lists(st.tuples(words, st.sampled_from(SEPARATORS)), max_size=30).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)


def lines(texts: list[str], *, compact: bool, first: bool) -> bytes:
    """Return events as NDJSON with texts in strings, as their first or last members."""
    separators = (",", ":") if compact else (", ", ": ")
    found = []
    for event, text in zip(EVENTS, [*texts, *[""] * len(EVENTS)], strict=False):
        extra: dict[str, Any] = {"extra": {"command_line": text, text: "a"}}
        whole = extra | event if first else event | extra
        found.append(json.dumps(whole, separators=separators, ensure_ascii=False) + "\n")
    return "".join(found).encode()


@given(st.lists(hostile_texts, max_size=3), st.booleans(), st.booleans())
def test_no_text_in_a_log_changes_how_it_is_read(
    texts: list[str],
    compact: bool,  # noqa: FBT001
    first: bool,  # noqa: FBT001
) -> None:
    outcome = read(lines(texts, compact=compact, first=first))
    assert outcome.containers == ["ndjson"]
    assert outcome.skipped == ()
    assert outcome.seen == expected()[: len(EVENTS)]


@given(hostile_texts, st.integers(1, 400))
def test_nor_does_it_where_the_first_line_is_cut(text: str, cut: int) -> None:
    whole = lines([text], compact=True, first=True)
    cut %= whole.index(b"\n")
    outcome = read(b"x" + whole[cut + 1 :] if cut else b"x" + whole)
    assert outcome.containers == ["ndjson"]
    assert outcome.seen[-5:] == expected()[1:6]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_of_columns_in_a_string_make_no_header(column: str, separator: str) -> None:
    text = separator.join(("a", column, "b"))
    for compact in (True, False):
        outcome = read(lines([text], compact=compact, first=compact))
        assert outcome.containers == ["ndjson"]
        assert outcome.skipped == ()


def header_of_tar(size: int) -> bytes:
    """Return a line whose first bytes are all of a tar's header that is text."""
    text = bytearray(b'{"a":"' + b"x" * size + b'"}\n')
    text[257:263] = b"ustar "
    text[148:156] = b" " * 8
    text[148:156] = b"%06o  " % sum(text[:512])
    return bytes(text)


def test_a_line_with_the_checksum_of_a_tar_is_no_tar() -> None:
    line = header_of_tar(600)
    assert json.loads(line)
    outcome = read(line + lines([], compact=True, first=True))
    assert outcome.containers == ["ndjson"]
    assert len(outcome.documents) == 1 + len(EVENTS)


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_of_any_kind_is_one(kind: int) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as archive:
        info = tarfile.TarInfo("ü" * 40 + ".json")
        info.size = 8
        archive.addfile(info, io.BytesIO(b'{"a":1}\n'))
    assert archive_header.recognize(file.getvalue()) == archive_header.TAR
    assert read(file.getvalue()).documents


def test_a_tar_with_a_damaged_header_is_still_known_by_its_mark() -> None:
    content = bytearray(tarred({"a.json": lines([], compact=True, first=True)}))
    content[0] ^= 1
    (skipped,) = read(bytes(content)).skipped
    assert skipped.ends_input
    assert "tar" in skipped.reason


UNKNOWN = {
    "TOML that begins with an array of tables": "[[source]]\nurl = 'https://pypi.org/simple'\n",
    "TOML that begins with a table": "[package]\nname = 'a'\n",
    "TOML of one table": "[[a]]",
    "INI": "[general]\nport = 445\n[139]\n",
    "INI that begins with an empty section": "[]\na = 1\n",
    "settings with comments": '{\n  // of the editor\n  "a": {"b": 1},\n  "c": [\n{"d": 1}\n]\n}\n',
    "settings with a comment at the end": '{\n  "a": {"b": 1},\n  "c": [{"d": 1}] // more\n}\n',
    "settings with a last comma": '{\n  "a": [\n    {"b": 1},\n    {"b": 2},\n  ],\n}\n',
    "a list with comments and a last comma": '[\n  {"a": 1}, // one\n  {"b": 2},\n]\n',
    "one object with comments and a last comma": '{\n  "host": "a", /* b */\n}\n',
    "a list as Python shows it": "[{'a': nan, 'b': None},\n {'a': 1,}]\n",
    "a list of a script with a last comma": "[\n  {a: NaN},\n  {b: Infinity},\n]\n",
    "numbers that are none": "[NaN, Infinity,]\n",
    "a minified script": '{"use strict";var a={"b":1};function c(){return[{"d":2}]}}',
    "a script that begins with a list": '[1,2].map(a=>({"b":a}));\n{}\n{}\n',
    "a script that begins with a block": "{\nlet a = {};\n{}\n{}\n}\n",
    "a script of objects": "[{a: 1}, {b: 2}].forEach(c);\n",
    "a template of braces": '{{#each a}}\n{"b": {{b}}},\n{{/each}}\n',
    "a template of statements": '{% for a in b %}\n{"c": "{{ a }}"}\nx\ny\n{% endfor %}\n',
    "a template of JSON": '{\n  "a": {{ a }},\n  "b": [{"c": 1}]\n}\n',
    "a template of a list": '[\n  {% for a in b %}{"c": {{ a }}},{% endfor %}\n]\n',
    "a style sheet": "{color:red}\n{}\n",
    "rich text": "{\\rtf1\\ansi text}",
    "a build of Java": "<project>\n<modelVersion>4.0.0</modelVersion>\n</project>\n",
    "a picture with entities": (
        '<?xml version="1.0"?>\n<!DOCTYPE svg [<!ENTITY ns "http://a/445/">]>\n<svg xmlns="&ns;"/>'
    ),
    "XML with another Event": "<calendar><Event day='1'/><Event day='2'/></calendar>",
    "a page that shows an event": (
        "<html><body><pre>\n<Event xmlns='x'><System/><EventData/></Event>\n</pre></body></html>"
    ),
    "a text that names columns": "{@timestamp},{host.name},b\n",
    "a table of other things": "time,price\n1,445\n",
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_what_only_looks_like_a_known_form_is_unknown(text: str, pack: Any) -> None:
    for encoding in ("utf-8", "utf-16"):
        outcome = read(pack(text.encode(encoding)))
        assert outcome.containers == [""]
        assert outcome.skipped == ()


DAMAGED = {
    "an array with a broken element": b'[\n{"a":1},\n{"a":2},\n{"a":,\n{"a":4}\n]\n',
    "a search with a broken hit": b'{"hits":{"hits":[{"_id":"1"},{"_id":,{"_id":"3"}]}}',
    "objects over several lines": b'{\n"a":1\n}\n{\n"a":2\n}\n{\n"a":nope\n}\n',
    "an array that is cut off": b'[\n{"a":1},\n{"a":',
    "an object that is cut off": b'{\n"a": 1,\n"b": {"c',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_told_of_what_holds_whole_records_or_is_json_to_its_end(text: bytes) -> None:
    outcome = read(text)
    assert outcome.containers == ["json"]
    assert outcome.skipped[-1].ends_input


def test_every_format_is_recognized_by_one_reader_alone() -> None:
    formats = {
        "evtx": evtx_file(WORLD[:3]),
        **{"csv " + form: TEXTS[form](WORLD).encode() for form in TEXTS if "CSV" in form},
        **{"xml " + form: TEXTS[form](WORLD).encode() for form in TEXTS if "XML" in form},
        **{"ndjson " + form: TEXTS[form](WORLD).encode() for form in ("ndjson",)},
    }
    for name, content in formats.items():
        head = content[:HEAD_BYTES]
        whole = len(head) < HEAD_BYTES
        found = [reader.name for reader in readers(column_names) if reader.recognizes(head, whole)]
        assert found == [name.split()[0]], name
    assert len({compression.name for compression in COMPRESSIONS}) == len(COMPRESSIONS)
