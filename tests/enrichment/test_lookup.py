"""Reference data: what it says is in every output; a file that cannot be used is exit 2."""

import csv
import io
import json
import re
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from smbrare.detection.reference import Reference
from smbrare.enrichment import facts_of, geoip, intel
from smbrare.enrichment.intel import Entry, match, parse
from smbrare.outputs.wording import listings, network_text
from tests.conftest import FIXTURES, Run
from tests.outputs.test_hostile_text import ATTACKS, is_live

SAMPLE = FIXTURES / "sample.ndjson"


def database(path: Path, kind: str, version: int = 4, **records: Any) -> Path:
    """Write a MaxMind DB file of records by network; ``_`` stands for the dots and the slash."""
    writer = MMDBWriter(ip_version=version, database_type=kind, ipv4_compatible=version == 6)
    for name, record in records.items():
        *octets, length = name.removeprefix("n").split("_")
        writer.insert_network(IPSet([f"{'.'.join(octets)}/{length}"]), record)
    writer.to_db_file(str(path))
    return path


def countries(path: Path) -> Path:
    return database(
        path,
        "Test-Country",
        n45_83_122_0_24={"country": {"iso_code": "DE", "names": {"en": "Germany"}}},
        n91_219_0_0_16={"registered_country": {"iso_code": "UA"}},
    )


def networks(path: Path) -> Path:
    return database(
        path,
        "Test-ASN",
        version=6,
        n45_83_122_0_24={
            "autonomous_system_number": 64500,
            "autonomous_system_organization": "Example Hosting",
        },
    )


def found(out: str) -> dict[str, dict[str, Any]]:
    return {json.loads(line)["destination"]["ip"]: json.loads(line) for line in out.splitlines()}


def test_findings_name_country_and_network(run: Run, tmp_path: Path) -> None:
    country, asn = countries(tmp_path / "country.mmdb"), networks(tmp_path / "asn.mmdb")
    result = run("scan", SAMPLE, "-v", "--geoip", country, "--geoip", asn, "-f", "ndjson")
    findings = found(result.out)
    destination = findings["45.83.122.10"]["destination"]
    assert destination["geo"] == {"country_iso_code": "DE"}
    assert destination["as"] == {"number": 64500, "organization": {"name": "Example Hosting"}}
    assert findings["91.219.236.18"]["destination"]["geo"] == {"country_iso_code": "UA"}
    assert "geo" not in findings["20.60.40.9"]["destination"]
    assert f"lookup   {country}: Test-Country, built 20" in result.err
    assert "knows 2 of 3 destinations" in result.err


