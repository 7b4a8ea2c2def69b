"""Pictures: the highest ranks have lanes, everything else is counted, one row is no picture."""

from pathlib import Path

from smbrare.detection.rank import rank
from smbrare.outputs.pictures import MOST_COLUMNS, MOST_HOSTS, MOST_LANES, Pictures
from tests.support.events import matching
from tests.support.reports import report, write


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
    first, second = pictures(write(tmp_path / "events.ndjson", events)).timeline()
    assert (first.name, first.first, first.later, first.events) == (
        "45.83.122.10",
        (1.0,),
        (50.0, 99.0),
        3,
    )
    assert (second.name, second.first, second.later) == ("9.9.9.9", (25.5,), ())


def test_the_worst_is_never_cut_and_the_others_share_a_lane(tmp_path: Path) -> None:
    events = [matching(destination__ip=f"45.83.{n // 250}.{n % 250}") for n in range(90)]
    for event in events[:-1]:
        event["event"]["outcome"] = "failure"
    events[-1]["event"]["outcome"] = "success"
    events[-1]["@timestamp"] = "2026-11-20T08:00:00Z"
    drawn = pictures(write(tmp_path / "events.ndjson", events))
    lanes = drawn.timeline()
    assert lanes[0].name == "45.83.0.89"
    assert len(lanes) == MOST_LANES + 1
    assert (lanes[-1].name, lanes[-1].grade, lanes[-1].findings) == ("", "attempted", 65)
    assert sum(lane.events for lane in lanes) == 90


def test_a_matrix_counts_what_it_does_not_draw(tmp_path: Path) -> None:
    events = [
        matching(destination__ip=f"45.83.122.{n}", host__name=f"WS-{n:03}")
        for n in range(MOST_COLUMNS + 5)
    ]
    events.append(matching(destination__ip="45.83.122.7", host__name="WS-000"))
    matrix = pictures(write(tmp_path / "events.ndjson", events)).matrix()
    assert matrix is not None
    assert matrix.omitted == (5, MOST_COLUMNS + 5 - MOST_HOSTS)
    (row,) = [row for row in matrix.rows if row[0] == "WS-000"]
    assert row[2] == 2
    assert {text for *_, text in row[1]} == {
        "WS-000, 45.83.122.0: 1 events",
        "WS-000, 45.83.122.7: 1 events",
    }


def test_one_row_is_no_picture(tmp_path: Path) -> None:
    drawn = pictures(write(tmp_path / "events.ndjson", [matching()]))
    assert drawn.timeline() == []
    assert drawn.matrix() is None


def test_the_ends_of_the_calendar_and_undated_events_have_a_place(tmp_path: Path) -> None:
    events = days("0001-01-01T00:00:00Z", "2026-11-16T08:00:00Z", "9999-12-31T23:59:59Z")
    events.append(matching(timestamp=None, host__name="WS-02"))
    drawn = pictures(write(tmp_path / "events.ndjson", events))
    assert [lane.first for lane in drawn.timeline()] == [(1.0,), (20.9,), (99.0,)]
    ticks = list(drawn.ticks())
    assert 3 <= len(ticks) <= 7
    assert all(1 <= place <= 99 for place, _ in ticks)
    matrix = drawn.matrix()
    assert matrix is not None
    assert [row[0] for row in matrix.rows] == ["WS-01", "WS-02"]


def test_ticks_are_hours_in_a_short_time_and_days_in_a_long_one(tmp_path: Path) -> None:
    short = pictures(
        write(tmp_path / "a.ndjson", days("2026-11-16T08:30:00Z", "2026-11-16T11:00:00Z"))
    )
    assert [text for _, text in short.ticks()] == ["11-16 09:00", "11-16 10:00", "11-16 11:00"]
    long = pictures(
        write(tmp_path / "b.ndjson", days("2026-11-10T08:00:00Z", "2026-11-13T08:00:00Z"))
    )
    assert [text for _, text in long.ticks()][:2] == ["11-10 12:00", "11-11 00:00"]
