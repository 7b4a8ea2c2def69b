"""What was not reported: what the baseline held back, and what exclusions did."""

import json
from pathlib import Path
from typing import Any

import pytest

from smbrare.baseline.store import Baseline
from tests.conftest import Run
from tests.support.events import DESTINATION, matching
from tests.support.reports import write

OTHER = "91.219.236.18"


def findings(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def acme(run: Run, tmp_path: Path) -> Path:
    """A baseline that has seen three destinations from WS-01."""
    seen = [matching(destination__ip=ip) for ip in (DESTINATION, OTHER, "20.60.40.9")]
    again = matching(timestamp="2026-11-17T08:00:00Z")
    run("scan", write(tmp_path / "seen.ndjson", [*seen, again]), "--baseline", tmp_path / "acme.db")
    return tmp_path / "acme.db"


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """Events of the day after: the same destinations, one of them from a new host."""
    events = [
        matching(timestamp="2026-11-18T09:00:00Z", host__name="WS-07"),
        matching(timestamp="2026-11-18T09:30:00Z"),
        matching(timestamp="2026-11-18T10:00:00Z", destination__ip=OTHER),
        matching(timestamp="2026-11-18T11:00:00Z", destination__ip="20.60.40.9"),
        matching(timestamp="2026-11-18T12:00:00Z", destination__ip="185.220.101.4"),
    ]
    return write(tmp_path / "later.ndjson", events)


# The baseline


def test_what_the_baseline_suppressed_is_said_with_the_new_host(
    run: Run, acme: Path, later: Path
) -> None:
    result = run("scan", later, "--baseline", acme, "--no-update")
    known = f"suppr.   3 known to the baseline {acme} (1 of them from a new host WS-07)"
    assert known in result.err
    assert "known to" not in run("scan", later).err


def test_many_new_hosts_are_named_up_to_five(run: Run, acme: Path, tmp_path: Path) -> None:
    events = [
        matching(timestamp="2026-11-18T09:00:00Z", host__name=f"WS-{number}")
        for number in range(10, 18)
    ]
    err = run("scan", write(tmp_path / "e.ndjson", events), "--baseline", acme).err
    assert "1 of them from new hosts WS-10, WS-11, WS-12, WS-13, WS-14 and 3 more" in err


def test_known_and_all_show_it_as_documents(run: Run, acme: Path, later: Path) -> None:
    options = ("--baseline", acme, "--no-update", "-f", "ndjson")
    new = findings(run("scan", later, *options).out)
    known = findings(run("scan", later, *options, "--show", "known").out)
    every = findings(run("scan", later, *options, "--show", "all").out)
    assert [finding["smbrare"]["status"] for finding in new] == ["new"]
    assert [finding["smbrare"]["status"] for finding in known] == ["known"] * 3
    assert every == [*known, *new]
    own = known[0]["smbrare"]
    assert own["known_first_seen"] == "2026-11-16T08:00:00Z"
    assert own["known_last_seen"] == "2026-11-17T08:00:00Z"
    assert own["previous_seen"] == "2026-11-17T08:00:00Z"
    assert own["last_seen"] == "2026-11-18T09:30:00Z"
    assert own["known_hosts"] == ["ws-01"]
    assert own["new_hosts"] == ["WS-07"]
    assert known[0]["log"]["file"]["path"] == str(later)


@pytest.mark.parametrize("output_format", ["table", "json", "csv", "markdown", "sarif"])
def test_every_format_shows_status_first_last_and_where(
    run: Run, acme: Path, later: Path, output_format: str
) -> None:
    options = ("--baseline", acme, "--no-update", "--show", "known", "-f", output_format)
    result = run("scan", later, *options)
    assert result.code == 1
    text = result.out.replace("T09:", " 09:")
    for part in (DESTINATION, OTHER, "known", "2026-11-18 09:00:00", "2026-11-18 09:30:00"):
        assert part in text
    assert "2026-11-16 08:00:00" in text.replace("T08:", " 08:")
    assert later.name in text
    assert "WS-07" in text
    assert "185.220.101.4" not in text or output_format in {"json", "sarif"}


def test_json_counts_what_was_suppressed(run: Run, acme: Path, later: Path) -> None:
    out = run("scan", later, "--baseline", acme, "--no-update", "-f", "json").out
    scan = json.loads(out)["scan"]
    assert (scan["findings"], scan["suppressed"], scan["new_hosts"]) == (1, 3, ["WS-07"])


def test_the_exit_code_does_not_count_what_is_only_shown(
    run: Run, acme: Path, tmp_path: Path
) -> None:
    known = write(tmp_path / "e.ndjson", [matching(timestamp="2026-11-18T09:00:00Z")])
    assert run("scan", known, "--baseline", acme, "--show", "all").code == 0


# Exclusions


def test_an_excluded_destination_is_not_found_and_counted_with_its_reason(
    run: Run, later: Path
) -> None:
    excluded = ("--exclude", "45.83.122.0/24", "--exclude", OTHER)
    result = run("scan", later, "-v", "-f", "ndjson", *excluded)
    assert [f["destination"]["ip"] for f in findings(result.out)] == ["20.60.40.9", "185.220.101.4"]
    assert "suppr.   2 excluded" in result.err
    first = "excluded 2 matching events of 1 destination: command line (destination 45.83.122.0/24)"
    assert first in result.err
    assert f"1 matching event of 1 destination: command line (destination {OTHER})" in result.err


def test_excluded_sightings_are_shown_with_the_reason_on_request(run: Run, later: Path) -> None:
    options = ("--exclude", DESTINATION, "--show", "excluded", "-f", "ndjson")
    (finding,) = findings(run("scan", later, *options).out)
    own = finding["smbrare"]
    assert own["status"] == "excluded"
    assert own["exclusion"] == f"command line (destination {DESTINATION})"
    assert (own["events"], own["host_count"]) == (2, 2)
    assert own["last_seen"] == "2026-11-18T09:30:00Z"


def exclusion(path: Path, text: str) -> Path:
    path.write_text("[[exclusion]]\n" + text)
    return path


TEST = """
reason = "penetration test"
destination = "45.83.122.0/24"
from = 2026-11-16T00:00:00Z
until = 2026-11-17T00:00:00Z
"""


def test_an_excluded_sighting_does_not_count_as_seen_even_if_recorded_before(
    run: Run, acme: Path, tmp_path: Path
) -> None:
    event = write(tmp_path / "e.ndjson", [matching(timestamp="2026-11-17T06:00:00Z")])
    options = ("--baseline", acme, "--no-update")
    assert run("scan", event, *options).code == 0
    test = exclusion(tmp_path / "x.toml", TEST)
    result = run("scan", event, *options, "--exclusions", test)
    assert result.code == 1
    assert "penetration test" not in result.err


def test_changing_exclusions_needs_no_rebuild(run: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "b.db"
    test = exclusion(tmp_path / "x.toml", TEST)
    during = write(tmp_path / "1.ndjson", [matching()])
    after = write(tmp_path / "2.ndjson", [matching(timestamp="2026-11-18T08:00:00Z")])
    options = ("--baseline", baseline)
    assert run("scan", during, *options, "--exclusions", test).code == 0
    assert run("scan", after, *options, "--exclusions", test, "--no-update").code == 1
    # Without the exclusion what was excluded counts as seen.
    assert run("scan", after, *options, "--no-update").code == 0


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('source = "10.20.1.0/24"', []),
        ('source = ["10.30.0.0/16", "10.20.1.11"]', []),
        ('host = "ws-0?"', []),
        ('host = ["DC-*", "*-07"]', [DESTINATION, OTHER, "20.60.40.9", "185.220.101.4"]),
        ('host = "WS-07"\ndestination = "45.0.0.0/8"\nfrom = 2026-11-18T09:00:00Z', "at 09:30"),
        ('destination = "0.0.0.0/0"\nfrom = 2026-11-18T11:00:00+00:00', [DESTINATION, OTHER]),
        ('destination = "0.0.0.0/0"\nuntil = 2026-11-18 11:00:00', ["20.60.40.9", "185.220.101.4"]),
        ('destination = "0.0.0.0/0"\nexpires = "2026-11-18T12:00Z"', ["185.220.101.4"]),
        ('destination = "0.0.0.0/0"\nexpires = 2026-11-18', [DESTINATION, OTHER, "20.60.40.9",
                                                             "185.220.101.4"]),
        ('destination = "::/0"', [DESTINATION, OTHER, "20.60.40.9", "185.220.101.4"]),
    ],
)  # fmt: skip
def test_conditions_and_times_decide_what_is_excluded(
    run: Run, later: Path, tmp_path: Path, text: str, left: list[str] | str
) -> None:
    file = exclusion(tmp_path / "x.toml", f'reason = "test"\n{text}\n')
    found = findings(run("scan", later, "-f", "ndjson", "--exclusions", file).out)
    if left == "at 09:30":
        assert found[0]["@timestamp"] == "2026-11-18T09:30:00Z"
        assert len(found) == 4
    else:
        assert [finding["destination"]["ip"] for finding in found] == left


