"""Of a key given twice the last value counts, whichever way the record takes, and it is told."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare.detection.destination_sieve import stays_inside
from smbrare.detection.partial import Partial
from smbrare.inputs.discovery import discover
from smbrare.inputs.duplicate_keys import MOST_KEPT, repeated
from smbrare.inputs.readers import document as document_reader
from smbrare.records.event import Record
from smbrare.records.json_text import decode
from smbrare.scanning import planning
from smbrare.scanning.gathering import gather
from smbrare.scanning.planning import How
from tests.conftest import Run
from tests.support.events import matching
from tests.support.forms import FORMS
from tests.support.forms.connection import SCENE

SMB = ("45.83.122.10", "10.0.0.9", "91.219.236.18", "169.254.0.1", "x")
VALUES: dict[str, tuple[Any, ...]] = {
    "ip": SMB,
    "DestinationIp": SMB,
    "SourceIp": ("10.20.1.11", "8.8.8.8"),
    "port": (445, "139", 80, "00445"),
    "DestinationPort": ("445", "443"),
    "pid": (4, "4", 5),
    "ProcessId": ("4", "612"),
    "transport": ("tcp", "udp"),
    "category": (["network"], "process"),
    "type": ("windows", "linux"),
    "@timestamp": ("2026-11-16T09:00:00Z", "2026-11-17T09:00:00Z"),
}
NAMES = ("ecs-plain", "sysmon-mapped", "sysmon-agent", "sysmon-evtx_dump", "elastic_defend-8")


def spelled(key: str, chance: random.Random) -> str:
    if chance.random() < 0.2:
        at = chance.randrange(len(key))
        return f'"{key[:at]}\\u{ord(key[at]):04x}{key[at + 1 :]}"'
    return json.dumps(key)


def text(value: Any, chance: random.Random, rate: float = 0.25) -> str:
    """Return a value as JSON in which chance gives keys twice, the one or the other value last."""
    if isinstance(value, list):
        return f"[{', '.join(text(one, chance, rate) for one in value)}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    pairs = [(key, text(one, chance, rate)) for key, one in value.items()]
    for key, one in list(value.items()):
        if chance.random() < rate:
            other = chance.choice(VALUES.get(key, (None, "", {}, [])))
            if isinstance(one, dict) and chance.random() < 0.7:
                other = one
            at = chance.randrange(len(pairs) + 1)
            pairs.insert(at, (key, text(other, chance, rate)))
    return f"{{{', '.join(f'{spelled(key, chance)}: {one}' for key, one in pairs)}}}"


def gathered(path: Path, **how: Any) -> Partial:
    return gather(list(discover([str(path)])), How(**how), lambda _: None)


def sighted(partial: Partial) -> set[tuple[Any, ...]]:
    return {
        (contact.earliest.destination, contact.earliest.source, contact.earliest.time)
        for contact in partial.sightings.contacts.values()
    }


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_every_way_to_read_takes_the_last_value(
    small: None, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    del small
    chance = random.Random(seed)
    forms = [FORMS[chance.choice(NAMES)](chance.choice(SCENE)) for _ in range(4)]
    documents = [*forms, matching(), matching(destination__ip=chance.choice(SMB))]
    lines = [text(document, chance) for document in documents]
    folder = tmp_path_factory.mktemp("twice")
    paths = [folder / name for name in ("lines.ndjson", "array.json", "once.ndjson")]
    # The reference knows each key once: what the standard library makes of the text.
    once = [json.dumps(json.loads(line)) for line in lines]
    for path, content in zip(
        paths,
        ("\n".join(lines) + "\n", f"[{','.join(lines)}]", "\n".join(once) + "\n"),
        strict=True,
    ):
        path.write_text(content)
    reference = sighted(gathered(paths[2], thorough=True))
    assert sighted(gathered(paths[0])) == reference
    assert sighted(gathered(paths[0], thorough=True)) == reference
    assert sighted(gathered(paths[1])) == reference


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_every_decoder_takes_the_last_value_and_early_rejects_by_it(seed: int) -> None:
    chance = random.Random(seed)
    line = text(matching(destination__ip=chance.choice(SMB)), chance)
    value = json.loads(line)
    assert decode(line.encode()) == value
    # A lone surrogate is left to the standard library.
    loose = decode(line.replace("{", '{"odd": "\\ud800", ', 1).encode())
    assert {key: one for key, one in loose.items() if key != "odd"} == value
    (read,) = document_reader.read(io.BytesIO(f"[{line}]".encode()), "x")
    assert isinstance(read, Record)
    assert read.document == value
    if stays_inside(line.encode()):
        assert stays_inside(json.dumps(value).encode())


def naive(pairs: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return the paths of keys given twice, of objects as tuples of pairs."""
    found = set()
    if isinstance(pairs, tuple):
        keys = [key for key, _ in pairs]
        found |= {(*path, key) for key in keys if keys.count(key) > 1}
        for key, value in pairs:
            found |= naive(value, (*path, key))
    elif isinstance(pairs, list):
        for value in pairs:
            found |= naive(value, path)
    return found


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from(["", '"', "\\u0022", '\\"445\\"']))
def test_every_key_given_twice_is_told(seed: int, quote: str) -> None:
    chance = random.Random(seed)
    document = matching() | {"n": [{"a": 445, "b": [[{"c": 1}]]}], "m": f"{quote}445{quote * 3}"}
    line = text(document, chance, rate=0.1)
    expected = naive(json.loads(line, object_pairs_hook=tuple))
    if len(expected) < MOST_KEPT:
        assert set(repeated(line.encode(), json.loads(line))) == expected


