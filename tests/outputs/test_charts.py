"""Charts: complete up to what can be read, and valid for the library that draws them."""

from pathlib import Path
from typing import Any

import vl_convert

from smbrare.outputs.charts import MOST_DRAWN, contacts, timeline
from tests.conftest import FIXTURES
from tests.support.events import matching
from tests.support.reports import report, write


def charts(path: Path) -> tuple[Any, Any]:
    made = report(path)
    return timeline(made, list(made.findings)), contacts(made, list(made.findings))


def test_vega_lite_compiles_both_charts() -> None:
    over_time, by_host = charts(FIXTURES / "sample.ndjson")
    assert "45.83.122.10" in vl_convert.vegalite_to_svg(over_time.spec)
    assert "WS-03.corp.example" in vl_convert.vegalite_to_svg(by_host.spec)


def test_the_timeline_shows_findings_first_and_every_sighting() -> None:
    over_time, _ = charts(FIXTURES / "sample.ndjson")
    sightings, findings = (layer["data"]["values"] for layer in over_time.spec["layer"])
    assert [row["destination"] for row in findings] == [
        "20.60.40.9",
        "45.83.122.10",
        "91.219.236.18",
    ]
    assert sum(row["events"] for row in sightings) == 9
    assert sightings[0]["span"] == "2026-11-16 08:30:00, within 1 h"


def test_a_long_time_is_drawn_in_longer_steps(tmp_path: Path) -> None:
    days = ["2026-01-01", "2026-11-16", "2026-11-17"]
    documents = [matching(timestamp=f"{day}T08:00:00Z") for day in days]
    over_time, _ = charts(write(tmp_path / "events.ndjson", documents))
    sightings = over_time.spec["layer"][0]["data"]["values"]
    assert sum(row["events"] for row in sightings) == 3
    assert sightings[0]["span"].endswith(", within 20 h")


def test_the_ends_of_the_calendar_are_no_trouble(tmp_path: Path) -> None:
    days = ["0001-01-01T00:00:00Z", "2026-11-16T08:00:00Z", "9999-12-31T23:59:59Z"]
    documents = [matching(timestamp=day) for day in days]
    over_time, _ = charts(write(tmp_path / "events.ndjson", documents))
    assert len(over_time.spec["layer"][0]["data"]["values"]) == 3


def test_what_is_not_drawn_is_counted(tmp_path: Path) -> None:
    documents = [
        matching(destination__ip=f"45.83.122.{number}") for number in range(MOST_DRAWN + 5)
    ]
    over_time, by_host = charts(write(tmp_path / "events.ndjson", documents))
    assert (over_time.omitted, by_host.omitted) == (5, 5)
    assert len(by_host.spec["data"]["values"]) == MOST_DRAWN


def test_without_a_sighting_there_is_no_chart(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching(destination__ip="10.0.0.1")])
    assert charts(path) == (None, None)


def test_an_undated_sighting_is_in_the_matrix_alone(tmp_path: Path) -> None:
    over_time, by_host = charts(write(tmp_path / "events.ndjson", [matching(timestamp=None)]))
    assert over_time is None
    assert by_host.spec["data"]["values"][0]["events"] == 1


def test_a_chart_has_the_same_names_for_people_as_the_table(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching(host__name="a\u202eb")])
    _, by_host = charts(path)
    assert by_host.spec["data"]["values"][0]["host"] == "a\\u202eb"
