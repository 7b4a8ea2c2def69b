"""docs/watch.md shows what its commands print, and its unit is one that starts.

``python -m tests.project.test_watch_page`` updates it.
"""

import configparser
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.support.console import current

PAGE = ROOT / "docs" / "watch.md"
(UNIT,) = re.findall(r"```ini\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == current(text, tmp_path)
    assert text.count('{"@timestamp":"2026-11-1') == 2


def test_the_command_of_the_unit_runs(run: Run, tmp_path: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT)
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "smbrare"
    state = tmp_path / "state"
    state.mkdir()
    places = {"/var/log/winlogbeat": FIXTURES / "week", "/var/lib/smbrare": state}
    for place, here in places.items():
        words = [word.replace(place, str(here)) for word in words]
    assert unit["Service"]["StateDirectory"] == "smbrare"
    assert run(*words, "--once").code == 1
    assert len((state / "findings.ndjson").read_text().splitlines()) == 3


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze")
    path = tmp_path / "smbrare-watch.service"
    path.write_text(UNIT.replace("/usr/local/bin/smbrare", "/bin/true"))
    done = subprocess.run(
        [program, "verify", "--man=no", str(path)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, str(path) in done.stderr) == (0, False), done.stderr


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(current(PAGE.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
