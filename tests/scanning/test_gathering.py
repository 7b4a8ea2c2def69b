"""Large inputs, ranges and processes give what a whole reading gives."""

import bz2
import errno
import gzip
import io
import json
import multiprocessing
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from msgspec.structs import replace

from smbrare.detection.criteria import Criteria
from smbrare.detection.finding import Finding, flat
from smbrare.detection.partial import Partial
from smbrare.detection.rarity import Known, judge
from smbrare.inputs.discovery import Input, discover
from smbrare.inputs.readers import ndjson
from smbrare.inputs.unpack import compression
from smbrare.limits import MIB
from smbrare.records.read_options import ReadOptions
from smbrare.records.times import HOUR
from smbrare.scanning import gathering, planning, workers
from smbrare.scanning.gathering import gather
from smbrare.scanning.planning import Task, plan
from smbrare.scanning.workers import Processes, Work
from tests.conftest import FIXTURES, Run
from tests.support.events import matching

SAMPLE_LINES = (FIXTURES / "sample.ndjson").read_text().splitlines()
NOISE = [
    json.dumps(matching(destination__ip="10.20.0.5")),
    json.dumps(matching(destination__port=443, process__pid=5120)),
    json.dumps(matching(process__pid=6210)),
    json.dumps(matching(host__os=None)),
    json.dumps({"message": "445 and 139"}),
    "",
    "{broken",
    '{"broken" "inside"}',
    '{"a": 1}, {"b": 2}',
    '{"invalid": "\\ud800"}',
    '{"destination": {"port": 445}',
    "null",
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every file large, and ranges of a few lines."""
    monkeypatch.setattr(planning, "LARGE_BYTES", 1)
    monkeypatch.setattr(planning, "RANGE_BYTES", 5_000)
    monkeypatch.setattr(planning, "DECODED_RANGE_BYTES", 3_000)
    monkeypatch.setattr(planning, "SAMPLE_EVERY_AT_LEAST", 2_000)
    monkeypatch.setattr(compression, "AHEAD_BYTES", 1)


def gathered(*paths: Path, **how: Any) -> Partial:
    return gather(list(discover([str(path) for path in paths])), ReadOptions(**how), lambda _: None)


def found(partial: Partial) -> list[Finding]:
    question = Criteria(7 * 24 * HOUR)
    return judge(partial.sightings, Known((), frozenset(partial.span.hours)), question)


def documents(partial: Partial) -> list[dict[str, Any]]:
    """Return the findings without what a sample leaves open: the history known."""
    return [
        {
            name: value
            for name, value in flat(finding).items()
            if not name.startswith("smbrare.history") and name != "event.reason"
        }
        for finding in found(partial)
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SAMPLE_LINES + NOISE), min_size=1, max_size=60))
def test_sifting_gives_the_findings_of_a_thorough_reading(
    small: None, tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    del small
    path = tmp_path_factory.mktemp("mixed") / "events.ndjson"
    path.write_text("\n".join(lines) + "\n")
    sifted, thorough = gathered(path), gathered(path, thorough=True)
    assert documents(sifted) == documents(thorough)
    assert sifted.near_misses == thorough.near_misses
    (counted,), (read,) = sifted.surveys, thorough.surveys
    if counted.container == "ndjson":
        for what in ("records", "lost", "skipped", "mended"):
            assert getattr(counted, what) == getattr(read, what)
        assert counted.sources.keys() <= read.sources.keys()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([*SAMPLE_LINES, *NOISE, " " * 4_000, "x" * 7_000]), min_size=20),
    st.sampled_from(["", "\n", "\r\n", "\n\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_ranges_that_are_decoded_whole_give_what_one_reading_gives(
    small: None, tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, mark: bytes
) -> None:
    del small
    path = tmp_path_factory.mktemp("mixed") / "events.ndjson"
    path.write_bytes(mark + "\n".join(lines).encode() + end.encode())
    how: dict[str, Any] = {"thorough": True, "names": frozenset({"*"})}
    whole, ranges = gathered(path, jobs=1, **how), gathered(path, **how)
    (found_input,) = discover([str(path)])
    assert len(plan(found_input, ReadOptions(jobs=1, thorough=True))) == 1
    assert documents(ranges) == documents(whole)
    assert [replace(survey, lines=0) for survey in ranges.surveys] == [
        replace(survey, lines=0) for survey in whole.surveys
    ]
    for part in ("near_misses", "span", "answers", "resolutions"):
        one, other = (
            encode(getattr(each, part), order="deterministic") for each in (ranges, whole)
        )
        assert one == other


@pytest.mark.usefixtures("small")
def test_what_a_sample_leaves_in_doubt_is_counted_in_ranges_alike(tmp_path: Path) -> None:
    # No network event, so that what a sample tells has to be made sure of.
    lines = [json.dumps({"event": {"category": ["file"]}, "n": "x" * n}) for n in range(900)]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([*lines, "{broken", "null", ""]) * 3)
    one, several = gathered(path, jobs=1), gathered(path, jobs=2)
    assert not one.surveys[0].sampled
    assert [replace(survey, lines=0) for survey in several.surveys] == [
        replace(survey, lines=0) for survey in one.surveys
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([*SAMPLE_LINES, "{broken"] * 20) + "\n")
    return path


@pytest.mark.usefixtures("small")
def test_ranges_know_the_true_numbers_of_their_lines(log: Path) -> None:
    partial = gathered(log)
    (found_input,) = discover([str(log)])
    assert len(list(plan(found_input, ReadOptions()))) > 10
    (survey,) = partial.surveys
    assert survey.sampled
    assert survey.records == 20 * len(SAMPLE_LINES)
    assert survey.skipped == 20
    every = len(SAMPLE_LINES) + 1
    assert [skipped.origin.number for skipped in survey.located] == [
        every * turn for turn in range(1, 11)
    ]
    assert documents(partial) == documents(gathered(log, thorough=True))


@pytest.mark.usefixtures("small")
def test_a_line_that_is_broken_inside_is_seen_as_far_as_lines_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = '{"broken" "inside"}\n'
    path = tmp_path / "events.ndjson"
    path.write_text(f"{json.dumps(matching())}\n{line}" * 100)
    # Ranges begin at 5,000 bytes.
    monkeypatch.setattr(ndjson, "CHECKED_BYTES", 10_000)
    (survey,) = gathered(path).surveys
    seen = [skipped.origin.number for skipped in survey.located]
    assert seen == [2 * turn for turn in range(1, 11)]
    assert 30 <= survey.skipped < 50


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_compressed_input_is_sifted_alike(log: Path, tmp_path: Path, compress: Any) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(compress(log.read_bytes()))
    partial = gathered(packed)
    assert partial.surveys[0].sampled
    assert [finding.id for finding in found(partial)] == [
        finding.id for finding in found(gathered(log))
    ]
    assert partial.surveys[0].records == 20 * len(SAMPLE_LINES)


@pytest.mark.usefixtures("small")
def test_damage_costs_no_more_where_a_thread_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        json.dumps(matching(destination__ip=f"45.83.{n // 250}.{n % 250}", message=" " * 5_000))
        for n in range(500)
    )
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress("\n".join(lines).encode()) + packer.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "damaged.gz"
    path.write_bytes(packed + b"\7" * 100)  # Blocks of the type that there is not.
    monkeypatch.setattr(workers, "cores", lambda: 1)
    kept = documents(gathered(path))
    # The last 64 KiB before the damage may be lost.
    assert 500 - 13 <= len(kept) <= 500
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert documents(gathered(path)) == kept
    monkeypatch.setattr(gathering, "is_packed", lambda _: False)
    assert len(documents(gathered(path))) < len(kept)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda packed: packed[:-2_000], "the gzip data is cut off"),
        (lambda packed: packed + b"more", "something else follows the gzip data"),
        (lambda packed: packed + packed[:30], "the gzip data is cut off"),
        (lambda packed: packed + b"\0" * 3_000 + packed, ""),
    ],
)
def test_a_thread_that_unpacks_tells_what_is_told_without_one(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any, told: str
) -> None:
    path = tmp_path / "events.gz"
    path.write_bytes(damage(gzip.compress(log.read_bytes())))
    seen = []
    for cores in (1, 2):
        monkeypatch.setattr(workers, "cores", lambda cores=cores: cores)
        partial = gathered(path, jobs=1)
        (survey,) = partial.surveys
        seen.append((documents(partial), survey.lines, survey.located))
    assert seen[0] == seen[1]
    assert [one.reason for one in seen[0][2] if one.ends_input] == ([told] if told else [])


@pytest.mark.usefixtures("small")
def test_the_number_of_processes_changes_nothing(log: Path) -> None:
    alone, together = gathered(log, jobs=1), gathered(log, jobs=2)
    assert documents(alone) == documents(together)
    assert alone.surveys == together.surveys
    assert alone.span == together.span


def test_the_processes_have_ended_before_the_last_result_is_given() -> None:
    results = Processes(2).map(Work[int, int](do=abs, lost=abs), [-1, -2, -3])
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    # Who takes three results of three tasks asks no further, and leaves the rest to chance.
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("sizes", "sample_every", "jobs"),
    [
        # Ranges of a large file are sifted, small files are decoded whole, which takes far longer.
        ([32 * MIB, 32 * MIB], MIB, 1),
        ([32 * MIB] * 7, MIB, 4),
        ([MIB, MIB], 0, 1),
        ([10 * MIB, 10 * MIB], 0, 2),
        ([10 * MIB], 0, 1),
    ],
)
def test_as_many_processes_read_as_pay(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], sample_every: int, jobs: int
) -> None:
    monkeypatch.setattr(workers, "cores", lambda: 4)
    tasks = [Task(Input("log", named=True, size=size), sample_every=sample_every) for size in sizes]
    assert planning.jobs(tasks, ReadOptions()) == jobs
    assert planning.jobs(tasks, ReadOptions(jobs=3)) == min(3, len(tasks))


def die_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every other process die as soon as it has sifted something."""
    parent = os.getpid()

    def dying(lines: Sequence[memoryview]) -> Iterable[int]:
        if os.getpid() != parent:
            os._exit(9)
        return range(len(lines))

    monkeypatch.setattr(planning, "needs_decoding", dying)


@pytest.mark.usefixtures("small")
def test_a_process_that_dies_is_an_input_not_read_to_its_end(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_elsewhere(monkeypatch)
    (survey,) = gathered(log, jobs=2).surveys
    assert survey.cut
    assert "died" in survey.located[0].reason


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("thorough", [False, True])
def test_what_might_match_in_any_range_is_given_its_place(
    tmp_path: Path, *, thorough: bool
) -> None:
    # As short as any record that shows a port, the PID and both addresses.
    suspect = '{"m":"445 4 10.0.0.1 1::1"}'
    path = tmp_path / "events.ndjson"
    path.write_text(f"{json.dumps(matching())}\n" * 40 + f"{suspect}\n" * 2)
    (survey,) = gathered(path, thorough=thorough).surveys
    assert survey.suspects == 2
    assert [origin.number for origin in survey.suspected] == [41, 42]


@pytest.mark.usefixtures("small")
def test_a_second_reading_keeps_the_place_of_a_match_without_time(tmp_path: Path) -> None:
    lacking = matching(
        process=None, agent={"type": "endpoint"}, event__action="connection_accepted"
    )
    path = tmp_path / "events.ndjson"
    undated = matching(**{"@timestamp": "soon"})
    path.write_text("\n".join(map(json.dumps, [*[lacking] * 60, undated])) + "\n")
    (exact,) = gathered(path, thorough=True).surveys
    (survey,) = gathered(path).surveys
    assert [source for source, _ in survey.unjudged()] == ["elastic_defend"]
    assert survey.odd_times == exact.odd_times
    assert survey.odd_times["undated"].value == "soon"


@pytest.mark.usefixtures("small")
def test_a_sample_that_leaves_doubt_is_followed_by_a_whole_reading(tmp_path: Path) -> None:
    # No sampled record is of a source, but one of the others is.
    other = json.dumps({"message": "x" * 3_000})
    path = tmp_path / "events.ndjson"
    inside = json.dumps(matching(destination__ip="10.0.0.9", destination__port=80))
    path.write_text(f"{other}\n{inside}\n{other}\n{other}\n{other}\n")
    (survey,) = gathered(path).surveys
    assert survey.sources["ecs"].network == 1
    assert not survey.sampled
    assert survey.unjudged() == []


@pytest.mark.usefixtures("small")
def test_a_whole_reading_that_counts_hides_no_trouble_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All samples are of files, and the process that reads the matches dies.
    file = json.dumps({"event": {"category": ["file"]}, "n": "x" * 3_000}) + "\n"
    path = tmp_path / "events.ndjson"
    path.write_text(file * 20 + json.dumps(matching()) + "\n" + file * 20)
    die_elsewhere(monkeypatch)
    (survey,) = gathered(path, jobs=2).surveys
    assert not survey.sampled
    assert survey.cut
    assert [skipped.reason for skipped in survey.located] == ["the process that read it died"]


@pytest.mark.usefixtures("small")
def test_behind_a_range_that_fails_no_line_is_given_a_wrong_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({"event": {"category": ["file"]}, "n": "x" * 200})] * 100
    lines[70] = json.dumps(matching())
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(lines))

    class Failing(io.FileIO):
        """A file that cannot be read at one place."""

        def readinto(self, buffer: Any, /) -> int:
            if 6_000 <= self.tell() < 8_000:
                raise OSError(errno.EIO, "Input/output error")
            return super().readinto(memoryview(buffer)[:1_000])

    whole = gathered(path, thorough=True)
    monkeypatch.setattr(gathering, "open_raw", lambda found: Failing(found.path, "rb"))
    broken = gathered(path, thorough=True)
    origins = [
        partial.sightings.least([contact]).origin
        for partial in (whole, broken)
        for contact in partial.sightings.contacts()
    ]
    assert [origin.number for origin in origins] == [71, 0]
    assert origins[0].offset == origins[1].offset
    assert broken.surveys[0].cut


