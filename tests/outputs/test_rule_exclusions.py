"""Exclusions in the exports of the rule: as a scan applies them, or left out and named."""

import re
from fnmatch import fnmatchcase
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbrare.detection.exclusions import Exclusion, because
from smbrare.detection.sightings import Key
from smbrare.outputs.rule.exclusions import (
    HOST_FIELDS,
    NotExpressibleError,
    in_eql,
    in_esql,
    in_kql,
    in_sigma,
    list_missing,
    regex,
    split,
)
from smbrare.outputs.rule.export import EXPORTS, sigma
from smbrare.outputs.rule.queries import eql, esql, kql
from smbrare.records.times import HOUR, date, format_time
from tests.conftest import Run
from tests.support.events import matching, view
from tests.support.rule_languages import eql_holds, esql_holds, kql_holds, sigma_holds

HOURS = range(495_000, 495_006)


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


def networks(*values: str) -> st.SearchStrategy[tuple[Any, ...]]:
    return some(*values).map(lambda texts: tuple(map(ip_network, texts)))


limits = st.none() | st.sampled_from(HOURS)
exclusions = st.builds(
    Exclusion,
    st.just("a reason"),
    networks("45.83.122.10", "45.83.0.0/16", "2a02::/16"),
    networks("10.20.1.11", "10.20.0.0/16"),
    some("ws-01*", "ws-01.corp.example", "dc-1", "ws-0[1-3]*", "ws-0?", "*.example", "ws-(2) x"),
    st.just(()) | some("*.example.com"),
    limits,
    limits,
    limits,
).filter(lambda made: made.destination or made.source or made.host or made.domain)
events = st.builds(
    lambda destination, source, host, time: matching(
        destination__ip=destination,
        source__ip=source,
        host__name=host,
        timestamp=format_time(time * HOUR // 2),
    ),
    st.sampled_from(["45.83.122.10", "45.83.9.9", "91.219.236.18", "2a02::1"]),
    st.sampled_from(["10.20.1.11", "10.20.2.2", "192.168.1.1"]),
    st.sampled_from(["WS-01", "ws-01.corp.example", "WS-01.corp.example", "WS-02", "ws-(2) x"]),
    st.integers(2 * HOURS[0] - 1, 2 * HOURS[-1] + 2),
)


def key(event: Any) -> Key:
    hour = date(event["@timestamp"]).time // HOUR
    host = event["host"]["name"].lower()
    return event["destination"]["ip"], event["source"]["ip"], host, hour


def is_left(event: Any, said: list[Exclusion]) -> bool:
    return not because(said)(key(event))


@given(st.lists(exclusions, max_size=3), events)
def test_kql_excludes_what_a_scan_excludes(several: list[Exclusion], event: Any) -> None:
    said, unsaid = split(several, in_kql)
    assert kql_holds(kql(several), event) == is_left(event, [exclusion for exclusion, _ in said])
    assert all(
        exclusion.domain or any(set("?[ ") & set(pattern) for pattern in exclusion.host)
        for exclusion, _ in unsaid
    )


@given(st.lists(exclusions, max_size=3), events)
def test_sigma_excludes_what_a_scan_excludes(several: list[Exclusion], event: Any) -> None:
    said, unsaid = split(several, in_sigma)
    assert sigma_holds(sigma(several), event) == is_left(event, [one for one, _ in said])
    assert all(
        exclusion.domain or (exclusion.start, exclusion.until, exclusion.expires) != (None,) * 3
        for exclusion, _ in unsaid
    )


@given(exclusions, events)
def test_esql_excludes_what_a_scan_excludes(exclusion: Exclusion, event: Any) -> None:
    if exclusion.domain:
        with pytest.raises(NotExpressibleError):
            in_esql(exclusion)
    else:
        condition = in_esql(exclusion)
        assert esql_holds(condition, event) == is_left(event, [exclusion])
        assert f"| WHERE {condition}\n" in esql([exclusion])


@given(st.lists(exclusions, max_size=3), events)
def test_eql_excludes_what_a_scan_excludes(several: list[Exclusion], event: Any) -> None:
    said, unsaid = split(several, in_eql)
    assert eql_holds(eql(several), event) == is_left(event, [exclusion for exclusion, _ in said])
    assert all(
        exclusion.domain or (exclusion.start, exclusion.until, exclusion.expires) != (None,) * 3
        for exclusion, _ in unsaid
    )


names = st.none() | st.sampled_from(["ws-01", "WS-01", "wec-01", "ws-02"])


@given(names, names, names, st.sampled_from(["ws-01", "wec*", "ws-0[1]"]))
def test_an_exclusion_of_hosts_goes_by_the_field_that_a_scan_takes_the_host_from(
    computer: str | None, name: str | None, hostname: str | None, pattern: str
) -> None:
    exclusion = Exclusion("x", host=(pattern,))
    event = matching()
    event["host"] = {"os": {"type": "windows"}}
    for field, value in zip(HOST_FIELDS, (computer, name, hostname), strict=True):
        parent, leaf = field.split(".")
        if value is not None:
            event.setdefault(parent, {})[leaf] = value
    host = (view(event).read("host.name").values or ("",))[0].lower()
    left = not because([exclusion])(("45.83.122.10", "10.20.1.11", host, 495_000))
    assert eql_holds(eql([exclusion]), event) == left
    assert esql_holds(in_esql(exclusion), event) == left
    if "[" not in pattern:
        assert kql_holds(kql([exclusion]), event) == left


@pytest.mark.parametrize("name", ["host__name", "source__ip", "destination__ip"])
def test_esql_keeps_an_event_that_lacks_the_field_of_an_exclusion(name: str) -> None:
    exclusion = Exclusion("x", (ip_network("::/0"),), (ip_network("10.0.0.0/8"),), ("ws*",))
    event = matching()
    parent, leaf = name.split("__")
    event[parent][leaf] = None
    assert esql_holds(in_esql(exclusion), event)


@given(
    st.text("aw0159-._*?[]!\\()^$#/ ", min_size=1, max_size=8),
    st.text("aw0159-.[]!\\()^$#/ ", max_size=8),
)
def test_a_pattern_as_a_regular_expression_fits_what_the_pattern_fits(
    pattern: str, name: str
) -> None:
    try:
        expression = regex(pattern)
    except NotExpressibleError:
        assert "[" in pattern
    else:
        assert bool(re.fullmatch(expression, name)) == fnmatchcase(name, pattern)


@given(st.text("ws-1*.()\\:<>\"{}'#", min_size=1, max_size=8), st.text("ws-1.()\\:<>\"{}'#"))
def test_no_pattern_of_hosts_breaks_out_of_its_text(pattern: str, name: str) -> None:
    exclusion = Exclusion("x", host=(pattern,))
    event = matching(host__name=name)
    expected = not fnmatchcase(name, pattern)
    assert kql_holds(kql([exclusion]), event) == expected
    assert sigma_holds(sigma([exclusion]), event) == expected
    assert esql_holds(in_esql(exclusion), event) == expected
    assert eql_holds(eql([exclusion]), event) == expected


def test_kql_finds_hosts_in_the_usual_spellings_and_says_that_there_are_others() -> None:
    exclusion = Exclusion("x", host=("ws-01.corp.example",))
    for name in ("ws-01.corp.example", "WS-01.corp.example", "WS-01.CORP.EXAMPLE"):
        assert not kql_holds(kql([exclusion]), matching(host__name=name))
    assert kql_holds(kql([exclusion]), matching(host__name="Ws-01.corp.example"))
    assert any("minds case" in line for line in list_missing("kql", [exclusion]))
    assert list_missing("kql", [Exclusion("x", destination=(ip_network("45.83.122.10"),))]) == []


def test_a_reason_cannot_end_the_comment_that_holds_it() -> None:
    exclusion = Exclusion("a\nb\r| LIMIT 0\u2028c", (ip_network("45.83.122.10"),), domain=("x",))
    for line in esql([exclusion]).splitlines():
        assert "LIMIT" not in line or line.startswith("// ")
    assert sigma_holds(sigma([exclusion]), matching())


CONFIGURED = """\
exclude = ["91.219.236.18"]
exclusions = "exclusions.toml"
format = "json"
output = "findings.json"
"""
FILE = """\
[[exclusion]]
reason = "contract 17"
destination = "20.60.40.0/24"
expires = 2026-12-01

[[exclusion]]
reason = "the content network"
domain = "*.example.com"

[[exclusion]]
reason = "lab"
host = "lab-[0-9]?"
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "exclusions.toml").write_text(FILE)
    path = tmp_path / "smbrare.toml"
    path.write_text(CONFIGURED)
    return path


@pytest.mark.parametrize(
    ("target", "omitted"),
    [
        ("kql", {"the content network", "lab"}),
        ("eql", {"the content network", "contract 17"}),
        ("esql", {"the content network"}),
        ("sigma", {"the content network", "contract 17"}),
        ("elastic-rule", {"the content network", "lab"}),
    ],
)
def test_an_export_holds_the_configured_exclusions_and_names_the_rest(
    run: Run, configuration: Path, target: str, omitted: set[str]
) -> None:
    result = run("rule", "export", "--to", target, "--config", configuration)
    assert result.code == 0
    lines = result.err.splitlines()
    reasons = {"command line", "contract 17", "the content network", "lab"}
    for reason in reasons:
        starts = ("smbrare: not in this export: ",) if reason in omitted else ("excluded ", " ")
        assert any(line.startswith(starts) and reason in line for line in lines)
    assert "91.219.236.18" in result.out
    if target != "kql":
        # It has no comments.
        for reason in reasons:
            assert reason in result.out
    assert not (configuration.parent / "findings.json").exists()


@pytest.mark.parametrize("target", list(EXPORTS))
def test_without_exclusions_nothing_is_said(run: Run, target: str) -> None:
    result = run("rule", "export", "--to", target)
    assert (result.code, result.err) == (0, "")


def test_a_wrong_file_of_exclusions_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[[exclusion]]\ndestination = "45.83.122.10"\n')
    result = run("rule", "export", "--to", "kql", "--exclusions", path)
    assert (result.code, result.out) == (2, "")
    assert "needs a reason" in result.err