def test_findings_name_the_list_and_the_entry_that_matches(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "blocklist.txt", tmp_path / "feed.csv"
    first.write_text("# bad\n45.83.122.0/24\n45.0.0.0/8\n")
    second.write_text("seen,ip,port\n2026-11-01,45.83.122.10,445\n2026-11-02,91.219.236.18,139\n")
    result = run("scan", SAMPLE, "-v", "--intel", first, "--intel", second, "-f", "ndjson")
    findings = found(result.out)
    assert findings["45.83.122.10"]["threat"]["indicator"] == {
        "ip": "45.83.122.10",
        "type": "ipv4-addr",
        "name": ["45.83.122.0/24", "45.83.122.10"],
        "provider": ["blocklist", "feed"],
    }
    assert findings["91.219.236.18"]["threat"]["indicator"]["provider"] == ["feed"]
    assert findings["91.219.236.18"]["threat"]["technique"]["id"] == ["T1048", "T1187"]
    assert "indicator" not in findings["20.60.40.9"]["threat"]
    assert f"lookup   {first}: blocklist, 2 entries: knows 1 of 3 destinations" in result.err


def test_every_output_has_it_and_json_says_what_was_used(run: Run, tmp_path: Path) -> None:
    country = countries(tmp_path / "country.mmdb")
    feed = tmp_path / "feed.txt"
    feed.write_text("45.83.122.10\nno address here\n")
    options = ("--geoip", country, "--intel", feed)
    document = json.loads(run("scan", SAMPLE, *options, "--format", "json").out)
    used = {each["file"]: each for each in document["scan"]["enrichment"]}
    assert used[str(country)].pop("built").startswith("20")
    assert used[str(country)] == {
        "kind": "geoip",
        "file": str(country),
        "name": "Test-Country",
        "destinations": 2,
        "problem": "",
    }
    assert used[str(feed)] == {
        "kind": "intel",
        "file": str(feed),
        "name": "feed",
        "destinations": 1,
        "problem": "",
        "entries": 1,
        "skipped": 1,
    }
    rows = list(csv.DictReader(io.StringIO(run("scan", SAMPLE, *options, "--format", "csv").out)))
    assert [row["destination.geo.country_iso_code"] for row in rows] == ["", "DE", "UA"]
    assert [row["threat.indicator.provider"] for row in rows] == ["", "feed", ""]
    table = run("scan", SAMPLE, *options).out
    (row,) = (line for line in table.splitlines() if "45.83.122.10" in line)
    assert re.search(r" \[feed\] cdn\.example  DE  ", row)


def test_findings_and_exit_code_are_the_same_with_and_without_it(run: Run, tmp_path: Path) -> None:
    plain = run("scan", SAMPLE, "--format", "ndjson")
    country = countries(tmp_path / "country.mmdb")
    enriched = run("scan", SAMPLE, "--geoip", country, "--format", "ndjson")
    assert plain.code == enriched.code == 1
    for before, after in zip(plain.out.splitlines(), enriched.out.splitlines(), strict=True):
        finding = json.loads(after)
        finding["destination"].pop("geo", None)
        assert finding == json.loads(before)
    assert json.loads(run("scan", SAMPLE, "-f", "json").out)["scan"]["enrichment"] == []


@pytest.mark.parametrize(
    "case",
    [
        ("--geoip", "gone.mmdb", None, "no such file"),
        ("--geoip", "empty.mmdb", b"", "give a MaxMind DB file"),
        ("--geoip", "text.mmdb", b"country,DE\n" * 200, "not a usable MaxMind DB file"),
        ("--intel", "gone.txt", None, "no such file"),
        ("--intel", "gone.csv#ip", None, "no such file"),
        (
            "--intel",
            "feed.csv#addr",
            b"ip,port\n1.2.3.4,5\n",
            "has no column addr; it has ip, port; give a list",
        ),
        ("--intel", "binary.txt", bytes(range(256)) * 4, "it contains no address"),
        ("--intel", "long.csv", b"1.2.3.4," + b"x" * 200_000 + b"\n", "field larger than"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_2_before_anything_is_read(
    run: Run, tmp_path: Path, case: tuple[str, str, bytes | None, str]
) -> None:
    option, name, content, said = case
    if content is not None:
        (tmp_path / name.partition("#")[0]).write_bytes(content)
    result = run("scan", SAMPLE, option, tmp_path / name, "--baseline", tmp_path / "b.db")
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"smbrare: {option} {tmp_path / name}: ")
    assert said in line
    assert not (tmp_path / "b.db").exists()
    assert run("scan", SAMPLE, option, tmp_path / name, "--dry-run").code == 2


def test_an_empty_list_knows_nothing_and_is_no_error(run: Run, tmp_path: Path) -> None:
    for content in ("", "# nothing today\n", "seen,ip,port\n"):
        (tmp_path / "feed.csv").write_text(content)
        result = run("scan", SAMPLE, "--intel", tmp_path / "feed.csv", "-v", "-f", "ndjson")
        assert (result.code, len(found(result.out))) == (1, 3)
        assert "0 entries: knows 0 of 3" in result.err


def test_a_database_that_is_damaged_further_in_is_said_and_is_no_error(
    run: Run, tmp_path: Path
) -> None:
    whole = countries(tmp_path / "whole.mmdb").read_bytes()
    damaged = tmp_path / "damaged.mmdb"
    problems: list[bytes] = []
    for at in range(len(whole)):
        for byte in (0, 255, whole[at] ^ 1):
            content = whole[:at] + bytes([byte]) + whole[at + 1 :]
            damaged.write_bytes(content)
            reference = geoip.look_up(str(damaged), ["45.83.122.10", "91.219.236.18", "2a02::1"])
            problems += [content] * bool(reference.problem)
    assert len(problems) > len(whole) / 4
    late = [content for content in problems if not _is_refused(damaged, content)]
    damaged.write_bytes(late[0])
    result = run("scan", SAMPLE, "--geoip", damaged)
    assert result.code == 1
    assert f"WARNING  {damaged}: not used: not a usable MaxMind DB file" in result.err


def _is_refused(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    return bool(geoip.look_up(str(path), ()).problem)


def test_without_the_extra_it_is_said_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    result = run("scan", SAMPLE, "--geoip", countries(tmp_path / "country.mmdb"))
    assert result.code == 2
    assert "smbrare: --geoip needs maxminddb: " in result.err
    assert 'install "smbrare[geoip]' in result.err


def test_an_ipv6_destination_in_an_ipv4_database_is_unknown(tmp_path: Path) -> None:
    country = countries(tmp_path / "country.mmdb")
    reference = geoip.look_up(str(country), ["2a02:cf40::1", "45.83.122.10"])
    assert reference.problem == ""
    assert list(reference.facts) == ["45.83.122.10"]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"country": {"iso_code": "DE"}}, {"destination.geo.country_iso_code": "DE"}),
        (
            {"country_code": "DE", "country": "Germany", "asn": "AS64500", "as_name": "Example"},
            {
                "destination.geo.country_iso_code": "DE",
                "destination.as.number": 64500,
                "destination.as.organization.name": "Example",
            },
        ),
        ({"country": "DE"}, {"destination.geo.country_iso_code": "DE"}),
        ({"country": "Germany"}, {}),
        ({"asn": "none", "autonomous_system_number": True}, {}),
        ({"autonomous_system_number": 2**64}, {}),
        ({"country": {"iso_code": 7}, "as_name": ""}, {}),
        (None, {}),
        ("text", {}),
        ([1], {}),
    ],
)
def test_the_shapes_of_databases(record: object, fields: dict[str, Any]) -> None:
    assert geoip.fields(record) == fields


