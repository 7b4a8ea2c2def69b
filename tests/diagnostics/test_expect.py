"""Expected findings: the same in every form, and every difference named."""

import json
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.diagnostics.expect import compare, parse
from smbrare.errors import UsageError
from tests.conftest import FIXTURES, Run
from tests.support.events import matching
from tests.support.findings import finding

SAMPLE = FIXTURES / "sample.ndjson"
CSV = (FIXTURES / "expected.csv").read_bytes()


def test_what_ndjson_wrote_once_is_what_the_next_scan_finds(run: Run, tmp_path: Path) -> None:
    expected = tmp_path / "expected.ndjson"
    assert run("scan", SAMPLE, "--format", "ndjson", "-o", expected).code == 1
    result = run("scan", *sorted((FIXTURES / "week").iterdir()), "--expect", expected)
    assert result.code == 0
    assert "The findings are those expected." in result.err
    assert "found" not in result.err


def test_every_form_reads_the_same(run: Run) -> None:
    ndjson = run("scan", SAMPLE, "--format", "ndjson").out
    csv = run("scan", SAMPLE, "--format", "csv").out
    expected = parse(CSV, "expected.csv")
    assert len(expected) == 3
    for text in (ndjson, csv, ndjson.replace("\n", "\r\n"), CSV.decode()):
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            assert parse(text.encode(encoding), "x") == expected


def test_what_is_missing_and_what_is_not_expected_are_named(run: Run, tmp_path: Path) -> None:
    expected = tmp_path / "expected.csv"
    expected.write_bytes(CSV.replace(b"45.83.122.10", b"45.83.122.11"))
    result = run("scan", SAMPLE, "--expect", expected, "-q")
    assert result.code == 1
    assert result.err.splitlines() == [
        "smbrare: expected, not found: 45.83.122.11 at 2026-11-18T09:11:18Z",
        "smbrare: found, not expected: 45.83.122.10 at 2026-11-18T09:11:18Z",
    ]


def test_finding_nothing_where_something_is_expected_is_1(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(destination__ip="10.0.0.1")) + "\n")
    assert run("scan", path, "--expect", FIXTURES / "expected.csv").code == 1
    assert run("scan", path, "--expect", FIXTURES / "expected.csv", "--exit-zero").code == 1


def test_an_empty_file_expects_nothing(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "expected.ndjson"
    empty.write_bytes(b"")
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(destination__ip="10.0.0.1")) + "\n")
    assert run("scan", path, "--expect", empty).code == 0
    assert run("scan", SAMPLE, "--expect", empty).code == 1


def test_expecting_nothing_is_no_all_clear_where_nothing_was_judged(
    run: Run, tmp_path: Path
) -> None:
    empty = tmp_path / "expected.ndjson"
    empty.write_bytes(b"")
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps(matching(host__os__type=None)) + "\n")
    assert run("scan", path, "--expect", empty).code == 4


def test_an_input_that_was_not_read_to_its_end_stays_3(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(SAMPLE.read_bytes() + b'{"cut')
    assert run("scan", path, "--expect", FIXTURES / "expected.csv").code == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{broken\n", "neither NDJSON nor CSV"),
        (b"\xff\xfe\x00", "neither NDJSON nor CSV"),
        (b"\x80", "neither NDJSON nor CSV"),
        (b'{"@timestamp": "2026-11-16T08:30:00Z"}\n', ":1: no destination.ip"),
        (b"a,b\n1,2\n", "no column destination.ip"),
        (b"garbage", "no column destination.ip"),
        (b"destination,time\n,2026-11-16\n", ":2: no destination.ip"),
        (b"destination,time\nhost,2026-11-16\n", ":2: no address"),
        (b"destination,time\n45.83.122.10,noon\n", ":2: no date"),
        (b'{"destination": {"ip": 7}}\n', ":1: no address"),
    ],
)
def test_a_file_that_cannot_be_read_is_wrong_usage_before_the_scan(
    run: Run, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "expected"
    path.write_bytes(content)
    result = run("scan", "no-such-file", "--expect", path)
    assert result.code == 2
    assert reason in result.err
    assert "no-such-file" not in result.err


def test_a_missing_file_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    result = run("scan", SAMPLE, "--expect", tmp_path / "none")
    assert result.code == 2
    assert "cannot open" in result.err


def test_two_findings_of_one_address_and_time_are_two() -> None:
    expected = parse(b"destination.ip,@timestamp\n45.83.122.10,2026-11-16T08:00:00Z\n", "x")
    assert compare(expected, [finding()]).missing == ()
    assert len(compare(expected, [finding(), finding()]).unexpected) == 1


def test_an_undated_finding_is_expected_without_a_time() -> None:
    expected = parse(b"destination.ip,@timestamp\n45.83.122.10,\n", "x")
    difference = compare(expected, [finding(time=None)])
    assert (difference.missing, difference.unexpected) == ((), ())


keys = st.tuples(st.sampled_from(["45.83.122.10"]), st.sampled_from([None, 0, 1, 2]))


@given(st.lists(keys), st.lists(keys))
def test_the_difference_leads_from_the_one_to_the_other(
    expected: list[tuple[str, int | None]], found: list[tuple[str, int | None]]
) -> None:
    difference = compare(Counter(expected), [finding(time=time) for _, time in found])
    there = Counter(expected) - Counter(difference.missing) + Counter(difference.unexpected)
    assert there == Counter(found)


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(UsageError):
        assert all(ip_address(destination) for destination, _ in parse(content, "x"))
