"""Inputs that once gave a wrong answer, as published beside the repository, give the right one."""

import json
from html import unescape
from pathlib import Path

import pytest

from tests.conftest import SHARED, Result, Run
from tests.support.events import matching

FAULTS = SHARED / "cases" / "faults"

pytestmark = pytest.mark.skipif(not FAULTS.is_dir(), reason="no published faults beside it")

RIGHT = {
    "csv-joined-other-order.csv": (1, 1),
    "envelope-one-line.ndjson": (1, 1),
    "envelope-pretty.json": (1, 1),
    "evtx-whole-chunk.evtx.gz": (1, 1),
    "evtx-zeroed-chunk.evtx.gz": (3, 0),
    "hits-source-and-fields.json": (1, 4),
    "ipv4-with-zone.ndjson": (1, 1),
    "ndjson-taken-for-csv-a.ndjson": (1, 1),
    "ndjson-taken-for-csv-b.ndjson": (1, 1),
    "unknown-envelope-with-timestamp.ndjson": (1, 1),
    "zip-joined.zip": (1, 1),
    "zip-size-lie.zip": (3, 1),
    "zip-trailing.zip": (3, 0),
}
"""The exit code of a scan, and how many findings it gives."""


def findings(result: Result) -> list[dict[str, dict[str, str]]]:
    return [json.loads(line) for line in result.out.splitlines()]


@pytest.mark.parametrize("name", RIGHT)
def test_a_scan_of_it_is_right(name: str, run: Run) -> None:
    result = run("scan", FAULTS / name, "--quiet", "-f", "ndjson")
    assert (result.code, len(findings(result))) == RIGHT[name]
    assert all("@timestamp" in finding for finding in findings(result))


@pytest.mark.parametrize("name", ["ndjson-taken-for-csv-a.ndjson", "ndjson-taken-for-csv-b.ndjson"])
def test_a_watch_takes_no_line_of_it_for_a_header(name: str, run: Run, tmp_path: Path) -> None:
    log = tmp_path / name
    log.write_bytes((FAULTS / name).read_bytes())
    result = run("watch", log, "--once", "--baseline", tmp_path / "watch.db", "--quiet")
    assert (result.code, len(findings(result))) == (1, 1)


@pytest.mark.parametrize(
    "name", ["port-as-escaped-reference.ndjson", "port-split-by-comment.ndjson"]
)
def test_its_port_passes_the_sieve_of_a_large_file(name: str, run: Run, tmp_path: Path) -> None:
    other = (json.dumps(matching(destination__port=443)) + "\n").encode()
    large = tmp_path / name
    large.write_bytes(other * (36 * 1024 * 1024 // len(other)) + (FAULTS / name).read_bytes())
    sifted = run("scan", large, "--quiet", "-f", "ndjson", "-j", "1")
    alone = run("scan", FAULTS / name, "--quiet", "-f", "ndjson", "--thorough")
    assert sifted.code == alone.code == 1
    assert [one["destination"]["ip"] for one in findings(sifted)] == [
        one["destination"]["ip"] for one in findings(alone)
    ]


def test_a_time_of_ingest_hides_no_time_of_an_event(run: Run) -> None:
    path = FAULTS / "ingested-hours-later.ndjson"
    own = json.loads(path.read_text().splitlines()[0])["@timestamp"]
    for command in ("scan", "replay"):
        result = run(command, path, "--time-field", "event.ingested", "-f", "ndjson", "--quiet")
        finding = findings(result)[0]
        assert str(finding["@timestamp"])[:16] == own[:16]
        assert finding["event"]["ingested"] > own


def test_a_replay_of_raw_sentinel_one_gives_no_alert(run: Run) -> None:
    result = run("replay", FAULTS / "sentinel-one-raw.ndjson", "-f", "ndjson", "--quiet")
    assert (result.code, result.out) == (4, "")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("defender-mapped-address.ndjson", '"8.8.8.8", "::ffff:8.8.8.8"'),
        ("forwarded-and-mapped.ndjson", "winlog.computer_name"),
    ],
)
def test_its_queries_ask_for_what_it_holds(name: str, asked: str, run: Run) -> None:
    assert asked in unescape(run("scan", FAULTS / name, "-f", "html", "--quiet").out)
