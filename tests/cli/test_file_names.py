"""Names of files and members that are not UTF-8 cost no finding, and no output loses them."""

import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.text import name_from, name_text
from tests.conftest import FIXTURES, Run

SAMPLE = (FIXTURES / "sample.ndjson").read_bytes()
ODD = b"l\xf6g \xff\\x.ndjson"
SHOWN = r"l\xf6g \xff\\x.ndjson"
HIT = b"SMB 445 pid 4 from 10.20.1.14 to 20.60.40.9\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of logs, archives, unknown content, a pipe and a link, all with such names."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / os.fsdecode(ODD)).write_bytes(SAMPLE)
    (folder / os.fsdecode(b"cut\xe4")).write_bytes(SAMPLE + b'{"a":\n')
    (folder / os.fsdecode(b"unknown\xe4")).write_bytes(HIT)
    (folder / os.fsdecode(b"folder\xe4")).mkdir()
    (folder / os.fsdecode(b"link\xe4")).symlink_to(os.fsdecode(b"nothing\xe4"))
    os.mkfifo(folder / os.fsdecode(b"pipe\xe4"))
    with tarfile.open(folder / "t.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo(os.fsdecode(ODD))
        member.size = len(SAMPLE)
        tar.addfile(member, io.BytesIO(SAMPLE))
    (folder / "z.zip").write_bytes(zipped("ö-XXX.ndjson", "ö.ndjson"))
    return folder


def zipped(*members: str) -> bytes:
    """A zip whose first member's name is not the UTF-8 that the list says it is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in members:
            archive.writestr(name, SAMPLE)
    return file.getvalue().replace(b"XXX", b"\xe4\xff\\")


def paths(document: Any) -> set[str]:
    return {finding["log"]["file"]["path"] for finding in document}


@pytest.mark.parametrize("scheme", [("-j", "1"), ("-j", "2"), ("--thorough",)])
def test_a_name_is_in_json_as_it_can_be_had_again(run: Run, logs: Path, scheme: list[str]) -> None:
    at = f"{logs}/{SHOWN}"
    for given_name in (logs / os.fsdecode(ODD), at):
        result = run("scan", given_name, "-f", "json", *scheme)
        document = json.loads(result.out)
        assert result.code == 1
        assert paths(document["findings"]) == {at}
        assert document["scan"]["inputs"][0]["path"] == at
        assert os.fsencode(name_from(at)) == os.fsencode(logs) + b"/" + ODD


@pytest.mark.parametrize("name", ["table", "json", "ndjson", "csv", "html", "markdown", "sarif"])
def test_every_format_has_the_findings(run: Run, logs: Path, tmp_path: Path, name: str) -> None:
    for command in (("scan",), ("replay", "--inferred")):
        if command[0] == "replay" and name in {"html", "markdown", "sarif"}:
            continue
        out = tmp_path / os.fsdecode(b"out\xe4")
        result = run(*command, logs, "-f", name, "-o", out)
        assert result.code == 1, result.err
        assert r"cut\xe4" in result.err
        assert r"link\xe4" in result.err
        assert "45.83.122.10" in out.read_text()


def test_members_with_such_names_are_read(run: Run, logs: Path) -> None:
    for archive, names in (
        ("t.tar", {SHOWN}),
        ("z.zip", {r"ö-\xe4\xff\\.ndjson", "ö.ndjson"}),
    ):
        result = run("scan", logs / archive, "-f", "json")
        found = {one["path"] for one in json.loads(result.out)["scan"]["inputs"]}
        assert found == {f"{logs / archive}!{name}" for name in names}
        assert result.code == 1
        assert run("explain", f"{logs / archive}!{max(names)}:16").code == 0


def test_every_command_takes_and_shows_them(run: Run, logs: Path, tmp_path: Path) -> None:
    log, odd = logs / os.fsdecode(ODD), tmp_path / os.fsdecode(b"odd\xe4")
    exclusions = tmp_path / os.fsdecode(b"ex\xe4.toml")
    exclusions.write_text('[[exclusion]]\nreason = "x"\ndestination = "8.8.8.8"\n')
    intel = tmp_path / os.fsdecode(b"intel\xe4")
    intel.write_text("45.83.122.10\n")
    for number, (code, *command) in enumerate(
        [
            (0, "explain", f"{log}:12", "-f", "json"),
            (3, "inspect", logs, "-f", "json"),
            (0, "inspect", log),
            (3, "scan", logs, "--dry-run", "-f", "json"),
            (1, "scan", log, "--baseline", odd, "-f", "json", "-v"),
            (1, "scan", log, "--exclusions", exclusions, "-f", "json", "-v"),
            (1, "scan", log, "--intel", intel, "-f", "json"),
            (2, "scan", log, "--intel", f"{intel}#c\udce4l", "-f", "html"),
            (0, "replay", log, "--compare", "-f", "json"),
            (0, "baseline", "show", odd, "-f", "json"),
            (0, "baseline", "verify", odd),
            (0, "baseline", "merge", odd, odd, "-o", tmp_path / os.fsdecode(b"both\xe4")),
            (2, "baseline", "show", f"{odd}2"),
            (2, "scan", log, "--history", "\udce4"),
            (3, "scan", f"{log}2"),
        ]
    ):
        result = run(*command)
        assert result.code == code, (number, result.err)


def test_a_watch_follows_them_from_run_to_run(run: Run, logs: Path, tmp_path: Path) -> None:
    (logs / os.fsdecode(b"cut\xe4")).unlink()
    baseline, out = (tmp_path / os.fsdecode(name) for name in (b"b\xe4", b"out\xe4"))
    command = ("watch", logs, "--baseline", baseline, "--once", "-o", out)
    assert run(*command).code != 70
    assert paths(map(json.loads, out.read_text().splitlines())) == {f"{logs}/{SHOWN}"}
    log = logs / os.fsdecode(ODD)
    log.rename(f"{log}.1")
    log.write_bytes(SAMPLE)
    result = run("watch", log, "--baseline", baseline, "--once")
    assert (result.code, result.out) == (0, ""), result.err


BYTES = st.lists(st.sampled_from([b"\\", b"x", b"f6", b"\xf6", "ö".encode(), b"\xed\xb2\x80"]))


@given(st.binary() | BYTES.map(b"".join))
def test_a_text_of_a_name_holds_all_of_it(name: bytes) -> None:
    text = name_text(os.fsdecode(name))
    text.encode()
    assert os.fsencode(name_from(text)) == name
    if "\\" not in os.fsdecode(name):
        assert "\\" not in text or text != os.fsdecode(name)


@pytest.mark.parametrize("name", [r"C:\x\logs", "täglich.ndjson", r"a\x41", r"\\server\x0f"])
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert name_text(name) == name_from(name) == name
