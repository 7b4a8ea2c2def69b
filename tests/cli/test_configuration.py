"""Options out of variables and files: which wins, what is told, and what is never read."""

from pathlib import Path

import pytest

from tests.conftest import FIXTURES, Result, Run
from tests.support.events import matching
from tests.support.reports import write

SAMPLE = FIXTURES / "sample.ndjson"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of the user's own configuration."""
    folder = tmp_path / "config" / "smbrare"
    folder.mkdir(parents=True)
    return folder


def scan(run: Run, folder: Path, *arguments: str | Path, **variables: str) -> Result:
    """Scan the sample with a user's configuration and variables, and tell the options."""
    environment = {"XDG_CONFIG_HOME": str(folder.parent), **variables}
    return run("scan", SAMPLE, "-v", *arguments, env=environment)


def test_a_flag_wins_over_a_variable_and_that_over_the_file(run: Run, folder: Path) -> None:
    file = folder / "smbrare.toml"
    file.write_text('history = "3d"\n')
    told = scan(run, folder).err
    assert f"history 3d, from {file}\n" in told
    assert "with full history (3d)" in told
    told = scan(run, folder, SMBRARE_HISTORY="36h").err
    assert "history 1d12h, from SMBRARE_HISTORY\n" in told
    told = scan(run, folder, "--history", "all", SMBRARE_HISTORY="36h").err
    assert "history all, from the command line\n" in told


def test_what_is_a_default_is_not_told(run: Run, folder: Path) -> None:
    told = [line for line in scan(run, folder).err.splitlines() if ", from " in line]
    assert told == ["option   verbose on, from the command line"]


def test_every_kind_of_option_can_stand_in_the_file(run: Run, folder: Path) -> None:
    (folder / "smbrare.toml").write_text(
        'exclude = ["45.83.122.0/24", "9.9.9.9"]\n'
        "exit-zero = true\nper_host = true\nsince = 2026-11-18T00:00:00Z\n"
        'until = 2026-11-30\ninput-tz = "Europe/Berlin"\nformat = "ndjson"\n'
    )
    result = scan(run, folder)
    assert result.code == 0
    assert len(result.out.splitlines()) == 2
    for told in (
        "exclude 45.83.122.0/24, 9.9.9.9",
        "exit-zero on",
        "per-host on",
        "since 2026-11-18T00:00:00Z",
        "until 2026-11-30T00:00:00Z",
        "input-tz Europe/Berlin",
        "format ndjson",
    ):
        assert f"{told}, from {folder / 'smbrare.toml'}\n" in result.err


def test_one_value_will_do_where_several_may_be_given(run: Run, folder: Path) -> None:
    (folder / "smbrare.toml").write_text('exclude = "45.83.122.0/24"\n')
    assert "45.83.122.10" not in scan(run, folder).out
    assert "45.83.122.10" in scan(run, folder, "--exclude", "9.9.9.9").out


def test_several_values_stand_in_a_variable_with_blanks_between(run: Run, folder: Path) -> None:
    out = scan(run, folder, SMBRARE_EXCLUDE="45.83.122.0/24 91.219.236.18").out
    assert "45.83.122.10" not in out
    assert "91.219.236.18" not in out


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_a_named_file_counts_instead_of_the_users_own(
    run: Run, folder: Path, tmp_path: Path, by: str
) -> None:
    (folder / "smbrare.toml").write_text("exit-zero = true\n")
    other = tmp_path / "other.toml"
    other.write_text('history = "2d"\n')
    result = (
        scan(run, folder, "--config", other)
        if by == "flag"
        else scan(run, folder, SMBRARE_CONFIG=str(other))
    )
    assert result.code == 1
    assert f"history 2d, from {other}\n" in result.err


