"""Pictures: the highest ranks have lanes, everything else is counted, one row is no picture."""

from pathlib import Path

from smbrare.detection.rank import rank
from smbrare.outputs.pictures import MOST_LANES, Pictures
from tests.support.events import matching
from tests.support.reports import html, report, write


def pictures(path: Path) -> Pictures:
    made = report(path)
    return Pictures(made, sorted(made.findings, key=rank))


def days(*times: str) -> list[dict[str, object]]:
    return [
        matching(timestamp=time, destination__ip=f"45.83.122.{number}")
        for number, time in enumerate(times)
    ]


def test_a_lane_shows_the_first_contact_and_the_later_ones(tmp_path: Path) -> None:
    events = [matching(timestamp=f"2026-11-{day}T08:00:00Z") for day in (16, 18, 20)]
    events.append(matching(timestamp="2026-11-17T08:00:00Z", destination__ip="9.9.9.9"))
    drawn = pictures(write(tmp_path / "events.ndjson", events))
    (first, second), others = drawn.lanes()
    assert (first[0], first[1].sighting.destination) == (1, "45.83.122.10")
    assert drawn.contacts(first[1]) == (1.0, (50.0, 99.0))
    assert drawn.contacts(second[1]) == (25.5, ())
    assert others == []


def test_the_worst_is_never_cut_and_the_others_share_a_lane(tmp_path: Path) -> None:
    events = [matching(destination__ip=f"45.83.{n // 250}.{n % 250}") for n in range(90)]
    for event in events[:-1]:
        event["event"]["outcome"] = "failure"
    events[-1]["event"]["outcome"] = "success"
    events[-1]["@timestamp"] = "2026-11-20T08:00:00Z"
    drawn = pictures(write(tmp_path / "events.ndjson", events))
    lanes, (others,) = drawn.lanes()
    assert lanes[0][1].sighting.destination == "45.83.0.89"
    assert len(lanes) == MOST_LANES
    assert (others.grade, others.findings, others.events) == ("attempted", 65, 65)


def test_a_matrix_counts_what_it_does_not_draw(tmp_path: Path) -> None:
    events = [
        matching(destination__ip=f"45.83.122.{n}", host__name=f"WS-{n:03}") for n in range(85)
    ]
    events.append(matching(destination__ip="45.83.122.7", host__name="WS-000"))
    path = write(tmp_path / "events.ndjson", events)
    drawn = pictures(path)
    assert list(drawn.columns())[:2] == ["45.83.122.7", "45.83.122.0"]
    assert drawn.rows()[:2] == [("ws-000", 2), ("ws-007", 1)]
    assert len(drawn.rows()) == 85
    page = html(path)
    assert "Not drawn: 5 destinations and 45 hosts of lower rank." in page
    assert "<title>WS-000, 45.83.122.7: 1 event</title>" in page


def test_one_row_is_no_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "events.ndjson", [matching()])
    assert pictures(path).lanes() == ([], [])
    assert 'id="pictures"' not in html(path)


def test_the_ends_of_the_calendar_and_undated_events_have_a_place(tmp_path: Path) -> None:
    events = days("0001-01-01T00:00:00Z", "2026-11-16T08:00:00Z", "9999-12-31T23:59:59Z")
    events.append(matching(timestamp=None, host__name="WS-02"))
    drawn = pictures(write(tmp_path / "events.ndjson", events))
    lanes, _ = drawn.lanes()
    assert [drawn.contacts(finding)[0] for _, finding in lanes] == [1.0, 20.9, 99.0]
    ticks = list(drawn.ticks())
    assert 3 <= len(ticks) <= 7
    assert all(1 <= place <= 99 for place, _ in ticks)
    assert [drawn.hosts[host] for host, _ in drawn.rows()] == ["WS-01", "WS-02"]


def test_ticks_are_hours_in_a_short_time_and_days_in_a_long_one(tmp_path: Path) -> None:
    short = pictures(
        write(tmp_path / "a.ndjson", days("2026-11-16T08:30:00Z", "2026-11-16T11:00:00Z"))
    )
    assert [text for _, text in short.ticks()] == ["11-16 09:00", "11-16 10:00", "11-16 11:00"]
    long = pictures(
        write(tmp_path / "b.ndjson", days("2026-11-10T08:00:00Z", "2026-11-13T08:00:00Z"))
    )
    assert [text for _, text in long.ticks()][:2] == ["11-10 12:00", "11-11 00:00"]
