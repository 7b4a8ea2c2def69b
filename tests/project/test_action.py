"""The action and the include that CI services read: valid, and their shell does what they say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import FIXTURES, ROOT

ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
INCLUDE = ROOT / "docs" / "smbrare.gitlab-ci.yml"
SAMPLE = FIXTURES / "sample.ndjson"


def loaded(path: Path) -> dict[str, Any]:
    """Return a YAML file."""
    content: dict[str, Any] = YAML(typ="safe").load(path)
    return content


STEPS = {step["name"]: step for step in loaded(ACTION)["runs"]["steps"] if "name" in step}


@pytest.mark.parametrize(
    ("path", "schema"),
    [(ACTION, "github-actions"), (WORKFLOW, "github-workflows"), (INCLUDE, "gitlab-ci")],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_each_file_is_valid_for_its_service(path: Path, schema: str) -> None:
    check = ("-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path)
    done = subprocess.run([sys.executable, *check], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def bash(script: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step as the services do, in a folder, with the program on its path."""
    program = folder / "bin" / "smbrare"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m smbrare "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    return subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def act(folder: Path, **inputs: str) -> tuple[int, int]:
    """Run the steps of the action that are shell.

    Returns:
        What the action says that the scan exited with, or -1 if it says nothing; and what the
        action itself ends with.
    """
    given = {name: each.get("default", "") for name, each in loaded(ACTION)["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    values = {f"${{{{ inputs.{name} }}}}": value for name, value in given.items()}

    def run(name: str) -> int:
        variables = {variable: values[text] for variable, text in STEPS[name]["env"].items()}
        return bash(STEPS[name]["run"], folder, variables).returncode

    (folder / "output").unlink(missing_ok=True)
    if code := run("Scan"):
        return -1, code
    told = (folder / "output").read_text().removeprefix("exit-code=").strip()
    values["${{ steps.scan.outputs.exit-code }}"] = told
    return int(told), run("Result")


@pytest.mark.parametrize(
    ("paths", "fail_on", "ends"),
    [
        (f"{SAMPLE}\n", "findings", (1, 1)),
        (f"{SAMPLE}\n", "errors", (0, 0)),
        (f"{FIXTURES}/week/*-16.ndjson\n\n{FIXTURES}/week/*-17.ndjson\n", "findings", (1, 1)),
        ("absent.ndjson", "errors", (3, 3)),
        (str(SAMPLE), "nothing", (-1, 2)),
        ("", "findings", (2, 2)),
        ("--exit-zero", "findings", (3, 3)),
    ],
)
def test_the_action_ends_with_what_its_scan_found(
    tmp_path: Path, paths: str, fail_on: str, ends: tuple[int, int]
) -> None:
    assert act(tmp_path, paths=paths, fail_on=fail_on) == ends


def test_the_action_writes_the_findings_and_keeps_the_baseline(tmp_path: Path) -> None:
    for _ in range(2):
        act(tmp_path, paths=str(SAMPLE), baseline="acme.db", sarif="found here.sarif")
    (run,) = json.loads((tmp_path / "found here.sarif").read_text())["runs"]
    assert len(run["results"]) == 3
    assert (tmp_path / "acme.db").stat().st_size


@pytest.mark.parametrize("name", ["paths", "baseline", "fail_on", "sarif"])
def test_no_input_runs_as_a_command(tmp_path: Path, name: str) -> None:
    hostile = "$(touch planted)`touch planted`'; touch planted; '\"; touch planted; \""
    act(tmp_path, **{"paths": str(SAMPLE), name: hostile})
    assert list(tmp_path.rglob("planted")) == []


def test_no_expression_is_pasted_into_a_script() -> None:
    jobs = loaded(WORKFLOW)["jobs"].values()
    steps = [*STEPS.values(), *(step for job in jobs for step in job["steps"])]
    pasted = [text for step in steps for text in re.findall(r"\$\{\{.*?\}\}", step.get("run", ""))]
    assert set(pasted) <= {"${{ matrix.tests }}"}


def test_the_include_scans_into_the_files_that_it_keeps(tmp_path: Path) -> None:
    job = loaded(INCLUDE)[".smbrare-scan"]
    (tmp_path / "my logs").symlink_to(FIXTURES / "week")
    variables = job["variables"] | {"LOGS": f"{SAMPLE}\nmy logs/*.ndjson\n"}
    done = bash("\n".join(job["script"]), tmp_path, variables)
    assert [done.returncode] == job["allow_failure"]["exit_codes"]
    assert all((tmp_path / path).stat().st_size for path in job["artifacts"]["paths"])
    found = (tmp_path / "smbrare.sarif").read_text()
    assert "my%20logs/2026-11-16.ndjson" in found
    assert "sample.ndjson" in found
