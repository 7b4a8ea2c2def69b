"""`smbrare.scan` is the command without a terminal: same options, findings and exit codes."""

import inspect
import json
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_type

import click
import pytest

import smbrare
from smbrare import Baseline, Report, scan
from smbrare.cli import library
from smbrare.cli.scan_command import scan_command
from smbrare.errors import BaselineError, SmbrareError, UsageError
from tests.conftest import FIXTURES, ROOT, Run
from tests.outputs.test_schema import LOGS, SAMPLE, WEEK
from tests.support.events import matching
from tests.support.reports import write

OF_THE_COMMAND_ALONE = {
    *("format", "output", "show", "brief", "expect", "dry_run", "quiet", "verbose", "color"),
    *("config", "exit_zero", "no_baseline", "no_update"),
}
"""Options about what is printed, written or read beside the inputs."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a home with a configuration and variables, none of which count."""
    folder = tmp_path / "smbrare"
    folder.mkdir()
    (folder / "smbrare.toml").write_text('exclude = ["0.0.0.0/0"]\nno such key = 1\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SMBRARE_EXCLUDE", "0.0.0.0/0")
    monkeypatch.setenv("SMBRARE_BASELINE", str(tmp_path / "other.db"))


def documents(report: Report) -> list[dict[str, Any]]:
    return [finding.document for finding in report.findings]


def lines(run: Run, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    done = run("scan", *arguments, "--format", "ndjson", "--quiet")
    return done.code, [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    "log", [*LOGS, FIXTURES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_it_finds_what_the_command_does(run: Run, log: Path) -> None:
    report = scan(log)
    assert (report.exit_code, documents(report)) == lines(run, log)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({"history": "36h"}, "--history 36h"),
        ({"history": "all", "per_host": True}, "--history all --per-host"),
        ({"exclude": ["20.60.40.0/24", "::/0"]}, "--exclude 20.60.40.0/24 --exclude ::/0"),
        ({"exclude": "20.60.40.9"}, "--exclude 20.60.40.9"),
        ({"exclusions": ROOT / "docs" / "exclusions.toml"}, "--exclusions docs/exclusions.toml"),
        ({"since": datetime(2026, 11, 18, tzinfo=UTC)}, "--since 2026-11-18"),
        ({"until": "2026-11-20T00:00Z"}, "--until 2026-11-20"),
        ({"literal": True}, "--literal"),
        ({"input_tz": "Europe/Berlin"}, "--input-tz Europe/Berlin"),
        ({"strict": True, "limits": {"nesting": 4}}, "--strict --limit nesting=4"),
        ({"context": True}, "--context"),
        ({"labels": [FIXTURES / "labels" / "own.csv"]}, "--labels fixtures/labels/own.csv"),
    ],
    ids=str,
)
def test_an_option_does_what_it_does_for_the_command(
    run: Run, options: dict[str, Any], arguments: str
) -> None:
    report = scan(FIXTURES, **options)
    assert (report.exit_code, documents(report)) == lines(run, FIXTURES, *arguments.split())
    plain = scan(FIXTURES)
    assert (report.exit_code, documents(report)) != (plain.exit_code, documents(plain))


@pytest.mark.parametrize("options", [{"jobs": 2}, {"jobs": None}, {"thorough": True}], ids=str)
def test_how_it_is_read_changes_no_finding(options: dict[str, Any]) -> None:
    assert documents(scan(FIXTURES, **options)) == documents(scan(FIXTURES))


def test_every_option_has_the_name_and_the_default_of_the_command() -> None:
    known = {str(option.name): option for option in scan_command.params}
    given = dict(inspect.signature(scan).parameters)
    assert known.keys() - given.keys() == OF_THE_COMMAND_ALONE
    assert given.keys() <= known.keys()
    context = click.Context(scan_command)
    for name in given.keys() - {"paths", "baseline", "jobs"}:
        default = known[name].get_default(context)
        said = default if isinstance(default, str | bool) else None
        assert (given[name].default or None) == (said or None), name


def test_findings_are_typed_and_hold_their_fields() -> None:
    report = assert_type(scan(SAMPLE), Report)
    finding = assert_type(report.findings[0], smbrare.Finding)
    assert assert_type(finding.fields, dict[str, Any])["destination.ip"] == "20.60.40.9"
    assert assert_type(finding.document, dict[str, Any])["destination"]["ip"] == "20.60.40.9"
    assert assert_type(finding.hosts, tuple[str, ...]) == ("WS-04",)
    assert assert_type(report.exit_code, int) == 1


def test_a_block_that_raises_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "seen.db"
    with suppress(RuntimeError), Baseline(path) as baseline:
        first = scan(WEEK[0], baseline=baseline)
        raise RuntimeError("disk full")
    assert not path.exists()
    with Baseline(path) as baseline:
        again = scan(WEEK[0], baseline=baseline)
        assert not path.exists()
    assert documents(again) == documents(first) != []
    after = scan(WEEK[1], baseline=Baseline(path))
    assert documents(after) == []
    assert [finding.status for finding in after.suppressed] == ["known"]


def test_days_over_a_baseline_find_what_the_command_finds(run: Run, tmp_path: Path) -> None:
    for day in WEEK:
        with Baseline(tmp_path / "ours.db") as baseline:
            report = scan(day, baseline=baseline)
        expected = lines(run, day, "--baseline", tmp_path / "theirs.db")
        assert (report.exit_code, documents(report)) == expected
    exports = {
        run("baseline", "export", tmp_path / f"{name}.db").out for name in ("ours", "theirs")
    }
    assert len(exports) == 1


def test_outside_of_a_block_a_baseline_is_only_read(tmp_path: Path) -> None:
    baseline = Baseline(tmp_path / "seen.db")
    scan(SAMPLE, baseline=baseline)
    assert not baseline.path.exists()
    with baseline:
        scan(WEEK[0], baseline=baseline)
    before = baseline.path.read_bytes()
    scan(SAMPLE, baseline=baseline)
    assert baseline.path.read_bytes() == before


def test_a_baseline_that_cannot_be_used_is_an_error_before_anything_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "text.db").write_text("no baseline")
    with pytest.raises(BaselineError, match=r"text\.db"):
        scan("missing", baseline=Baseline(tmp_path / "text.db"))
    with (
        pytest.raises(BaselineError, match="does not exist"),
        Baseline(tmp_path / "a" / "b.db") as b,
    ):
        scan("missing", baseline=b)
    with Baseline("acme") as baseline, pytest.raises(BaselineError, match="already"), baseline:
        pass
    with Baseline(tmp_path / "kept.db") as baseline:
        scan(SAMPLE, baseline=baseline)
    with pytest.raises(BaselineError, match="literal"):
        scan(SAMPLE, baseline=Baseline(tmp_path / "kept.db"), literal=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"history": "5x"}, "history: '5x' is not a duration"),
        ({"history": 7}, "history: 7 is not a string"),
        ({"since": "soon"}, "since: 'soon' is not a time"),
        ({"since": 5}, "since: 5 is not a string"),
        ({"since": "2026-11-20", "until": "2026-11-19"}, "--until is not after --since"),
        ({"exclude": ["nowhere"]}, "exclude: "),
        ({"exclude": 5}, "exclude: 5 is neither a string nor a list of strings"),
        ({"exclude": [None]}, "exclude: None is not a string"),
        ({"strict": "maybe"}, "strict: 'maybe' is neither True nor False"),
        ({"baseline": "x"}, "baseline: 'x' is not a Baseline"),
        ({"exclusions": "missing.toml"}, r"missing\.toml"),
        ({"time_field": "event.start"}, "time_field: "),
        ({"input_tz": "Berlin"}, "input_tz: 'Berlin' is not a time zone"),
        ({"jobs": 0}, "jobs: "),
        ({"jobs": 1.5}, "jobs: "),
        ({"limits": {"nesting": "deep"}}, "limits: "),
        ({"limits": ["nesting=4"]}, r"limits: \['nesting=4'\] is not a dictionary"),
        ({"geoip": ["missing.mmdb"]}, r"--geoip missing\.mmdb"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_an_error_of_smbrare(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scan(SAMPLE, **options)
    assert issubclass(UsageError, SmbrareError)


@pytest.mark.parametrize("paths", [None, 5, b"logs", [b"logs"], [None]], ids=repr)
def test_what_is_no_path_is_an_error_of_smbrare(paths: Any) -> None:
    with pytest.raises(UsageError, match=r"^paths: .* (not|neither) a string"):
        scan(paths)
    if not isinstance(paths, list):
        with pytest.raises(UsageError, match="not the name of a baseline"):
            Baseline(paths)


def test_trouble_with_inputs_is_in_the_report(tmp_path: Path) -> None:
    path = write(tmp_path / "broken.ndjson", [matching()])
    path.write_text(path.read_text() + '{"destination": {"port": 445\n')
    report = scan([path, tmp_path / "missing.ndjson"])
    assert report.exit_code == 3
    told = [(str(each.origin), survey.cut) for survey in report.inputs for each in survey.located]
    assert told == [(f"{path}:2", False), (f"{tmp_path / 'missing.ndjson'}", True)]
    assert scan([]).exit_code == 4


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Baseline(tmp_path / "seen.db") as baseline:
        scan([FIXTURES, "missing"], baseline=baseline, context=True)
    assert capfd.readouterr() == ("", "")


def test_importing_loads_nothing_of_the_package_until_it_is_used() -> None:
    code = (
        "import sys, smbrare; known = {m for m in sys.modules if m.startswith('smbrare')};"
        "print(sorted(known), 'click' in sys.modules, 'msgspec' in sys.modules, dir(smbrare));"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert out.startswith("['smbrare'] False False [")
    assert all(f"'{name}'" in out for name in smbrare.__all__)
    assert smbrare.scan is library.scan
    for name in ("nonsense", "KeptBaseline"):
        with pytest.raises(AttributeError, match=name):
            getattr(smbrare, name)


def test_a_script_needs_no_guard_where_processes_are_started_anew(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing\n"
        "multiprocessing.set_start_method('spawn')\n"
        "from smbrare import scan\n"
        f"print(len(scan({str(FIXTURES)!r}).findings))\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert (int(done.stdout) > 0, done.stderr) == (True, "")
