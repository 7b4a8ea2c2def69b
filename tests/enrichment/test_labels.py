"""Cloud labels: the narrowest range of a service names a destination, and nothing else changes."""

import csv
import io
import json
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.reference import LABELS
from smbrare.enrichment import labels
from tests.conftest import FIXTURES, Run

SAMPLE = FIXTURES / "sample.ndjson"
PUBLISHED = FIXTURES / "labels"
FILES = [PUBLISHED / name for name in ("azure.json", "aws.json", "google.json", "own.csv")]
EXPECTED = {
    "20.60.40.9": ["Azure Storage (westeurope)", "backup target"],
    "45.83.122.10": ["AWS EC2 (eu-west-1)", "AWS S3 (eu-west-1)"],
    "91.219.236.18": ["Google Cloud (europe-west1)", "partner, Kyiv"],
}


def options(*files: Path) -> list[str]:
    return [word for file in files for word in ("--labels", str(file))]


def labelled(path: Path, *addresses: str) -> dict[str, list[str]]:
    reference = labels.look_up(str(path), addresses)
    assert reference.problem == ""
    return {address: facts[LABELS] for address, facts in reference.facts.items()}


def azure(*tags: tuple[str, str, list[Any]]) -> str:
    return json.dumps(
        {
            "values": [
                {"name": name, "properties": {"region": region, "addressPrefixes": prefixes}}
                for name, region, prefixes in tags
            ]
        }
    )


def test_every_output_has_the_labels_and_json_says_what_was_used(run: Run) -> None:
    words = options(*FILES)
    document = json.loads(run("scan", SAMPLE, *words, "-f", "json").out)
    shown = {each["destination"]["ip"]: each["smbrare"]["labels"] for each in document["findings"]}
    assert shown == EXPECTED
    used = document["scan"]["enrichment"]
    assert [(each["kind"], each["name"], each["entries"]) for each in used] == [
        ("labels", "Azure service tags", 5),
        ("labels", "AWS ranges", 5),
        ("labels", "Google ranges", 3),
        ("labels", "labels", 2),
    ]
    rows = csv.DictReader(io.StringIO(run("scan", SAMPLE, *words, "-f", "csv").out))
    assert {row["destination.ip"]: row["smbrare.labels"] for row in rows} == {
        address: ", ".join(texts) for address, texts in EXPECTED.items()
    }
    for name in ("table", "ndjson", "markdown", "sarif", "html"):
        out = run("scan", SAMPLE, *words, "-f", name, env={"COLUMNS": "300"}).out
        for text in ("Azure Storage (westeurope)", "AWS S3 (eu-west-1)", "partner, Kyiv"):
            assert text in out, name


def test_findings_and_exit_code_are_the_same_with_and_without_labels(run: Run) -> None:
    plain, with_labels = (
        run("scan", SAMPLE, *words, "-f", "ndjson") for words in ([], options(*FILES))
    )
    assert plain.code == with_labels.code == 1
    for before, after in zip(plain.out.splitlines(), with_labels.out.splitlines(), strict=True):
        finding = json.loads(after)
        del finding["smbrare"]["labels"]
        assert finding == json.loads(before)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([("Storage", "", ["1.2.3.0/24"])], ["Azure Storage"]),
        ([("AzureCloud", "", ["1.2.3.0/24"])], ["Azure Cloud"]),
        ([("AzureSQL.West", "west", ["1.2.3.4"])], ["Azure SQL (west)"]),
        (
            [("Storage", "", ["1.2.3.0/24"]), ("AzureCloud", "", ["1.2.3.4/32"])],
            ["Azure Storage"],
        ),
        ([("B", "", ["1.2.3.0/24"]), ("A", "", ["1.2.3.0/24"])], ["Azure A", "Azure B"]),
        ([("A", "", ["1.2.3.0/24"]), ("B", "", ["1.2.0.0/16"])], ["Azure A"]),
        ([("A.n", "n", ["1.2.3.0/24"]), ("A", "", ["1.2.3.0/24"])], ["Azure A (n)"]),
        ([("A", "", ["1.2.3.0/24"]), ("A.n", "n", ["1.2.3.0/24"])], ["Azure A (n)"]),
        ([("A", "", [7, None, "", "1.2.3", "1.2.3.4/33", "1.2.3.0/24"])], ["Azure A"]),
        ([(f"T{n}", "", ["1.2.3.0/24"]) for n in range(9)], [f"Azure T{n}" for n in range(5)]),
        ([("x" * 500, "y" * 500, ["1.2.3.4"])], [f"Azure {'x' * 100} ({'y' * 100})"]),
    ],
)
def test_the_most_specific_service_counts(
    tmp_path: Path, tags: list[tuple[str, str, list[Any]]], expected: list[str]
) -> None:
    (tmp_path / "tags").write_text(azure(*tags))
    assert labelled(tmp_path / "tags", "1.2.3.4", "9.9.9.9") == {"1.2.3.4": expected}