@pytest.mark.usefixtures("small")
def test_a_rare_source_that_lacks_fields_is_not_overlooked(tmp_path: Path) -> None:
    # No sample meets it, and it misses two clauses.
    usual = json.dumps(matching(destination__ip="10.0.0.9", message="x" * 3_000))
    rare = json.dumps(
        {"agent": {"type": "endpoint"}} | matching(network__transport=None, host__os=None)
    )
    path = tmp_path / "events.ndjson"
    path.write_text(f"{usual}\n{rare}\n{usual}\n{usual}\n")
    for thorough in (False, True):
        (survey,) = gathered(path, thorough=thorough).surveys
        assert [source for source, _ in survey.unjudged()] == ["elastic_defend"]


def test_small_inputs_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(SAMPLE_LINES))
    assert not gathered(path).surveys[0].sampled


def test_one_task_needs_no_process() -> None:
    pid = list(Processes(4).map(Work(do=lambda _: os.getpid(), lost=int), [1]))
    assert pid == [os.getpid()]


def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = list(range(20))
    assert list(Processes(2).map(Work(do=str, lost=str), tasks)) == list(map(str, tasks))


def test_a_large_file_gives_the_same_bytes_with_one_job_and_two(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "large.ndjson"
    noise = json.dumps(matching(destination__ip="10.0.0.9", message="x" * 3_000)) + "\n"
    block = noise * 100 + "\n".join(SAMPLE_LINES) + "\n{broken\n"
    path.write_text(block * 110)
    assert path.stat().st_size > planning.LARGE_BYTES
    outputs = {
        options: run("scan", path, "--format", "json", *options)
        for options in ((), ("-j", "2"), ("--thorough",))
    }
    assert outputs[()].out == outputs["-j", "2"].out
    sifted, thorough = (json.loads(outputs[key].out) for key in ((), ("--thorough",)))
    assert sifted["scan"]["records"] == thorough["scan"]["records"]
    assert sifted["scan"]["skipped"] == thorough["scan"]["skipped"] == 110
    assert [finding["smbrare"]["id"] for finding in sifted["findings"]] == [
        finding["smbrare"]["id"] for finding in thorough["findings"]
    ]


def test_an_input_that_vanishes_is_named(tmp_path: Path) -> None:
    gone = Input(str(tmp_path / "gone.ndjson"), named=True, size=10**9)
    (survey,) = gather([gone], ReadOptions(), lambda _: None).surveys
    assert survey.cut


@pytest.mark.usefixtures("small")
def test_a_sample_is_the_same_however_short_the_last_range_would_be(tmp_path: Path) -> None:
    lines = "".join(f"{line}\n" for line in SAMPLE_LINES)
    path = tmp_path / "events.ndjson"
    for over in (1, 40, 200):
        path.write_text(lines * 40)
        size = path.stat().st_size // planning.RANGE_BYTES * planning.RANGE_BYTES + over
        text = path.read_text()[:size]
        path.write_text(text[: text.rindex("\n") + 1])
        alone, together = gathered(path, jobs=1), gathered(path)
        assert alone.surveys == together.surveys
