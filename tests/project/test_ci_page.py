"""The jobs of the page on CI: what the two services accept, with options that there are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ROOT, Run
from tests.support.console import arguments

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
JOBS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("number", "schema"), [(0, "github-workflows"), (1, "gitlab-ci")])
def test_each_job_is_valid_for_its_service(tmp_path: Path, number: int, schema: str) -> None:
    path = tmp_path / "job.yml"
    path.write_text(JOBS[number], encoding="utf-8")
    check = ("-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path)
    done = subprocess.run([sys.executable, *check], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_scan_of_a_job_takes_options_that_there_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "logs").symlink_to(FIXTURES / "week")
    sample = FIXTURES / "sample.ndjson"
    (tmp_path / "samples" / "sample.ndjson").write_bytes(sample.read_bytes())
    expected = tmp_path / "expected.ndjson"
    expected.write_text(run("scan", sample, "--format", "ndjson").out)
    for text in JOBS:
        for command in re.findall(r"smbrare (scan .*)", text):
            assert run(*arguments(command, tmp_path), cwd=tmp_path).code in {0, 1}
