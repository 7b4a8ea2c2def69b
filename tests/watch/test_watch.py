"""A watch gives each finding once, as its line comes, and what it learns is what a scan learns."""

import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smbrare.baseline.exchange import export
from smbrare.baseline.store import Baseline
from smbrare.cli.exclusion_file import network
from smbrare.detection.criteria import Criteria
from smbrare.detection.exclusions import Exclusion
from smbrare.detection.finding import Finding, flat
from smbrare.errors import OutputError
from smbrare.records.read_options import ReadOptions
from smbrare.watch.state import WatchState
from tests.support.events import matching
from tests.support.watching import Watched, add, line, opened, scanned, watched

ONE, TWO, THREE = "45.83.122.10", "91.219.236.18", "185.220.101.4"


def contents(findings: list[Finding]) -> list[bytes]:
    return [orjson.dumps(flat(finding)) for finding in findings]


# Lines as they come


def test_a_file_that_is_there_is_read_from_its_beginning_and_then_on(log: Path, kept: Path) -> None:
    add(log, line(ONE), line(ONE, 1))
    seen: list[int] = []
    result = Watched()
    watched(
        [log],
        kept,
        lambda: seen.append(len(result.findings)),
        lambda: add(log, line(ONE, 2), line(TWO, 3)),
        lambda: seen.append(len(result.findings)),
        into=result,
    )
    assert seen == [1, 2]
    assert result.destinations == [ONE, TWO]
    assert [finding.sighting.origin.number for finding in result.findings] == [1, 4]


def test_half_a_line_is_never_judged_whatever_byte_it_ends_at(log: Path, kept: Path) -> None:
    text = line(ONE)
    result = Watched()
    before: list[int] = []

    def step(character: str) -> Any:
        def write() -> None:
            before.append(len(result.findings))
            add(log, character)

        return write

    watched([log], kept, *map(step, text), lambda: None, into=result)
    assert before == [0] * len(text)
    assert result.destinations == [ONE]
    assert result.told == []


def test_the_offset_is_that_of_the_line_in_the_file(log: Path, kept: Path) -> None:
    first, second = line("10.20.1.9"), line(ONE)
    add(log, first, second[:40])
    result = watched([log], kept, lambda: add(log, second[40:]))
    assert result.findings[0].sighting.origin.offset == len(first)