def test_ipv6_is_looked_up_however_it_is_spelled(tmp_path: Path) -> None:
    (tmp_path / "tags").write_text(azure(("A", "", ["2603:1020:0200:0:0::/46", "::/0"])))
    assert labelled(tmp_path / "tags", "2603:1020:203::1") == {"2603:1020:203::1": ["Azure A"]}
    assert labels.look_up(str(tmp_path / "tags"), ["1.2.3.4"]).facts == {}


def test_csv_has_ranges_of_any_form_and_a_heading_or_none(tmp_path: Path) -> None:
    text = "1.2.3.0-1.2.3.9;one\n\n# remark\n1.2.3.4/32 ; two \nnonsense;x\n1.2.3.7\n;\n"
    for heading in ("", "\ufeffrange;label\n"):
        (tmp_path / "own").write_text(heading + text, encoding="utf-8")
        assert labelled(tmp_path / "own", "1.2.3.4", "1.2.3.7", "1.2.3.10") == {
            "1.2.3.4": ["two"],
            "1.2.3.7": ["one"],
        }
        reference = labels.look_up(str(tmp_path / "own"), ["1.2.3.4"])
        assert (reference.entries, reference.skipped) == (2, 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b'{"values": [', "damaged JSON"),
        (b"[" * 100_000, "damaged JSON"),
        (b'{"prefixes": []}', "JSON of none of the published forms"),
        (b"[1, 2]", "JSON of none of the published forms"),
        (b'{"values": [7]}', "not as published: Azure service tags"),
        (b'{"values": {"name": 1}}', "not as published: Azure service tags"),
        (b'{"createDate": 1, "prefixes": 7}', "not as published: AWS ranges"),
        (b'{"creationTime": 1, "prefixes": [{}]}', "not as published: Google ranges"),
        (b'{"values": [{"name": 1, "properties": {"addressPrefixes": "no"}}]}', "no range with"),
        (b"range,label\nnonsense,a\n", "it contains no range with a label"),
        (b"1.2.3.4\n", "it contains no range with a label"),
        (bytes(range(256)) * 9, "it contains no range with a label"),
        (b"1.2.3.4," + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_2_before_anything_is_read(
    run: Run, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "labels"
    if content is not None:
        file.write_bytes(content)
    result = run("scan", SAMPLE, "--labels", file)
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"smbrare: --labels {file}: ")
    assert said in line
    assert line.endswith(
        "; give Azure service tags, AWS or Google ranges as published, or CSV of range,label"
    )


RANGES = st.tuples(st.integers(0, 63), st.integers(24, 32)).map(
    lambda pair: ip_network((0x2D537A00 + pair[0], pair[1]), strict=False)
)
TAGS = st.lists(st.tuples(st.sampled_from(["AzureCloud", "A", "B"]), RANGES), max_size=12)


@given(TAGS, st.lists(st.integers(0, 63), max_size=8))
def test_labels_are_those_of_a_search_through_all_ranges(
    tmp_path_factory: pytest.TempPathFactory, tags: list[tuple[str, Any]], numbers: list[int]
) -> None:
    path = tmp_path_factory.mktemp("x") / "tags"
    path.write_text(azure(*((name, "", [str(network)]) for name, network in tags)))
    addresses = [str(ip_address(0x2D537A00 + number)) for number in numbers]
    expected = {}
    for address in addresses:
        covering = [
            (n != "AzureCloud", net.prefixlen, n) for n, net in tags if ip_address(address) in net
        ]
        if covering:
            best = max(covering)[:2]
            names = {name.removeprefix("Azure") for *rank, name in covering if tuple(rank) == best}
            expected[address] = [f"Azure {name}" for name in sorted(names)]
    assert labelled(path, *addresses) == expected


def test_only_destinations_are_looked_up_and_a_trial_reads_no_further_than_the_first_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"20.{n >> 8}.{n & 255}.0/24" for n in range(5_000)]
    (tmp_path / "tags").write_text(azure(("A", "", many)))
    asked: list[Any] = []
    whole = labels._blocks  # noqa: SLF001 - counts the work

    def counted(text: Any) -> list[tuple[int, int, int]]:
        asked.append(text)
        return whole(text)

    monkeypatch.setattr(labels, "_blocks", counted)
    assert labels.look_up(str(tmp_path / "tags"), ()).entries == 1
    assert asked == many[:1]
    assert labelled(tmp_path / "tags", "20.0.7.1") == {"20.0.7.1": ["Azure A"]}
