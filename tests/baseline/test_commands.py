"""``smbrare baseline``: what each command prints, writes and promises."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from smbrare.baseline import buckets
from smbrare.baseline.buckets import CollectedRows
from smbrare.baseline.store import Baseline
from smbrare.detection.sightings import Row
from smbrare.scanning import gathering, planning
from tests.conftest import FIXTURES, Run
from tests.support.events import matching
from tests.support.reports import write

WEEK = sorted((FIXTURES / "week").iterdir())
ROGUE, OTHER, SHARE = "45.83.122.10", "91.219.236.18", "20.60.40.9"


@pytest.fixture
def acme(run: Run, tmp_path: Path) -> Path:
    """A baseline that has learnt the sample week."""
    run("baseline", "learn", tmp_path / "acme.db", *WEEK)
    return tmp_path / "acme.db"


def shown(run: Run, baseline: Path, *options: str) -> list[dict[str, Any]]:
    out = run("baseline", "show", baseline, "-f", "ndjson", *options).out
    return [json.loads(line) for line in out.splitlines()]


# list


def test_the_list_names_each_baseline_with_what_it_has_seen_and_where(
    run: Run, tmp_path: Path
) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert run("baseline", "list", env=env).err == f"0 baselines in {tmp_path / 'smbrare'}\n"
    run("baseline", "learn", "acme", *WEEK, env=env)
    run("scan", FIXTURES / "poor.ndjson", "--baseline", "other", env=env)
    result = run("baseline", "list", env=env | {"COLUMNS": "80"})
    assert (result.code, result.err) == (0, f"2 baselines in {tmp_path / 'smbrare'}\n")
    size = f"{(tmp_path / 'smbrare' / 'acme.db').stat().st_size / 1024:.1f} KiB"
    first, second = result.out.splitlines()
    assert first == f"acme   3 destinations, 2026-11-16 to 2026-11-22, {size}"
    assert second.startswith("other  0 destinations, ")


def test_a_damaged_baseline_in_the_list_is_named_and_exit_2(run: Run, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    run("baseline", "learn", "acme", *WEEK, env=env)
    file = tmp_path / "smbrare" / "bad.db"
    whole = (tmp_path / "smbrare" / "acme.db").read_bytes()
    file.write_bytes(whole.replace(b"10.20.1.12", b"10.20.1.99"))
    result = run("baseline", "list", env=env)
    assert result.code == 2
    assert f"WARNING  {file} is damaged" in result.err
    assert [line.split()[:2] for line in result.out.splitlines()] == [["acme", "3"]]


@pytest.mark.parametrize(
    ("name", "near"), [("acne", "acme"), ("amce", "acme"), ("acme2", "acme"), ("paris", "")]
)
@pytest.mark.parametrize("command", ["scan", "learn", "watch", "explain", "show"])
def test_a_new_name_that_resembles_another_is_a_warning(
    run: Run, tmp_path: Path, command: str, name: str, near: str
) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    run("baseline", "learn", "acme", WEEK[0], env=env)
    words: dict[str, list[str | Path]] = {
        "scan": ["scan", WEEK[0], "--baseline", name, "-q"],
        "learn": ["baseline", "learn", name, WEEK[0], "-q"],
        "watch": ["watch", WEEK[0], "--baseline", name, "--once", "-q"],
        "explain": ["explain", f"{WEEK[0]}:1", "--baseline", name],
        "show": ["baseline", "show", name],
    }
    told = run(*words[command], env=env).err
    assert (f"; did you mean {near}?" in told) == bool(near)
    if near and command != "show":
        path = tmp_path / "smbrare" / f"{name}.db"
        first = told.splitlines()[0]
        assert first == f"WARNING  baseline {path} does not exist yet; did you mean acme?"
    assert run(*words["scan"], env=env).code == 1
    assert "did you mean" not in run(*words[command], env=env).err


def test_a_missing_baseline_that_is_not_made_is_one_warning(run: Run, tmp_path: Path) -> None:
    run("scan", WEEK[0], "--baseline", tmp_path / "acme.db")
    for name, meant in (("acne", f"; did you mean {tmp_path / 'acme.db'}?"), ("paris", "")):
        path = tmp_path / f"{name}.db"
        told = run("scan", WEEK[0], "--baseline", path, "--no-update", "-q").err
        assert told == f"WARNING  baseline {path} does not exist: evaluated without it{meant}\n"
        assert not path.exists()


def test_a_file_is_compared_with_those_beside_it(run: Run, tmp_path: Path) -> None:
    run("scan", WEEK[0], "--baseline", tmp_path / "acme.db")
    told = run("scan", WEEK[0], "--baseline", tmp_path / "acne.db", "-q").err
    assert f"did you mean {tmp_path / 'acme.db'}?" in told


# learn


def test_learning_reports_nothing_but_lists_what_it_learnt(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    result = run("baseline", "learn", path, *WEEK[:3])
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [SHARE, ROGUE]
    assert result.out.count(" new") == 2
    assert f"learnt   2 destinations, 2 of them new to baseline {path}" in result.err
    again = run("baseline", "learn", path, *WEEK, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(again.out)))
    assert {row["destination.ip"]: row["new_to_baseline"] for row in rows} == {
        SHARE: "false",
        ROGUE: "false",
        OTHER: "true",
    }
    assert run("scan", *WEEK, "--baseline", path, "--since", "2026-11-22").code == 0


def test_learning_gives_the_baseline_that_scanning_gives(run: Run, tmp_path: Path) -> None:
    scanned, learnt = tmp_path / "scanned.db", tmp_path / "learnt.db"
    for day in WEEK:
        run("scan", day, "--baseline", scanned)
    run("baseline", "learn", learnt, *reversed(WEEK))
    exports = [run("baseline", "export", path).out for path in (scanned, learnt)]
    assert exports[0] == exports[1]
    assert ROGUE in exports[0]


@pytest.mark.parametrize(
    ("module", "name"), [(gathering, "KEPT_CONTACTS"), (planning, "KEPT_BYTES")]
)
def test_batches_of_learning_do_not_show(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    one, many = tmp_path / "one.db", tmp_path / "many.db"
    several = [matching(destination__ip=f"45.83.1.{n}") for n in range(20)]
    paths = [*WEEK, write(tmp_path / "several.ndjson", several)]
    whole = run("baseline", "learn", one, *paths, "-f", "csv")
    taken: list[int] = []
    add = CollectedRows.add

    def noted(collected: CollectedRows, rows: Iterable[Row]) -> None:
        some = list(rows)
        taken.append(len(some))
        add(collected, some)

    monkeypatch.setattr(module, name, 2)
    monkeypatch.setattr(planning, "SMALL_BYTES", 0)  # Otherwise they are read together.
    monkeypatch.setattr(CollectedRows, "add", noted)
    again = run("baseline", "learn", many, *paths, "-f", "csv")
    assert (again.code, again.out) == (whole.code, whole.out)
    assert Baseline(many).verify() == Baseline(one).verify()
    assert len(taken) > 7
    assert sum(taken) == 29


def test_rows_that_find_no_room_are_an_error_and_leave_the_baseline(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "ADD", "no statement")
    result = run("baseline", "learn", tmp_path / "b.db", *WEEK)
    assert (result.code, result.out) == (2, "")
    assert "cannot keep what is learnt in a temporary file" in result.err
    assert not (tmp_path / "b.db").exists()


def test_learning_a_cut_file_is_told_and_gives_3(run: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson"
    cut.write_bytes(WEEK[0].read_bytes()[:-30])
    result = run("baseline", "learn", tmp_path / "b.db", cut)
    assert result.code == 3
    assert "not read to its end" in result.err


def test_learning_from_what_cannot_be_judged_gives_4(run: Run, tmp_path: Path) -> None:
    empty = write(tmp_path / "e.ndjson", [])
    assert run("baseline", "learn", tmp_path / "b.db", empty).code == 4


def test_learning_heeds_the_settings_of_the_baseline(run: Run, acme: Path) -> None:
    result = run("baseline", "learn", acme, WEEK[0], "--literal")
    assert (result.code, result.out) == (2, "")
    assert "was kept with literal 'false'" in result.err


# show


def test_show_tells_first_last_hours_hosts_and_sources(run: Run, acme: Path) -> None:
    assert shown(run, acme) == [
        {
            "destination.ip": SHARE,
            "first_seen": "2026-11-16T08:30:00Z",
            "last_seen": "2026-11-22T08:30:00Z",
            "hours": 5,
            "hosts": ["ws-04"],
            "sources": ["10.20.1.14"],
        },
        {
            "destination.ip": ROGUE,
            "first_seen": "2026-11-18T09:11:18Z",
            "last_seen": "2026-11-20T09:37:00Z",
            "hours": 2,
            "hosts": ["ws-02", "ws-02.corp.example"],
            "sources": ["10.20.1.12"],
        },
        {
            "destination.ip": OTHER,
            "first_seen": "2026-11-20T09:35:54Z",
            "last_seen": "2026-11-20T09:36:06Z",
            "hours": 1,
            "hosts": ["ws-03.corp.example", "ws-05"],
            "sources": ["10.20.1.13", "10.20.1.15"],
        },
    ]


@pytest.mark.parametrize("output_format", ["table", "json", "ndjson", "csv"])
def test_every_format_shows_every_destination(run: Run, acme: Path, output_format: str) -> None:
    result = run("baseline", "show", acme, "-f", output_format)
    assert result.code == 0
    for text in (SHARE, ROGUE, OTHER, "ws-05", "10.20.1.15"):
        assert text in result.out
    if output_format == "json":
        assert json.loads(result.out) == shown(run, acme)


@pytest.mark.parametrize(
    ("options", "destinations", "hours"),
    [
        (["--destination", "45.83.122.10"], [ROGUE], [2]),
        (["--destination", "45.0.0.0/8", "--destination", "91.0.0.0/8"], [ROGUE, OTHER], [2, 1]),
        (["--host", "WS-02*"], [ROGUE], [2]),
        (["--host", "ws-02"], [ROGUE], [1]),
        (["--since", "2026-11-20"], [SHARE, ROGUE, OTHER], [2, 1, 1]),
        (["--since", "2026-11-20T09:36:06Z", "--until", "2026-11-21"], [ROGUE, OTHER], [1, 1]),
        (["--until", "2026-11-17"], [SHARE], [1]),
        (["--destination", "::/0"], [], []),
    ],
)
def test_filters_choose_the_hours_that_are_shown(
    run: Run, acme: Path, options: list[str], destinations: list[str], hours: list[int]
) -> None:
    found = shown(run, acme, *options)
    assert [one["destination.ip"] for one in found] == destinations
    assert [one["hours"] for one in found] == hours


def test_an_empty_choice_is_an_empty_list(run: Run, acme: Path) -> None:
    assert run("baseline", "show", acme, "--host", "no", "-f", "json").out == "[]\n"
    assert run("baseline", "show", acme, "--host", "no").out == ""


def test_nothing_shown_is_live(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    events = write(tmp_path / "e.ndjson", [matching(host__name="=\x1b[31mws\u202e")])
    run("baseline", "learn", path, events)
    for output_format in ("table", "json", "ndjson", "csv"):
        result = run("baseline", "show", path, "-f", output_format)
        assert "\x1b" not in result.out + result.err
        assert "\u202e" not in result.out + result.err
    cell = next(iter(csv.DictReader(io.StringIO(result.out))))["hosts"]
    assert cell.startswith("'=")


# merge, export


def test_a_merge_of_days_is_one_scan(run: Run, tmp_path: Path, acme: Path) -> None:
    days = []
    for number, day in enumerate(WEEK):
        path = tmp_path / f"{number}.db"
        run("scan", day, "--baseline", path)
        days.append(path)
    export = tmp_path / "3.json"
    run("baseline", "export", days[3], "--output", export)
    days[3] = export
    result = run("baseline", "merge", *days, *days[:2], "--output", tmp_path / "merged.db")
    assert result.code == 0
    assert "merged   9 baselines into" in result.err
    assert "3 destinations, 9 rows, 9 covered hours" in result.err
    assert (
        run("baseline", "export", tmp_path / "merged.db").out == run("baseline", "export", acme).out
    )


def test_an_export_says_what_it_leaves_out(run: Run, acme: Path) -> None:
    assert run("baseline", "export", acme).err == ""
    Baseline(acme).commit([], {5: True})
    result = run("baseline", "export", acme)
    assert result.err == "omitted  1 covered hour known from samples only\n"
    assert "1970" not in result.out


# prune


@pytest.mark.parametrize("command", ["verify", "show"])
def test_an_export_in_place_of_a_baseline_is_told_how_to_become_one(
    run: Run, acme: Path, command: str
) -> None:
    path = acme.with_name("export.json")
    run("baseline", "export", acme, "--output", path)
    result = run("baseline", command, path)
    assert (result.code, result.out) == (2, "")
    assert "smbrare baseline merge EXPORT --output BASELINE" in result.err
    assert run("baseline", "merge", path, "--output", acme.with_name("again.db")).code == 0


def test_pruning_forgets_what_was_last_seen_before(run: Run, acme: Path) -> None:
    size = acme.stat().st_size
    result = run("baseline", "prune", acme, "--before", "2026-11-20")
    assert result.code == 0
    assert "pruned   4 rows and 5 covered hours before 2026-11-20T00:00:00Z" in result.err
    assert [one["first_seen"][:10] for one in shown(run, acme)] == [
        "2026-11-21",
        "2026-11-20",
        "2026-11-20",
    ]
    assert run("baseline", "verify", acme).code == 0
    assert acme.stat().st_size <= size


def test_pruning_everything_leaves_an_empty_baseline_that_goes_on(run: Run, acme: Path) -> None:
    run("baseline", "prune", acme, "--before", "2027-01-01")
    assert shown(run, acme) == []
    assert run("scan", *WEEK, "--baseline", acme).code == 1


def test_an_hour_with_a_sighting_left_stays_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    times = ("08:10", "08:50", "09:10")
    events = [matching(timestamp=f"2026-11-16T{time}:00Z") for time in times]
    run("baseline", "learn", path, write(tmp_path / "e.ndjson", events))
    run("baseline", "prune", path, "--before", "2026-11-16T08:30Z")
    assert shown(run, path)[0]["first_seen"] == "2026-11-16T08:10:00Z"
    assert len(Baseline(path).covered()) == 2
    run("baseline", "prune", path, "--before", "2026-11-16T08:51Z")
    assert shown(run, path)[0]["first_seen"] == "2026-11-16T09:10:00Z"


# verify


def test_verify_tells_a_whole_baseline_from_one_with_a_flipped_byte(run: Run, acme: Path) -> None:
    good = run("baseline", "verify", acme)
    assert good.code == 0
    assert f"{acme} is intact: schema version 3, SHA-256 " in good.out
    data = bytearray(acme.read_bytes())
    place = data.index(b"ws-05")
    data[place] ^= 1
    acme.write_bytes(data)
    bad = run("baseline", "verify", acme)
    assert (bad.code, bad.out) == (2, "")
    assert f"{acme} is damaged: what it holds is not what was written" in bad.err


@pytest.mark.parametrize("command", ["show", "verify", "export"])
def test_a_baseline_that_is_not_there_is_an_error_and_not_created(
    run: Run, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "none.db"
    result = run("baseline", command, path)
    assert (result.code, result.out) == (2, "")
    assert f"{path} does not exist" in result.err
    assert run("baseline", "prune", path, "--before", "2026-01-01").code == 2
    assert run("baseline", "merge", path, "-o", tmp_path / "new.db").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_a_bare_name_lies_in_the_state_directory_for_every_command(
    run_process: Run, tmp_path: Path
) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    run_process("baseline", "learn", "acme", WEEK[0], env=env)
    assert run_process("baseline", "verify", "acme", env=env).code == 0
    assert run_process("baseline", "merge", "acme", "-o", "copy", env=env).code == 0
    assert SHARE in run_process("baseline", "show", "copy", env=env).out
    assert (tmp_path / "state" / "smbrare" / "copy.db").exists()