def test_a_file_beside_the_logs_or_in_the_working_directory_is_not_read(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    planted = 'exclude = "0.0.0.0/0"\nexit-zero = true\nnonsense = true\n'
    for name in ("smbrare.toml", ".smbrare.toml", "pyproject.toml", ".env"):
        (logs / name).write_text(planted)
    (logs / "smbrare.py").write_text("raise SystemExit(0)\n")
    write(logs / "events.ndjson", [matching()])
    environment = {"XDG_CONFIG_HOME": str(folder.parent), "PYTHONSAFEPATH": "1"}
    for path in ("events.ndjson", "."):
        result = run("scan", path, "-q", "-f", "csv", env=environment, cwd=logs)
        assert result.code == 1
        assert "45.83.122.10" in result.out


def test_paths_in_the_file_start_at_the_file_not_at_the_working_directory(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    planted = tmp_path / "x.toml"
    planted.write_text('[[exclusion]]\nreason = "planted"\ndestination = "0.0.0.0/0"\n')
    (folder / "x.toml").write_text(
        '[[exclusion]]\nreason = "own"\ndestination = "45.83.122.0/24"\n'
    )
    (folder / "smbrare.toml").write_text('exclusions = "x.toml"\nbaseline = "kept/b.db"\n')
    (folder / "kept").mkdir()
    environment = {"XDG_CONFIG_HOME": str(folder.parent)}
    result = run("scan", SAMPLE, "-v", env=environment, cwd=tmp_path)
    assert result.code == 1
    assert ": own (destination 45.83.122.0/24)" in result.err
    assert (folder / "kept" / "b.db").exists()


def test_a_bare_baseline_name_in_the_file_lies_in_the_state_directory(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / "smbrare.toml").write_text('baseline = "acme"\n')
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    scan(run, folder, **state)
    assert (tmp_path / "state" / "smbrare" / "acme.db").exists()
    assert "\nbaseline " not in scan(run, folder, "--no-baseline", **state).err


def test_a_baseline_on_the_command_line_wins_over_none_in_the_file(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / "smbrare.toml").write_text("no-baseline = true\n")
    scan(run, folder, "--baseline", tmp_path / "b.db")
    assert (tmp_path / "b.db").exists()
    scan(run, folder, SMBRARE_BASELINE=str(tmp_path / "c.db"))
    assert (tmp_path / "c.db").exists()
    scan(run, folder, "--no-baseline", SMBRARE_BASELINE=str(tmp_path / "d.db"))
    assert not (tmp_path / "d.db").exists()


def test_a_replay_has_a_table_of_its_own(run: Run, folder: Path) -> None:
    (folder / "smbrare.toml").write_text('history = "2d"\n[replay]\ninferred = true\n')
    environment = {"XDG_CONFIG_HOME": str(folder.parent)}
    told = run("replay", SAMPLE, env=environment).err
    assert "history 7d" in told
    (folder / "smbrare.toml").write_text('history = "2d"\n[replay]\nhistory = "3d"\n')
    assert "history 3d" in run("replay", SAMPLE, env=environment).err
    environment["SMBRARE_REPLAY_HISTORY"] = "4d"
    assert "history 4d" in run("replay", SAMPLE, env=environment).err


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('history = "2d"\nhistroy = "7d"\n', 2, "unknown key 'histroy'; did you mean 'history'?"),
        ("\nconfig = 'x'\n", 2, "unknown key 'config'"),
        ("help = true\n", 1, "unknown key 'help'"),
        ('[scan]\nhistory = "2d"\n', 1, "unknown key 'scan'"),
        ('[replays]\nhistory = "2d"\n', 1, "did you mean 'replay'?"),
        ('[replay]\n\nlokback = "9m"\n', 3, "did you mean 'lookback'?"),
        ('history = "2d\n', 1, ""),
        ('history = "10m"\n', 1, "history: the history has to be an hour or more"),
        ("history = true\n", 1, "history: True cannot be its value"),
        ('history = ["2d"]\n', 1, "history: ['2d'] cannot be its value"),
        ('per-host = "yes"\n', 1, "per-host: 'yes' is neither true nor false"),
        ("per-host = 1\n", 1, "per-host: 1 is neither true nor false"),
        ('exit-zero = false\nexclude = ["1.2.3.4/8"]\n', 2, "exclude: '1.2.3.4/8' is not a range"),
        ('format = "xml"\n', 1, "format: 'xml' is not one of"),
        ('since = "soon"\n', 1, "since: 'soon' is not a time"),
        ('baseline = ""\n', 1, "baseline: "),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    run: Run, folder: Path, text: str, line: int, what: str
) -> None:
    file = folder / "smbrare.toml"
    file.write_text(text)
    result = scan(run, folder)
    assert (result.code, result.out) == (2, "")
    assert f"{file}:{line}: " in result.err
    assert what in result.err


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_a_named_file_that_is_not_there_is_an_error(
    run: Run, folder: Path, tmp_path: Path, by: str
) -> None:
    missing = tmp_path / "missing.toml"
    result = (
        scan(run, folder, "--config", missing)
        if by == "flag"
        else scan(run, folder, SMBRARE_CONFIG=str(missing))
    )
    assert (result.code, result.out) == (2, "")
    assert f"cannot open {missing}: no such file" in result.err


@pytest.mark.parametrize("variable", ["SMBRARE_HISTORY", "SMBRARE_SINCE", "SMBRARE_PER_HOST"])
def test_a_wrong_variable_is_an_error_that_names_it(run: Run, folder: Path, variable: str) -> None:
    result = scan(run, folder, **{variable: "nonsense"})
    assert (result.code, result.out) == (2, "")
    assert variable.removeprefix("SMBRARE_").lower().replace("_", "-") in result.err


def test_the_file_of_findings_is_not_written_by_commands_that_find_none(
    run: Run, folder: Path
) -> None:
    (folder / "smbrare.toml").write_text('output = "findings.txt"\n')
    environment = {"XDG_CONFIG_HOME": str(folder.parent)}
    assert "45.83.122.10" in run("baseline", "learn", "acme", SAMPLE, env=environment).out
    assert run("rule", "export", "--to", "kql", env=environment).out.startswith("destination.port")
    assert not (folder / "findings.txt").exists()


def test_an_empty_variable_is_none(run: Run, folder: Path) -> None:
    assert scan(run, folder, SMBRARE_HISTORY="", SMBRARE_BASELINE="").code == 1


@pytest.mark.parametrize(
    "text", ['exclusions = "~no-such-user/x"', r'intel = "x\u0000y"', r'baseline = "\u0000"']
)
def test_a_path_that_leads_nowhere_is_told_with_its_line(run: Run, folder: Path, text: str) -> None:
    (folder / "smbrare.toml").write_text(f"\n{text}\n")
    result = scan(run, folder)
    assert (result.code, result.out) == (2, "")
    assert f"smbrare.toml:2: {text.partition(' ')[0]}: " in result.err
