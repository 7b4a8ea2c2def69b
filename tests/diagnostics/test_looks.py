"""Inspect says what unknown records and files look like, and how to get a form that is read."""

import json
from pathlib import Path

import pytest

from smbrare.diagnostics.looks import LOOKS, UnknownForm
from smbrare.records.read_options import ReadOptions
from smbrare.sources import recognize
from tests.conftest import Run


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.name} {look.keys}")
def test_each_is_recognized_and_comes_with_a_remedy(
    look: UnknownForm, tmp_path: Path, run: Run
) -> None:
    log = tmp_path / "log"
    if look.keys:
        assert recognize(dict.fromkeys(look.keys, "1"), ReadOptions()) is None
        log.write_text(json.dumps(dict.fromkeys(look.keys, "1")) + "\n")
    else:
        log.write_bytes(look.beginnings[-1] + bytes(100))
    result = run("inspect", log, "--format", "json")
    (advice, *_) = json.loads(result.out)["advice"]
    assert look.name in advice["seen"]
    assert look.lacks in advice["seen"]
    assert advice["change"].lower().startswith(look.remedy[:10].lower())


def test_what_is_known_looks_like_nothing(tmp_path: Path, run: Run) -> None:
    log = tmp_path / "log"
    log.write_text(json.dumps({"src_ip": 1}) + "\n" + json.dumps({"a": "b"}) + "\n")
    assert json.loads(run("inspect", log, "--format", "json").out)["advice"] == []
