"""Every limit can be lowered, and says where it was hit: counted, located, and in the exit code."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from smbrare import limits
from smbrare.cli import cli
from smbrare.limits import DEFAULT, NAMES
from tests.conftest import ROOT, Run
from tests.support.container_fixtures import CONNECTIONS
from tests.support.container_world import TEXTS, evtx_file, read, tarred, xml, zipped
from tests.support.events import matching

GOOD = TEXTS["ndjson"](CONNECTIONS).encode()
LINES = GOOD.splitlines(keepends=True)
EVENTS = [xml(connection).encode() for connection in CONNECTIONS]
TABLE = TEXTS["Advanced Hunting CSV"](CONNECTIONS).encode()


def deep(levels: int) -> bytes:
    return json.dumps(matching(user=json.loads("[" * levels + "]" * levels))).encode() + b"\n"


def port_of(characters: int) -> bytes:
    return json.dumps(matching(destination__port="445".zfill(characters))).encode() + b"\n"


def gzipped(times: int) -> bytes:
    content = GOOD
    for _ in range(times):
        content = gzip.compress(content, mtime=0)
    return content


class Case(NamedTuple):
    """A file that hits a limit: what is lowered, its name and content, what is told, the code."""

    lowered: str
    name: str
    content: Callable[[], bytes]
    told: str
    code: int


CASES = (
    Case(
        "record-bytes=2KiB",
        "long.ndjson",
        lambda: LINES[0] + json.dumps(matching(message="x" * 3_000)).encode() + b"\n" + LINES[1],
        "long.ndjson:2: skipped: longer than 2 KiB (limit record-bytes)",
        1,
    ),
    Case(
        "record-bytes=2KiB",
        "long.xml",
        lambda: b"".join(EVENTS).replace(b"</Event>", b"x" * 200_000 + b"</Event>", 1),
        "long.xml:1: skipped: longer than 2 KiB (limit record-bytes)",
        1,
    ),
    Case(
        "nesting=20",
        "deep.ndjson",
        lambda: LINES[0] + deep(20) + LINES[1],
        "deep.ndjson:2: skipped: nested too deeply (limit nesting)",
        1,
    ),
    Case(
        "nesting=20",
        "deep.json",
        lambda: b"[" + b",".join((LINES[1], deep(20), LINES[0])) + b"]",
        "deep.json:2: skipped: nested too deeply (limit nesting)",
        1,
    ),
    Case(
        "nesting=5",
        "deep.xml",
        lambda: b"".join(EVENTS).replace(b"</System>", b"<a><b><c><d/></c></b></a></System>", 1),
        "deep.xml:1: skipped: nested too deeply (limit nesting)",
        1,
    ),
    Case(
        "number-digits=100",
        "long.ndjson",
        lambda: b"".join((LINES[0], port_of(100), port_of(101))),
        "long.ndjson:3: skipped: a number of more than 100 digits (limit number-digits)",
        1,
    ),
    Case(
        "number-digits=99",
        "long.json",
        lambda: b"[" + b",".join((port_of(99), LINES[0], port_of(200))) + b"]",
        "long.json:3: skipped: a number of more than 99 digits (limit number-digits)",
        1,
    ),
    Case(
        "csv-field=100",
        "wide.csv",
        lambda: TABLE + TABLE.splitlines()[1].replace(b"10.20.", b"x" * 101) + b"\n",
        "wide.csv:5: skipped: field larger than field limit (100) (limit csv-field)",
        1,
    ),
    Case(
        "xml-elements=60",
        "many.xml",
        lambda: b"".join(EVENTS).replace(b"</System>", b"<a/>" * 60 + b"</System>", 1),
        "many.xml:1: skipped: more than 60 elements (limit xml-elements)",
        1,
    ),
    Case(
        "xml-attributes=9",
        "broad.xml",
        lambda: b"".join(EVENTS).replace(
            b"</System>",
            b"<a " + b" ".join(b"n%d='1'" % n for n in range(10)) + b"/></System>",
            1,
        ),
        "broad.xml:1: skipped: more than 9 attributes (limit xml-attributes)",
        1,
    ),
    Case(
        "layers=1",
        "twice.gz",
        lambda: gzipped(2),
        "twice.gz: more than 1 layers inside one another (limit layers)",
        3,
    ),
    Case(
        "archive-members=1",
        "two.zip",
        lambda: zipped({"a.ndjson": GOOD, "b.ndjson": GOOD}),
        "two.zip: more than 1 members (limit archive-members)",
        3,
    ),
    Case(
        "archive-members=1",
        "two.tar",
        lambda: tarred({"a.ndjson": GOOD, "b.ndjson": GOOD}),
        "two.tar: more than 1 members (limit archive-members)",
        3,
    ),
    Case(
        "archive-directory-bytes=100",
        "list.zip",
        lambda: zipped({f"{number}.ndjson": GOOD for number in range(9)}),
        "its list of members is longer than 100 bytes (limit archive-directory-bytes)",
        3,
    ),
    Case(
        "decompressed-bytes=1000",
        "long.gz",
        lambda: gzipped(1),
        "unpacks to more than 1000 bytes (limit decompressed-bytes)",
        3,
    ),
    Case(
        "expansion=2 expansion-free-bytes=1000",
        "bomb.gz",
        lambda: gzip.compress(GOOD + LINES[0] * 1_000, mtime=0),
        "unpacks to more than 2 times its size (limit expansion)",
        3,
    ),
    Case(
        "spool-bytes=1KiB",
        "packed.evtx.gz",
        lambda: gzip.compress(evtx_file(CONNECTIONS), mtime=0),
        "packed.evtx.gz: a copy longer than 1 KiB (limit spool-bytes)",
        3,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.lowered}-{case.name}" for case in CASES])
def test_a_limit_that_was_hit_is_counted_and_located_and_decides_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], case: Case
) -> None:
    (tmp_path / case.name).write_bytes(case.content())
    monkeypatch.chdir(tmp_path)
    # In this process: there are many, and a process apiece takes its time.
    options = [f"--limit={one}" for one in case.lowered.split()]
    arguments = ["scan", case.name, "-f", "json", "--no-baseline", *options]
    assert cli.main(arguments, standalone_mode=False) == case.code
    printed = capfd.readouterr()
    assert case.told in " ".join(printed.err.split())
    scan = json.loads(printed.out)["scan"]
    assert scan["skipped"] == 1
    # What stands around a record that is skipped is found all the same.
    assert scan["findings"] >= (case.code == 1)


def test_every_limit_has_a_case() -> None:
    lowered = {one.partition("=")[0] for case in CASES for one in case.lowered.split()}
    assert lowered == set(NAMES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_none_of_it_is_skipped_without_the_option(case: Case) -> None:
    assert read(case.content()).skipped == ()


def test_the_commands_that_read_take_limits(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "deep.ndjson"
    path.write_bytes(LINES[0] + deep(20))
    told = "deep.ndjson:2: skipped: nested too deeply (limit nesting)"
    for command in (
        ("inspect", path),
        ("replay", path),
        ("baseline", "learn", tmp_path / "a.db", path),
    ):
        result = run(*command, "--limit", "nesting=20")
        assert told in result.err
        assert result.code == 3
    explained = run("explain", f"{path}:2", "--limit", "nesting=20")
    assert "nested too deeply (limit nesting)" in explained.out
    assert explained.code == 3


def test_limits_stand_in_the_configuration_for_every_command(run: Run, tmp_path: Path) -> None:
    path, file = tmp_path / "deep.ndjson", tmp_path / "smbrare.toml"
    path.write_bytes(deep(20))
    file.write_text('[limits]\nnesting = 20\nrecord_bytes = "1 MiB"\n')
    for command in ("scan", "replay"):
        assert run(command, path, "--config", file).code == 3
    # Name by name, a variable wins over the file and the command line over both.
    assert run("scan", path, "--config", file, "--limit", "nesting=30").code == 1
    assert run("scan", path, "--config", file, env={"SMBRARE_LIMITS": "nesting=30"}).code == 1
    told = run("scan", path, "-v", "--config", file, "--limit", "nesting=30").err
    assert f"limit record-bytes=1048576, from {file}\n" in told
    assert "limit nesting=30, from the command line\n" in told
    assert "nesting=20" not in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[limits]\n\nnestin = 3\n", ":3: unknown key 'nestin'; did you mean 'nesting'?"),
        ("[limits]\nnesting = 251\n", ":2: nesting: nesting has to be from 1 to 250, not 251"),
        ("[limits]\nnesting = true\n", ":2: nesting: True cannot be its value"),
        ("limits = 3\n", ":1: unknown key 'limits'"),
    ],
)
def test_a_limit_in_the_configuration_that_cannot_be_is_named_with_its_line(
    run: Run, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "smbrare.toml"
    file.write_text(text)
    result = run("scan", ROOT / "fixtures" / "sample.ndjson", "--config", file)
    assert result.code == 2
    assert f"{file}{told}" in result.err


def test_a_limit_on_the_command_line_that_cannot_be_is_wrong_usage(run: Run) -> None:
    for given, told in (
        ("nesting", "is not NAME=VALUE"),
        ("depth=1", "'depth' is no limit; known"),
    ):
        result = run("scan", ROOT / "fixtures" / "sample.ndjson", "--limit", given)
        assert result.code == 2
        assert told in result.err


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("record-bytes", "2 KiB", 2048),
        ("record-bytes", "1GiB", 1 << 30),
        ("nesting", "250", 250),
        ("spool-bytes", "0", 0),
    ],
)
def test_a_value_is_read(name: str, value: str, number: int) -> None:
    assert limits.parse(name, value) == number


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nesting", "0"),
        ("nesting", "-1"),
        ("nesting", "1KiB"),
        ("nesting", "٣"),
        ("record-bytes", "1 MB"),
        ("record-bytes", "1023"),
        ("record-bytes", "2GiB"),
        ("record-bytes", ""),
        ("expansion", "1" * 16),
    ],
)
def test_a_value_that_bounds_nothing_or_says_nothing_is_none(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        limits.parse(name, value)


def test_the_document_names_every_limit_with_its_default() -> None:
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", text, re.MULTILINE))
    defaults = {}
    for name in NAMES:
        value = getattr(DEFAULT, name.replace("-", "_"))
        defaults[name] = limits.size_text(value) if name.endswith("-bytes") else f"{value:,}"
    assert rows == defaults