def test_quotes_that_are_escaped_by_number_hide_no_key() -> None:
    # Two quotes more than the text has are written of it: as many as a key takes.
    line = b'{"a": 445, "b": "\\u0022\\u0022\\u0022\\u0022", "a": 1}'
    assert repeated(line, json.loads(line)) == (("a",),)


TWICE = json.dumps(matching()).replace('"port": 445', '"port": 445, "ip": "10.0.0.9"')
HIT = f'{{"_id": "1", "_source": {TWICE}}}'


@pytest.mark.parametrize(
    ("name", "content", "keys"),
    [
        ("a.ndjson", TWICE, ["destination.ip"]),
        ("a.ndjson", HIT, ["destination.ip"]),
        ("a.ndjson", HIT[:-1] + ', "_source": {"a": 1}}', ["_source", "destination.ip"]),
        ("a.ndjson", f'{{"records": [{HIT}], "records": [{HIT}]}}', ["records", "destination.ip"]),
        ("a.json", f"[\n{TWICE}\n]", ["destination.ip"]),
        ("a.json", f'{{"hits": {{"hits": [\n{HIT}\n]}}}}', ["destination.ip"]),
        ("a.ndjson", TWICE.replace('"destination"', '"destination": null, "destination"'),
         ["destination", "destination.ip"]),
        ("a.ndjson", TWICE.replace("ip", "geo"), []),
        ("a.ndjson", TWICE.replace('"ip": "10.0.0.9"', '"ipx": 1, "ipx": 2'), []),
        ("a.ndjson", json.dumps(matching() | {"destination.ip": "10.0.0.9"}), []),
        ("a.ndjson", json.dumps(matching()).replace("445", '4, "port": 80'), []),
    ],
)  # fmt: skip
def test_a_key_that_concerns_the_rule_is_counted_where_it_stands(
    tmp_path: Path, name: str, content: str, keys: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(content + "\n")
    (survey,) = gathered(path).surveys
    told = survey.repeated
    assert told.fields == dict.fromkeys(keys, 1)
    assert told.records == bool(keys)
    assert (str(told.first) == f"{path}:1") == bool(keys)


def test_arrays_of_one_name_in_a_streamed_envelope_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    others = json.dumps([matching(destination__ip="91.219.236.18")], indent=1)
    path.write_text(f'{{\n"records": {json.dumps([matching()], indent=1)}, "records": {others}}}')
    assert {sighting[0] for sighting in sighted(gathered(path))} == {
        "45.83.122.10",
        "91.219.236.18",
    }


def test_summary_and_json_tell_of_keys_given_twice(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(f"{json.dumps(matching())}\n{TWICE}\n{TWICE}\n")
    result = run("scan", path, "-f", "json")
    (read,) = json.loads(result.out)["scan"]["inputs"]
    first = f"{path}:2"
    assert read["keys_given_twice"] == {
        "records": 2,
        "keys": {"destination.ip": 2},
        "first": first,
    }
    told = "2 records with a key given twice, of which the last counts: destination.ip; first"
    assert f"twice       {told} {first}\n" in result.err


@pytest.mark.usefixtures("small")
def test_ranges_tell_the_true_line_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "RANGE_BYTES", 2_000)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 1_000)
    path = tmp_path / "a.ndjson"
    last = TWICE.replace("10.0.0.9", "91.219.236.18")
    path.write_text((json.dumps(matching()) + "\n") * 30 + (last + "\n") * 2)
    (survey,) = gathered(path).surveys
    assert survey.sampled
    assert survey.repeated.records == 2
    assert str(survey.repeated.first) == f"{path}:31"
