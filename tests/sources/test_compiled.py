"""A compiled table and a remembered layout give what the full walk and every source give."""

import copy
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbrare import sources
from smbrare.detection.source_survey import BARS, FAILS, INFERRED, MARKS, ODD, WORDS, is_unusual
from smbrare.records.event import Document
from smbrare.records.read_options import ReadOptions
from smbrare.rule.predicate import failing
from smbrare.sources import KEY_SETS, LAYOUTS, compiled, key_set, recognize
from smbrare.sources.alerts import is_alert
from smbrare.sources.compiled import LONGEST_VALUE, MOST_IN_ALL, MOST_VALUES, Meanings
from smbrare.sources.field_rules import find
from smbrare.sources.mapping import View
from tests.support.forms import FORMS, OTHERS
from tests.support.forms.connection import Connection
from tests.support.forms.reading import FIELDS

RECORDS = [form(Connection()) for form in FORMS.values()] + [
    other(Connection()) for others in OTHERS.values() for other in others
]
OPTIONS = [
    ReadOptions(literal=literal, zone=zone, time_field=time_field, time_unit=unit)
    for literal in (False, True)
    for zone in (ReadOptions().zone, timezone(timedelta(hours=-5, minutes=-30)))
    for time_field in ("@timestamp", "event.ingested")
    for unit in (None, 1)
]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, 3, 4, 22, 445, 5156, 3.0, 4.0, 445.9, 1e300, -(2**70)),
    *("", "-", " ", "3", "4", "004", "445", "445.0", "0x4", "5156", "4e0", "microsoft-ds"),
    *("network", "NETWORK", '["network"]', "network,process", "tcp", "TCP", "udp", "6"),
    *("windows", "Windows", "linux", "Windows Server 2019", "C:\\x.exe", "System", "NT AUTHORITY"),
    *("10.0.0.1", "::ffff:45.83.122.10", "::FFFF:2d53:7a0a", "fe80::1%12", "45.83.122.10:445"),
    *("winlogbeat", "endpoint", "Security", "Microsoft-Windows-Sysmon/Operational", "sysmon"),
    *("Microsoft-Windows-Sysmon", "m365_defender.event", "endpoint.events.network", "esensor"),
    *("2026-11-16 08:00:00.123", "5/6/2026 8:00", 1795248000000, "1795248000", "x" * 200),
    *({"direction": "In"}, '{"direction": "In"}', "IPConnect", "IP Connect", {}, [], [None]),
]
value = st.sampled_from(VALUES)
wrapped = st.one_of(
    value,
    value.map(lambda one: [one]),
    st.lists(value, min_size=2, max_size=10),
    value.map(lambda one: [[one], None]),
)
WORD = "what the test adds"


