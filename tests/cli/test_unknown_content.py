"""Unknown content that might contain a match is named and gives 4; other stays a count."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.support.events import matching

INTERNAL = json.dumps(matching(destination__ip="10.20.0.5")) + "\n"

WRAPPED = {"vendor": {"to": "45.83.122.10:445", "by": {"id": 4}, "from": "10.20.1.11"}}
"""A connection as nobody here knows it."""

LINE = json.dumps(WRAPPED) + "\n"
TEXT = "src 10.20.1.11 dst 45.83.122.10 port 445 pid 4\n"
HARMLESS = {"vendor": {"to": "10.20.0.7:445", "by": {"id": 4}, "from": "10.20.1.11"}}


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(name, content)
    return file.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as members:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        members.addfile(info, io.BytesIO(content))
    return file.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "log.ndjson": lambda content: content,
    "log.ndjson.gz": gzip.compress,
    "log.zip": lambda content: zipped("inner", content),
    "log.tar.gz": lambda content: gzip.compress(tarred("inner", content)),
    "nested.zip": lambda content: zipped("inner.zip", zipped("inner", content)),
}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log in which all is evaluated and nothing found."""
    logs = tmp_path / "logs"
    logs.mkdir()
    write(logs, "good.ndjson", INTERNAL * 5)
    return logs


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_record_of_no_known_source_is_named_wherever_it_lies(
    packing: str, folder: Path, run: Run
) -> None:
    content = (INTERNAL * 3 + LINE + INTERNAL * 3).encode()
    write(folder, packing, PACKINGS[packing](content))
    result = run("scan", folder, "--quiet")
    assert (result.code, result.out) == (4, "")
    assert packing in result.err
    assert ":4: of no known source, but might contain a match" in result.err


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_file_of_no_known_format_is_named_in_every_encoding(
    packing: str, encoding: str, folder: Path, run: Run
) -> None:
    content = ("# notes\n" * 2_000 + TEXT + "# notes\n" * 2_000).encode(encoding)
    write(folder, packing, PACKINGS[packing](content))
    result = run("scan", folder, "--quiet")
    assert (result.code, result.out) == (4, "")
    assert packing in result.err
    assert "of no known format, but might contain a match" in result.err


def test_a_record_behind_the_sieve_of_a_large_file_is_named(folder: Path, run: Run) -> None:
    other = INTERNAL.replace("445", "443")
    lines = 34 * 1024 * 1024 // len(other)
    large = write(folder, "large.ndjson", other * (lines // 2) + LINE + other * (lines // 2))
    result = run("scan", large, "--quiet", "-j", "1")
    assert result.code == 4
    assert f"large.ndjson:{lines // 2 + 1}: of no known source" in result.err


@pytest.mark.parametrize("command", ["scan", "inspect", "replay"])
def test_every_command_that_reads_says_so(command: str, folder: Path, run: Run) -> None:
    write(folder, "other.ndjson", LINE)
    result = run(command, folder)
    assert result.code == 4
    assert "other.ndjson:1: of no known source, but might contain a match" in result.err


def test_what_cannot_hold_a_match_stays_a_count(folder: Path, run: Run) -> None:
    write(folder, "other.ndjson", json.dumps(HARMLESS) + "\n" + '{"a": 445}\n')
    result = run("scan", folder)
    assert result.code == 0
    assert "2 of no known source" in result.err


def test_it_may_be_ignored_by_an_option_and_by_the_configuration(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    write(folder, "other.ndjson", LINE)
    write(folder, "notes.txt", TEXT)
    result = run("scan", folder, "--ignore-unknown")
    assert result.code == 0
    assert "2 unknown that might contain a match (--ignore-unknown)" in result.err
    assert "but might" not in result.err
    config = write(tmp_path, "smbrare.toml", "ignore_unknown = true\n")
    assert run("scan", folder, "--config", config).code == 0


def test_many_such_files_are_a_few_lines_and_a_count(folder: Path, run: Run) -> None:
    for number in range(30):
        write(folder, f"{number}.txt", TEXT)
    result = run("scan", folder, "--quiet")
    assert result.code == 4
    assert len(result.err.splitlines()) == 11
    assert "and 20 more inputs not evaluated" in result.err


def test_findings_stay_findings_beside_it(folder: Path, run: Run) -> None:
    write(folder, "other.ndjson", LINE)
    write(folder, "found.ndjson", json.dumps(matching()) + "\n")
    assert run("scan", folder, "--quiet").code == 1
    assert run("scan", folder, "--quiet", "--exit-zero").code == 4
