"""One world of connections, told in every form and every container, gives the same findings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from smbrare.detection.criteria import Criteria
from smbrare.detection.rarity import Known, judge
from smbrare.inputs.discovery import discover
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR
from smbrare.scanning.gathering import gather
from tests.conftest import FIXTURES, ROOT, Run
from tests.support import container_world
from tests.support.forms import FORMS
from tests.support.forms.connection import Connection

START = datetime(2026, 11, 1, tzinfo=UTC)
DESTINATIONS = ("45.83.122.10", "91.219.236.18", "185.220.101.4", "10.20.0.5", "192.0.2.7")

WORLD = [
    Connection(
        time=START + timedelta(hours=7 * number, seconds=number, milliseconds=number % 1000),
        host=f"WS-{number % 40 + 1:02d}.corp.example",
        source=f"10.20.1.{number % 40 + 1}",
        source_port=50_000 + number,
        destination=DESTINATIONS[number // 9 % len(DESTINATIONS)],
        port=(445, 139, 443)[number // 4 % 3],
        pid=4 if number % 5 else 5120,
        image="System" if number % 5 else "C:\\Program Files\\Browser\\browser.exe",
    )
    for number in range(300)
]


def found(path: Path) -> list[tuple[str, int | None, str]]:
    """Return the destinations, times and ids of a scan's findings."""
    partial = gather(list(discover([str(path)])), ReadOptions(), lambda _: None)
    assert not any(survey.skipped for survey in partial.surveys)
    judged = judge(partial.sightings, Known(), Criteria(7 * 24 * HOUR))
    return [(one.sighting.destination, one.sighting.time, one.id) for one in judged]


@pytest.fixture(scope="module")
def expected() -> list[tuple[str, datetime]]:
    """Return the findings by the definition, from the connections themselves."""
    sightings = [
        (one.destination, one.time)
        for one in WORLD
        if one.pid == 4 and one.port in {139, 445} and one.destination in DESTINATIONS[:3]
    ]
    week = timedelta(days=7)
    return [
        (destination, time)
        for destination, time in sightings
        if not any(
            other == destination and time - week <= before < time for other, before in sightings
        )
    ]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_findings_of_the_world(
    form: str, expected: list[tuple[str, datetime]], tmp_path: Path
) -> None:
    path = tmp_path / "world"
    path.write_bytes(b"\n".join(orjson.dumps(FORMS[form](one)) for one in WORLD))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert len(expected) > 5
    wanted = [
        (destination, (time - epoch) // timedelta(microseconds=1)) for destination, time in expected
    ]
    seen = [(destination, time) for destination, time, _ in found(path)]
    if form.startswith("windows_firewall-") and form != "windows_firewall-mapped":
        # Raw 5156 has no time of its own, only that of the log's record, a little later.
        assert [destination for destination, _ in seen] == [name for name, _ in wanted]
    else:
        assert seen == wanted


@pytest.fixture(scope="module")
def of_containers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int | None, str]]:
    path = tmp_path_factory.mktemp("world") / "plain"
    path.write_text(container_world.told("ndjson"))
    return found(path)


@pytest.mark.parametrize("text", container_world.TEXTS)
@pytest.mark.parametrize("encoding", container_world.ENCODINGS)
def test_every_container_of_text_gives_the_same_findings(
    text: str, encoding: str, of_containers: list[tuple[str, int | None, str]], tmp_path: Path
) -> None:
    path = tmp_path / "world"
    written = container_world.told(text)
    path.write_bytes(container_world.ENCODINGS[encoding](written))
    assert len(of_containers) > 100
    assert found(path) == of_containers


@pytest.mark.parametrize("layers", container_world.PACKED)
def test_every_packing_gives_the_same_findings(
    layers: str, of_containers: list[tuple[str, int | None, str]], tmp_path: Path
) -> None:
    path = tmp_path / "world"
    plain = container_world.told("ndjson").encode()
    path.write_bytes(container_world.packed(layers, plain))
    assert found(path) == of_containers


def test_evtx_gives_the_same_findings(
    of_containers: list[tuple[str, int | None, str]], tmp_path: Path
) -> None:
    path = tmp_path / "world"
    path.write_bytes(container_world.evtx_file(container_world.WORLD))
    assert found(path) == of_containers


def test_all_fixtures_are_read_to_their_end(run: Run) -> None:
    result = run("scan", FIXTURES)
    assert result.code == 1
    assert "not read to its end" not in result.err
    assert "skipped" not in result.err
    files = [path for path in FIXTURES.rglob("*") if path.is_file()]
    caches = [path for path in files if "__pycache__" in path.parts]
    # Archives hold several members each.
    assert len(files) - len(caches) > 70


def test_a_script_among_logs_is_counted_and_named(run: Run) -> None:
    result = run("scan", FIXTURES, "-v")
    assert "of no known format" in result.err
    assert f"{(FIXTURES / 'make.py').relative_to(ROOT)} (no known format): " in result.err
