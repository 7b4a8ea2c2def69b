"""In a world of 200 hosts grades and accounts are exactly the true ones, however it is read."""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from smbrare.scanning import planning
from tests.conftest import Run
from tests.support.exposure_world import FINDINGS, Host, padding, world
from tests.support.reports import write

SEED = 1


@pytest.fixture(scope="module")
def hosts() -> list[Host]:
    return world(SEED)


def every_event(hosts: list[Host]) -> list[dict[str, Any]]:
    return [event for host in hosts for event in host.events] + [*padding()]


def split(events: list[Any], folder: Path, parts: int) -> list[Path]:
    """Write events in a random order to several files."""
    shuffled = [*events]
    Random(SEED).shuffle(shuffled)
    return [write(folder / f"{part}.ndjson", shuffled[part::parts]) for part in range(parts)]


def told(run: Run, *paths: Path) -> tuple[dict[str, tuple[str, set[str]]], set[str]]:
    """Return grade and accounts by destination, and the destinations that were also seen."""
    document = json.loads(run("scan", *paths, "--format", "json", "--jobs", "1").out)
    graded = {}
    for finding in document["findings"]:
        shown = finding["smbrare"]["exposure"]
        accounts = {each["account"] for each in shown["accounts"]}
        graded[finding["destination"]["ip"]] = (shown["grade"], accounts)
    return graded, {each["destination"] for each in document["also_seen"]}


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("form", ["one file", "shuffled files", "packed"])
def test_grades_accounts_and_what_was_also_seen_are_the_truth(
    run: Run,
    hosts: list[Host],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    *,
    sampled: bool,
) -> None:
    if sampled:
        monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    events = every_event(hosts)
    paths = [tmp_path / "world.ndjson.gz"]
    if form == "packed":
        plain = write(tmp_path / "plain", events)
        paths[0].write_bytes(gzip.compress(plain.read_bytes()))
    else:
        paths = split(events, tmp_path, 1 if form == "one file" else 7)
    graded, also = told(run, *paths)
    expected = {host.destination: (host.grade, host.accounts) for host in hosts[:FINDINGS]}
    wrong = {key: (graded.get(key), truth) for key, truth in expected.items()}
    assert {key: pair for key, pair in wrong.items() if pair[0] != pair[1]} == {}
    assert graded.keys() == expected.keys()
    assert also == {destination for host in hosts for destination in host.also}
