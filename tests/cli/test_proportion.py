"""What a run takes and gives stays in proportion to what it reads."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from smbrare.detection import examine
from smbrare.inputs.readers import ndjson
from smbrare.records.event import Origin
from smbrare.records.json_text import BadJson, decode
from tests.conftest import FIXTURES, ROOT, Run
from tests.support.events import matching

SAMPLE = FIXTURES / "sample.ndjson"
SIZE = 8 << 20
TIMES = 20

VALUES = {
    "empty arrays": "[],",
    "objects": '{"a":0},',
    "short texts": '"ab",',
    "decimals": "1.5,",
    "long enough": '"abcdefghi",',
    "apart": f"[{' ' * 21}],",
}


def test_such_values_are_met_at_the_places_that_decode() -> None:
    for values in ("[],", '{"a":0},'):
        text = f"[{values * 100_000}0]"
        with pytest.raises(BadJson, match="values"):
            decode(text)
        with pytest.raises(BadJson, match="values"):
            decode(text.encode())


@pytest.mark.parametrize(
    "value", ['",[{,[{,[{,"', r'"\",\",[[[["', '"long enough"', "123456789012"]
)
def test_a_record_of_long_values_or_texts_with_commas_is_read(value: str) -> None:
    text = f'{{"message":[{",".join([value] * 150_000)}]}}\n'.encode()
    (record,) = ndjson.records(text, Origin("", 1))
    assert record.document == json.loads(text)  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["line", "document", "inside a text"])
@pytest.mark.parametrize("values", VALUES)
def test_a_record_takes_no_more_than_twenty_times_its_bytes(
    tmp_path: Path, values: str, form: str
) -> None:
    array = f"[{VALUES[values] * (SIZE // len(VALUES[values]))}0]"
    event: dict[str, Any] = matching()
    if form == "inside a text":
        event = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 3}
        event["EventData"] = array
        text = json.dumps(event)
    else:
        text = json.dumps(event)[:-1] + f', "x": {array}}}'
    if form == "document":
        text = "{\n" + text[1:]
    log = tmp_path / "log.ndjson"
    log.write_text(text + "\n")
    peak = _peak(log) - _peak(SAMPLE)
    assert peak < TIMES * log.stat().st_size


def _peak(log: Path) -> int:
    """Return the most memory that a scan takes, in bytes."""
    command = [sys.executable, "-m", "smbrare", "scan", "-q", "-j", "1", str(log)]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, stdout=null, stderr=null) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1, 3, 4}
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize(
    ("name", "times"), [("json", 20), ("ndjson", 20), ("sarif", 20), ("csv", 20), ("markdown", 20)]
)
def test_an_event_with_many_destinations_gives_output_in_proportion(
    run: Run, tmp_path: Path, name: str, times: int
) -> None:
    event = matching()
    event["process"]["executable"] = "C:\\" + "x" * 100_000
    event["host"]["name"] = "h" * 60
    event["destination"]["ip"] = [f"8.0.{n // 250}.{n % 250}" for n in range(1_000)]
    log = tmp_path / "log.ndjson"
    log.write_text(json.dumps(event) + "\n")
    result = run("scan", log, "-f", name, "-q")
    assert result.code == 1
    assert len(result.out) < times * log.stat().st_size
    event["destination"]["ip"] = event["destination"]["ip"][:20]
    log.write_text(json.dumps(event) + "\n")
    lines = run("scan", log, "-f", "ndjson", "-q").out.splitlines()
    assert {json.loads(line)["process"]["executable"] for line in lines} == {
        event["process"]["executable"]
    }


def test_an_input_that_memory_does_not_suffice_for_is_named_and_the_others_are_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.ndjson").write_bytes(SAMPLE.read_bytes().replace(b"WS-04", b"WS-05"))
    (tmp_path / "b.ndjson").write_bytes(SAMPLE.read_bytes())
    before = examine.examine

    def failing(document: Any, origin: Origin, *others: Any) -> Any:
        if origin.path.endswith("a.ndjson") and origin.number == 3:
            raise MemoryError
        return before(document, origin, *others)

    monkeypatch.setattr(examine, "examine", failing)
    result = run("scan", tmp_path)
    assert result.code == 3
    assert "a.ndjson:2: not read to its end: out of memory" in result.err
    assert "45.83.122.10" in result.out


@pytest.mark.parametrize(("most", "is_hit"), [(54, True), (55, False)])
def test_the_members_of_archives_in_archives_are_counted_together(
    run: Run, tmp_path: Path, most: int, *, is_hit: bool
) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for number in range(10):
            archive.writestr(f"{number}.json", b"")
    log = tmp_path / "log.zip"
    with zipfile.ZipFile(log, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.zip", inner.getvalue())
    result = run("scan", log, "--limit", f"archive-members={most}")
    assert ("limit archive-members" in result.err) is is_hit
    assert result.code == (3 if is_hit else 4)
