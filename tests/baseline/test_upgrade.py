"""A file of an earlier schema is read as it is, and becomes one of today with the next commit.

``fixtures/baseline/schema-1.db`` and ``schema-2.db`` were written by the last revision that had
these schemas: ``smbrare baseline learn FILE fixtures/week``, and for the second `begin`, `give` and
`commit` of its module ``watch_baseline``, with the finding and the place below. ``export-1.json``
beside this file is ``schema-1.db`` as the first revision that exported wrote it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smbrare.baseline.checkpoints import Checkpoint
from smbrare.baseline.exchange import export, merge_into, open_memory
from smbrare.baseline.store import Baseline
from smbrare.errors import BaselineError
from smbrare.watch.state import WatchState
from tests.baseline.test_buckets import whole_checks
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.baselines import content

WEEK = sorted((FIXTURES / "week").iterdir())
SHA_256 = "b9a224ad3e8de61c6d887b1f32adcc70eff6a4d6b95de67507f939425c3a072b"
"""What the revision that wrote the files printed for each."""
PLACE = Checkpoint("1:2", "logs/a.ndjson", 500, 3, 500, "0" * 64)
FINDING = "a" * 32


@pytest.fixture(params=[1, 2])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def old(tmp_path: Path, version: int) -> Path:
    return Path(shutil.copy(FIXTURES / "baseline" / f"schema-{version}.db", tmp_path / "old.db"))


def test_an_old_file_is_read_and_stays_as_it_is(run: Run, old: Path, version: int) -> None:
    before = old.read_bytes()
    run("baseline", "learn", old.with_name("new.db"), *WEEK)
    new = Baseline(old.with_name("new.db"))
    assert Baseline(old).verify() == (version, SHA_256)
    assert [*export(Baseline(old))] == [*export(new)]
    for since in (None, next(new.rows()).hour + 24):
        wanted = ["45.83.122.10", "20.60.40.9"]
        assert [*Baseline(old).rows(wanted, since)] == [*new.rows(wanted, since)]
    assert run("scan", WEEK[2], "--baseline", old, "--no-update").code == 1
    assert old.read_bytes() == before


def test_the_next_commit_upgrades_it(old: Path) -> None:
    before = content(old)
    Baseline(old).commit([], {})
    assert Baseline(old).verify() == (3, SHA_256)
    with whole_checks() as counted:
        assert len([*Baseline(old).rows(["45.83.122.10"])]) == 2
        assert counted.call_count == 0
    assert content(old) == before


def test_a_watch_goes_on_where_it_was(old: Path, version: int) -> None:
    state = WatchState(Baseline(old))
    assert state.places == ({"1:2": PLACE} if version == 2 else {})
    assert state.reported_before([FINDING]) == ({FINDING} if version == 2 else set())
    assert Baseline(old).verify() == (3, SHA_256)


def test_pruning_and_merging_take_an_old_file(old: Path, tmp_path: Path) -> None:
    merged = merge_into([Baseline(old)], tmp_path / "merged.db")
    assert merged.verify() == (3, SHA_256)
    assert Baseline(old).prune(0) == (0, 0)
    assert Baseline(old).verify() == (3, SHA_256)


def test_an_export_of_the_first_version_is_read(tmp_path: Path) -> None:
    first = Path(__file__).with_name("export-1.json")
    merged = merge_into([open_memory(str(first))], tmp_path / "merged.db")
    assert merged.verify() == (3, SHA_256)
    assert "".join(export(merged)) == first.read_text(encoding="utf-8")


def test_an_upgrade_that_is_killed_leaves_the_old_file(old: Path, version: int) -> None:
    before = content(old)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from smbrare.baseline.store import Baseline\n"
        "with Baseline(Path(sys.argv[1])).writing() as database:\n"
        "    database.execute('PRAGMA cache_size = 1')\n"
        "    database.execute('UPDATE sighting SET host = host || hex(zeroblob(999))')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, old], check=False, cwd=ROOT)
    assert Path(f"{old}-journal").exists()
    assert Baseline(old).verify() == (version, SHA_256)
    assert content(old) == before


def test_a_flipped_bit_of_an_old_file_is_refused_or_changes_nothing(old: Path) -> None:
    whole, before = old.read_bytes(), content(old)
    found = 0
    for place in range(0, len(whole), 17):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        old.write_bytes(data)
        try:
            assert content(old) == before
        except BaselineError:
            found += 1
    assert found > 50


def test_a_place_in_an_old_file_that_was_changed_is_found(tmp_path: Path) -> None:
    data = (FIXTURES / "baseline" / "schema-2.db").read_bytes()
    path = tmp_path / "old.db"
    path.write_bytes(data.replace(b"logs/a.ndjson", b"logs/b.ndjson"))
    with pytest.raises(BaselineError, match="is damaged: the place in"):
        Baseline(path)
