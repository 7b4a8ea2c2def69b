"""What docs/compatibility.md promises of names and numbers; where it names a test, there is one."""

import csv
import re

from smbrare import errors
from tests.conftest import FIXTURES, ROOT, Run

PAGE = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
IDS = {
    "20.60.40.9": "fef1d287795f6259538029706bcb2642",
    "45.83.122.10": "01a268e7199e2e5d99513b3e5d5f556c",
    "91.219.236.18": "fda68ad174a8f90cc60c9f0e8cee872a",
}
"""Destinations of the sample, and the ids of their findings since the first revision."""
COLUMNS = (
    "@timestamp destination.ip destination.port destination.domain source.ip source.port host.name "
    "host.id user.domain user.name process.pid process.executable event.action event.outcome "
    "event.code event.id network.transport network.direction event.reason rule.uuid log.file.path "
    "log.offset smbrare.id smbrare.status smbrare.source smbrare.record smbrare.previous_seen "
    "smbrare.last_seen smbrare.events smbrare.outcomes smbrare.ports smbrare.hosts "
    "smbrare.host_count smbrare.history_known_seconds smbrare.history_sampled smbrare.inferred "
    "smbrare.late smbrare.exclusion smbrare.known_first_seen smbrare.known_last_seen "
    "smbrare.known_hosts smbrare.new_hosts smbrare.dns_names destination.geo.country_iso_code "
    "destination.as.number destination.as.organization.name threat.indicator.name "
    "threat.indicator.provider smbrare.labels event.ingested"
)


def test_exit_codes_keep_their_numbers() -> None:
    codes = {name: code for name, code in vars(errors).items() if isinstance(code, int)}
    assert codes == {
        "EXIT_CLEAN": 0,
        "EXIT_FINDINGS": 1,
        "EXIT_USAGE": 2,
        "EXIT_UNREADABLE": 3,
        "EXIT_UNJUDGED": 4,
        "EXIT_INTERNAL": 70,
        "EXIT_INTERRUPTED": 130,
        "EXIT_CLOSED_PIPE": 141,
        "EXIT_TERMINATED": 143,
    }


def test_findings_keep_their_ids_and_csv_its_columns(run: Run) -> None:
    text = run("scan", FIXTURES / "sample.ndjson", "-f", "csv", "--no-baseline").out
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["destination.ip"]: row["smbrare.id"] for row in rows} == IDS
    assert set(COLUMNS.split()) <= rows[0].keys()


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", PAGE)
    assert len(set(named)) >= 5
    assert [name for name in named if not (ROOT / name).exists()] == []
