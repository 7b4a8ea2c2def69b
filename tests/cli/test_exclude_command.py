"""``exclude add`` keeps a user's file: it adds what a scan then applies, or changes nothing."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.cli.exclusion_file import add, exclusions
from smbrare.cli.toml_file import load
from smbrare.detection.exclusions import Exclusion
from smbrare.errors import UsageError
from smbrare.rule.networks import NOT_INTERNET
from smbrare.text import visible
from tests.conftest import FIXTURES, Result, Run

SAMPLE = FIXTURES / "sample.ndjson"
OLD = '# Ours.\r\n[[exclusion]]\r\nreason = "a"  # why\r\nhost = "ws-1"'


def exclude(run: Run, *words: str | Path, **variables: str) -> Result:
    return run("exclude", "add", *words, env=variables)


def test_what_was_added_is_applied_by_the_next_scan(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    result = exclude(run, "20.60.40.9", "--reason", 'the "share"\\ é', "--exclusions", file)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith(f'added to {file}: the "share"\\ é (destination 20.60.40.9)\n')
    findings = run("scan", SAMPLE, "--exclusions", file, "-q", "-f", "csv").out
    assert "45.83.122.10" in findings
    assert "20.60.40.9" not in findings


def test_the_user_is_told_how_a_scan_applies_it_unless_it_does(run: Run, tmp_path: Path) -> None:
    config = {"XDG_CONFIG_HOME": str(tmp_path)}
    file = tmp_path / "smbrare" / "exclusions.toml"
    told = exclude(run, "1.2.3.4", "--reason", "x", **config)
    assert told.code == 0
    assert f"scans apply it with --exclusions {file}" in told.err
    assert len(exclusions(load(file))) == 1
    (tmp_path / "smbrare" / "smbrare.toml").write_text('exclusions = "exclusions.toml"\n')
    told = exclude(run, "1.2.3.5", "--reason", "x", **config)
    assert told.err == f"added to {file}: x (destination 1.2.3.5)\n"
    told = exclude(run, "1.2.3.6", "--reason", "x", SMBRARE_EXCLUSIONS=str(tmp_path / "y.toml"))
    assert told.err == f"added to {tmp_path / 'y.toml'}: x (destination 1.2.3.6)\n"


def test_what_is_in_the_file_stays_byte_by_byte(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xef\xbb\xbf" + OLD.encode())
    file.chmod(0o600)
    assert exclude(run, "9.9.9.0/24", "--reason", "b", "--exclusions", file).code == 0
    assert (
        file.read_bytes()
        == b"\xef\xbb\xbf"
        + (OLD + '\r\n\r\n[[exclusion]]\r\nreason = "b"\r\ndestination = "9.9.9.0/24"\r\n').encode()
    )
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["x.toml"]


@pytest.mark.parametrize(
    "content", ["exclusion = [{host = 'a', reason = 'b'}]\n", "nonsense", "a = 1"]
)
def test_a_file_that_cannot_be_added_to_is_left_alone(
    run: Run, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "x.toml"
    file.write_text(content)
    result = exclude(run, "9.9.9.9", "--reason", "b", "--exclusions", file)
    assert result.code == 2
    assert str(file) in result.err
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["10.1.2.3", "--reason", "x"], "10.1.2.3 is not on the internet"),
        (["fe80::1", "--reason", "x"], "fe80::1 is not on the internet"),
        (["9.9.9.9", "--reason", " "], "--reason: give one line of text"),
        (["9.9.9.9", "--reason", "a\nb"], "--reason: give one line of text"),
        (["9.9.9.9", "--reason", "a\u202eb"], "--reason: give one line of text"),
        (["9.9.9.9"], "--reason"),
        (["files.example", "--reason", "x"], "files.example"),
        (["9.9.9.9", "--reason", "x", "--expires", "soon"], "'soon' is not a time"),
    ],
)
def test_what_could_never_apply_is_refused(
    run: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    result = exclude(run, *words, "--exclusions", tmp_path / "x.toml")
    assert result.code == 2
    assert said in result.err
    assert not (tmp_path / "x.toml").exists()


@pytest.mark.parametrize(
    ("first", "second", "is_added"),
    [
        (["9.9.9.0/24"], ["9.9.9.9"], False),
        (["9.9.9.9"], ["9.9.9.0/24"], True),
        (["9.9.9.9"], ["9.9.9.9", "--expires", "2030-01-01"], False),
        (["9.9.9.9", "--expires", "2030-01-01"], ["9.9.9.9"], True),
        (["9.9.9.9", "--expires", "2030-01-01"], ["9.9.9.9", "--expires", "2030-01-02"], True),
        (["9.9.9.9", "--expires", "2030-01-01"], ["9.9.9.9", "--expires", "2029-01-01"], False),
    ],
)
def test_what_is_excluded_already_is_not_added(
    run: Run, tmp_path: Path, first: list[str], second: list[str], *, is_added: bool
) -> None:
    file = tmp_path / "x.toml"
    exclude(run, *first, "--reason", "a", "--exclusions", file)
    before = file.read_text()
    result = exclude(run, *second, "--reason", "b", "--exclusions", file)
    assert result.code == 0
    assert (f"{file} already contains a (destination" in result.err) != is_added
    assert (file.read_text() == before) != is_added


def test_a_narrower_exclusion_does_not_count_as_the_same(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    narrow = '[[exclusion]]\nreason = "a"\ndestination = "9.9.9.9"\n{}\n'
    for more in ('host = "a"', 'source = "10.0.0.1"', "from = 2026-01-01", 'domain = "a.example"'):
        file.write_text(narrow.format(more))
        assert add(file, _of("9.9.9.9")) is None
        assert len(exclusions(load(file))) == 2


def _of(text: str, reason: str = "x") -> Exclusion:
    return Exclusion(reason, destination=(ip_network(text),))


@given(
    st.lists(
        st.tuples(
            st.ip_addresses(), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
        ),
        max_size=6,
    )
)
def test_a_file_that_was_added_to_says_what_was_given(
    tmp_path_factory: pytest.TempPathFactory, given_ones: list[tuple[object, str]]
) -> None:
    file = tmp_path_factory.mktemp("x") / "x.toml"
    wanted: list[Exclusion] = []
    for address, reason in given_ones:
        exclusion = _of(str(address), reason)
        inside = any(
            net.version == exclusion.destination[0].version
            and exclusion.destination[0].network_address in net
            for net in NOT_INTERNET
        )
        try:
            if add(file, exclusion) is None:
                wanted.append(exclusion)
        except UsageError:
            assert inside or reason != reason.strip() or visible(reason) != reason
    assert (exclusions(load(file)) if file.exists() else []) == wanted
