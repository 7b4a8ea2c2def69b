"""Of a key given twice the last value counts, whichever way the record takes."""

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
from smbrare.inputs.readers import document as document_reader
from smbrare.records.event import Record
from smbrare.records.json_text import decode
from smbrare.records.read_options import ReadOptions
from smbrare.scanning import planning
from smbrare.scanning.gathering import gather
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
    return gather(list(discover([str(path)])), ReadOptions(**how), lambda _: None)


def sighted(partial: Partial) -> set[tuple[Any, ...]]:
    return {(*contact.key[:2], contact.first) for contact in partial.sightings.contacts()}


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


def test_arrays_of_one_name_in_a_streamed_envelope_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    others = json.dumps([matching(destination__ip="91.219.236.18")], indent=1)
    path.write_text(f'{{\n"records": {json.dumps([matching()], indent=1)}, "records": {others}}}')
    assert {sighting[0] for sighting in sighted(gathered(path))} == {
        "45.83.122.10",
        "91.219.236.18",
    }