def paths_of(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the keys that lead to each value of a document, objects included."""
    found = [path] if path else []
    if isinstance(node, dict):
        for key, inner in node.items():
            found += paths_of(inner, (*path, key))
    return found


def parent_of(document: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    node = document
    for key in path[:-1]:
        node = node[key]
    return node


def flat(node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in node.items():
        if isinstance(inner, dict):
            found |= flat(inner, f"{prefix}{key}.")
        else:
            found[prefix + key] = inner
    return found


def respelled(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """Return a record with one of its values spelled in another way, or replaced."""
    path = draw(st.sampled_from(paths_of(document)))
    parent, key = parent_of(document, path), path[-1]
    old = parent[key]
    match draw(st.integers(0, 9)):
        case 0 | 1 | 2:
            parent[key] = draw(wrapped)
        case 3:
            parent[key] = [old]
        case 4 if isinstance(old, dict):
            parent[key] = [old, draw(value)]
        case 4 if isinstance(old, str):
            parent[key] = old.swapcase()
        case 5:  # The dotted key instead of the nested one …
            del parent[key]
            document[".".join(path)] = old
        case 6:  # … or beside it.
            document[".".join(path)] = draw(wrapped)
        case 7 if isinstance(old, dict):
            del parent[key]
            parent.update({f"{key}.{inner}": each for inner, each in old.items()})
        case 8:
            return flat(document)
        case 9:
            del parent[key]
    return document


@st.composite
def spelled(draw: st.DrawFn) -> dict[str, Any]:
    """Return a record of some form, with up to four changes."""
    document = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(0, 4))):
        if document:
            document = respelled(draw, document)
    return document


def described(view: View | None) -> Any:
    if view is None:
        return None
    rest = {key: each for key, each in view.document.items() if not key.startswith(WORD)}
    return view.source, view.kind, view.marks, view.known_kind, view.table, repr(rest)


def seen_anew(document: Document, options: ReadOptions) -> View | None:
    """Return what is recognized by asking each source: of so many keys nothing is remembered."""
    return recognize({**document, **{f"{WORD} {number}": 0 for number in range(300)}}, options)


@given(document=spelled(), options=st.sampled_from(OPTIONS))
@settings(max_examples=1_000)
def test_a_record_is_recognized_as_if_every_source_were_asked(
    document: dict[str, Any], options: ReadOptions
) -> None:
    before = repr(document)
    first, again = recognize(document, options), recognize(document, options)
    assert described(first) == described(again) == described(seen_anew(document, options))
    assert key_set(document).is_alert(document) == is_alert(document)
    assert repr(document) == before


@given(document=spelled(), options=st.sampled_from(OPTIONS))
@settings(max_examples=1_000)
def test_each_field_is_read_as_the_full_walk_reads_it(
    document: dict[str, Any], options: ReadOptions
) -> None:
    view, again = recognize(document, options), recognize(document, options)
    if view is None or again is None:
        return
    for field in (*FIELDS, "dns.question.name", "dns.answers.data", "no.field"):
        wanted = find(field, view.table.get(field, ()), view.document, options)
        if view.lend is not None and not wanted.values and not wanted.malformed:
            wanted = view.lend(field)
        assert repr(view.read(field)) == repr(again.read(field)) == repr(wanted)


@given(document=spelled(), options=st.sampled_from(OPTIONS))
@settings(max_examples=500)
def test_marks_say_what_the_clauses_and_the_readings_say(
    document: dict[str, Any], options: ReadOptions
) -> None:
    view = recognize(document, options)
    if view is None:
        return
    marks = dict(zip(MARKS.fields, view.noted(MARKS), strict=True))
    assert [name for name in marks if marks[name] & FAILS] == [each.field for each in failing(view)]
    for name, mark in marks.items():
        reading = find(name, view.table.get(name, ()), view.document, options)
        is_plain = reading.values and not reading.malformed and not is_unusual(name, reading.values)
        assert bool(mark & ODD) is not bool(is_plain)
        word = WORDS.get(name)
        ordinary = bool(reading.values) and not is_unusual(name, reading.values)
        is_barred = word is not None and word not in reading.values and ordinary
        assert bool(mark & INFERRED) == bool(reading.inferred)
        assert bool(mark & BARS) == (is_barred and name != "event.category")


WALKED = {"ecs-plain"}
"""Forms that spell a field in two ways."""
ASKED = {
    *("defender-streaming", "defender-hunting", "defender-hunting-text", "defender-sentinel-text"),
    *("defender-graph", "defender-timeline", "endgame-raw", "asim-networksession"),
    *("sentinel_one-raw", "sentinel_one-nested", "sentinel_one-deep", "ocsf-network"),
}
"""Forms that a few keys at the top identify; their sources are asked each time."""


@pytest.mark.parametrize("name", FORMS)
def test_of_a_known_kind_of_record_nothing_is_walked_through_and_no_source_is_asked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ReadOptions()
    first = recognize(FORMS[name](Connection()), options)
    assert first is not None
    first.noted(MARKS)
    calls: list[str] = []
    ask, walk = sources._layout, find  # noqa: SLF001 - to count

    def asked(document: Document) -> Any:
        calls.append("asked")
        return ask(document)

    def walked(*arguments: Any) -> Any:
        calls.append("walked")
        return walk(*arguments)

    monkeypatch.setattr(sources, "_layout", asked)
    monkeypatch.setattr(compiled, "find", walked)
    other = Connection(host="OTHER", destination="185.220.101.4", source_port=50999, port=139)
    view = recognize(FORMS[name](other), options)
    assert view is not None
    marks = view.noted(MARKS)
    assert not any(mark & ~INFERRED for mark in marks)
    assert set(calls) == {*["asked"] * (name in ASKED), *["walked"] * (name in WALKED)}


def test_no_log_fills_what_is_remembered() -> None:
    meanings = Meanings(len)
    for number in range(MOST_VALUES + 10):
        assert meanings[str(number)] == 1
    assert 0 < len(meanings) <= MOST_VALUES
    several = [Meanings(len) for _ in range(MOST_IN_ALL // MOST_VALUES + 2)]
    for number in range(MOST_VALUES):
        assert all(each[str(number)] for each in several)
    assert 0 < sum(map(len, Meanings.everywhere.values())) <= MOST_IN_ALL
    for raw in ("x" * (LONGEST_VALUE + 1), ("x" * LONGEST_VALUE, "y")):
        assert meanings[raw]
        assert raw not in meanings
    for number in range(sources.MOST_KEY_SETS + sources.MOST_LAYOUTS):
        form = FORMS["elastic_defend-8"](Connection())
        form["agent"]["type"] = f"{number}" * 100
        recognize(form | {f"key {number}": 1}, ReadOptions())
        form["agent"]["type"] = f"{number}"
        recognize(form | {"x" * number: 1}, ReadOptions())
        recognize(form, ReadOptions())
    assert len(KEY_SETS) <= sources.MOST_KEY_SETS
    assert sum(len(key) for keys in KEY_SETS for key in keys) <= 20_000_000
    assert len(LAYOUTS) <= sources.MOST_LAYOUTS
    assert all(len(str(fact)) < 1_000 for facts in LAYOUTS for fact in facts[1:])
