"""Every JSON output is valid by its schema, which knows all of its keys and no others.

``python -m tests.outputs.test_schema`` writes docs/schema/ anew.
"""

import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from smbrare.outputs import formats
from smbrare.outputs.formats import OutputFormat
from smbrare.outputs.json_values import json_text
from smbrare.outputs.schema import schema, schema_names
from tests.conftest import FIXTURES, ROOT, Run
from tests.enrichment.test_lookup import countries, networks
from tests.support.events import matching
from tests.support.reports import write
from tests.support.schemas import described

DOCS = ROOT / "docs" / "schema"
SAMPLE, WEEK = FIXTURES / "sample.ndjson", sorted((FIXTURES / "week").iterdir())
LOGS = sorted(
    path
    for path in FIXTURES.rglob("*")
    if path.is_file() and path.suffix not in {".py", ".db"} and path.parent.name != "rejections"
)
OF_FORMAT = {
    ("REPORT", "json"): {"report"},
    ("REPORT", "ndjson"): {"finding", "alert"},
    ("COMPARISON", "json"): {"comparison"},
    ("COMPARISON", "ndjson"): {"difference"},
    ("SEEN", "json"): {"destinations"},
    ("SEEN", "ndjson"): {"destination"},
    ("PREVIEW", "json"): {"preview"},
    ("EXPLANATION", "json"): {"explanation"},
    ("INSPECTION", "json"): {"inspection"},
    ("RULE", "json"): {"rule"},
    ("SOURCES", "json"): {"sources"},
}
"""The schemas of each format that prints JSON; baseline export has no other format."""
JSON_TYPES = {
    "date": "string",
    "float": "number",
    "ip": "string",
    "keyword": "string",
    "long": "integer",
}
BEATS_FIELDS = {"log.offset"}
"""Filebeat's, which ECS does not have."""


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


def documents(run: Run, name: str, *arguments: str | Path) -> list[Any]:
    """Return what a command prints, after a look at whether it is valid."""
    out = run(*arguments).out
    found = [json.loads(line) for line in out.splitlines()] if "ndjson" in arguments else []
    if "ndjson" not in arguments and out:
        found = [json.loads(out)]
    for one in found:
        errors = [(error.json_path, error.message) for error in validator(name).iter_errors(one)]
        assert errors == [], arguments
    return found


def all_of(run: Run, log: Path) -> Iterator[tuple[str, list[Any]]]:
    """Yield the name of each schema with what is printed of a log."""
    every, alone = ("--show", "all"), ("--no-baseline",)
    yield "finding", documents(run, "finding", "scan", log, "-f", "ndjson", *every, *alone)
    yield "report", documents(run, "report", "scan", log, "-f", "json", *every, *alone)
    yield "alert", documents(run, "alert", "replay", log, "-f", "ndjson", "--inferred")
    yield "report", documents(run, "report", "replay", log, "-f", "json", "--inferred")
    yield "comparison", documents(run, "comparison", "replay", log, "-f", "json", "--compare")
    yield "difference", documents(run, "difference", "replay", log, "-f", "ndjson", "--compare")
    yield "inspection", documents(run, "inspection", "inspect", log, "--format", "json")
    yield "preview", documents(run, "preview", "scan", log, "-f", "json", "--dry-run")
    for number in (1, 2, 3, 5):
        target = f"{log}:{number}"
        yield "explanation", documents(run, "explanation", "explain", target, "--format", "json")


