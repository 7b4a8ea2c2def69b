"""Lines with a flaw that hides nothing are read like others, and said to be mended."""

import json
from pathlib import Path

import pytest

from tests.conftest import SHARED, Run
from tests.support.events import matching

GOOD = json.dumps(matching(destination__ip="10.20.0.5"))
MATCH = json.dumps(matching())
FLAWED = {
    "joined": f"{GOOD}\n{GOOD}{MATCH}\n{GOOD}\n",
    "joined at the end": f"{GOOD}\n{GOOD}{MATCH}",
    "NUL": f"{GOOD}\n" + "\0" * 64 + f"{MATCH}\n{GOOD}\n",
    "NUL first": "\0" * 64 + f"{MATCH}\n{GOOD}\n",
    "NUL behind": f"{GOOD}\n{MATCH}" + "\0" * 512 + f"\n{GOOD}\n",
    "mark behind NUL": f"{GOOD}\n\0\ufeff{MATCH}\n",
    "comma": f"{MATCH},\n{GOOD},\n",
    "comma last": f"{GOOD}\n{MATCH},",
    "control": f'{GOOD}\n{MATCH[:-1]}, "message": "a\tb\x01c"}}\n',
    "NaN": f'{GOOD}\n{MATCH[:-1]}, "score": NaN, "n": -Infinity}}\n',
    "alone": f"{MATCH},",
    "NaN alone": f'{MATCH[:-1]}, "score": NaN}}\n',
}


@pytest.mark.parametrize("flaw", FLAWED)
def test_a_flawed_line_is_read_and_counted_as_mended(run: Run, tmp_path: Path, flaw: str) -> None:
    path = tmp_path / "flawed.ndjson"
    path.write_bytes(FLAWED[flaw].encode())
    result = run("scan", path, "-f", "ndjson", "--strict")
    assert [json.loads(line)["destination"]["ip"] for line in result.out.splitlines()] == [
        "45.83.122.10"
    ]
    assert result.code == 1
    number = 1 + next(
        number for number, line in enumerate(FLAWED[flaw].split("\n")) if line not in {GOOD, MATCH}
    )
    assert f"of flawed JSON, the first at {path}:{number}: " in result.err
    assert "skipped" not in result.err


def test_of_a_line_whose_end_is_torn_the_whole_objects_count(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "torn.ndjson"
    path.write_text(f"{GOOD}\n{MATCH}{MATCH[:60]}\n{GOOD}\n")
    result = run("scan", path, "-f", "ndjson", "--exit-zero")
    assert len(result.out.splitlines()) == 1
    assert "1 skipped" in result.err
    assert f"{path}:2: skipped: " in result.err
    assert run("scan", path, "--strict").code == 3


def test_what_may_be_a_part_of_a_larger_object_is_not_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "part.ndjson"
    path.write_text(f"{GOOD}\n{MATCH}}}\n{GOOD}\n")
    result = run("scan", path, "-f", "ndjson")
    assert result.out == ""
    assert result.code == 3


@pytest.mark.parametrize(
    "name",
    [
        "24-nul-run-before-line.ndjson",
        "31-cat-without-final-newline.ndjson",
        "32-lines-with-trailing-comma.json",
    ],
)
def test_a_given_case_is_found(run: Run, name: str) -> None:
    path = SHARED / "cases" / "shapes" / name
    if not path.is_file():
        pytest.skip("no cases beside the repository")
    result = run("scan", path, "-f", "ndjson", "--strict")
    assert (len(result.out.splitlines()), result.code) == (1, 1)
    assert "mended   " in result.err