@pytest.mark.parametrize(
    ("text", "column", "entries"),
    [
        ("1.2.3.4\n\n# remark\n; remark\n5.6.7.0/24 # why\n", "", ["1.2.3.4", "5.6.7.0/24"]),
        ("1.2.3.4\r\n2A02:CF40:0::1\r\n", "", ["1.2.3.4", "2A02:CF40:0::1"]),
        ("1.2.3.4 seen in June\n", "", ["1.2.3.4"]),
        ("1.2.3.4-1.2.3.9\n1.2.3.4 - 1.2.3.9\n", "", ["1.2.3.4-1.2.3.9", "1.2.3.4 - 1.2.3.9"]),
        ("1[.]2[.]3[.]4\n1.2.3.4:445\n", "", ["1[.]2[.]3[.]4", "1.2.3.4:445"]),
        ("1.2.3.9/24\n", "", ["1.2.3.9/24"]),
        ("nonsense\n1.2.3\n01.2.3.4\n9-8\n1.2.3.9-1.2.3.4\n", "", [""] * 5),
        ("ip,port\n1.2.3.4,445\n", "", ["1.2.3.4"]),
        ('"seen","ip"\n"2026-11-01","1.2.3.4"\n', "", ["1.2.3.4"]),
        ("1.2.3.4;445\n5.6.7.8;139\n", "", ["1.2.3.4", "5.6.7.8"]),
        ("src\tdst\n1.2.3.4\t5.6.7.8\n", "", ["1.2.3.4"]),
        ("src\tdst\n1.2.3.4\t5.6.7.8\n9.9.9.9\n", "dst", ["5.6.7.8", ""]),
        ("# made in June\nsrc,dst\n1.2.3.4,5.6.7.8\n", "dst", ["5.6.7.8"]),
        ("", "", []),
        ("# nothing\n", "dst", []),
    ],
)
def test_lists_are_read_as_they_come(text: str, column: str, entries: list[str]) -> None:
    lines = text.splitlines(keepends=True)
    assert [entry.text for entry in parse(lines, column)] == entries