def test_an_exclusion_with_a_time_does_not_cover_what_has_none(run: Run, tmp_path: Path) -> None:
    event = write(tmp_path / "e.ndjson", [matching(timestamp=None)])
    for text, code in ((TEST, 1), ('reason = "x"\ndestination = "45.83.122.10"', 0)):
        file = exclusion(tmp_path / "x.toml", text)
        assert run("scan", event, "--exclusions", file).code == code


def test_expired_and_unused_exclusions_are_named_with_v(
    run: Run, later: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.toml"
    file.write_text(
        '[[exclusion]]\nreason = "contract 17"\ndestination = "45.83.122.0/24"\n'
        "expires = 2026-11-18T09:00:00Z\n"
        '[[exclusion]]\nreason = "old host"\nhost = "DC-*"\n'
        '[[exclusion]]\nreason = "in use"\nhost = "WS-*"\n'
    )
    quiet = run("scan", later, "--exclusions", file).err
    assert "contract 17" not in quiet
    assert "old host" not in quiet
    assert "2 of 3 exclusions unused (-v)" in quiet
    told = run("scan", later, "--exclusions", file, "-v").err
    assert "expired: contract 17 (destination 45.83.122.0/24, expires 2026-11-18T09:00:00Z)" in told
    assert "unused: old host (host dc-*)" in told
    assert "unused: in use" not in told


def test_an_exclusion_that_leaves_out_history_is_in_use(
    run: Run, acme: Path, tmp_path: Path
) -> None:
    event = write(tmp_path / "e.ndjson", [matching(timestamp="2026-11-17T06:00:00Z")])
    test = exclusion(tmp_path / "x.toml", TEST)
    result = run("scan", event, "--baseline", acme, "--no-update", "--exclusions", test, "-v")
    assert "unused" not in result.err


def test_json_tells_each_exclusion_and_what_it_suppressed_by(run: Run, later: Path) -> None:
    out = run("scan", later, "-f", "json", "--exclude", DESTINATION, "--exclude", "9.9.9.9").out
    assert json.loads(out)["scan"]["exclusions"] == [
        {
            "exclusion": f"command line (destination {DESTINATION})",
            "destinations": 1,
            "sightings": 2,
            "recorded": 0,
            "expired": False,
        },
        {
            "exclusion": "command line (destination 9.9.9.9)",
            "destinations": 0,
            "sightings": 0,
            "recorded": 0,
            "expired": False,
        },
    ]


# Domains

NAMES = '[[exclusion]]\nreason = "contract"\ndomain = "*.acme.example"\n'


def asked(name: str, *answers: str) -> dict[str, Any]:
    document = matching(destination=None, event__category=["network"])
    document["dns"] = {"question": {"name": name}, "resolved_ip": list(answers)}
    return document


def test_a_domain_counts_only_where_a_dns_event_resolved_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(NAMES)
    named = matching(destination__domain="files.acme.example")
    alone = write(tmp_path / "1.ndjson", [named])
    assert run("scan", alone, "--exclusions", file).code == 1
    resolved = write(tmp_path / "2.ndjson", [named, asked("FILES.acme.example.", DESTINATION)])
    result = run("scan", resolved, "--exclusions", file, "-v")
    assert result.code == 0
    assert "1 matching event of 1 destination: contract (domain *.acme.example)" in result.err
    elsewhere = write(tmp_path / "3.ndjson", [named, asked("files.acme.example", OTHER)])
    assert run("scan", elsewhere, "--exclusions", file).code == 1
    other = write(tmp_path / "4.ndjson", [named, asked("evilacme.example", DESTINATION)])
    assert run("scan", other, "--exclusions", file).code == 1


def test_what_a_domain_excluded_is_not_learnt_since_no_later_scan_can_know_it(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "x.toml"
    file.write_text(NAMES)
    baseline = tmp_path / "b.db"
    resolved = write(tmp_path / "1.ndjson", [matching(), asked("a.acme.example", DESTINATION)])
    run("scan", resolved, "--exclusions", file, "--baseline", baseline)
    assert list(Baseline(baseline).rows()) == []
    later = write(tmp_path / "2.ndjson", [matching(timestamp="2026-11-17T08:00:00Z")])
    assert run("scan", later, "--exclusions", file, "--baseline", baseline).code == 1


# Wrong exclusions


def test_a_wrong_file_ends_the_program_with_2(run: Run, later: Path, tmp_path: Path) -> None:
    file = exclusion(tmp_path / "x.toml", 'reason = "a"\nhots = "WS-07"\n')
    result = run("scan", later, "--exclusions", file)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"smbrare: {file}:3: unknown key 'hots'; did you mean 'host'?\n"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_an_error(
    run: Run, later: Path, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "x.toml"
    if content is not None:
        file.write_bytes(content)
    result = run("scan", later, "--exclusions", file)
    assert (result.code, result.out) == (2, "")
    assert str(file) in result.err


@pytest.mark.parametrize("value", ["45.83.122.10/24", "acme.example", "", "45.83.122.10:445"])
def test_a_wrong_range_on_the_command_line_is_an_error(run: Run, later: Path, value: str) -> None:
    result = run("scan", later, "--exclude", value)
    assert (result.code, result.out) == (2, "")
    assert "not a range of addresses" in result.err
