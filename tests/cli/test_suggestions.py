"""What a user mistypes gets an answer that says what was probably meant."""

import pytest

from tests.conftest import FIXTURES, Run

SAMPLE = "fixtures/sample.ndjson"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("scna x.ndjson -q", "no command scna; did you mean: smbrare scan x.ndjson -q"),
        (f"{SAMPLE} -f json", f"did you mean: smbrare scan {SAMPLE} -f json"),
        ("gone/x.ndjson", "did you mean: smbrare scan gone/x.ndjson"),
        ("- -q", "did you mean: smbrare scan - -q"),
        ("fixtures", "did you mean: smbrare scan fixtures"),
        ("*.ndjson", "did you mean: smbrare scan '*.ndjson'"),
        ("zzz", "no command zzz; the commands are baseline,"),
        ("baseline shwo acme", "did you mean: smbrare baseline show acme"),
        ("baseline ./acme.db", "no command ./acme.db; the commands are export,"),
        ("scan --formt json x", "'--format'"),
        ("scan \x1b[31m.log --nope", "'--nope'"),
        ("\x1b[31m.log", "smbrare scan '\\x1b[31m.log'"),
    ],
)
def test_a_mistyped_command_or_option_gets_a_suggestion(run: Run, words: str, said: str) -> None:
    result = run(*words.split())
    assert result.code == 2
    assert said in result.err
    assert "\x1b" not in result.err
    assert result.out == ""


def test_an_unknown_option_of_the_program_is_still_an_unknown_option(run: Run) -> None:
    result = run("--vresion")
    assert result.code == 2
    assert "--version" in result.err
    assert "no command" not in result.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SMBRARE_HISTROY", "; did you mean SMBRARE_HISTORY?"),
        ("SMBRARE_BASELIN", "; did you mean SMBRARE_BASELINE?"),
        ("SMBRARE_REPLAY_LOKBACK", "; did you mean SMBRARE_REPLAY_LOOKBACK?"),
        ("SMBRARE_ZZZZ", ""),
    ],
)
def test_a_variable_that_no_option_has_is_a_warning(run: Run, name: str, said: str) -> None:
    plain = run("scan", FIXTURES / "sample.ndjson", "-q")
    warned = run("scan", FIXTURES / "sample.ndjson", "-q", env={name: "1"})
    assert (warned.code, warned.out) == (plain.code, plain.out)
    assert warned.err.splitlines() == [
        f"WARNING  {name}: no option has this variable{said}",
        *plain.err.splitlines(),
    ]


@pytest.mark.parametrize("name", ["REPLAY_LOOKBACK", "HISTORY", "CONFIG", "DEBUG", "LIMITS"])
def test_a_variable_of_any_command_is_no_warning(run: Run, name: str) -> None:
    result = run("rule", "show", env={f"SMBRARE_{name}": ""})
    assert (result.code, result.err) == (0, "")