def test_a_column_is_asked_for_by_its_heading(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("\ufeffsrc,dst\n10.0.0.1,45.83.122.10\n", encoding="utf-8")
    destinations = ["45.83.122.10", "10.0.0.1"]
    assert list(intel.look_up(f"{feed}#dst", destinations).facts) == ["45.83.122.10"]
    assert list(intel.look_up(f"{feed}#src", destinations).facts) == ["10.0.0.1"]
    odd = tmp_path / "odd#dst"
    odd.write_text("10.0.0.1\n")
    assert list(intel.look_up(str(odd), destinations).facts) == ["10.0.0.1"]


ADDRESSES = st.integers(0, 63).map(lambda number: ip_address(0x2D537A00 + number))
RANGES = st.tuples(st.integers(0, 63), st.integers(24, 32)).map(
    lambda pair: ip_network((0x2D537A00 + pair[0], pair[1]), strict=False)
)


@given(st.lists(RANGES, max_size=12), st.lists(ADDRESSES, max_size=12))
def test_the_narrowest_entry_that_covers_an_address_matches(
    ranges: list[Any], addresses: list[Any]
) -> None:
    entries = [Entry(str(network), (network,)) for network in ranges]
    matched = match(entries, addresses)
    for address in addresses:
        covering = [network for network in ranges if address in network]
        if not covering:
            assert address not in matched
        else:
            narrowest = max(network.prefixlen for network in covering)
            assert matched[address].networks[0].prefixlen == narrowest


def test_the_first_database_that_knows_a_field_is_taken_and_every_list_is_named() -> None:
    references = [
        Reference("geoip", "a", facts={"1.1.1.1": {"destination.geo.country_iso_code": "DE"}}),
        Reference(
            "geoip",
            "b",
            facts={
                "1.1.1.1": {"destination.geo.country_iso_code": "FR", "destination.as.number": 7}
            },
        ),
        *(
            Reference(
                "intel",
                name,
                facts={
                    "1.1.1.1": {"threat.indicator.name": "x", "threat.indicator.provider": name}
                },
            )
            for name in ("one", "two")
        ),
    ]
    facts = facts_of("1.1.1.1", references)
    assert facts["destination.geo.country_iso_code"] == "DE"
    assert facts["destination.as.number"] == 7
    assert facts["threat.indicator.provider"] == ["one", "two"]
    assert network_text(facts) == "DE, AS7"
    assert listings(facts) == ["listed by one (x)", "listed by two (x)"]
    assert facts_of("1.1.1.2", references) == {}
    assert (network_text({}), listings({})) == ("", [])


@pytest.mark.parametrize("output_format", ["table", "json", "ndjson", "csv", "sarif"])
def test_nothing_of_reference_data_is_live(run: Run, tmp_path: Path, output_format: str) -> None:
    hostile = "".join(ATTACKS)
    asn = database(
        tmp_path / "asn.mmdb",
        hostile,
        n45_83_122_0_24={"autonomous_system_organization": hostile},
    )
    feed = tmp_path / "\x1b[31mfeed.csv"
    feed.write_text("45.83.122.10 \x1b[31m\n", newline="")
    labels = tmp_path / "\x1b[31mazure.json"
    properties = {"region": hostile, "addressPrefixes": ["45.83.122.10/32"]}
    labels.write_text(json.dumps({"values": [{"name": hostile, "properties": properties}]}))
    files = ("--geoip", asn, "--intel", feed, "--labels", labels)
    result = run("scan", SAMPLE, *files, "--format", output_format)
    assert result.code == 1
    live = {character for character in result.out + result.err if is_live(character)}
    assert live <= {"\n", "\r"}
    assert "\r" not in result.out.replace("\r\n", "\n")