def test_a_batch_is_judged_as_a_scan_over_the_baseline_judges_it(log: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.ndjson"
    add(before, line(ONE), line(TWO, -8 * 24))
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    for path in (one, other):
        scanned([before], path)
    add(log, line(ONE, 30), line(TWO, 2), line(THREE, 5), line(THREE, 4), line(ONE, -5))
    result = watched([log], one)
    assert contents(result.findings) == contents(scanned([log], other))
    assert len(result.findings) == 3
    assert [*export(Baseline(one))] == [*export(Baseline(other))]
    assert Baseline(one).verify()[1] == Baseline(other).verify()[1]


def test_a_late_event_adds_a_finding_that_is_marked_late(log: Path, kept: Path) -> None:
    add(log, line(ONE, 5))
    result = watched([log], kept, lambda: add(log, line(ONE, 4), line(ONE, 6)))
    assert [finding.late for finding in result.findings] == [False, True]
    assert len(set(result.ids)) == 2


def test_exclusions_hold_back_what_they_exclude(log: Path, kept: Path) -> None:
    add(log, line(ONE), line(TWO))
    exclusion = Exclusion("a partner", destination=(network("45.83.122.0/24"),))
    criteria = Criteria(exclusions=(exclusion,))
    assert watched([log], kept, criteria=criteria).destinations == [TWO]


def test_a_name_that_was_resolved_in_an_earlier_batch_is_excluded(log: Path, kept: Path) -> None:
    exclusion = Exclusion("a partner", domain=("files.example",))
    criteria = Criteria(exclusions=(exclusion,))
    dns = {"event": {"category": ["network"]}, "host": {"name": "WS-01", "os": {"type": "windows"}}}
    dns |= {"@timestamp": "2026-11-16T07:00:00Z"}
    dns |= {"dns": {"question": {"name": "files.example"}, "resolved_ip": [ONE]}}
    add(log, json.dumps(dns) + "\n")
    result = watched([log], kept, lambda: add(log, line(ONE), line(TWO)), criteria=criteria)
    assert result.destinations == [TWO]


def test_a_finding_without_a_time_is_given_once(log: Path, kept: Path) -> None:
    text = json.dumps(matching(timestamp=None)) + "\n"
    add(log, text)
    result = watched([log], kept, lambda: add(log, text))
    assert [finding.sighting.time for finding in result.findings] == [None]


def test_a_long_backlog_is_sifted_and_gives_the_same(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = [line("10.20.1.9", n / 60) for n in range(300)]
    add(log, *inside, line(ONE, 2), "{broken 445\n", *inside, line(TWO, 3), line(ONE, 4))
    whole = scanned([log])
    monkeypatch.setattr("smbrare.watch.watch.LARGE_BYTES", 1000)
    monkeypatch.setattr("smbrare.watch.tails.CHUNK_BYTES", 20_000)
    monkeypatch.setattr("smbrare.watch.watch.BATCH_BYTES", 50_000)
    result = watched([log], kept)
    assert result.ids == [finding.id for finding in whole]
    places = [finding.sighting.origin for finding in result.findings]
    assert places == [finding.sighting.origin for finding in whole]
    assert [text.split(": ")[0] for text in result.told] == [f"{log}:302"]


# The same findings as one scan

_EVENTS = st.lists(
    st.tuples(
        st.sampled_from([ONE, TWO]), st.sampled_from(["WS-01", "WS-02"]), st.integers(0, 400)
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=_EVENTS, chance=st.randoms(use_true_random=False))
def test_in_order_of_time_all_findings_are_those_of_one_scan(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str, int]], chance: Any
) -> None:
    folder = tmp_path_factory.mktemp("watch")
    log, kept, whole = folder / "app.ndjson", folder / "kept.db", folder / "whole.ndjson"
    events.sort(key=lambda event: event[2])
    ids: list[str] = []
    steps: list[Any] = []
    for destination, host, hour in events:
        text = line(destination, hour, host__name=host)
        add(whole, text)
        steps.append(lambda text=text: add(log, text))
        what = chance.randrange(6)
        if what == 0:
            steps.append(lambda: log.exists() and shutil.move(log, folder / "app.1"))
        elif what == 1:
            steps.append(lambda: log.exists() and log.write_text(""))
        elif what == 2:
            ids += watched([log], kept, *steps, lambda: None).ids
            steps = []
    ids += watched([log], kept, *steps, lambda: None).ids
    assert sorted(ids) == sorted(finding.id for finding in scanned([whole]))
    assert [*Baseline(kept).rows()] == [*_learnt(whole, folder / "other.db").rows()]


def _learnt(path: Path, baseline: Path) -> Baseline:
    scanned([path], baseline)
    return Baseline(baseline)


# Runs that end, and runs that are killed


def test_the_next_run_goes_on_and_repeats_nothing(log: Path, kept: Path) -> None:
    add(log, line(ONE), line(TWO)[:50])
    assert watched([log], kept).destinations == [ONE]
    assert watched([log], kept).destinations == []
    add(log, line(TWO)[50:], line(ONE, 1))
    again = watched([log], kept)
    assert again.destinations == [TWO]
    assert again.findings[0].sighting.origin.number == 2


class _Killed(BaseException):
    """As much as a test can kill of itself."""


@pytest.mark.parametrize("moment", ["before giving", "after giving", "after noting", "on keeping"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_killed_run_loses_no_finding_and_repeats_at_most_the_last(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch, moment: str, number: int
) -> None:
    add(log, line(ONE), line(TWO, 1), line(THREE, 2), line(ONE, 3))
    wanted = [finding.id for finding in scanned([log])]
    result = Watched()
    with monkeypatch.context() as patch:
        _kill_at(moment, number, result, patch)
        with pytest.raises(_Killed):
            watched([log], kept, into=result)
    before = len(result.findings)
    result.findings = list(result.findings)
    watched([log], kept, into=result)
    assert list(dict.fromkeys(result.ids)) == wanted
    repeated = [identifier for identifier in wanted if result.ids.count(identifier) > 1]
    assert repeated == ([result.ids[before - 1]] if moment == "after giving" else [])
    assert max(map(result.ids.count, wanted)) <= 2


def _kill_at(moment: str, number: int, result: Watched, patch: pytest.MonkeyPatch) -> None:
    note, keep = WatchState.record, WatchState.commit
    findings = result.findings

    class Giving(list[Finding]):
        def append(self, finding: Finding) -> None:
            if moment == "before giving" and len(self) == number:
                raise _Killed
            super().append(finding)

    result.findings = Giving(findings)

    def noting(*arguments: Any) -> None:
        last = len(result.findings) == number + 1
        if moment == "after giving" and last:
            raise _Killed
        note(*arguments)
        if moment == "after noting" and last:
            raise _Killed

    def keeping(*arguments: Any) -> None:
        if moment == "on keeping":
            raise _Killed
        keep(*arguments)

    patch.setattr(WatchState, "record", noting)
    patch.setattr(WatchState, "commit", keeping)


def test_the_baseline_learns_nothing_of_a_finding_that_could_not_be_written(
    log: Path, kept: Path
) -> None:
    add(log, line(ONE))

    class Full(list[Finding]):
        def append(self, _: Finding) -> None:
            raise OutputError("no room")

    with pytest.raises(OutputError):
        watched([log], kept, into=Watched(findings=Full()))
    assert [*Baseline(kept).rows()] == []
    assert watched([log], kept).destinations == [ONE]


def test_what_gives_no_finding_is_kept_after_a_while(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(log, line("10.20.1.9"))
    hours: list[int] = []
    monkeypatch.setattr("smbrare.watch.state.KEEP_SECONDS", 0.0)
    watched([log], kept, lambda: hours.append(len(Baseline(kept).covered())))
    assert hours == [1]


def test_judging_asks_only_for_the_rows_that_decide(
    log: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [line(ONE, hour) for hour in range(-1000, -200)]
    add(log, *old)
    watched([log], kept)
    asked: list[int] = []
    rows = Baseline.rows

    def counted(self: Baseline, *arguments: Any) -> Any:
        found = [*rows(self, *arguments)]
        asked.append(len(found))
        return iter(found)

    monkeypatch.setattr(Baseline, "rows", counted)
    add(log, line(ONE))
    (finding,) = watched([log], kept).findings
    assert asked == [1]
    assert finding.previous == scanned([log])[-1].previous


def test_all_of_the_history_is_asked_for_where_it_is_the_history(log: Path, kept: Path) -> None:
    criteria = Criteria(history=None)
    add(log, line(ONE, -5000))
    watched([log], kept, criteria=criteria)
    add(log, line(ONE))
    assert watched([log], kept, criteria=criteria).destinations == []


def test_another_setting_than_the_baseline_has_is_an_error(log: Path, kept: Path) -> None:
    watched([log], kept)
    with pytest.raises(Exception, match="was kept with literal"):
        opened(kept, ReadOptions(literal=True))