def rich(run: Run, folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """Yield the same of runs that between them print every key there is."""
    learnt, listed = folder / "learnt.db", folder / "listed.txt"
    listed.write_text("45.83.122.0/24\nnone\n20.60.40.9\n")
    run("baseline", "learn", learnt, *WEEK[:2])
    reference = (
        *("--geoip", countries(folder / "country.mmdb"), "--geoip", networks(folder / "as.mmdb")),
        *("--intel", listed, "--labels", FIXTURES / "labels" / "own.csv"),
    )
    with_it = ("--baseline", learnt, "--no-update", "--show", "all", "--context", *reference)
    excluded = ("--exclusions", ROOT / "docs" / "exclusions.toml", "--since", "2026-11-17")
    broken = write(folder / "broken.ndjson", [matching(), matching(host__name="WS-2")])
    broken.write_text(broken.read_text() + '{"a": \n{"alert": 1}\n')
    several = {"destination__ip": ["20.60.40.9", "91.219.236.18"], "event__id": ["a", "b"]}
    mixed = write(
        folder / "mixed.ndjson",
        [
            matching(**several, event__ingested="2026-11-20T00:00:00Z", user={"name": ["a", "b"]}),
            matching(source__ip="10.0.0.9/8"),
            matching(**{"@timestamp": "no time"}),
        ],
    )
    ingested = ("--time-field", "event.ingested")
    variants: list[tuple[str | Path, ...]] = [excluded, (), (*ingested, "--no-baseline")]
    exposure = FIXTURES / "exposure.ndjson"
    for log in (SAMPLE, FIXTURES / "around.ndjson", exposure, *WEEK, broken, mixed):
        for more in variants:
            yield "finding", documents(run, "finding", "scan", log, "-f", "ndjson", *with_it, *more)
            yield "report", documents(run, "report", "scan", log, "-f", "json", *with_it, *more)
    for name in ("sample.ndjson", "replay.ndjson", "poor.ndjson", "labels/own.csv"):
        yield from all_of(run, FIXTURES / name)
    for log in (broken, mixed):
        yield from all_of(run, log)
    busy = ("replay", FIXTURES, "--max-signals", "1")
    yield "report", documents(run, "report", *busy, "-f", "json")
    yield "difference", documents(run, "difference", *busy, "-f", "ndjson", "--compare")
    firewall = FIXTURES / "sources" / "windows_firewall-nxlog.ndjson"
    targets = [
        f"{exposure}:3",
        f"{broken}:3",
        f"{broken}:4",
        f"{FIXTURES / 'around.ndjson'}:4",
        f"{firewall}:1",
    ]
    for target in (*targets, *(f"{SAMPLE}:{number}" for number in range(1, 38))):
        for said in (("explain", target), ("explain", target, "--literal")):
            yield "explanation", documents(run, "explanation", *said, "--format", "json")
    for name, form in (("destinations", "json"), ("destination", "ndjson")):
        yield name, documents(run, name, "baseline", "show", learnt, "-f", form)
        yield name, documents(run, name, "baseline", "learn", learnt, SAMPLE, "-f", form)
    yield "baseline", documents(run, "baseline", "baseline", "export", learnt)
    yield "rule", documents(run, "rule", "rule", "show", "--format", "json")
    yield "sources", documents(run, "sources", "rule", "show", "--sources", "--format", "json")


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_what_is_printed_of_a_fixture_is_valid(run: Run, log: Path) -> None:
    assert any(found for _, found in all_of(run, log))


def test_sarif_has_findings_as_properties(run: Run) -> None:
    (log,) = json.loads(run("scan", SAMPLE, "-f", "sarif").out)["runs"]
    assert len(log["results"]) == 3
    for result in log["results"]:
        validator("finding").validate(result["properties"])


def keys(document: Any, path: str = "") -> Iterator[str]:
    """Yield every key as `described` spells it."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield f"{path}{name}"
            yield from keys(value, f"{path}{name}.")
    elif isinstance(document, list):
        for each in document:
            yield from keys(each, f"{path.removesuffix('.')}[].")


def test_no_schema_has_a_key_that_is_never_printed(run: Run, tmp_path: Path) -> None:
    seen = {key for _, found in rich(run, tmp_path) for each in found for key in keys(each)}
    # A finding has the same keys wherever it stands, and sources have the same keys.
    lists = re.compile(r"^(findings|differences)\[\]\.|(?<=sources\.)\w+(?=\.)|^\[\]\.")
    known = {
        lists.sub("", key.replace(".*", ".any")) for n in schema_names() for key in described(n)
    }
    assert sorted(known - {lists.sub("", key) for key in seen}) == []


def objects(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a document, but in values as a log has them."""
    if isinstance(document, dict):
        yield "/".join(path), document
        for name, value in document.items():
            if name not in {"value", "values"}:
                yield from objects(value, (*path, name))
    elif isinstance(document, list):
        for each in document:
            yield from objects(each, path)


def test_a_key_that_a_schema_lacks_is_found_in_every_object(run: Run) -> None:
    found = {name: one for name, (*_, one) in ((n, d) for n, d in all_of(run, SAMPLE) if d)}
    assert len(found) >= 6
    for name, document in found.items():
        for path, each in objects(document):
            each["unknown to the schema"] = {"a": [None]}
            assert not validator(name).is_valid(document), f"{name}: {path}"
            del each["unknown to the schema"]
        validator(name).validate(document)


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_valid_versioned_and_says_what_every_key_means(name: str) -> None:
    made = schema(name)
    Draft202012Validator.check_schema(made)
    assert made["$id"] == f"urn:smbrare:schema:{name}:1"
    assert made["title"]
    assert made["description"]
    for key, part in described(name).items():
        assert part["description"].endswith("."), key
        typed = {"type", "enum", "const", "allOf", "anyOf"} & part.keys()
        assert typed or key == "events[].identified_by[].value", key


@pytest.mark.parametrize("name", ["finding", "alert", "difference"])
def test_a_finding_has_fields_of_ecs_by_their_types_and_its_own(name: str) -> None:
    path = ROOT / "tests" / "support" / "ecs_fields.csv"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    ecs = {row["field"]: row for row in csv.DictReader(lines)}
    known = described(name)
    fields = {
        key: part
        for key, part in known.items()
        if not key.startswith("smbrare") and not any(other.startswith(f"{key}.") for other in known)
    }
    assert len(fields) > 40
    for field in fields.keys() - BEATS_FIELDS:
        kinds = fields[field].get("type", "string")
        first, *_ = kinds if isinstance(kinds, list) else [kinds]
        kind = fields[field]["items"]["type"] if first == "array" else first
        assert kind == JSON_TYPES[ecs[field]["type"]], field
        assert first == "array" or not ecs[field]["normalization"], field


def test_every_format_that_prints_json_has_a_schema() -> None:
    made = {
        (registry, each.name)
        for registry, known in vars(formats).items()
        if isinstance(known, dict) and registry.isupper()
        for each in known.values()
        if isinstance(each, OutputFormat) and each.name in {"json", "ndjson"}
    }
    assert made == OF_FORMAT.keys()
    named = {name for names in OF_FORMAT.values() for name in names}
    assert named | {"baseline"} == set(schema_names())


def test_the_command_lists_schemas_and_prints_one(run: Run) -> None:
    listed = run("schema").out.splitlines()
    assert [line.split()[0] for line in listed] == schema_names()
    assert json.loads(run("schema", "report").out) == schema("report")
    assert run("schema", "nonsense").code == 2


def published() -> dict[str, str]:
    """Return what docs/schema/ has to hold, by the names of its files."""
    return {
        f"{name}-{schema(name)['$id'].rpartition(':')[2]}.json": json_text(
            schema(name), indent=True
        )
        + "\n"
        for name in schema_names()
    }


def test_the_documented_schemas_are_those_of_the_program() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in DOCS.iterdir()}
    assert there == published()


if __name__ == "__main__":
    for old in DOCS.iterdir():
        old.unlink()
    for name, text in published().items():
        (DOCS / name).write_text(text, encoding="utf-8")
